"""What a build holds, and the memo that a long-lived worker keeps between builds."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from bot.core.kit import Kit
from bot.core.model.platform import Platform
from bot.core.model.render import Inputs, Key, Outline
from bot.core.model.unit import Effective, Facts, Linked, Links, Origins, Unit
from bot.core.model.values import UnitEnv
from bot.core.problem import Problem, Refusal
from bot.core.render import RENDERERS, World
from bot.core.tree import Oid


@dataclass(frozen=True, slots=True)
class InEnvironment:
    """One unit in one environment, resolved."""

    effective: Effective
    origins: Origins
    facts: Facts


@dataclass(frozen=True, slots=True)
class UnitState:
    """One unit folder as far as it could be compiled on its own. `problems` with an error mean: no environments."""

    folder: str
    id: Oid
    unit: Unit | None
    environments: Mapping[str, InEnvironment]
    problems: tuple[Problem, ...]


@dataclass(slots=True)
class Memo:
    """Results by content id, safe to lose at any moment. Nothing that an outsider can write to is in it."""

    units: dict[tuple[str, Oid, str], UnitState] = field(default_factory=dict)
    """(folder, folder id, digest of the platform entries that units read) -> state."""
    outlines: dict[str, Outline | Refusal] = field(default_factory=dict)
    """Input digest -> what it renders to, by id."""
    builds: dict[tuple[Oid, Oid], Build] = field(default_factory=dict)
    """(platform tree id, shipped tree id) -> a plain build of it, the newest few."""


@dataclass(frozen=True, slots=True)
class Build:
    """A compiled platform tree. Equal trees, kits, holders, losers and last-good versions give equal builds."""

    tree_id: Oid
    kit: Kit
    platform: Platform
    reads: str
    """Digest of the platform entries that units read."""
    units: Mapping[str, UnitState]
    linked: Linked
    members: Mapping[Key, tuple[UnitEnv, ...]]
    """Every key of the output, with the unit-environments that take part in it, sorted."""
    digests: Mapping[Key, str]

    def facts(self, unit: UnitEnv) -> Facts:
        return self.units[unit[0]].environments[unit[1]].facts

    def effective(self, unit: UnitEnv) -> Effective:
        return self.units[unit[0]].environments[unit[1]].effective

    def origins(self, unit: UnitEnv) -> Origins:
        return self.units[unit[0]].environments[unit[1]].origins

    def failing(self) -> frozenset[str]:
        """Unit folders that a Problem of parse, check, load or resolve refuses. What the linker says of a unit is not
        among them: it counts only where it is new, like any finding."""
        return frozenset(folder for folder, state in self.units.items() if any_error(state.problems))


def any_error(problems: Iterable[Problem]) -> bool:
    """True where a problem refuses and does not only inform."""
    return any(problem.severity == "error" for problem in problems)


def world_of(
    kit: Kit,
    platform: Platform,
    units: Mapping[str, UnitState],
    linked: Linked,
    members: Mapping[Key, tuple[UnitEnv, ...]],
) -> World:
    """What renderers may look at while they make `Inputs`; what they put there is all that a render can read."""
    nothing = Links()
    return World(
        platform=platform,
        kit=kit,
        effective=lambda unit: units[unit[0]].environments[unit[1]].effective,
        facts=lambda unit: units[unit[0]].environments[unit[1]].facts,
        links=lambda unit: linked.links.get(unit, nothing),
        members=lambda key: members.get(key, ()),
    )


def inputs_of(build: Build, key: Key) -> Inputs:
    """The inputs of one key, made anew; KeyError where the build has no such key."""
    if key not in build.members:
        raise KeyError(key)
    world = world_of(build.kit, build.platform, build.units, build.linked, build.members)
    return RENDERERS[key[0]].inputs(key, world)
