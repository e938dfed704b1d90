"""What `plan --json` answers: every fact of a plan, each under a published name."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from pydantic import JsonValue, TypeAdapter

from bot.cli.shapes import OriginAnswer, ProblemAnswer, plain
from bot.core.model.plan import DataAction, Plan


@dataclass(frozen=True, slots=True)
class RowAnswer:
    """One fact of a service in one environment; before and after are null where it is absent."""

    fact: str
    before: JsonValue
    after: JsonValue
    origin: OriginAnswer | None


@dataclass(frozen=True, slots=True)
class ValueChangeAnswer:
    """One changed value inside one object."""

    pointer: tuple[str | int, ...]
    before: JsonValue
    after: JsonValue
    origin: OriginAnswer | None


@dataclass(frozen=True, slots=True)
class ObjectAnswer:
    """One output file. `was` is the path that it leaves, empty where it does not move."""

    path: str
    kind: str
    name: str
    action: Literal["create", "change", "delete", "keep"]
    changes: tuple[ValueChangeAnswer, ...]
    was: str


@dataclass(frozen=True, slots=True)
class DataAnswer:
    """What happens to state. `cost` is a month's, in decimal digits; `protected`: it outlives its need."""

    need: str
    type: str
    recipe: str
    action: DataAction
    detail: str
    ready_in: str
    cost: str
    origin: OriginAnswer | None
    protected: bool


@dataclass(frozen=True, slots=True)
class WaitAnswer:
    """What must exist or happen before the service can start; `command` makes it, where one can."""

    what: Literal["secret", "data", "release"]
    name: str
    command: str
    time: str


@dataclass(frozen=True, slots=True)
class EnvironmentAnswer:
    """One service in one environment. `missing` are features that the cluster lacks."""

    environment: str
    kind: str
    action: Literal["new", "changed", "removed", "linked", "waiting"]
    rows: tuple[RowAnswer, ...]
    objects: tuple[ObjectAnswer, ...]
    data: tuple[DataAnswer, ...]
    waits: tuple[WaitAnswer, ...]
    restarts: bool
    downtime: bool
    migrates: tuple[str, ...]
    newly_public: tuple[str, ...]
    missing: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ServiceAnswer:
    """One service folder. `cause`, for `linked`: the folder or file whose change reached it. `objects` belong to no
    environment."""

    folder: str
    name: str
    owner: str
    action: Literal["new", "changed", "removed", "linked", "refused"]
    environments: tuple[EnvironmentAnswer, ...]
    cause: str
    objects: tuple[ObjectAnswer, ...]


@dataclass(frozen=True, slots=True)
class PlatformAnswer:
    """A change of the platform's own files or output."""

    path: str
    what: str
    objects: tuple[ObjectAnswer, ...]


@dataclass(frozen=True, slots=True)
class PlanAnswer:
    """`plan --json`. `services` and `platform` hold every fact of the plan under stable names."""

    state: Literal["success", "failure", "pending"]
    status: str
    """What the commit status would say."""
    compared_with: str | None
    services: tuple[ServiceAnswer, ...]
    platform: tuple[PlatformAnswer, ...]
    totals: dict[str, int]
    """Objects created, changed, deleted, kept; empty where no plan could be made."""
    problems: tuple[ProblemAnswer, ...]


_SERVICES = TypeAdapter(tuple[ServiceAnswer, ...])
_PLATFORM = TypeAdapter(tuple[PlatformAnswer, ...])


def told(plan: Plan) -> tuple[tuple[ServiceAnswer, ...], tuple[PlatformAnswer, ...]]:
    """Services and platform changes of a plan, as machines read them."""
    return _SERVICES.validate_python(plain(plan.services)), _PLATFORM.validate_python(plain(plan.platform))
