"""From a change to what may go live: units that are refused fall back to their last good version, until none is added.

One bad service is a problem of that service, never of its neighbours; so the build is repeated from itself with the
refused units at their last good version, and their neighbours link to that.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from bot.core.build import Build, Memo, build, outlines
from bot.core.build.fill import Each
from bot.core.build.state import any_error
from bot.core.kit import Kit
from bot.core.model.delivery import Kept
from bot.core.model.render import Inputs, Key, Rendered
from bot.core.problem import Problem, Refusal
from bot.core.rules import Judged, Judges, judge
from bot.core.tree import Oid, Tree

Trees = Callable[[Oid], Tree]
"""The platform tree of a commit; KeyError where history has no such commit."""

UNIT_KEYS = frozenset({"service", "data", "catalog"})
"""Keys whose second item is the unit folder that owns them."""


@dataclass(frozen=True, slots=True)
class Settled:
    """`wanted` is the change as written, what a plan shows; `after` is what may go live."""

    wanted: Build
    after: Build
    refused: frozenset[str]
    judged: Judged
    problems: tuple[Problem, ...]
    """All that is to be told: new ones as they are, standing ones as warnings, sorted."""
    whole: tuple[Problem, ...]
    """What refuses the change as a whole."""


def unit_of(key: Key) -> str | None:
    """The unit folder that a key belongs to, None for an aggregate."""
    return key[1] if key[0] in UNIT_KEYS else None


def refused_units(kept: Kept) -> Mapping[str, Oid | None]:
    """Units that `kept` holds as refused, with the platform commit of their last good version; None: they never ran."""
    found: dict[str, Oid | None] = {}
    for entry in kept.values():
        if entry.reason == "refused":
            found[entry.unit] = entry.commit if entry.id is not None else found.get(entry.unit)
    return found


def base_build(
    tree: Tree, kit: Kit, kept: Kept, trees: Trees, memo: Memo, since: Build | None = None
) -> Build | Refusal:
    """The side before: `tree`, with the units that `kept` holds as refused at their last good version."""
    good = {folder: None if commit is None else trees(commit) for folder, commit in refused_units(kept).items()}
    return build(tree, kit, memo, since=since, last_good=good)


def settle(
    before: Build | None,
    before_tree: Tree | None,
    tree: Tree,
    kit: Kit,
    judges_for: Callable[[Build], Judges],
    kept: Kept,
    trees: Trees,
    memo: Memo,
    each: Each[Inputs, Rendered | Refusal] = map,
    blocked: Mapping[str, Problem] | None = None,
) -> Settled | Refusal:
    """`tree` judged against `before`. A Refusal only where the platform's own files cannot be read."""
    wanted = build(tree, kit, memo, since=before, held=before)
    if isinstance(wanted, Refusal):
        return wanted
    judges = judges_for(wanted)
    first = judge(before, wanted, judges, kept)
    held = refused_units(kept)
    good: dict[str, Tree | None] = {}
    after, judged = wanted, first
    whole = [finding.problem for finding in first.new if finding.unit is None]
    told = [finding.problem for finding in first.new] + [f.problem.as_warning() for f in first.standing]
    told.extend(_unit_problems(before, wanted))
    told.extend((blocked or {}).values())
    while True:
        broken, lost = _renders(before, after, memo, each)
        told.extend(problem for problems in broken.values() for problem in problems if problem not in told)
        whole.extend(problem for problem in lost if problem not in whole)
        bad = (
            after.failing()
            | broken.keys()
            | {f.unit for f in judged.new if f.unit is not None}
            | (blocked or {}).keys()
        )
        bad = frozenset(bad) - good.keys()
        if not bad:
            return Settled(wanted, after, frozenset(good), first, tuple(sorted({*told, *whole})), tuple(sorted(whole)))
        for folder in bad:
            good[folder] = _last_good(folder, held, trees, before, before_tree)
        again = build(tree, kit, memo, since=after, held=before, last_good=good)
        if isinstance(again, Refusal):
            return again
        after, judged = again, judge(before, again, judges, kept)
        told.extend(f.problem for f in judged.new if f.unit is not None and f.problem not in told)


def _last_good(
    folder: str, held: Mapping[str, Oid | None], trees: Trees, before: Build | None, before_tree: Tree | None
) -> Tree | None:
    if folder in held:
        commit = held[folder]
        return None if commit is None else trees(commit)
    state = before.units.get(folder) if before is not None else None
    return before_tree if state is not None and not any_error(state.problems) else None


def _unit_problems(before: Build | None, after: Build) -> Iterable[Problem]:
    """What units say of themselves, where they changed: a service that was broken before is not this change's news."""
    for folder, state in after.units.items():
        old = before.units.get(folder) if before is not None else None
        if state.problems and (old is None or old.id != state.id or old.problems != state.problems):
            yield from state.problems


def _renders(
    before: Build | None, after: Build, memo: Memo, each: Each[Inputs, Rendered | Refusal]
) -> tuple[dict[str, tuple[Problem, ...]], list[Problem]]:
    """Problems of rendering what differs: by unit folder, and those that belong to none."""
    known = before.digests if before is not None else {}
    keys = [key for key, value in after.digests.items() if known.get(key) != value]
    by_unit: dict[str, tuple[Problem, ...]] = {}
    others: list[Problem] = []
    for key, found in outlines(after, keys, memo, each).items():
        if isinstance(found, Refusal):
            folder = unit_of(key)
            if folder is None:
                others.extend(found.problems)
            else:
                by_unit[folder] = (*by_unit.get(folder, ()), *found.problems)
    return by_unit, others
