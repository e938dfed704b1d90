"""Rendering for several processors: what one process renders it stores itself, so that only ids travel."""

from __future__ import annotations

import os
from typing import Any

from bot.core.model.render import Rendered
from bot.core.tree import Oid
from bot.forks import Forks, Shares
from bot.git import Mirror

MOST = 4
"""Processes for one question. Each may take as much memory as the one that it is forked from."""


def processors() -> int:
    """Processors that this process may use, up to `MOST`."""
    return min(MOST, len(os.sched_getaffinity(0)))


def for_ids() -> Forks:
    """An `Each` for renders of which only ids are wanted."""
    return Forks(processors(), _Outlines)


class _Outlines(Shares):
    """Renders whose bytes nobody wants."""

    def keep(self, result: Any) -> Any:
        return Rendered({}, result.outline, result.objects) if isinstance(result, Rendered) else result


class _Packed(Shares):
    """Renders whose bytes go into a mirror."""

    def __init__(self, mirror: Mirror) -> None:
        self._packing = mirror.packing()

    def keep(self, result: Any) -> Any:
        if not isinstance(result, Rendered):
            return result
        self._packing.add(result.files, result.outline)
        return Rendered({}, result.outline, result.objects)

    def end(self) -> None:
        self._packing.end()


class Storing(Forks):
    """An `Each` that leaves the bytes of many renders in a mirror."""

    def __init__(self, mirror: Mirror, processes: int | None = None) -> None:
        super().__init__(processors() if processes is None else processes, lambda: _Packed(mirror))
        self._mirror = mirror

    def stored(self, oid: Oid) -> bool:
        """True where the mirror is known to have this file or folder, with all that is in it, because it was left
        there."""
        return self.used and self._mirror.has(oid)
