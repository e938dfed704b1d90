"""A service as a compilation unit: what was written, what holds in each environment, and what others see of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from bot.core.model.values import Doc, Origin, Pointer, UnitEnv, Value
from bot.core.problem import Problem
from bot.core.tree import Oid


@dataclass(frozen=True, slots=True)
class Unit:
    """A folder with a platform.yaml that could be read and checked. `value` is the manifest in long form."""

    folder: str
    id: Oid
    """Git tree id of the folder."""
    name: str
    owner: str
    type: str
    manifest: Doc
    releases: Doc | None


@dataclass(frozen=True, slots=True)
class Effective:
    """One unit in one environment with every layer merged and every default written out.

    The fields of `value` are fixed by `schemas/effective.schema.json`; templates see it as `service`.
    `waiting` is true where no release names an image yet: nothing is rendered there.
    """

    folder: str
    environment: str
    name: str
    owner: str
    type: str
    blueprint: int
    value: Mapping[str, Value]
    waiting: bool = False
    waived: tuple[str, ...] = ()
    """Policies that its manifest has waivers of, sorted."""


Origins = Mapping[Pointer, Origin]
"""Pointers into `Effective.value`. Beside it, never in it: a blank line must change no digest."""


@dataclass(frozen=True, slots=True)
class DataFact:
    """A need of a unit-environment that owns state or an outside resource."""

    need: str
    type: str
    recipe: str
    stateful: bool
    protected: bool
    form: str
    """`terraform` or `kubernetes`."""


@dataclass(frozen=True, slots=True)
class Facts:
    """The small interface of a unit-environment: all that anything outside it may depend on."""

    unit: UnitEnv
    name: str
    owner: str
    type: str
    namespace: str
    target: str
    ports: Mapping[str, int]
    hosts: tuple[tuple[str, str, bool], ...]
    """(host, path, public), sorted."""
    uses: tuple[str, ...]
    """Names of services called, sorted."""
    callers: tuple[str, ...]
    """Names of services outside the owning team that may call, sorted. The own team always may."""
    data: tuple[DataFact, ...]
    waiting: bool
    cost: str
    """Decimal string, a month, in the platform's currency."""
    migrates: bool = False
    """Has a migration, whose Job needs rights that the namespace's own render gives."""
    cluster: str = ""
    """Name of the cluster: environments that share one share its namespaces."""
    system: str | None = None
    """The larger system that it says it is part of."""
    objects: tuple[str, ...] = ()
    """What the names of its objects begin with, sorted: its own name, and that with each need's. Empty where its
    namespace is its own, since nobody else's objects can stand there."""


@dataclass(frozen=True, slots=True)
class Peer:
    """The other end of a link."""

    service: str
    namespace: str
    team: str
    ports: tuple[tuple[str, int], ...]


@dataclass(frozen=True, slots=True)
class Links:
    """What the linker gives to one unit-environment."""

    callers: tuple[Peer, ...] = ()
    uses: tuple[Peer, ...] = ()
    namespace_shared_with: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Linked:
    """The outcome of one round over all facts. `losers` hold claims that another unit keeps."""

    links: Mapping[UnitEnv, Links]
    problems: Mapping[str, tuple[Problem, ...]] = field(default_factory=dict)
    """By unit folder."""
    losers: frozenset[UnitEnv] = frozenset()
