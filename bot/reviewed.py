"""What was reviewed against what would happen now, or has: nothing is kept, the earlier plan is computed again."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

from bot.core import words
from bot.core.model.ask import Earlier, ReviewAsk
from bot.core.model.conversation import Said
from bot.core.model.plan import Plan
from bot.core.problem import Refusal
from bot.ports import Git

MOST_FILES = 100
"""Files with problems whose lines are read, and the longest that is."""
MOST_BYTES = 512 * 1024

Again = Callable[[Earlier], Plan | None]
"""The plan as it was for an earlier base, computed as today's was."""


@dataclass(frozen=True, slots=True)
class Compared:
    """`changed` and `since` are for an open pull request, `notes` for one that has landed; `plan_id` is the digest."""

    changed: tuple[str, ...] = ()
    since: str = ""
    notes: tuple[str, ...] = ()
    seal: words.Seal | None = None
    plan_id: str = ""


def compared(ask: ReviewAsk, plan: Plan | Refusal | None, again: Again) -> Compared:
    """What of the plan other merges have changed since it was told first, or since it was told last before it landed.

    A push of the author's own starts anew: the earlier plan is taken for what was reviewed only where it comes out as
    the comment's digest says.
    """
    if not isinstance(plan, Plan) or not plan.concerns or ask.base is None or not words.fits(ask.base, ask.head_sha):
        return Compared()
    seen, digest = words.read_seal(ask.remembered), words.plan_digest(plan)
    if ask.stage != "open":
        return Compared(notes=_notes(ask, plan, digest, seen, again) if seen is not None else (), plan_id=digest)
    fresh = words.Seal("", digest, ask.base, digest, ask.base, ask.head_sha[:12])
    if seen is None:
        return Compared(seal=fresh, plan_id=digest)
    stays = replace(fresh, first_plan=seen.first_plan, first_base=seen.first_base)
    if digest == seen.first_plan:
        return Compared(since=seen.first_base, seal=stays, plan_id=digest)
    then = _then(ask, seen.first_base, seen.first_plan, again)
    if then is None:
        return Compared(seal=fresh, plan_id=digest)
    return Compared(words.differences(then, plan), seen.first_base, seal=stays, plan_id=digest)


def _notes(ask: ReviewAsk, plan: Plan, digest: str, seen: words.Seal, again: Again) -> tuple[str, ...]:
    if digest == seen.last_plan:
        return ()
    then = _then(ask, seen.last_base, seen.last_plan, again)
    if then is not None:
        return words.differences(then, plan)
    return (words.never_looked_at(ask.head_sha),) if ask.head_sha[:12] != seen.head else ()


def _then(ask: ReviewAsk, base: str, digest: str, again: Again) -> Plan | None:
    earlier = next((one for one in ask.earlier if one.base == base), None)
    then = again(earlier) if earlier is not None else None
    return then if then is not None and words.plan_digest(then) == digest else None


def remembering(said: Said, ask: ReviewAsk, found: Compared) -> Said:
    """The same, with a digest that remembers what was told."""
    if said.comment is None:
        return said
    return replace(said, digest=words.sealed(said.digest, words.read_seal(ask.remembered), found.seal))


def texts(git: Git, ask: ReviewAsk, plan: Plan | Refusal | None) -> Mapping[str, tuple[str, ...]]:
    """The lines of files with problems that are the same at the head as in the merge result. What has landed is read at
    its own place no more."""
    found: dict[str, tuple[str, ...]] = {}
    if plan is None or ask.merged is None or ask.stage != "open" or not plan.problems:
        return found
    head, merged = git.tree(ask.head_sha), git.tree(ask.merged)
    for path in list(dict.fromkeys(problem.path for problem in plan.problems))[:MOST_FILES]:
        there = merged.get(path)
        if there is None or there.kind != "file" or head.get(path) != there:
            continue
        data = merged.read(path)
        if len(data) <= MOST_BYTES:
            found[path] = tuple(data.decode("utf-8", "replace").split("\n"))
    return found
