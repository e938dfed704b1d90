"""How fast one installation may write at GitHub, and when it was told to wait."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable, Mapping
from typing import Literal

from bot.ports import OutsideWorldError

Urgency = Literal["required", "failing", "passing"]

_SHARES: Mapping[Urgency, float] = {"required": 1.0, "failing": 0.85, "passing": 0.7}
"""How much of the budget may be used up before a write of this kind waits: what blocks a merge always has room."""

PER_MINUTE = 80
PER_HOUR = 500
"""Requests that create content, as GitHub.com limits them; an Enterprise server sets limits of its own, or none."""

_UNTOLD_SECONDS = 60.0
_LONGEST_SECONDS = 3600.0


class Pace:
    """The write budget of one installation or account, to be shared by every adapter that uses it in this process.

    It never sleeps. A write above the budget, and any request while GitHub wants none, raises `OutsideWorldError` with
    `retry_after`, so that a worker does something else meanwhile. `per_minute` and `per_hour` None: no budget. Where
    several processes write for one installation, each gets its part of the numbers.
    """

    def __init__(
        self,
        per_minute: int | None = PER_MINUTE,
        per_hour: int | None = PER_HOUR,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._limits = [(limit, seconds) for limit, seconds in ((per_minute, 60.0), (per_hour, 3600.0)) if limit]
        self._clock = clock
        self._writes: deque[float] = deque(maxlen=max((limit for limit, _ in self._limits), default=1))
        self._closed_until = 0.0
        self._untold = 0
        self._guard = threading.Lock()

    def admit(self, what: str) -> None:
        """Raises while GitHub wants to be left alone."""
        with self._guard:
            left = self._closed_until - self._clock()
        if left > 0:
            raise OutsideWorldError(f"{what}: GitHub asked for a pause that is not over", left)

    def spend(self, what: str, urgency: Urgency) -> None:
        """Takes one write out of the budget; raises where writes of this urgency have none left."""
        self.admit(what)
        with self._guard:
            now = self._clock()
            waits = [self._wait(now, limit, seconds, _SHARES[urgency]) for limit, seconds in self._limits]
            if (longest := max(waits, default=0.0)) > 0:
                raise OutsideWorldError(f"{what}: the budget of writes at GitHub is used up", longest)
            if self._limits:
                self._writes.append(now)

    def limited(self, told: float | None) -> float:
        """GitHub refused for a while: seconds to wait. `told` is what it said; else a minute, and twice as long each
        time until it answers again."""
        with self._guard:
            wait = told if told is not None else min(_UNTOLD_SECONDS * 2**self._untold, _LONGEST_SECONDS)
            self._untold += told is None
            self._closed_until = max(self._closed_until, self._clock() + wait)
        return wait

    def answered(self) -> None:
        """GitHub answers again."""
        self._untold = 0

    def _wait(self, now: float, limit: int, seconds: float, share: float) -> float:
        room = max(1, int(limit * share))
        recent = [at for at in self._writes if at > now - seconds]
        return 0.0 if len(recent) < room else recent[len(recent) - room] + seconds - now
