"""From a change to what may go live: units that are refused fall back to their last good version, until none is added.

One bad service is a problem of that service, never of its neighbours; so the build is repeated from itself with the
refused units at their last good version, and their neighbours link to that.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace

from bot.core.build import Build, Memo, build, difference, outlines, written_state
from bot.core.build.fill import Each
from bot.core.build.state import any_error
from bot.core.kit import Kit, kit_of
from bot.core.model.delivery import Kept
from bot.core.model.render import Inputs, Key, Rendered
from bot.core.model.values import UnitEnv
from bot.core.policy.found import policies_of
from bot.core.policy.rego import judged_by
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
    standing: frozenset[str]
    """Those of `refused` that were refused before in the very same version: no news of this change."""
    judges: Judges
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


LOST = ".causeway/lost"
"""Below it, by environment and unit folder, stands nothing: a refused unit that ran, and gives way where its last good
version claims what another holds now."""


def yielding(kept: Kept) -> frozenset[UnitEnv]:
    """Refused units that lost a claim, in the environments where they did."""
    marks = (path.removeprefix(LOST + "/").partition("/") for path in kept if path.startswith(LOST + "/"))
    return frozenset((folder, env) for env, _, folder in marks)


def base_build(tree: Tree, kit: Kit, kept: Kept, trees: Trees, memo: Memo) -> Build | Refusal:
    """The side before: `tree`, with the units that `kept` holds as refused at their last good version."""
    refused, gives_way = refused_units(kept), yielding(kept)
    key = (tree.id, kit.digest, tuple(sorted(refused.items(), key=lambda item: item[0])), gives_way)
    found = memo.builds.get(key)
    if found is None:
        good = {folder: _tree(trees, commit) for folder, commit in refused.items()}
        made = build(tree, kit, memo, since=memo.builds.newest(), last_good=good, yielding=gives_way)
        if isinstance(made, Refusal):
            return made
        found = memo.builds.put(key, made)
        memo.trim(found)
    return found


def build_at(commit: Oid, shipped: Tree, trees: Trees, memo: Memo) -> Build | None:
    """An earlier platform commit as it was written, under its own platform and kit; None where it cannot be read."""
    tree = _tree(trees, commit)
    kit = kit_of(tree, shipped) if tree is not None else None
    if tree is None or kit is None or isinstance(kit, Refusal):
        return None
    found = base_build(tree, kit, {}, trees, memo)
    return None if isinstance(found, Refusal) else found


def _tree(trees: Trees, commit: Oid | None) -> Tree | None:
    """A force-push can take a commit out of history: what was refused since then has no good version any more, only
    the output that `kept` names."""
    try:
        return None if commit is None else trees(commit)
    except KeyError:
        return None


@dataclass(frozen=True, slots=True)
class Sides:
    """What is compared, and with what help."""

    before: Build | None
    before_tree: Tree | None
    tree: Tree
    kit: Kit
    kept: Kept
    trees: Trees
    memo: Memo
    older: Callable[[Oid], Build | None]
    """The build of an earlier commit: what a unit ran with before it was refused."""
    each: Each[Inputs, Rendered | Refusal] = map


def settle(
    sides: Sides, judges_for: Callable[[Build], Judges], blocked: Mapping[str, Problem] | None = None
) -> Settled | Refusal:
    """The tree judged against the side before. A Refusal only where the platform's own files, policies among them,
    cannot be read: what lands with policies that cannot be would leave the next change without judges.

    Units that cannot be read or rendered, or that are `blocked`, fall back first, so that no neighbour is judged by
    their absence; then units with new findings, whose neighbours are judged again without them.
    """
    written = build(sides.tree, sides.kit, sides.memo, since=sides.before, held=sides.before)
    if isinstance(written, Refusal):
        return written
    judging = judges_for(written)
    policies = judged_by(policies_of(sides.tree, sides.kit), judging.engine)
    if isinstance(policies, Refusal):
        return policies
    held = {folder: commit for folder, commit in refused_units(sides.kept).items() if commit is not None}
    judges = replace(judging, held=held, older=sides.older, memo=sides.memo)
    falling = _Falling(sides, written)
    for folder, problem in (blocked or {}).items():
        falling.tell(folder, (problem,))
    wanted = falling.back(written, falling.unusable(written) | (blocked or {}).keys())
    if isinstance(wanted, Refusal):
        return wanted
    first = judged = judge(sides.before, wanted, judges, sides.kept)
    falling.whole.extend(finding.problem for finding in first.new if finding.unit is None)
    falling.told.extend(finding.problem.as_warning() for finding in first.standing)
    after = wanted
    while True:
        for finding in judged.new:
            falling.tell(finding.unit, (finding.problem,))
        bad = frozenset(finding.unit for finding in judged.new if finding.unit is not None)
        if not bad - falling.good.keys():
            return falling.settled(wanted, after, judges, first)
        again = falling.back(after, bad)
        if isinstance(again, Refusal):
            return again
        after, judged = again, judge(sides.before, again, judges, sides.kept)


class _Falling:
    """The units that fall back, and what is told of them on the way."""

    def __init__(self, sides: Sides, written: Build) -> None:
        self._sides = sides
        self._held = refused_units(sides.kept)
        self._written = written
        self.good: dict[str, Tree | None] = {}
        self.told: list[Problem] = []
        self.whole: list[Problem] = []
        doubtful = written.failing() | {folder for folder in self._held if folder in written.units}
        self._old = frozenset(folder for folder in doubtful if self._stood(folder))
        for folder in difference(sides.before, written).units & written.units.keys():
            before = sides.before.units.get(folder) if sides.before is not None else None
            problems = written.units[folder].problems
            if before is None or before.problems != problems:
                self.tell(folder, problems)

    def tell(self, folder: str | None, problems: Iterable[Problem]) -> None:
        """What was refused before in the same version only warns: it is no news of this change."""
        old = folder in self._old
        self.told.extend(problem.as_warning() if old else problem for problem in problems)

    def back(self, now: Build, bad: frozenset[str]) -> Build | Refusal:
        """Without the units in `bad`, and without what then cannot be read or rendered."""
        sides = self._sides
        while bad - self.good.keys():
            for folder in bad - self.good.keys():
                self.good[folder] = self._last_good(folder)
            again = build(sides.tree, sides.kit, sides.memo, since=now, held=sides.before, last_good=self.good)
            if isinstance(again, Refusal):
                return again
            now, bad = again, self.unusable(again)
        return now

    def unusable(self, now: Build) -> frozenset[str]:
        """Units that cannot be read or rendered."""
        broken, lost = _renders(self._sides.before, now, self._sides.memo, self._sides.each)
        for folder, problems in broken.items():
            self.tell(folder, problems)
        self.whole.extend(lost)
        return now.failing() | broken.keys()

    def settled(self, wanted: Build, after: Build, judges: Judges, first: Judged) -> Settled:
        """The outcome."""
        refused = frozenset(self.good)
        problems = tuple(sorted({*self.told, *self.whole}))
        whole = tuple(sorted(set(self.whole)))
        return Settled(wanted, after, refused, self._old & refused, judges, first, problems, whole)

    def _last_good(self, folder: str) -> Tree | None:
        if folder in self._held:
            return _tree(self._sides.trees, self._held[folder])
        before = self._sides.before
        state = before.units.get(folder) if before is not None else None
        return self._sides.before_tree if state is not None and not any_error(state.problems) else None

    def _stood(self, folder: str) -> bool:
        """True where the very same version was refused on the side before, too."""
        before, tree = self._sides.before, self._sides.before_tree
        entry = tree.get(folder) if tree is not None else None
        if before is None or tree is None or entry is None or entry.id != self._written.units[folder].id:
            return False
        if folder in self._held:
            return True
        state = written_state(tree, folder, before, self._sides.memo)
        return state is not None and any_error(state.problems)


def _renders(
    before: Build | None, after: Build, memo: Memo, each: Each[Inputs, Rendered | Refusal]
) -> tuple[dict[str, tuple[Problem, ...]], list[Problem]]:
    """Problems of rendering what differs: by unit folder, and those that belong to none."""
    keys = [key for key in difference(before, after).keys if key in after.digests]
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
