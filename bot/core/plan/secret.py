"""Keeping out of a plan what a rule has just called a secret: a comment would spread it further than the file did."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from bot.core.model.plan import EnvironmentPlan, ObjectChange, ServicePlan
from bot.core.model.values import Origin
from bot.core.problem import Problem

LITERAL_SECRET = "CW0702"  # noqa: S105 - a problem's code
HIDDEN = "(hidden)"


def hide(service: ServicePlan, problems: Iterable[Problem]) -> ServicePlan:
    """The same plan with every value hidden that a line gave where a problem found a literal secret. Where it cannot
    be said which line gave a value, it is hidden too: such a service is refused, nobody needs its values."""
    lines = {(p.path, p.line) for p in problems if p.code == LITERAL_SECRET and p.path.startswith(service.folder + "/")}
    if not lines:
        return service
    return replace(service, environments=tuple(_environment(plan, lines) for plan in service.environments))


def _environment(plan: EnvironmentPlan, lines: set[tuple[str, int]]) -> EnvironmentPlan:
    rows = tuple(
        replace(row, before=row.before and HIDDEN, after=row.after and HIDDEN)
        if row.fact.partition(".")[0] in MAY_HOLD and _from(row.origin, lines)
        else row
        for row in plan.rows
    )
    return replace(plan, rows=rows, objects=tuple(_object(change, lines) for change in plan.objects))


MAY_HOLD = frozenset({"env", "command", "args", "migrate", "description", "urls"})
"""Facts whose values are free text."""


def _object(change: ObjectChange, lines: set[tuple[str, int]]) -> ObjectChange:
    values = tuple(
        replace(value, before=value.before and HIDDEN, after=value.after and HIDDEN)
        if _from(value.origin, lines)
        else value
        for value in change.changes
    )
    return replace(change, changes=values)


def _from(origin: Origin | None, lines: set[tuple[str, int]]) -> bool:
    return origin is None or (origin.path, origin.line) in lines
