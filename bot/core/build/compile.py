"""Compile and link: from a platform tree to digests."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping

from bot.core.build.state import Build, InEnvironment, Memo, UnitState, any_error, world_of
from bot.core.emit import canonical
from bot.core.facts import facts_of
from bot.core.kit import Kit
from bot.core.link import claims_of, link
from bot.core.load import load_platform, load_unit, unit_folders
from bot.core.model.platform import Platform
from bot.core.model.render import Key
from bot.core.model.unit import Facts, Linked
from bot.core.model.values import Pointer, Pos, UnitEnv
from bot.core.problem import Problem, Refusal
from bot.core.render import RENDERERS, digest
from bot.core.resolve import environments_of, misfits, place_of, resolve
from bot.core.tree import Oid, Tree

Holders = Mapping[tuple[str, ...], UnitEnv]
"""Who holds each claim on the side before."""


def build(
    tree: Tree,
    kit: Kit,
    memo: Memo,
    since: Build | None = None,
    held: Build | None = None,
    losers: frozenset[UnitEnv] = frozenset(),
    last_good: Mapping[str, Tree | None] | None = None,
) -> Build | Refusal:
    """`tree` compiled under `kit`. `since` is any other build to reuse; it never changes the result.

    `held` is the side before: its units keep the claims that they hold. `last_good` gives, by unit folder, the
    platform tree that holds the version to use instead of this tree's, or None for a unit that never ran.
    """
    platform = load_platform(tree, kit)
    if isinstance(platform, Refusal):
        return platform
    reads = _reads(tree, kit)
    folders = dict(unit_folders(tree))
    sources: dict[str, Tree] = dict.fromkeys(folders, tree)
    for folder, good in (last_good or {}).items():
        folders.pop(folder, None)
        entry = good.get(folder) if good is not None else None
        if good is not None and entry is not None and good.get(f"{folder}/platform.yaml") is not None:
            folders[folder], sources[folder] = entry.id, good
    units = {
        folder: _unit(sources[folder], folder, folders[folder], platform, kit, reads, memo, since)
        for folder in sorted(folders)
    }
    facts = {
        (folder, name): found.facts for folder, state in units.items() for name, found in state.environments.items()
    }
    linked = link(facts, _holders(held), losers, lambda at, pointer: _place(units[at[0]], at[1], pointer))
    return _finish(tree.id, kit, platform, reads, units, facts, linked, since)


def _reads(tree: Tree, kit: Kit) -> str:
    """What compiling a unit depends on beside its own folder. Whole files, not entries: a change of teams.yaml
    compiles every unit again (a third of a millisecond each), and the input digests then show what really differs."""
    names = ("config.yaml", "environments.yaml", "recipes.yaml", "teams.yaml", "blueprints", "recipes")
    found = [tree.get(f"platform/{name}") for name in names]
    return canonical([kit.digest, kit.renderer, *(e.id if e else None for e in found)]).decode()


def _unit(
    tree: Tree, folder: str, oid: Oid, platform: Platform, kit: Kit, reads: str, memo: Memo, since: Build | None
) -> UnitState:
    if since is not None and since.reads == reads:
        old = since.units.get(folder)
        if old is not None and old.id == oid:
            return old
    key = (folder, oid, reads)
    state = memo.units.get(key)
    if state is None:
        state = memo.units[key] = compile_unit(tree, folder, oid, platform, kit)
    return state


def written_state(tree: Tree, folder: str, oid: Oid, build: Build, memo: Memo) -> UnitState:
    """The unit as `tree` writes it, under the platform and kit of `build`, whatever version that build holds of it."""
    return _unit(tree, folder, oid, build.platform, build.kit, build.reads, memo, None)


def compile_unit(tree: Tree, folder: str, oid: Oid, platform: Platform, kit: Kit) -> UnitState:
    """One unit on its own: load, check, resolve and facts for each of its environments."""
    unit = load_unit(tree, folder, kit)
    if isinstance(unit, Refusal):
        return UnitState(folder, oid, None, {}, unit.problems)
    names = environments_of(unit, platform)
    problems: list[Problem] = [] if names else list(misfits(unit, platform))
    environments: dict[str, InEnvironment] = {}
    for name in names:
        resolved = resolve(unit, name, platform, kit)
        if isinstance(resolved, Refusal):
            problems.extend(p for p in resolved.problems if p not in problems)
            continue
        effective, origins = resolved
        environments[name] = InEnvironment(effective, origins, facts_of(effective, platform, kit))
    return UnitState(folder, oid, unit, {} if any_error(problems) else environments, tuple(sorted(problems)))


def _place(state: UnitState, environment: str, pointer: Pointer) -> Pos:
    return place_of(state.unit, environment, pointer) if state.unit is not None else Pos(1, 1)


def _holders(held: Build | None) -> Holders:
    if held is None:
        return {}
    holders: dict[tuple[str, ...], UnitEnv] = {}
    for folder, state in held.units.items():
        for name, found in state.environments.items():
            if (folder, name) not in held.linked.losers:
                for claim in claims_of(found.facts):
                    holders.setdefault(claim, (folder, name))
    return holders


def _members(platform: Platform, facts: Mapping[UnitEnv, Facts], losers: Iterable[UnitEnv]) -> dict[Key, list[UnitEnv]]:
    members: dict[Key, list[UnitEnv]] = defaultdict(list)
    for renderer in RENDERERS.values():
        for key in renderer.keys_of_platform(platform):
            members[key] = []
    out = frozenset(losers)
    for unit in sorted(facts):
        if unit not in out:
            for renderer in RENDERERS.values():
                for key in renderer.keys_of_facts(facts[unit]):
                    members[key].append(unit)
    return members


def _finish(
    tree_id: Oid,
    kit: Kit,
    platform: Platform,
    reads: str,
    units: Mapping[str, UnitState],
    facts: Mapping[UnitEnv, Facts],
    linked: Linked,
    since: Build | None,
) -> Build:
    members = {key: tuple(found) for key, found in _members(platform, facts, linked.losers).items()}
    world = world_of(kit, platform, units, linked, members)
    same = _same_units(units, linked, since) if since is not None and since.reads == reads else frozenset()
    digests: dict[Key, str] = {}
    for key, found in members.items():
        if since is not None and found and since.members.get(key) == found and same.issuperset(found):
            digests[key] = since.digests[key]
        else:
            digests[key] = digest(RENDERERS[key[0]].inputs(key, world))
    return Build(tree_id, kit, platform, reads, units, linked, members, digests)


def _same_units(units: Mapping[str, UnitState], linked: Linked, since: Build | None) -> frozenset[UnitEnv]:
    """Unit-environments whose own state and links are those of `since`, so that what only they feed is the same."""
    if since is None:
        return frozenset()
    return frozenset(
        (folder, name)
        for folder, state in units.items()
        if state is since.units.get(folder)
        for name in state.environments
        if linked.links.get((folder, name)) == since.linked.links.get((folder, name))
    )
