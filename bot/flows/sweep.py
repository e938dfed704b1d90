"""What webhooks missed: a conditional list and an `ls-remote` a repository and round; every name in full now and then.

Alone it would be enough. It remembers marks only to save work; a sweep that just started looks at everything.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from time import monotonic, time

import structlog

from bot.core.model.ask import Head, SurveyAsk
from bot.core.tree import Oid
from bot.core.wake import Wake
from bot.flows.place import GitOps, Place
from bot.flows.unsaid import Waiting, remember, unsaid
from bot.ports import OutsideWorldError, PoisonError, Wakeups

log = structlog.get_logger(__name__)

FULL_SECONDS = 6 * 3600
"""Within this time every open pull request and every delivery is looked at, whatever the marks say."""

KNOWN_SECONDS = 900
"""For so long the default branch and the targets are taken to be what they were, where no branch moves: asking for
them in every round would cost more than all else together."""

TIDY_SECONDS = 3600


@dataclass(frozen=True, slots=True)
class Known:
    """Where a repository and its targets stand, and since when that is known, monotonic seconds."""

    at: float
    ref: str
    tip: Oid
    targets: tuple[tuple[Head, GitOps], ...]
    """Each with its branch's commit as last seen."""
    branches: tuple[str, ...]
    """The branch of each target."""
    turns_at: int = 0
    """When a freeze begins or ends next, seconds since 1970; 0 where none does."""


@dataclass(slots=True)
class Marks:
    """What one repository looked like when it was last swept. Safe to lose."""

    pulls: str = ""
    known: Known | None = None
    waiting: dict[int, Waiting] = field(default_factory=dict)
    """Merged pull requests whose final word has not been seen."""
    full: dict[str, float] = field(default_factory=dict)
    """Wake name -> when it was last rung by a full look, monotonic seconds."""
    doubtful: set[str] = field(default_factory=set)
    """Rung while they were said to be queued already. A worker that is killed as it takes a job leaves that claim
    behind for a minute, so these are rung once more."""
    tidied: float | None = None


def sweep(place: Place, wakeups: Wakeups, marks: Marks) -> int:
    """One round over one repository; how many names were rung. OutsideWorldError where the forge cannot be reached."""
    changed = place.forge.changed_since(marks.pulls)
    remember(marks.waiting, changed.pulls or ())
    turned = marks.known is not None and 0 < marks.known.turns_at <= time()
    known = _look(place, marks, turned)
    full = _full(place, marks)
    numbers = {pull.number for pull in changed.pulls or ()}
    if turned:
        # What was green may be frozen from now on, and the other way round.
        numbers |= {pull.number for pull in place.forge.open_pulls()}
    if known is not None:
        numbers |= unsaid(marks.waiting, place, tuple(head for head, _ in known.targets))
    names = marks.doubtful | {name for name, at in full.items() if at != marks.full.get(name)}
    names |= {_review(place, number) for number in numbers}
    if known is not None and _moved(marks.known, known):
        names.add(_deliver(place))
    queued = {name for name in sorted(names) if not wakeups.ring(name)}
    # Only now: marks that are set before their rings would hide what a crash lost.
    marks.pulls, marks.known, marks.full, marks.doubtful = changed.mark, known or marks.known, full, queued
    _tidy(place, marks)
    return len(names) - len(queued)


def sweep_all(
    places: list[Place], wakeups: Wakeups, marks: dict[str, Marks], emptied: Callable[[], bool] = lambda: False
) -> int:
    """How many names one round over all rang (`sweep_each`)."""
    return sweep_each(places, wakeups, marks, emptied).rung


@dataclass(frozen=True, slots=True)
class Swept:
    """One round. `missed` gives, for each repository that could not be looked at (`<forge>-<id>`, or `queue` where
    nothing could), why."""

    rung: int
    missed: Mapping[str, OutsideWorldError | PoisonError]


def sweep_each(
    places: list[Place], wakeups: Wakeups, marks: dict[str, Marks], emptied: Callable[[], bool] = lambda: False
) -> Swept:
    """One round over all; a repository that cannot be reached does not stop the others.

    `emptied` tells whether the queue has lost what it held (`RqWakeups.emptied`): then everything is looked at anew.
    """
    rung = 0
    missed: dict[str, OutsideWorldError | PoisonError] = {}
    try:
        if emptied():
            marks.clear()
    except OutsideWorldError as error:
        log.warning("the queue cannot be reached", why=str(error))
        return Swept(0, {"queue": error})
    for place in places:
        key = f"{place.forge_name}-{place.repository}"
        try:
            rung += sweep(place, wakeups, marks.setdefault(key, Marks()))
        except OutsideWorldError as error:
            log.warning("not swept", repository=key, why=str(error))
            missed[key] = error
        except PoisonError as poison:
            # The worker, whose look fails in the same way, tells the people.
            log.warning("not swept", repository=key, why=str(poison), error_id=poison.error_id)
            missed[key] = poison
    return Swept(rung, missed)


def _deliver(place: Place) -> str:
    return str(Wake("deliver", place.forge_name, place.repository))


def _review(place: Place, number: int) -> str:
    return str(Wake("review", place.forge_name, place.repository, number=number))


def _look(place: Place, marks: Marks, turned: bool) -> Known | None:
    """Where everything stands now; None while there is no default branch."""
    now, known = monotonic(), marks.known
    heads = place.git.heads(place.forge.remote())
    if known is None or turned or now - known.at > KNOWN_SECONDS or heads.get(known.ref) != known.tip:
        ref = f"refs/heads/{place.forge.repository().default_branch}"
        tip = place.git.fetch(place.forge.remote(), [ref])[ref]
        if tip is None:
            return None
        survey = place.core.survey(SurveyAsk(place.git.path, tip, int(time())))
        found = [(target, gitops) for target in survey.targets if (gitops := place.gitops(target.repo)) is not None]
        targets = tuple((Head(t.name, t.repo, gitops.git.path, None), gitops) for t, gitops in found)
        branches = tuple(f"refs/heads/{target.branch}" for target, _ in found)
        known = Known(now, ref, tip, targets, branches, survey.turns_at)
    before = {head.target: head.commit for head, _ in marks.known.targets} if marks.known is not None else {}
    seen = tuple(
        (_at(head, gitops, branch, before.get(head.target)), gitops)
        for (head, gitops), branch in zip(known.targets, known.branches, strict=True)
    )
    return replace(known, targets=seen)


def _at(head: Head, gitops: GitOps, branch: str, before: Oid | None) -> Head:
    remote = gitops.forge.remote()
    commit = gitops.git.heads(remote).get(branch)
    if commit is not None and commit != before:
        commit = gitops.git.fetch(remote, [branch])[branch]
    return Head(head.target, head.repo, head.mirror, commit)


def _moved(before: Known | None, now: Known) -> bool:
    """True where the default branch or a GitOps branch is not where the last round saw it."""
    return before is None or (before.ref, before.tip) != (now.ref, now.tip) or _heads(before) != _heads(now)


def _heads(known: Known) -> frozenset[Head]:
    return frozenset(head for head, _ in known.targets)


def _full(place: Place, marks: Marks) -> dict[str, float]:
    """When each name was last looked at in full; a time that differs from the mark's is a look that is due now."""
    now = monotonic()
    if marks.full and not any(now - last >= FULL_SECONDS for last in marks.full.values()):
        return marks.full
    names = sorted([_deliver(place), *(_review(place, pull.number) for pull in place.forge.open_pulls())])
    full = {}
    for index, name in enumerate(names):
        last = marks.full.get(name)
        if last is None:
            # Spread out: the next full look of each name comes at its own moment within the six hours.
            full[name] = now - FULL_SECONDS * index / len(names)
        else:
            full[name] = now if now - last >= FULL_SECONDS else last
    return full


def _tidy(place: Place, marks: Marks) -> None:
    """Packs the mirrors, at most once an hour: every fetch leaves a pack, and git slows with their number."""
    now = monotonic()
    if marks.tidied is not None and now - marks.tidied < TIDY_SECONDS:
        return
    marks.tidied = now
    place.git.tidy()
    for _, gitops in marks.known.targets if marks.known is not None else ():
        gitops.git.tidy()
