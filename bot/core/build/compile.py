"""One unit on its own: load, check, resolve, facts."""

from __future__ import annotations

from collections.abc import Mapping

from bot.core.build.state import Build, InEnvironment, Memo, UnitState, any_error
from bot.core.emit import canonical
from bot.core.facts import facts_of
from bot.core.kit import Kit
from bot.core.load import MANIFEST, is_unit, literals, load_platform, load_unit, overlooked
from bot.core.model.platform import Platform
from bot.core.model.unit import Facts
from bot.core.model.values import UnitEnv
from bot.core.overlay import Overlay
from bot.core.problem import Problem, Refusal
from bot.core.resolve import environments_of, misfits, resolve
from bot.core.tree import Oid, Tree

LastGood = Mapping[str, Tree | None]
"""By unit folder, the platform tree that holds the version to use instead, or None for a unit that never ran."""

_READS = ("config.yaml", "environments.yaml", "recipes.yaml", "teams.yaml", "blueprints", "recipes")


def platform_of(tree: Tree, kit: Kit, memo: Memo) -> Platform | Refusal:
    """`platform/` read whole, once for each content of it."""
    entry = tree.get("platform")
    key = (entry.id if entry is not None else Oid(""), kit.digest)
    found = memo.platforms.get(key)
    if found is None:
        found = memo.platforms.put(key, load_platform(tree, kit))
    return found


def reads_of(tree: Tree, kit: Kit) -> str:
    """What compiling a unit depends on beside its own folder. Whole files, not entries: a change of teams.yaml
    compiles every unit again (a third of a millisecond each), and the input digests then show what really differs."""
    found = [tree.get(f"platform/{name}") for name in _READS]
    return canonical([kit.digest, kit.renderer, *(e.id if e else None for e in found)]).decode()


def unit_at(
    tree: Tree, folder: str, platform: Platform, kit: Kit, reads: str, memo: Memo, last_good: LastGood
) -> UnitState | None:
    """The unit that counts for `folder`: the one in `tree`, or its last good version. None where there is none."""
    source = last_good.get(folder, tree)
    entry = source.get(folder) if source is not None else None
    if source is None or entry is None or entry.kind != "folder" or not is_unit(source, folder):
        return None
    # A unit around it is its problem, and not in its own id.
    key = (folder, entry.id, reads, _around(source, folder))
    state = memo.units.get(key)
    if state is None:
        state = memo.units[key] = compile_unit(source, folder, entry.id, platform, kit)
    return state


def lasting_of(units: Mapping[str, UnitState], good: LastGood, kit: Kit, memo: Memo) -> Mapping[UnitEnv, Facts]:
    """Facts of units that run on although not even their last good version can be compiled under today's platform: as
    the platform of its own time made them. What they claim is not free, and who calls them still can."""
    found: dict[UnitEnv, Facts] = {}
    for folder, source in sorted(good.items()):
        state = units.get(folder)
        if source is None or state is None or not any_error(state.problems):
            continue
        platform = platform_of(source, kit, memo)
        if not isinstance(platform, Refusal):
            then = unit_at(source, folder, platform, kit, reads_of(source, kit), memo, {})
            environments = then.environments if then is not None else {}
            found.update({(folder, name): here.facts for name, here in environments.items()})
    return found


def written_state(tree: Tree, folder: str, build: Build, memo: Memo) -> UnitState | None:
    """The unit as `tree` writes it, under the platform and kit of `build`, whatever version that build holds of it."""
    return unit_at(tree, folder, build.platform, build.kit, build.reads, memo, {})


def _around(tree: Tree, folder: str) -> str:
    parts = folder.split("/")
    for size in range(2, len(parts)):
        outer = "/".join(parts[:size])
        if tree.get(f"{outer}/{MANIFEST}") is not None:
            return outer
    return ""


def compile_unit(tree: Tree, folder: str, oid: Oid, platform: Platform, kit: Kit) -> UnitState:
    """One unit on its own: load, check, resolve and facts for each of its environments."""
    unit = load_unit(tree, folder, kit)
    if isinstance(unit, Refusal):
        return UnitState(folder, oid, None, {}, unit.problems)
    names = environments_of(unit, platform)
    problems: list[Problem] = list(overlooked(tree, folder)) if names else list(misfits(unit, platform))
    environments: dict[str, InEnvironment] = {}
    for name in names:
        resolved = resolve(unit, name, platform, kit)
        if isinstance(resolved, Refusal):
            problems.extend(p for p in resolved.problems if p not in problems)
            continue
        effective, origins = resolved
        environments[name] = InEnvironment(effective, origins, facts_of(effective, platform, kit))
    if any_error(problems):
        # Its last good version will be judged in its place, so nobody looks through this one any more.
        problems.extend(problem for _, _, problem in literals(unit.manifest))
    return UnitState(folder, oid, unit, {} if any_error(problems) else environments, tuple(sorted(problems)))


def failing(units: Mapping[str, UnitState]) -> frozenset[str]:
    """Unit folders that a Problem of parse, check, load or resolve refuses."""
    return frozenset(folder for folder, state in units.items() if any_error(state.problems))


Units = Overlay[str, UnitState]
