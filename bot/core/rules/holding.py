"""A team or an environment goes only when nothing runs in it and nothing is kept for it any more."""

from __future__ import annotations

from collections.abc import Iterator

from bot.core.build import Build
from bot.core.model.delivery import Kept
from bot.core.problem import Problem
from bot.core.rules.finding import Finding, Judges


def still_holding(before: Build | None, after: Build, judges: Judges, kept: Kept) -> Iterator[Finding]:  # noqa: ARG001 - the shape of a rule
    """Source: projects and namespaces must never vanish under their Applications."""
    if before is None:
        return
    for name in sorted(before.platform.environments.keys() - after.platform.environments.keys()):
        services = sorted(s.unit.name for s in before.units.values() if s.unit is not None and name in s.environments)
        data = sorted(
            {e.unit for e in kept.values() if e.reason in ("data", "draining") and e.unit.split("/")[0] == name}
        )
        if services or data:
            yield _finding("environment", name, "platform/environments.yaml", services, data)
    for slug in sorted(before.platform.teams.keys() - after.platform.teams.keys()):
        services = sorted(s.unit.name for s in before.units.values() if s.unit is not None and s.unit.owner == slug)
        if services:
            yield _finding("team", slug, "platform/teams.yaml", services, [])


def _finding(what: str, name: str, path: str, services: list[str], data: list[str]) -> Finding:
    holds = []
    if services:
        holds.append(f"{len(services)} service{'s' * (len(services) > 1)} ({_some(services)})")
    if data:
        holds.append(f"kept data ({_some(data)})")
    problem = Problem(
        path,
        1,
        1,
        "CW0703",
        f"{what} `{name}` is removed but still holds {' and '.join(holds)}",
        "Its Argo CD project and namespaces would vanish under what still runs in them.",
        f"Move or remove what it holds first, merge that, then remove the {what} in a pull request of its own.",
    )
    return Finding("still-holding", f"{what} {name}", None, problem)


def _some(names: list[str]) -> str:
    return ", ".join(names[:5]) + (f" and {len(names) - 5} more" if len(names) > 5 else "")
