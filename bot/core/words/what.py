"""What a plan does, in one line: `checkout is new in dev, staging, prod`."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

from bot.core.model.conversation import Conversation
from bot.core.model.plan import EnvironmentPlan, Plan, ServicePlan
from bot.core.plan.environment import KINDS
from bot.core.words.amounts import amount, count, names, places, unique, verb
from bot.core.words.data import LOSES
from bot.core.words.inline import Line, bold, code, joined, line, own, user

_DOES = {
    "new": "is new in ",
    "changed": "changes in ",
    "removed": "leaves ",
    "linked": "is touched in ",
    "waiting": "waits for its first release in ",
}


def moved(plan: Plan) -> tuple[ServicePlan, ...]:
    """Services that change by themselves."""
    return tuple(service for service in plan.services if service.action in ("new", "changed", "removed"))


def linked(plan: Plan) -> tuple[ServicePlan, ...]:
    """Services that only change because something else does."""
    return tuple(service for service in plan.services if service.action == "linked")


def environments(services: Sequence[ServicePlan]) -> tuple[str, ...]:
    """Their environments, each once, in the order in which a change reaches them."""
    kinds = {
        plan.environment: KINDS.get(plan.kind, len(KINDS)) for service in services for plan in service.environments
    }
    return tuple(sorted(kinds, key=lambda name: (kinds[name], name)))


def in_order(names: Sequence[str], plan: Plan | None) -> tuple[str, ...]:
    """Environments in the same order; those that the plan does not know come last."""
    known = environments(plan.services) if plan is not None else ()
    return tuple(sorted(names, key=lambda name: (known.index(name) if name in known else len(known), name)))


def headline(plan: Plan) -> Line:
    """Who changes and where."""
    own_change, others = moved(plan), linked(plan)
    if len(own_change) == 1:
        return line(one(own_change[0]), _with(others))
    if own_change:
        return line(_many(own_change), _with(others))
    if others:
        return _touched(others)
    if plan.platform:
        told = (
            "the platform's own output changes"
            if writes(plan)
            else "the platform's rules change, and nothing that runs"
        )
        return line(told)
    return (own("nothing that runs changes"),)


def writes(plan: Plan) -> bool:
    """A delivery of it writes, removes or keeps anything at all."""
    return any(plan.lines.values()) or any(change.objects for change in plan.platform)


def nothing_written(talk: Conversation) -> bool:
    """It has landed, and no delivery of it writes anything: a hold, a waiver, a policy. Whatever a later commit of the
    GitOps repo brought is not its own, unless it had to wait while Causeway watched."""
    plan, done = talk.outcome, talk.delivered
    if talk.stage not in ("merged", "delivered") or not isinstance(plan, Plan) or plan.errors or plan.mode == "observe":
        return False
    return not writes(plan) and not (done is not None and done.notes)


def cost(plan: Plan) -> Decimal:
    """By how much a month becomes dearer, refused services left out. Data that is kept goes on costing what it cost,
    and costs nothing new when it is taken up again."""
    environments = [
        environment for service in plan.services if service.action != "refused" for environment in service.environments
    ]
    rows = [row for environment in environments for row in environment.rows if row.fact == "cost"]
    kept = {"keep": 1, "return": -1}
    data = [found for environment in environments for found in environment.data if found.action in kept]
    stays = sum((kept[found.action] * amount(found.cost) for found in data), Decimal(0))
    return sum((amount(row.after) - amount(row.before) for row in rows), stays)


def one(service: ServicePlan) -> Line:
    """`checkout is new in dev and changes in prod`."""
    if service.action == "refused":
        return line(bold(user(service.name, 60)), " is refused")
    by_action: dict[str, list[EnvironmentPlan]] = {}
    for plan in service.environments:
        by_action.setdefault(plan.action, []).append(plan)
    if len(by_action) > 1:
        by_action.pop("linked", None)
    does = {**_DOES, "removed": "is removed from "} if service.action == "removed" else _DOES
    told = [line(does[action], places([plan.environment for plan in found])) for action, found in by_action.items()]
    name = bold(user(service.name, 60))
    if not told:
        return line(name, " changes and runs nowhere")
    return line(name, " ", joined(told, last=" and "), _data(by_action.get("removed", [])))


def _data(left: Sequence[EnvironmentPlan]) -> Line:
    actions = {data.action for plan in left for data in plan.data}
    if actions & LOSES:
        return (own("; some of its data is destroyed" if "keep" in actions else "; its data is destroyed"),)
    return (own(", its data stays"),) if "keep" in actions else ()


def _many(services: Sequence[ServicePlan]) -> Line:
    numbers = {action: sum(s.action == action for s in services) for action in ("new", "changed", "removed")}
    words = {"new": ("is new", "are new"), "changed": ("changes", "change"), "removed": ("is removed", "are removed")}
    told = [f"{n:,} {words[action][n != 1]}" for action, n in numbers.items() if n]
    first = told[0].split(" ", 1)
    start = f"{first[0]} {'service' if first[0] == '1' else 'services'} {first[1]}"
    return line(bold(", ".join([start, *told[1:]])), " in ", places(environments(services)))


def _with(others: Sequence[ServicePlan]) -> Line:
    if not others:
        return ()
    return (own(f"; {count(len(others), 'other service')} {verb(len(others), 'is')} touched by it"),)


def _touched(others: Sequence[ServicePlan]) -> Line:
    causes = unique(service.cause for service in others if service.cause)
    because = line(", because of ", names(causes, 2, as_code=True)) if causes else ()
    if len(others) == 1:
        return line(one(others[0]), because)
    return line(bold(count(len(others), "service")), " are touched in ", places(environments(others)), because)


def platform(plan: Plan, most: int = 20) -> tuple[Line, ...]:
    """The platform's own output: a line for each file whose change reaches it."""
    lines = [line("Platform: ", code(change.path), " ", user(change.what)) for change in plan.platform[:most]]
    if len(plan.platform) > most:
        lines.append((own(f"And {len(plan.platform) - most:,} more of the platform's own."),))
    return tuple(lines)
