"""A worker that ends itself by SIGKILL at one labelled point: before or after one call, in one flow.

`python -m tests.world.killing worker <target> <when> <nth> <flow> <only> <side>` does all the work that waits and dies
at its point, or ends with 0 where it never came there. As `child` it is the core's own process, which takes its worker
along.
"""

from __future__ import annotations

import functools
import os
import re
import signal
import sys
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib import import_module
from typing import Literal, NoReturn

from requests import PreparedRequest

from bot import isolated, logs, wiring, worker
from bot.core.wake import Wake
from bot.flows.place import Place
from bot.isolation import IsolatedCore


@dataclass(frozen=True, slots=True)
class Point:
    """Where a worker dies. It counts calls of `target` (`module:name` or `module:Class.name`) in `flow`, or anywhere
    where that is empty, and dies around the `nth`. A target that sends requests can be narrowed by `only`, a pattern
    for `METHOD path`."""

    label: str
    stage: str
    """What waits for the worker: `first`, `review`, `again` or `deliver`."""
    when: Literal["before", "after"]
    target: str
    flow: str = ""
    nth: int = 1
    only: str = ""
    side: Literal["worker", "child"] = "worker"

    def command(self) -> list[str]:
        """What to start, after the interpreter."""
        when = [self.when, str(self.nth), self.flow, self.only]
        return ["-m", "tests.world.killing", "worker", self.target, *when, self.side]


def owner_of(target: str) -> tuple[object, str]:
    """The module or class that has the target, and its name there. AttributeError where there is none."""
    module, _, path = target.partition(":")
    *outer, name = path.split(".")
    owner = functools.reduce(getattr, outer, import_module(module))
    getattr(owner, name)
    return owner, name


class _Now:
    """The flow that this process is in."""

    flow = ""


def _die() -> NoReturn:
    os.kill(os.getpid(), signal.SIGKILL)
    raise AssertionError("nothing survives this")


def _die_with_parent() -> NoReturn:
    os.kill(os.getppid(), signal.SIGKILL)
    _die()


def _meant(only: str, asked: Sequence[object]) -> bool:
    if not only:
        return True
    request = next(one for one in asked if isinstance(one, PreparedRequest))
    return re.fullmatch(only, f"{request.method} {request.path_url.partition('?')[0]}") is not None


def _arm(target: str, when: str, nth: int, flow: str, only: str, die: Callable[[], NoReturn]) -> None:
    owner, name = owner_of(target)
    whole = getattr(owner, name)
    seen = 0

    def dying(*args: object, **named: object) -> object:
        nonlocal seen
        here = flow in ("", _Now.flow) and _meant(only, args)
        seen += here
        if here and seen == nth and when == "before":
            die()
        answer = whole(*args, **named)
        if here and seen == nth and when == "after":
            die()
        return answer

    setattr(owner, name, dying)


def _marked(name: str, flow: Callable[[Wake, Place, worker.Desk], None]) -> Callable[[Wake, Place, worker.Desk], None]:
    def run(wake: Wake, place: Place, desk: worker.Desk) -> None:
        _Now.flow = name
        try:
            flow(wake, place, desk)
        finally:
            _Now.flow = ""

    return run


def _work(target: str, when: str, nth: str, flow: str, only: str, side: str) -> None:
    logs.configure(json=True)
    if side == "child":
        program = (sys.executable, "-P", "-m", "tests.world.killing", "child", target, when, nth)
        setattr(wiring, "IsolatedCore", functools.partial(IsolatedCore, program=program))  # noqa: B010 - not its type
    else:
        worker._FLOWS.update({name: _marked(name, found) for name, found in worker._FLOWS.items()})  # type: ignore[attr-defined]  # closed to all but us
        _arm(target, when, int(nth), flow, only, _die)
    settings = wiring.read_settings()
    made = wiring.Wiring(settings)
    worker.work(
        worker.Desk(made.place, made.wakeups, made.interrupt), settings.redis_url, threading.Event(), burst=True
    )
    made.close()


def _think(target: str, when: str, nth: str, memory: str, seconds: str, parent: str) -> None:
    _arm(target, when, int(nth), "", "", _die_with_parent)
    isolated.run(int(memory), float(seconds), int(parent))


if __name__ == "__main__":
    if sys.argv[1] == "child":
        _think(*sys.argv[2:])
    else:
        _work(*sys.argv[2:])
