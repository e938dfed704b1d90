"""The promise of a merge: the GitOps head reaches the newest good commit, one commit for each landed change."""

from __future__ import annotations

import random
import time
from dataclasses import dataclass

import structlog

from bot.core import words
from bot.core.model.ask import Chain, CursorAsk, DeliverAsk, Head, Link, SurveyAsk, TargetSeen
from bot.core.model.delivery import Landed
from bot.core.problem import Problem
from bot.core.tree import Oid
from bot.core.wake import Wake
from bot.flows.evidence import witnessed
from bot.flows.line import links
from bot.flows.place import Place
from bot.ports import Commit, Wakeups

log = structlog.get_logger(__name__)

TRIES = 6
HALTED = "halted"
"""Key of the one issue that says that delivery stands still."""


@dataclass(frozen=True, slots=True)
class Halt:
    """Delivery cannot go on safely until a person acts."""

    problem: Problem


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one target. `halt` None and no chain: nothing owned could differ."""

    target: str
    chain: Chain | None
    pushed: bool
    halt: Problem | None = None


def deliver(place: Place, wakeups: Wakeups, resumed: Oid | None = None) -> tuple[Outcome, ...]:
    """Brings every target of the platform repository up to date, then tells the pull requests. KeyError where `resumed`
    is no commit of its default branch."""
    repository = place.forge.repository()
    ref = f"refs/heads/{repository.default_branch}"
    tip = place.git.fetch(place.forge.remote(), [ref])[ref]
    if tip is None:
        return ()
    survey = place.core.survey(SurveyAsk(place.git.path, tip))
    if survey.observe:
        return ()
    outcomes = tuple(_target(place, target, tip, resumed, survey.reviewed_only) for target in survey.targets)
    _tell(place, wakeups, outcomes)
    return outcomes


def refusal_of(place: Place, head: Head, tip: Oid, number: int) -> tuple[Problem, ...]:
    """Why the pull request `number`, landed and not delivered, is passed over; empty where it only waits."""
    survey = place.core.survey(SurveyAsk(place.git.path, tip))
    ready = _links(place, head, tip, None, survey.reviewed_only)
    if isinstance(ready, Halt):
        return (ready.problem,)
    chain = place.core.deliver(DeliverAsk(place.git.path, head, ready))
    return next((passed.problems for passed in chain.passed_over if passed.landed.number == number), ())


def _target(place: Place, target: TargetSeen, tip: Oid, resumed: Oid | None, reviewed_only: bool) -> Outcome:
    gitops = place.gitops(target.repo)
    if gitops is None:
        return Outcome(target.name, None, False, words.target_not_allowed(target.repo))
    ref = f"refs/heads/{target.branch}"
    for attempt in range(TRIES):
        # Two workers that were refused together must not meet again: each waits its own while.
        time.sleep(random.uniform(0, 0.2 * attempt))  # noqa: S311 - jitter, not a secret
        head = Head(target.name, target.repo, gitops.git.path, gitops.git.fetch(gitops.forge.remote(), [ref])[ref])
        ready = _links(place, head, tip, resumed, reviewed_only)
        if isinstance(ready, Halt):
            return Outcome(target.name, None, False, ready.problem)
        chain = place.core.deliver(DeliverAsk(place.git.path, head, ready, resumed))
        # What was passed over and mended by a later change is no halt any more.
        last = chain.passed_over[-1] if chain.passed_over else None
        stands = last is not None and last.landed == ready[-1].landed
        halt = words.stuck(last.problems[0], last.landed.commit) if last is not None and stands else None
        if not chain.made:
            return Outcome(target.name, chain, False, halt)
        pushed = gitops.git.push(gitops.forge.remote(), ref, chain.made[-1].commit, head.commit)
        log.info("pushed", outcome=pushed, target=target.name, commits=len(chain.made))
        if pushed == "pushed":
            return Outcome(target.name, chain, True, halt)
    return Outcome(target.name, None, False, words.always_refused(target.repo, target.branch))


def _links(place: Place, head: Head, tip: Oid, resumed: Oid | None, reviewed_only: bool) -> tuple[Link, ...] | Halt:
    """What is to be walked, or why nothing may be."""
    if resumed is not None:
        commit = place.git.commit(resumed)
        if not place.git.is_ancestor(resumed, tip):
            raise KeyError(resumed)
        link = Link(_parent(place, resumed), _landed(place, commit))
        return (witnessed(place, link, head, reviewed_only=False),)
    seen = place.core.cursor(CursorAsk(head))
    if seen.state == "unreadable" and seen.problem is not None:
        return Halt(seen.problem)
    if seen.state == "lost":
        return Halt(words.cursor_lost(head.target, tip))
    if seen.state == "absent":
        return (Link(None, _landed(place, place.git.commit(tip))),)
    if seen.repository != place.repository:
        return Halt(words.foreign_cursor(head.target, seen.repository))
    if not _knows(place, seen.commit, tip):
        return Halt(words.cursor_left(seen.commit, tip))
    found = links(place.git, seen.commit, tip, lambda commit: _landed(place, commit))
    found = tuple(witnessed(place, link, head, reviewed_only) for link in found)
    # With nothing new, one step at the cursor's own commit finds drift and what evidence advances.
    still = place.git.commit(seen.commit)
    return found or (Link(seen.commit, Landed(place.repository, still.id, still.time)),)


def _knows(place: Place, cursor: Oid, tip: Oid) -> bool:
    try:
        return place.git.is_ancestor(cursor, tip)
    except KeyError:
        return False


def _parent(place: Place, commit: Oid) -> Oid | None:
    parents = place.git.commit(commit).parents
    return parents[0] if parents else None


def _landed(place: Place, commit: Commit) -> Landed:
    numbers = place.forge.pulls_of_commit(commit.id)
    if not numbers:
        return Landed(place.repository, commit.id, commit.time)
    pull = place.forge.pull(numbers[0])
    return Landed(place.repository, commit.id, commit.time, pull.number, pull.head_sha, pull.author_id)


def _tell(place: Place, wakeups: Wakeups, outcomes: tuple[Outcome, ...]) -> None:
    """Rings what must be said. Everything told here is a level: a lost ring costs one sweep."""
    numbers = {
        landed.number
        for outcome in outcomes
        if outcome.chain is not None
        for landed in (
            *(made.landed for made in outcome.chain.made),
            *(passed.landed for passed in outcome.chain.passed_over),
        )
        if landed.number
    }
    if any(outcome.pushed for outcome in outcomes):
        numbers |= {pull.number for pull in place.forge.open_pulls()}
    for number in sorted(numbers):
        wakeups.ring(str(Wake("review", place.forge_name, place.repository, number=number)))
    halts = [outcome.halt for outcome in outcomes if outcome.halt is not None]
    # A level, not an event: what was halted may have been mended by a change that leaves nothing to push.
    title, body = words.halted(halts)
    place.forge.ensure_issue(HALTED, title, body)
