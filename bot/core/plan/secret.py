"""Keeping out of a plan what a rule has just called a secret: a comment would spread it further than the file did."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace

from bot.core.model.plan import EnvironmentPlan, ObjectChange, Row, ServicePlan, ValueChange
from bot.core.model.values import Value
from bot.core.plan.shape import as_list
from bot.core.problem import Problem

LITERAL_SECRET = "CW0702"  # noqa: S105 - a problem's code
HIDDEN = "(hidden)"
MAY_HOLD = frozenset({"env", "command", "args", "migrate", "description", "urls"})
"""Facts whose values are free text."""
SHORTEST = 3
"""Texts shorter than this are no secrets, and looking for them would hide everything."""


def hide(service: ServicePlan, problems: Iterable[Problem]) -> ServicePlan:
    """The same plan without the texts that came from a line where a problem found a literal secret, wherever they
    stand. Hides more than the secret where a line says more: such a service is refused, nobody needs its values."""
    lines = {(p.path, p.line) for p in problems if p.code == LITERAL_SECRET and p.path.startswith(service.folder + "/")}
    if not lines:
        return service
    texts = {
        text
        for plan in service.environments
        for row in plan.rows
        if row.fact.partition(".")[0] in MAY_HOLD
        and row.origin is not None
        and (row.origin.path, row.origin.line) in lines
        for value in (row.before, row.after)
        for text in _texts(value)
        if len(text) >= SHORTEST
    }
    return replace(
        service,
        environments=tuple(_environment(plan, texts) for plan in service.environments),
        objects=tuple(_object(change, texts) for change in service.objects),
    )


def _environment(plan: EnvironmentPlan, texts: set[str]) -> EnvironmentPlan:
    return replace(
        plan,
        rows=tuple(_covered(row, texts) for row in plan.rows),
        objects=tuple(_object(change, texts) for change in plan.objects),
    )


def _object(change: ObjectChange, texts: set[str]) -> ObjectChange:
    return replace(change, changes=tuple(_covered_value(value, texts) for value in change.changes))


def _covered(row: Row, texts: set[str]) -> Row:
    return replace(row, before=_cover(row.before, texts), after=_cover(row.after, texts))


def _covered_value(value: ValueChange, texts: set[str]) -> ValueChange:
    return replace(value, before=_cover(value.before, texts), after=_cover(value.after, texts))


def _cover(value: Value, texts: set[str]) -> Value:
    return HIDDEN if any(text in found for found in _texts(value) for text in texts) else value


def _texts(value: Value) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for item in value.values():
            yield from _texts(item)
    else:
        for item in as_list(value):
            yield from _texts(item)
