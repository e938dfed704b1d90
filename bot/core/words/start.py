"""What the change does while it happens: restarts, downtime, migration; what must exist first, and what waits."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from bot.core.model.plan import EnvironmentPlan, Plan, ServicePlan, Wait
from bot.core.words.amounts import about, names, places, unique
from bot.core.words.inline import Line, bold, code, joined, line, own, user

LACKS: Mapping[str, str] = {
    "gateway": "an address: the cluster has no gateway",
    "external_secrets": "secrets from a store, which must be put in by hand: the cluster has no secrets operator",
    "prometheus_operator": "alerts and metrics: the cluster has no Prometheus operator",
    "keda": "scaling by queue: the cluster has no KEDA",
    "cert_manager": "certificates: the cluster has no cert-manager",
}
"""What a service goes without where its cluster lacks a feature."""


def effects(service: ServicePlan) -> tuple[Line, ...]:
    """Restarts, downtime and migrations of one service, environments with the same told together."""
    if service.action == "refused":
        return ()
    found: dict[tuple[str, str, tuple[str, ...]], list[str]] = {}
    for plan in service.environments:
        if plan.action in ("new", "changed", "linked"):
            found.setdefault((plan.action, _restart(plan), plan.migrates), []).append(plan.environment)
    lines: list[Line] = []
    for (action, restart, migrates), environments in found.items():
        if action == "new" and not migrates:
            continue
        told: list[Line] = [(own(restart),)] if action != "new" else []
        if migrates:
            told.append(line("a migration runs first (", code(" ".join(migrates)), ")"))
        lines.append(line(bold(places(environments)), ": ", joined(told, "; ")))
    lines.extend(_missing(service))
    return tuple(lines)


def _restart(plan: EnvironmentPlan) -> str:
    if plan.downtime:
        return "every instance stops before the new ones start, so there is downtime"
    return "instances restart one by one, no downtime" if plan.restarts else "nothing restarts"


def _missing(service: ServicePlan) -> list[Line]:
    where: dict[str, list[str]] = {}
    for plan in service.environments:
        if plan.action in ("new", "changed"):
            for feature in plan.missing:
                where.setdefault(feature, []).append(plan.environment)
    return [
        line(bold(places(environments)), ": goes without ", LACKS[feature] if feature in LACKS else user(feature, 60))
        for feature, environments in where.items()
    ]


def before_start(plan: Plan, most: int = 40) -> tuple[Line, ...]:
    """What a person must do, then what waits by itself. Exact paths and commands, each once."""
    waits: dict[Wait, list[tuple[str, str]]] = {}
    for service in plan.services:
        for environment in service.environments:
            for wait in environment.waits:
                waits.setdefault(wait, []).append((service.name, environment.environment))
    ordered = sorted(waits.items(), key=lambda item: ("secret", "release", "data").index(item[0].what))
    lines = [_wait(wait, where) for wait, where in ordered[:most]]
    if len(ordered) > most:
        lines.append((own(f"And {len(ordered) - most:,} more like these."),))
    return tuple(lines)


def _wait(wait: Wait, where: Sequence[tuple[str, str]]) -> Line:
    who = names(unique(name for name, _ in where), 4)
    there = places(unique(environment for _, environment in where))
    command = line(": ", code(wait.command, 400)) if wait.command else ()
    match wait.what:
        case "secret":
            return line("Put a value at ", code(wait.name), " (", who, ", ", there, ")", command)
        case "release":
            return line(bold(who), " waits for its first release in ", there, command)
        case "data":
            time = line(" (", about(wait.time), ")") if wait.time else ()
            return line(bold(who), " in ", there, " starts after ", code(wait.name, 60), time, command)
