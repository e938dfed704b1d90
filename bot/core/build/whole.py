"""The build: every unit compiled, all facts linked, every key digested; or from another build, what differs."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from bot.core.build.compile import LastGood, Units, failing, platform_of, reads_of, unit_at
from bot.core.build.keys import digested, digested_again
from bot.core.build.state import Build, Delta, Interfaces, Memo, UnitState
from bot.core.kit import Kit
from bot.core.link import Index, claims_of, index_of, link, link_again
from bot.core.load import changed_units, unit_folders
from bot.core.model.platform import Platform
from bot.core.model.unit import Linked
from bot.core.model.values import Pointer, Pos, UnitEnv
from bot.core.overlay import Overlay
from bot.core.problem import Refusal
from bot.core.resolve import place_of
from bot.core.tree import Tree

Holders = Mapping[tuple[str, ...], UnitEnv]
"""Who holds each claim on the side before."""


def build(
    tree: Tree,
    kit: Kit,
    memo: Memo,
    since: Build | None = None,
    held: Build | None = None,
    last_good: LastGood | None = None,
) -> Build | Refusal:
    """`tree` compiled under `kit`. `since` is any other build to start from; it never changes the result.

    `held` is the side before: its units keep the claims that they hold. `last_good` gives, by unit folder, the
    platform tree that holds the version to use instead of this tree's, or None for a unit that never ran.
    """
    platform = platform_of(tree, kit, memo)
    if isinstance(platform, Refusal):
        return platform
    reads = reads_of(tree, kit)
    good = last_good or {}
    if since is None or since.reads != reads:
        return _cold(tree, kit, platform, reads, held, memo, good)
    return _onward(tree, kit, platform, since, held, memo, good)


def _cold(
    tree: Tree, kit: Kit, platform: Platform, reads: str, held: Build | None, memo: Memo, good: LastGood
) -> Build:
    found = {
        folder: unit_at(tree, folder, platform, kit, reads, memo, good)
        for folder in sorted({*unit_folders(tree), *good})
    }
    units: Units = Overlay({folder: state for folder, state in found.items() if state is not None})
    linked, index = _linked(units, held)
    members, digests = digested(kit, platform, units, linked)
    return Build(
        tree=tree,
        tree_id=tree.id,
        kit=kit,
        platform=platform,
        reads=reads,
        stand_ins=_stand_ins(good),
        units=units,
        linked=linked,
        index=index,
        members=members,
        digests=digests,
        broken=failing(units),
    )


def _onward(
    tree: Tree, kit: Kit, platform: Platform, since: Build, held: Build | None, memo: Memo, good: LastGood
) -> Build:
    """Visits the folders that differ between the trees, and those that stand in for others on either side."""
    visit = changed_units(since.tree, tree) | since.stand_ins.keys() | good.keys()
    changes: dict[str, UnitState | None] = {}
    for folder in sorted(visit):
        state = unit_at(tree, folder, platform, kit, since.reads, memo, good)
        if state is not since.units.get(folder):
            changes[folder] = state
    units = since.units.derive(changes)
    touched = [(folder, env) for folder in changes for env in _environments(since.units, units, folder)]
    before, after = Interfaces(since.units), Interfaces(units)
    again = link_again(since.linked, since.index, before, after, touched) if since.index is not None else None
    if again is None:
        linked, index = _linked(units, held)
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


def _linked(units: Units, held: Build | None) -> tuple[Linked, Index | None]:
    facts = dict(Interfaces(units))
    linked = link(facts, _holders(held), at=lambda unit, pointer: _place(units[unit[0]], unit[1], pointer))
    # Where something is contested or missing, the next round is a whole one again and needs no index.
    return linked, None if linked.problems or linked.losers else index_of(facts)


def _place(state: UnitState, environment: str, pointer: Pointer) -> Pos:
    return place_of(state.unit, environment, pointer) if state.unit is not None else Pos(1, 1)


def _holders(held: Build | None) -> Holders:
    if held is None:
        return {}
    holders: dict[tuple[str, ...], UnitEnv] = {}
    for unit, facts in sorted(Interfaces(held.units).items()):
        if unit not in held.linked.losers:
            for claim in claims_of(facts):
                holders.setdefault(claim, unit)
    return holders


def _differing(old: Linked, new: Linked) -> frozenset[UnitEnv]:
    """Unit-environments whose links differ, or that take part in only one of both."""
    a, b = old.links, new.links
    return frozenset(unit for unit in a.keys() | b.keys() if a.get(unit) != b.get(unit)) | (old.losers ^ new.losers)
