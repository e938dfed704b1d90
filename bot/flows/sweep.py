"""What webhooks missed: a conditional list and an `ls-remote` a repository and round; every name in full now and then.

Alone it would be enough. It remembers marks only to save work; a sweep that just started looks at everything.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, field

import structlog

from bot.core.model.ask import SurveyAsk
from bot.core.tree import Oid
from bot.core.wake import Wake
from bot.flows.place import Place
from bot.ports import OutsideWorldError, Wakeups

log = structlog.get_logger(__name__)

FULL_SECONDS = 6 * 3600
"""Within this time every open pull request and every delivery is looked at, whatever the marks say."""


@dataclass(slots=True)
class Marks:
    """What one repository looked like when it was last swept. Safe to lose."""

    pulls: str = ""
    tip: Oid | None = None
    gitops: dict[str, Oid | None] = field(default_factory=dict)
    full: dict[str, float] = field(default_factory=dict)
    """Wake name -> when it was last rung by a full look, monotonic seconds."""


def sweep(place: Place, wakeups: Wakeups, marks: Marks) -> int:
    """One round over one repository; how many names were rung. OutsideWorldError where the forge cannot be reached."""
    rung = _pulls(place, wakeups, marks)
    if _moved(place, marks):
        rung += wakeups.ring(str(Wake("deliver", place.forge_name, place.repository)))
    return rung + _full(place, wakeups, marks)


def sweep_all(places: list[Place], wakeups: Wakeups, marks: dict[str, Marks]) -> int:
    """One round over all; a repository that cannot be reached does not stop the others."""
    rung = 0
    for place in places:
        key = f"{place.forge_name}-{place.repository}"
        try:
            rung += sweep(place, wakeups, marks.setdefault(key, Marks()))
        except OutsideWorldError as error:
            log.warning("not swept", repository=key, why=str(error))
    return rung


def _pulls(place: Place, wakeups: Wakeups, marks: Marks) -> int:
    changed = place.forge.changed_since(marks.pulls)
    rung = 0
    for pull in changed.pulls or ():
        rung += wakeups.ring(str(Wake("review", place.forge_name, place.repository, number=pull.number)))
    # Only now: a mark that is set before its rings would hide what a crash lost.
    marks.pulls = changed.mark
    return rung


def _moved(place: Place, marks: Marks) -> bool:
    """True where the default branch or a GitOps branch is not where the last round saw it."""
    repository = place.forge.repository()
    heads = place.git.heads(place.forge.remote())
    tip = heads.get(f"refs/heads/{repository.default_branch}")
    if tip is None:
        return False
    moved = tip != marks.tip
    if moved:
        place.git.fetch(place.forge.remote(), [f"refs/heads/{repository.default_branch}"])
    for target in place.core.survey(SurveyAsk(place.git.path, tip)).targets:
        gitops = place.gitops(target.repo)
        if gitops is not None:
            found = gitops.git.heads(gitops.forge.remote()).get(f"refs/heads/{target.branch}")
            moved = moved or target.name not in marks.gitops or marks.gitops[target.name] != found
            marks.gitops[target.name] = found
    marks.tip = tip
    return moved


def _full(place: Place, wakeups: Wakeups, marks: Marks) -> int:
    now = time.monotonic()
    due = [name for name, last in marks.full.items() if now - last > FULL_SECONDS]
    if marks.full and not due:
        return 0
    names = [str(Wake("deliver", place.forge_name, place.repository))]
    names += [
        str(Wake("review", place.forge_name, place.repository, number=pull.number)) for pull in place.forge.open_pulls()
    ]
    rung = 0
    for index, name in enumerate(sorted(names)):
        if name not in marks.full or name in due:
            # Spread out: the next full look of each name comes at its own moment within the six hours.
            rung += wakeups.ring(name)
            marks.full[name] = now - FULL_SECONDS * index / max(len(names), 1) if name not in marks.full else now
    for name in marks.full.keys() - set(names):
        del marks.full[name]
    return rung
