"""The build: every unit compiled, all facts linked, every key digested; or from another build, what differs."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from bot.core.build.compile import LastGood, Units, failing, lasting_of, platform_of, reads_of, unit_at
from bot.core.build.keys import digested, digested_again
from bot.core.build.state import Build, Delta, Interfaces, Memo, UnitState
from bot.core.kit import Kit
from bot.core.link import Index, claims_of, index_of, link, link_again
from bot.core.load import changed_units, unit_folders
from bot.core.model.platform import Platform
from bot.core.model.unit import Facts, Linked
from bot.core.model.values import Pointer, Pos, UnitEnv
from bot.core.overlay import Overlay
from bot.core.problem import Refusal
from bot.core.resolve import place_of
from bot.core.tree import Tree

Holders = Mapping[tuple[str, ...], UnitEnv]
"""Who holds each claim on the side before."""


@dataclass(frozen=True, slots=True)
class Claimants:
    """What decides contested claims, beside the facts of the units."""

    held: Build | None
    good: LastGood
    yielding: frozenset[UnitEnv]


def build(
    tree: Tree,
    kit: Kit,
    memo: Memo,
    since: Build | None = None,
    held: Build | None = None,
    last_good: LastGood | None = None,
    yielding: frozenset[UnitEnv] = frozenset(),
) -> Build | Refusal:
    """`tree` compiled under `kit`. `since` is any other build to start from; it never changes the result.

    `held` is the side before: its units keep the claims that they hold. `last_good` gives, by unit folder, the
    platform tree that holds the version to use instead of this tree's, or None for a unit that never ran. `yielding`
    are those that lost a claim before: they get one only where nobody else wants it.
    """
    platform = platform_of(tree, kit, memo)
    if isinstance(platform, Refusal):
        return platform
    reads = reads_of(tree, kit)
    claimants = Claimants(held, last_good or {}, yielding)
    if since is None or since.reads != reads:
        return _cold(tree, kit, platform, reads, claimants, memo)
    return _onward(tree, kit, platform, since, claimants, memo)


def _cold(tree: Tree, kit: Kit, platform: Platform, reads: str, claimants: Claimants, memo: Memo) -> Build:
    good = claimants.good
    found = {
        folder: unit_at(tree, folder, platform, kit, reads, memo, good)
        for folder in sorted({*unit_folders(tree), *good})
    }
    units: Units = Overlay({folder: state for folder, state in found.items() if state is not None})
    lasting = lasting_of(units, good, kit, memo)
    linked, index = _linked(units, lasting, claimants)
    members, digests = digested(kit, platform, units, linked)
    return Build(
        tree=tree,
        tree_id=tree.id,
        kit=kit,
        platform=platform,
        reads=reads,
        stand_ins=_stand_ins(good),
        units=units,
        lasting=lasting,
        linked=linked,
        index=index,
        members=members,
        digests=digests,
        broken=failing(units),
    )


def _onward(tree: Tree, kit: Kit, platform: Platform, since: Build, claimants: Claimants, memo: Memo) -> Build:
    """Visits the folders that differ between the trees, and those that stand in for others on either side."""
    good = claimants.good
    visit = changed_units(since.tree, tree) | since.stand_ins.keys() | good.keys()
    changes: dict[str, UnitState | None] = {}
    for folder in sorted(visit):
        state = unit_at(tree, folder, platform, kit, since.reads, memo, good)
        if state is not since.units.get(folder):
            changes[folder] = state
    units = since.units.derive(changes)
    touched = [(folder, env) for folder in changes for env in _environments(since.units, units, folder)]
    before, after = Interfaces(since.units), Interfaces(units)
    lasting = lasting_of(units, good, kit, memo)
    again = (
        link_again(since.linked, since.index, before, after, touched)
        if since.index is not None and not lasting
        else None
    )
    if again is None:
        linked, index = _linked(units, lasting, claimants)
        relinked = _differing(since.linked, linked)
    else:
        linked, index, relinked = again
    same = since.platform is platform
    members, digests, keys = digested_again(since, kit, platform, units, linked, touched, relinked, same)
    broken = (since.broken - changes.keys()) | failing({f: s for f, s in changes.items() if s is not None})
    return Build(
        tree=tree,
        tree_id=tree.id,
        kit=kit,
        platform=platform,
        reads=since.reads,
        stand_ins=_stand_ins(good),
        units=units,
        lasting=lasting,
        linked=linked,
        index=index,
        members=members,
        digests=digests,
        broken=broken,
        deltas=since.deltas_after(Delta(frozenset(changes), frozenset(keys), relinked)),
    )


def _stand_ins(good: LastGood) -> Mapping[str, str | None]:
    return {folder: tree.id if tree is not None else None for folder, tree in sorted(good.items())}


def _environments(old: Units, new: Units, folder: str) -> Iterable[str]:
    names: dict[str, None] = {}
    for units in (old, new):
        state = units.get(folder)
        if state is not None:
            names.update(dict.fromkeys(state.environments))
    return names


def _linked(units: Units, lasting: Mapping[UnitEnv, Facts], claimants: Claimants) -> tuple[Linked, Index | None]:
    facts = {**Interfaces(units), **lasting}
    linked = link(
        facts,
        _holders(claimants.held),
        at=lambda unit, pointer: _place(units[unit[0]], unit[1], pointer),
        yielding=claimants.yielding,
    )
    if lasting:
        own = {folder for folder, _ in lasting}
        links = {unit: found for unit, found in linked.links.items() if unit not in lasting}
        problems = {folder: found for folder, found in linked.problems.items() if folder not in own}
        return Linked(links, problems, linked.losers), None
    # Where something is contested or missing, the next round is a whole one again and needs no index.
    return linked, None if linked.problems or linked.losers else index_of(facts)


def _place(state: UnitState, environment: str, pointer: Pointer) -> Pos:
    return place_of(state.unit, environment, pointer) if state.unit is not None else Pos(1, 1)


def _holders(held: Build | None) -> Holders:
    if held is None:
        return {}
    holders: dict[tuple[str, ...], UnitEnv] = {}
    for unit, facts in sorted({**Interfaces(held.units), **held.lasting}.items()):
        if unit not in held.linked.losers:
            for claim in claims_of(facts):
                holders.setdefault(claim, unit)
    return holders


def _differing(old: Linked, new: Linked) -> frozenset[UnitEnv]:
    """Unit-environments whose links differ, or that take part in only one of both."""
    a, b = old.links, new.links
    return frozenset(unit for unit in a.keys() | b.keys() if a.get(unit) != b.get(unit)) | (old.losers ^ new.losers)
