"""Gates before a merge: frozen and held environments, and builds that have not run where they must run first.

They stand in review alone. What has landed is delivered, so that nothing waits where nobody sees it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Final, cast

from bot.core.build import Build
from bot.core.cron import Cron, parse_cron, zone_of
from bot.core.model.platform import Environment, Platform
from bot.core.model.values import Pointer, Value
from bot.core.problem import Problem
from bot.core.rules.moving import Moves, comes_back, moves, unit_of
from bot.core.tree import Oid

FROZEN: Final = "CW0751"
HELD: Final = "CW0752"
NOT_PROMOTED: Final = "CW0753"

GATES = frozenset({FROZEN, HELD, NOT_PROMOTED})
"""Codes of what only waits: the change itself is fine."""

_SECONDS = {"s": 1, "m": 60, "h": 3600}
_CHAIN = 400
"""Windows that follow one another without a gap; more are told as one without an end."""

Ran = Mapping[str, frozenset[Oid]]


def gates(before: Build | None, after: Build, now: int, ran: Ran) -> tuple[Problem, ...]:
    """What the platform of `before` holds back at `now` (seconds since 1970), sorted. A rollback (`ran`) passes."""
    if before is None:
        return ()
    found = moves(before, after)
    moving = [name for name in before.platform.environments if _moves(name, found, before, after, ran)]
    problems = [problem for name in moving for problem in _closed(before.platform, name, now)]
    problems += _unpromoted(before, after, found, ran)
    return tuple(sorted(problems))


def _moves(name: str, found: Moves, before: Build, after: Build, ran: Ran) -> bool:
    """True where the change moves something in this environment, and is not only a rollback."""
    fresh = {folder for folder in found.units if not comes_back(folder, after, ran)}
    if found.own.get(name, frozenset()) & fresh:
        return True
    # What differs beside is the echo of what the change moves: of the platform's own files, or of a unit that is there.
    there = {
        folder
        for folder in fresh
        for build in (before, after)
        if (state := build.units.get(folder)) is not None and name in state.environments
    }
    return name in found.others and (found.platform or bool(there))


def _closed(platform: Platform, name: str, now: int) -> Iterator[Problem]:
    hold = platform.holds.get(name)
    if hold is not None:
        at = platform.docs["platform/holds.yaml"].at(("holds", name), key=True)
        yield Problem(
            "platform/holds.yaml", at.line, at.column, HELD,
            f"{name} is on hold by {hold['by']}: {hold['reason']}",
            "what runs there must not change until the hold is gone",
            f"wait, or have it lifted: a comment `/unhold {name}` by the platform team opens the change that does it; "
            "a rollback passes",
        )  # fmt: skip
    freezes = cast(Sequence[Mapping[str, Value]], platform.environments[name].value["freeze"])
    for index, freeze in enumerate(freezes):
        until = frozen_until(freeze, now)
        if until is not None:
            yield _frozen(platform, name, ("environments", name, "freeze", index), until)
            return


def _frozen(platform: Platform, name: str, pointer: Pointer, until: str) -> Problem:
    at = platform.docs["platform/environments.yaml"].at(pointer)
    return Problem(
        "platform/environments.yaml", at.line, at.column, FROZEN,
        f"{name} is frozen {until}",
        "what runs there must not change in that time",
        "wait until it is over: this is looked at again by itself then; a rollback passes",
    )  # fmt: skip


def turns_at(platform: Platform, now: int) -> int:
    """When a freeze of any environment begins or ends next, seconds since 1970; 0 where none ever does. What was said
    of open changes before may not hold after it."""
    found: list[int] = []
    for environment in platform.environments.values():
        for freeze in cast(Sequence[Mapping[str, Value]], environment.value["freeze"]):
            cron, zone = parse_cron(str(freeze["cron"])), zone_of(str(freeze.get("timezone", "UTC")))
            if isinstance(cron, Cron) and zone is not None:
                begins, began = cron.following(now, zone), cron.latest(now, zone)
                ends = began + seconds(str(freeze["for"])) if began is not None else 0
                found += [at for at in (begins, ends) if at is not None and at > now]
    return min(found, default=0)


def frozen_until(freeze: Mapping[str, Value], now: int) -> str | None:
    """`until Mon 2026-11-23 08:00 (Europe/Berlin)` where the freeze holds at `now`, else None."""
    name = str(freeze.get("timezone", "UTC"))
    cron, zone = parse_cron(str(freeze["cron"])), zone_of(name)
    if not isinstance(cron, Cron) or zone is None:
        return None  # refused where the file is read
    length = seconds(str(freeze["for"]))
    start = cron.latest(now, zone)
    if start is None or start + length <= now:
        return None
    for _ in range(_CHAIN):
        later = cron.latest(start + length, zone)
        if later is None or later <= start:
            return f"until {datetime.fromtimestamp(start + length, zone):%a %Y-%m-%d %H:%M} ({name})"
        start = later
    return "without an end: each time begins before the last one is over"


def seconds(duration: str) -> int:
    """`62h` in seconds."""
    return int(duration[:-1]) * _SECONDS[duration[-1]]


def _unpromoted(before: Build, after: Build, found: Moves, ran: Ran) -> Iterator[Problem]:
    for name, environment in before.platform.environments.items():
        earlier = environment.value["promote_from"]
        for folder in sorted(found.own.get(name, ())) if earlier is not None else ():
            build = _image(after, folder, name)
            known = (_image(before, folder, name), _image(before, folder, str(earlier)))
            if build is not None and build not in known and not comes_back(folder, after, ran):
                yield _not_promoted(after, folder, environment, str(earlier), build)


def _image(build: Build, folder: str, env: str) -> str | None:
    """The build that runs there, None where none does. By digest, where it has one: a tag may be added to it."""
    state = build.units.get(folder)
    there = state.environments.get(env) if state is not None else None
    if there is None or there.effective.waiting:
        return None
    image = cast(Mapping[str, Value], there.effective.value["image"])
    return f"{image['repository']}@{image['digest']}" if image.get("digest") else str(image["ref"])


def _not_promoted(after: Build, folder: str, environment: Environment, earlier: str, build: str) -> Problem:
    unit = unit_of(after, folder)
    path, line, column = f"{folder}/platform.yaml", 1, 1
    if unit is not None:
        doc, pointer = unit.manifest, cast(Pointer, ("image",))
        if unit.releases is not None and (environment.name, "image") in unit.releases.marks:
            doc, pointer = unit.releases, (environment.name, "image")
        at = doc.at(pointer)
        path, line, column = doc.path, at.line, at.column
    return Problem(
        path, line, column, NOT_PROMOTED,
        f"`{build}` does not run in {earlier} yet, so it may not come to {environment.name}",
        f"{environment.name} takes only builds that {earlier} runs on the default branch",
        f"release it to {earlier} in releases.yaml, merge that, then release the same build to {environment.name}; "
        "a rollback passes",
    )  # fmt: skip
