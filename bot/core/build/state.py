"""What a build holds, and the memo that a long-lived worker keeps between builds."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from bot.core.kit import Kit
from bot.core.link import Index
from bot.core.model.platform import Platform
from bot.core.model.render import Inputs, Key, Outline, Rendered
from bot.core.model.unit import Effective, Facts, Linked, Links, Origins, Unit
from bot.core.model.values import UnitEnv
from bot.core.overlay import Overlay
from bot.core.problem import Problem, Refusal
from bot.core.render import RENDERERS, World
from bot.core.tree import Oid, Tree

K = TypeVar("K")
V = TypeVar("V")


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


SPARE = 5_000
"""Entries beyond those of two builds that a memo may hold."""


class Newest(Generic[K, V]):
    """A small cache: the newest entries by when they were put or found."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._found: dict[K, V] = {}

    def get(self, key: K) -> V | None:
        value = self._found.pop(key, None)
        if value is not None:
            self._found[key] = value
        return value

    def newest(self) -> V | None:
        """The one that was put or found last."""
        return next(reversed(self._found.values()), None)

    def put(self, key: K, value: V) -> V:
        self._found[key] = value
        while len(self._found) > self._most:
            del self._found[next(iter(self._found))]
        return value


@dataclass(slots=True)
class Memo:
    """Results by content id, safe to lose at any moment. Nothing that an outsider can write to is in it."""

    units: dict[tuple[str, Oid, str, str], UnitState] = field(default_factory=dict)
    """(folder, folder id, digest of the platform entries that units read, unit around it) -> state."""
    outlines: dict[str, Outline | Refusal] = field(default_factory=dict)
    """Input digest -> what it renders to, by id."""
    renders: Newest[tuple[object, str], object] = field(default_factory=lambda: Newest(6))
    """(token of a build, target) -> every path of its render; `owned` says what it is."""
    lawful: Newest[Oid, bool] = field(default_factory=lambda: Newest(64))
    """GitOps trees that were found, or made, to keep the law."""
    rendered: Newest[str, Rendered | Refusal] = field(default_factory=lambda: Newest(256))
    """Input digest -> its render: a review asks for the same few keys several times."""
    platforms: Newest[tuple[Oid, str], Platform | Refusal] = field(default_factory=lambda: Newest(8))
    """(id of `platform/`, kit digest) -> the platform."""
    builds: Newest[tuple[object, ...], Build] = field(default_factory=lambda: Newest(4))
    """What makes a side before -> its build."""

    def trim(self, build: Build) -> None:
        """Forgets units and outlines that `build` does not have, once they outnumber those that it has: what pull
        requests came with must not pile up in a worker that lives for months."""
        live = {id(state) for state in build.units.values()} if len(self.units) > SPARE + 2 * len(build.units) else None
        if live is not None:
            self.units = {key: state for key, state in self.units.items() if id(state) in live}
        if len(self.outlines) > SPARE + 2 * len(build.digests):
            known = frozenset(build.digests.values())
            self.outlines = {digest: found for digest, found in self.outlines.items() if digest in known}


@dataclass(frozen=True, slots=True)
class Delta:
    """Where two builds may differ; outside of it they are the same."""

    units: frozenset[str]
    keys: frozenset[Key]
    relinked: frozenset[UnitEnv]

    def then(self, later: Delta) -> Delta:
        """This difference followed by another."""
        return Delta(self.units | later.units, self.keys | later.keys, self.relinked | later.relinked)


class Interfaces(Mapping[UnitEnv, Facts]):
    """The facts of all units of a build, without a copy of them."""

    __slots__ = ("_units",)

    def __init__(self, units: Mapping[str, UnitState]) -> None:
        self._units = units

    def __getitem__(self, unit: UnitEnv) -> Facts:
        return self._units[unit[0]].environments[unit[1]].facts

    def __iter__(self) -> Iterator[UnitEnv]:
        return ((folder, name) for folder, state in self._units.items() for name in state.environments)

    def __len__(self) -> int:
        return sum(len(state.environments) for state in self._units.values())


@dataclass(frozen=True, slots=True)
class Build:
    """A compiled platform tree. Equal trees, kits, holders and last-good versions give equal builds."""

    tree: Tree = field(compare=False, repr=False)
    tree_id: Oid
    kit: Kit = field(repr=False)
    platform: Platform
    reads: str
    """Digest of the platform entries that units read."""
    stand_ins: Mapping[str, str | None]
    """Units whose version is not the tree's: folder -> id of the tree that holds it, None where there is none."""
    units: Overlay[str, UnitState]
    lasting: Mapping[UnitEnv, Facts]
    """Facts of units that run on, though no version of them can be compiled here: they only hold claims and links."""
    linked: Linked
    index: Index | None = field(compare=False, repr=False)
    members: Overlay[Key, tuple[UnitEnv, ...]]
    """Every key of the output, with the unit-environments that take part in it, sorted."""
    digests: Overlay[Key, str]
    broken: frozenset[str]
    """Unit folders that a Problem of parse, check, load or resolve refuses. What the linker says of a unit is not among
    them: it counts only where it is new, like any finding."""
    token: object = field(default_factory=object, compare=False, repr=False)
    deltas: Mapping[object, Delta] = field(default_factory=dict, compare=False, repr=False)
    """Token of an earlier build -> where this one may differ from it. Only the newest few: a way to save work."""

    def facts(self, unit: UnitEnv) -> Facts:
        return self.units[unit[0]].environments[unit[1]].facts

    def effective(self, unit: UnitEnv) -> Effective:
        return self.units[unit[0]].environments[unit[1]].effective

    def origins(self, unit: UnitEnv) -> Origins:
        return self.units[unit[0]].environments[unit[1]].origins

    def failing(self) -> frozenset[str]:
        """The same as `broken`."""
        return self.broken

    def deltas_after(self, own: Delta) -> Mapping[object, Delta]:
        """The deltas of a build that starts from this one and differs by `own`."""
        older = list(self.deltas.items())[-3:]
        return {**{token: delta.then(own) for token, delta in older}, self.token: own}


def difference(before: Build | None, after: Build) -> Delta:
    """Where the builds differ; at the cost of the change if one was started from the other, else of both."""
    if before is after:
        return Delta(frozenset(), frozenset(), frozenset())
    if before is not None:
        known = after.deltas.get(before.token) or before.deltas.get(after.token)
        if known is not None:
            return known
    a, b = (before.units, before.digests) if before is not None else ({}, {})
    old = before.linked.links if before is not None else {}
    new = after.linked.links
    return Delta(
        frozenset(name for name in a.keys() | after.units.keys() if a.get(name) is not after.units.get(name)),
        frozenset(key for key in b.keys() | after.digests.keys() if b.get(key) != after.digests.get(key)),
        frozenset(unit for unit in old.keys() | new.keys() if old.get(unit) != new.get(unit)),
    )


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
