"""A plan: what a pull request would change, as facts. Words are made of it elsewhere."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from bot.core.model.values import ObjectKey, Origin, Pointer, Value
from bot.core.problem import Problem


@dataclass(frozen=True, slots=True)
class Row:
    """One fact of a service in one environment. `fact` is a stable name (`image`, `runs`, `env.LOG_LEVEL`, `need.db`,
    `reached_by`, `routes`, `size`, `cost`); before and after are its words' raw values, None where it is absent."""

    fact: str
    before: Value
    after: Value
    origin: Origin | None = None


@dataclass(frozen=True, slots=True)
class ValueChange:
    """One changed value inside one object."""

    pointer: Pointer
    before: Value
    after: Value
    origin: Origin | None = None


@dataclass(frozen=True, slots=True)
class ObjectChange:
    """One output file."""

    path: ObjectKey
    kind: str
    name: str
    action: Literal["create", "change", "delete", "keep"]
    changes: tuple[ValueChange, ...] = ()
    was: ObjectKey = ""
    """The path that it leaves, where the same object moves to another file."""


DataAction = Literal["create", "change", "replace", "unknown", "keep", "drain", "destroy", "forget", "return", "prune"]


@dataclass(frozen=True, slots=True)
class DataChange:
    """What happens to state. `unknown`: whether it is replaced is only known at `terraform plan`; `return`: kept data
    is taken up again; `prune`: unprotected and in the cluster, goes with its service."""

    need: str
    type: str
    recipe: str
    action: DataAction
    detail: str = ""
    ready_in: str = ""
    cost: str = "0"
    origin: Origin | None = None
    protected: bool = False
    """The data outlives its need: a revert of its creation keeps it."""


@dataclass(frozen=True, slots=True)
class Wait:
    """What must exist or happen before the service can start: a secret's value, a database."""

    what: Literal["secret", "data", "release"]
    name: str
    command: str = ""
    time: str = ""


@dataclass(frozen=True, slots=True)
class EnvironmentPlan:
    """One service in one environment."""

    environment: str
    kind: str
    action: Literal["new", "changed", "removed", "linked", "waiting"]
    """`linked`: its own files are the same, a link changed it; `waiting`: for its first release."""
    rows: tuple[Row, ...]
    objects: tuple[ObjectChange, ...]
    data: tuple[DataChange, ...] = ()
    waits: tuple[Wait, ...] = ()
    restarts: bool = False
    downtime: bool = False
    migrates: tuple[str, ...] = ()
    newly_public: tuple[str, ...] = ()
    missing: tuple[str, ...] = ()
    """Features that the cluster lacks, by name: what the service goes without."""


@dataclass(frozen=True, slots=True)
class ServicePlan:
    """One unit."""

    folder: str
    name: str
    owner: str
    action: Literal["new", "changed", "removed", "linked", "refused"]
    environments: tuple[EnvironmentPlan, ...]
    cause: str = ""
    """For `linked`: the unit folder or platform file whose change reached it."""
    objects: tuple[ObjectChange, ...] = ()
    """What belongs to no environment: its catalog entries."""


@dataclass(frozen=True, slots=True)
class PlatformChange:
    """A change of the platform's own output (projects, parents, namespaces shared) or of its files."""

    path: str
    what: str
    objects: tuple[ObjectChange, ...] = ()


@dataclass(frozen=True, slots=True)
class WaiverTold:
    """An exception of a service that the change touches. `counts`: in date and agreed to. `waits`: for the platform
    team. `over`: its day has passed. `idle`: nothing would be refused without it."""

    folder: str
    service: str
    policy: str
    reason: str
    until: str
    state: Literal["counts", "waits", "over", "idle"]


@dataclass(frozen=True, slots=True)
class FleetRow:
    """What a policy, or the platform's own files, newly say of services: `services` of them, by name, sorted."""

    what: str
    services: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Fleet:
    """What a change of the platform's side means for all services. `judged` of `services` were looked at."""

    fails: tuple[FleetRow, ...]
    passes: tuple[FleetRow, ...]
    changes: tuple[str, ...]
    judged: int
    services: int
    policies: bool
    """The policies themselves change: `fails` is what they will say once they judge, and refuses nothing now."""


@dataclass(frozen=True, slots=True)
class Plan:
    """The whole answer. `problems` holds every finding of all units, errors first, sorted; a unit with an error is
    `refused` in `services` and does not hide the others. `concerns` is false where nothing of ours is touched."""

    services: tuple[ServicePlan, ...]
    platform: tuple[PlatformChange, ...]
    problems: tuple[Problem, ...]
    concerns: bool
    mode: Literal["enforce", "observe"]
    renderer: int
    lines: Mapping[str, int]
    """Objects created, changed, deleted, kept in all: keys `create`, `change`, `delete`, `keep`."""
    waivers: tuple[WaiverTold, ...] = ()
    fleet: Fleet | None = None
    """None where the platform's side is the same."""

    @property
    def errors(self) -> tuple[Problem, ...]:
        return tuple(p for p in self.problems if p.severity == "error")
