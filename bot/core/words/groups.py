"""What is the same is told once: services with the same change are one block, environments share a column."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, is_dataclass, replace
from typing import TypeVar

from bot.core.model.plan import EnvironmentPlan, ServicePlan
from bot.core.model.values import Origin
from bot.core.words import facts
from bot.core.words.inline import Line, Piece

T = TypeVar("T")

SERVICE = "{service}"
ENVIRONMENT = "{env}"


@dataclass(frozen=True, slots=True)
class Group:
    """Services whose change is the same but for their names. `shown` stands for all: the one there is, or the first
    with `{service}` in the place of its name."""

    services: tuple[ServicePlan, ...]
    shown: ServicePlan

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(service.name for service in self.services)


@dataclass(frozen=True, slots=True)
class Column:
    """Environments whose cells are the same but for their names; `cells` by fact."""

    environments: tuple[str, ...]
    action: str
    cells: Mapping[str, Line]


def grouped(services: Sequence[ServicePlan]) -> tuple[Group, ...]:
    """Groups in the order of their first services."""
    found: dict[str, list[ServicePlan]] = {}
    for service in services:
        found.setdefault(_without(_content(service), service.name, SERVICE), []).append(service)
    return tuple(
        Group(tuple(same), same[0] if len(same) == 1 else _renamed(same[0], same[0].name, SERVICE))
        for same in found.values()
    )


def columns(environments: Sequence[EnvironmentPlan]) -> tuple[Column, ...]:
    """Columns in the order of their first environments; rows that change nothing are left out."""
    found: dict[str, tuple[list[str], Column]] = {}
    for plan in environments:
        cells = {row.fact: facts.cell(row, plan.action == "new") for row in plan.rows if row.before != row.after}
        general = {fact: _cell_without(words, plan.environment) for fact, words in cells.items()}
        key = repr((plan.action, sorted(general.items())))
        if key not in found:
            found[key] = ([], Column((plan.environment,), plan.action, cells))
        members, first = found[key]
        members.append(plan.environment)
        if len(members) > 1:
            found[key] = (members, Column(tuple(members), first.action, general))
    return tuple(column for _, column in found.values())


def _content(service: ServicePlan) -> str:
    """All that a reader would see, but not where it is written: two files may say the same on different lines."""
    return repr((service.action, service.cause, [_environment(plan) for plan in service.environments]))


def _environment(plan: EnvironmentPlan) -> tuple[object, ...]:
    return (
        (plan.environment, plan.kind, plan.action, plan.restarts, plan.downtime, plan.migrates),
        (plan.newly_public, plan.missing, plan.waits),
        [(row.fact, row.before, row.after) for row in plan.rows],
        [replace(data, origin=None) for data in plan.data],
        [(o.kind, o.name, o.action, [(c.pointer, c.before, c.after) for c in o.changes]) for o in plan.objects],
    )


def _without(text: str, name: str, placeholder: str) -> str:
    """The name where it stands alone or inside a composed name (`checkout-db`, `/prod/checkout/KEY`)."""
    return re.sub(rf"(?<![a-z0-9]){re.escape(name)}(?![a-z0-9])", lambda _: placeholder, text) if name else text


def _cell_without(words: Line, environment: str) -> Line:
    return tuple(
        Piece(_without(piece.text, environment, ENVIRONMENT), piece.kind, piece.bold, piece.url)
        if piece.kind in ("user", "code")
        else piece
        for piece in words
    )


def _renamed(value: T, name: str, placeholder: str) -> T:
    """A copy with the placeholder in every text; places in files stay, since a link must lead somewhere."""
    changed: object = value
    if isinstance(value, str):
        changed = _without(value, name, placeholder)
    elif isinstance(value, Origin):
        changed = value
    elif is_dataclass(value) and not isinstance(value, type):
        parts = {f.name: _renamed(getattr(value, f.name), name, placeholder) for f in fields(value)}
        changed = replace(value, **parts)
    elif isinstance(value, Mapping):
        changed = {_renamed(key, name, placeholder): _renamed(item, name, placeholder) for key, item in value.items()}
    elif isinstance(value, tuple):
        changed = tuple(_renamed(item, name, placeholder) for item in value)
    elif isinstance(value, list):
        changed = [_renamed(item, name, placeholder) for item in value]
    return changed  # type: ignore[return-value]  # each branch builds the type it was given
