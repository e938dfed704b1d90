"""What a careful person must know before merging: destroyed, recreated, kept, newly public. Worst first."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

from bot.core.model.plan import DataAction, DataChange, EnvironmentPlan, Plan, ServicePlan
from bot.core.words.amounts import amount, count, money, names, places, unique
from bot.core.words.inline import Line, bold, code, joined, line, own, user
from bot.core.words.links import origin_link

SHOWN = 8
"""Facts of one kind that are told one by one; beyond it they are counted."""


class Stake(NamedTuple):
    """One change of data, with where it is."""

    service: ServicePlan
    plan: EnvironmentPlan
    data: DataChange

    @property
    def path(self) -> str:
        """As `platform/destroy.yaml` names it."""
        return f"{self.plan.environment}/{self.service.name}/{self.data.need}"


LOSES: frozenset[DataAction] = frozenset({"replace", "destroy", "drain", "prune"})
"""Actions after which what was stored is gone."""


def stakes(plan: Plan, *actions: DataAction) -> tuple[Stake, ...]:
    """Every change of data with one of these actions, in the plan's order."""
    return tuple(
        Stake(service, environment, data)
        for service in plan.services
        for environment in service.environments
        for data in environment.data
        if data.action in actions
    )


def at_stake(plan: Plan) -> tuple[Stake, ...]:
    """Data that would be lost, and that is why its service is refused."""
    return tuple(stake for stake in stakes(plan, "replace", "destroy") if stake.service.action == "refused")


def careful(plan: Plan, blob_url: str) -> tuple[Line, ...]:
    """One line a fact, worst first; the last one says so where nothing is destroyed. Empty where no service moves."""
    lines = [told for action in TOLD for told in _told(action, _untold(plan, action), blob_url)]
    lines.extend(_public(plan))
    lines.extend(_silent(plan))
    if plan.services and not stakes(plan, *LOSES):
        lines.append((own("Nothing is destroyed."),))
    return tuple(lines)


def _untold(plan: Plan, action: DataAction) -> tuple[Stake, ...]:
    """Without those that a refusing problem tells of at the same place."""
    places = {(problem.path, problem.line) for problem in plan.errors}
    return tuple(
        stake
        for stake in stakes(plan, action)
        if not (
            stake.service.action == "refused"
            and stake.data.origin is not None
            and (stake.data.origin.path, stake.data.origin.line) in places
        )
    )


def counted(plan: Plan) -> Line:
    """`Data: 3 destroyed, 2 kept`, for a comment that has no room for more."""
    words = {"destroyed": LOSES, "kept": {"keep"}, "perhaps replaced": {"unknown"}, "let go": {"forget"}}
    found = stakes(plan, *TOLD)
    told = [f"{n:,} {word}" for word, which in words.items() if (n := sum(s.data.action in which for s in found))]
    return line(bold("Data"), ": ", ", ".join(told or ["taken up again"]), ".")


def _what(stake: Stake) -> Line:
    kind = line(" (", user(stake.data.type, 40), ")") if stake.data.type else ()
    return line(
        bold(user(f"{stake.service.name}/{stake.data.need}", 120)), kind, " in ", user(stake.plan.environment, 60)
    )


def _detail(stake: Stake, blob_url: str) -> Line:
    detail = line(": ", user(stake.data.detail)) if stake.data.detail else ()
    where = line(" · ", origin_link(stake.data.origin, blob_url)) if stake.data.origin else ()
    return line(detail, where)


def _price(stake: Stake) -> Line:
    price = amount(stake.data.cost)
    return (own(f" ({money(price)} a month)"),) if price else ()


def _replaced(stake: Stake, blob_url: str) -> Line:
    verb, then = ("would be", "start") if stake.service.action == "refused" else ("is", "starts")
    return line(_what(stake), f" {verb} ", bold("replaced"), f" and {then} empty", _detail(stake, blob_url))


def _destroyed(stake: Stake, blob_url: str) -> Line:
    if stake.service.action == "refused":
        return line(_what(stake), " would be ", bold("destroyed"), " with its data", _detail(stake, blob_url))
    return line(
        _what(stake),
        " is ",
        bold("destroyed"),
        " with its data, as ",
        code("platform/destroy.yaml"),
        " says",
        _detail(stake, blob_url),
    )


def _gone(stake: Stake, blob_url: str) -> Line:
    return line(_what(stake), " is ", bold("destroyed"), ": nothing protects its data", _detail(stake, blob_url))


def _unknown(stake: Stake, blob_url: str) -> Line:
    return line(
        _what(stake), " may be replaced: that is known only once Terraform has planned it", _detail(stake, blob_url)
    )


def _forgotten(stake: Stake, blob_url: str) -> Line:
    return line(
        _what(stake), " is let go: it runs on", _price(stake), " and nobody manages it", _detail(stake, blob_url)
    )


def _kept(stake: Stake, blob_url: str) -> Line:
    until = line(" until someone lists ", code(stake.path), " in ", code("platform/destroy.yaml"))
    return line(_what(stake), " is ", bold("kept"), " with its data", _price(stake), until, _detail(stake, blob_url))


def _returned(stake: Stake, blob_url: str) -> Line:
    return line(_what(stake), " is taken up again, with the data it had", _detail(stake, blob_url))


class Telling(NamedTuple):
    one: Callable[[Stake, str], Line]
    many: str


TOLD: Mapping[DataAction, Telling] = {
    "replace": Telling(_replaced, "replaced and start empty"),
    "destroy": Telling(_destroyed, "destroyed with their data"),
    "drain": Telling(_gone, "destroyed: nothing protects their data"),
    "prune": Telling(_gone, "destroyed: nothing protects their data"),
    "unknown": Telling(_unknown, "perhaps replaced: Terraform's plan will say"),
    "forget": Telling(_forgotten, "let go: they run on and nobody manages them"),
    "keep": Telling(_kept, "kept with their data"),
    "return": Telling(_returned, "taken up again with the data they had"),
}
"""Worst first. What is created or changed in place is a row of the service's table."""


def _told(action: DataAction, found: Sequence[Stake], blob_url: str) -> list[Line]:
    telling = TOLD[action]
    if len(found) <= SHOWN:
        return [telling.one(stake, blob_url) for stake in found]
    paths = names([stake.path for stake in found], SHOWN, as_code=True)
    return [line(bold(count(len(found), "data store")), f" are {telling.many}: ", paths)]


def _public(plan: Plan) -> list[Line]:
    """Addresses that the internet reaches after this, and did not before."""
    where: dict[str, list[str]] = {}
    for service in plan.services:
        for environment in service.environments:
            for host in environment.newly_public:
                where.setdefault(host, []).append(environment.environment)
    shown = [
        line(bold(code(host, 80)), " (", places(unique(found)), ")") for host, found in list(where.items())[:SHOWN]
    ]
    more = f" and {len(where) - SHOWN:,} more" if len(where) > SHOWN else ""
    return [line("Becomes ", bold("public"), ": ", joined(shown), more)] if shown else []


def _silent(plan: Plan) -> list[Line]:
    """Addresses that answer no more."""
    hosts = unique(
        str(route["host"])
        for service in plan.services
        for environment in service.environments
        if environment.action == "removed"
        for row in environment.rows
        if row.fact == "routes" and isinstance(row.before, Sequence) and not isinstance(row.before, str)
        for route in row.before
        if isinstance(route, Mapping) and "host" in route
    )
    return [line("Stops answering: ", names(hosts, SHOWN, as_code=True))] if hosts else []
