"""Who is concerned by an event: the names under which work waits."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import Literal

from bot.core.event import Event

FORGE_NAME = re.compile(r"[a-z][a-z0-9]{0,30}")
_NAME = re.compile(
    r"(?:(?P<review>review)-(?P<forge1>[a-z][a-z0-9]{0,30})-(?P<repo1>[1-9][0-9]{0,18})-(?P<number>[1-9][0-9]{0,9})"
    r"|(?P<deliver>deliver)-(?P<forge2>[a-z][a-z0-9]{0,30})-(?P<repo2>[1-9][0-9]{0,18})"
    r"|(?P<queue>queue)-(?P<forge3>[a-z][a-z0-9]{0,30})-(?P<repo3>[1-9][0-9]{0,18})-(?P<sha>[0-9a-f]{40}))"
)


@dataclass(frozen=True, slots=True)
class Wake:
    """One piece of work by name. `str()` of it is the name, a legal RQ job id."""

    flow: Literal["review", "deliver", "queue"]
    forge: str
    repository: str
    number: int = 0
    sha: str = ""

    def __str__(self) -> str:
        tail = {"review": f"-{self.number}", "deliver": "", "queue": f"-{self.sha}"}[self.flow]
        return f"{self.flow}-{self.forge}-{self.repository}{tail}"


def wake_of(event: Event, forge: str) -> Wake:
    """The first wake of an event. What a moved branch means for open pull requests is found by the delivery itself."""
    match event.kind:
        case "pull":
            return Wake("review", forge, event.repository, number=event.number)
        case "push":
            return Wake("deliver", forge, event.repository)
        case "queue":
            return Wake("queue", forge, event.repository, sha=event.sha)


def wakes_of(event: Event, forge: str) -> tuple[Wake, ...]:
    """Every wake of an event, the first one first."""
    first = wake_of(event, forge)
    return first, *(replace(first, number=number) for number in event.also)


def parse_wake(name: str) -> Wake | None:
    """The wake that has this name; None for anything else. Redis is written by others too."""
    found = _NAME.fullmatch(name)
    if found is None:
        return None
    part = found.groupdict()
    if part["review"]:
        return Wake("review", part["forge1"], part["repo1"], number=int(part["number"]))
    if part["deliver"]:
        return Wake("deliver", part["forge2"], part["repo2"])
    return Wake("queue", part["forge3"], part["repo3"], sha=part["sha"])
