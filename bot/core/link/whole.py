"""One round over the facts of all units: claims, callers, neighbours. Links never depend on links."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from difflib import get_close_matches

from bot.core.model.unit import Facts, Linked, Links, Peer
from bot.core.model.values import Pointer, Pos, UnitEnv
from bot.core.problem import Problem

Claim = tuple[str, ...]
"""("name", service) · ("namespace", cluster, namespace) · ("object", cluster, namespace, name) · ("host", environment,
host, path). One holder each; a namespace may be shared by one team's services in one environment, and then the names of
their objects are claims of their own."""

Places = Callable[[UnitEnv, Pointer], Pos]
"""Where the manifest of a unit says `("name",)`, `("needs", need)`, `("uses", service)` or `("routes", host, path)`."""

ALONE = Links()


def claims_of(facts: Facts) -> tuple[Claim, ...]:
    """What the unit-environment wants for itself."""
    environment = facts.unit[1]
    return (
        ("name", facts.name),
        ("namespace", facts.cluster, facts.namespace),
        *(("object", facts.cluster, facts.namespace, name) for name in facts.objects),
        *(("host", environment, host, path) for host, path, _ in facts.hosts),
    )


def link(
    facts: Mapping[UnitEnv, Facts],
    held: Mapping[Claim, UnitEnv] | None = None,
    losers: frozenset[UnitEnv] = frozenset(),
    at: Places | None = None,
    yielding: frozenset[UnitEnv] = frozenset(),
) -> Linked:
    """Who holds each claim, who calls whom, and what is wrong with that.

    A contested claim stays with the unit that `held` names if it still claims it; else the folder that is first in
    byte order gets it, those in `yielding` after all others. `losers` take no part; those found here are added, and
    take no part in what is decided after: names first, then namespaces, objects and hosts, then calls. `at` is asked
    only where there is a problem.
    """
    problems: dict[str, list[Problem]] = defaultdict(list)
    present = {unit: facts[unit] for unit in sorted(facts) if unit not in losers}
    lost = set(losers)
    contested = _contested(present)
    for kind in ("name", "namespace", "object", "host"):
        for unit, claim, holder in _lost(contested[kind], present, held or {}, yielding):
            lost.add(unit)
            problems[unit[0]].append(_taken(present[unit], claim, present[holder], at))
        present = {unit: found for unit, found in present.items() if unit not in lost} if lost else present
    links = _links(facts, present, problems, at)
    return Linked(links, {folder: tuple(sorted(set(found))) for folder, found in problems.items()}, frozenset(lost))


def _contested(present: Mapping[UnitEnv, Facts]) -> Mapping[str, Mapping[Claim, list[UnitEnv]]]:
    """By kind, the claims that more than one makes, with all who do. Most are made by one alone."""
    first: dict[Claim, UnitEnv] = {}
    several: set[Claim] = set()
    for unit, found in present.items():
        for claim in claims_of(found):
            other = first.setdefault(claim, unit)
            if other is not unit and not together(claim[0], found, present[other]):
                several.add(claim)
    contested: dict[str, dict[Claim, list[UnitEnv]]] = {"name": {}, "namespace": {}, "object": {}, "host": {}}
    for unit, found in present.items() if several else ():
        for claim in claims_of(found):
            if claim in several:
                contested[claim[0]].setdefault(claim, []).append(unit)
    return contested


def _lost(
    contested: Mapping[Claim, list[UnitEnv]],
    present: Mapping[UnitEnv, Facts],
    held: Mapping[Claim, UnitEnv],
    yielding: frozenset[UnitEnv],
) -> Iterable[tuple[UnitEnv, Claim, UnitEnv]]:
    for claim in sorted(contested):
        units = sorted((unit for unit in contested[claim] if unit in present), key=yielding.__contains__)
        if not units:
            continue
        before = held.get(claim)
        holder = before if before in units else next((u for u in units if before and u[0] == before[0]), units[0])
        for unit in units:
            if not together(claim[0], present[unit], present[holder]):
                yield unit, claim, holder


def together(kind: str, one: Facts, other: Facts) -> bool:
    """A folder's environments share its name; a team's services in one environment may share a namespace."""
    if one.unit == other.unit:
        return True
    if kind == "name":
        return one.unit[0] == other.unit[0]
    return kind == "namespace" and one.unit[1] == other.unit[1] and one.owner == other.owner


def _links(
    facts: Mapping[UnitEnv, Facts],
    present: Mapping[UnitEnv, Facts],
    problems: dict[str, list[Problem]],
    at: Places | None,
) -> Mapping[UnitEnv, Links]:
    where: dict[tuple[str, str], Facts] = {(unit[1], found.name): found for unit, found in present.items()}
    gone = {(unit[1], facts[unit].name) for unit in facts.keys() - present.keys()}
    callers: dict[UnitEnv, list[Peer]] = defaultdict(list)
    called: dict[UnitEnv, list[Peer]] = defaultdict(list)
    tenants: dict[tuple[str, str], list[Facts]] = defaultdict(list)
    as_callee = {unit: peer_of(found, tuple(sorted(found.ports.items()))) for unit, found in present.items()}
    for unit, found in present.items():
        tenants[found.cluster, found.namespace].append(found)
        for name in found.uses:
            callee = where.get((unit[1], name))
            if callee is None:
                if (unit[1], name) not in gone:
                    problems[unit[0]].append(_absent(found, name, where, at))
            elif found.owner != callee.owner and found.name not in callee.callers:
                problems[unit[0]].append(_not_allowed(found, callee, at))
            else:
                called[unit].append(as_callee[callee.unit])
                callers[callee.unit].append(peer_of(found, ()))
    return {unit: _of(found, callers, called, tenants) for unit, found in present.items()}


def _of(
    found: Facts,
    callers: Mapping[UnitEnv, list[Peer]],
    called: Mapping[UnitEnv, list[Peer]],
    tenants: Mapping[tuple[str, str], list[Facts]],
) -> Links:
    unit = found.unit
    together = tenants[found.cluster, found.namespace]
    shared = tuple(sorted(other.name for other in together if other.unit != unit)) if len(together) > 1 else ()
    if not shared and unit not in callers and unit not in called:
        return ALONE
    return Links(
        callers=tuple(sorted(callers.get(unit, ()), key=lambda peer: peer.service)),
        uses=tuple(sorted(called.get(unit, ()), key=lambda peer: peer.service)),
        namespace_shared_with=shared,
    )


def peer_of(found: Facts, ports: tuple[tuple[str, int], ...]) -> Peer:
    """A caller's own ports are nothing to those that it calls."""
    return Peer(found.name, found.namespace, found.owner, ports)


def _taken(found: Facts, claim: Claim, holder: Facts, at: Places | None) -> Problem:
    if claim[0] == "name":
        return _problem(
            found, ("name",), "CW0501", f"`{holder.unit[0]}` is already called `{found.name}`",
            "a service's name is its address, its namespace and its place in the GitOps repository",
            "choose another name for the folder and in `name`", at,
        )  # fmt: skip
    if claim[0] == "namespace":
        return _problem(
            found, ("name",), "CW0503",
            f"the namespace `{found.namespace}` already belongs to {holder.name} in {holder.unit[1]}",
            "both would overwrite each other's objects", "choose another name", at,
        )  # fmt: skip
    if claim[0] == "object":
        return _object_taken(found, claim, holder, at)
    _, environment, host, path = claim
    return _problem(
        found, ("routes", host, path), "CW0502", f"`{host}{path}` already leads to {holder.name} in {environment}",
        "the first service keeps it; which one answers must never be chance", "take another host or path", at,
    )  # fmt: skip


def _object_taken(found: Facts, claim: Claim, holder: Facts, at: Places | None) -> Problem:
    _, _, namespace, name = claim
    need = name.removeprefix(f"{found.name}-") if name != found.name else ""
    return _problem(
        found, ("needs", need) if need else ("name",), "CW0506",
        f"objects called `{name}` in the namespace `{namespace}` belong to {holder.name} already",
        f"{holder.name} and {found.name} share that namespace, and would overwrite each other's objects",
        f"choose another name for {f'the need `{need}`' if need else 'the service'}", at,
    )  # fmt: skip


def _absent(found: Facts, name: str, where: Mapping[tuple[str, str], Facts], at: Places | None) -> Problem:
    environment = found.unit[1]
    elsewhere = sorted(env for env, other in where if other == name)
    if elsewhere:
        message = f"`{name}` does not run in {environment} (it runs in {', '.join(elsewhere)})"
        fix = f"leave it out there (`remove: [uses.{name}]` in the override), or ask its owner to deploy it"
    else:
        message = f"there is no service `{name}`"
        close = get_close_matches(name, sorted({other for env, other in where if env == environment}), n=1)
        fix = f"did you mean `{close[0]}`?" if close else "name a service that runs there, or drop the line"
    return _problem(found, ("uses", name), "CW0504", message, "every call to it would fail", fix, at)


def _not_allowed(found: Facts, callee: Facts, at: Places | None) -> Problem:
    return _problem(
        found, ("uses", callee.name), "CW0505", f"`{callee.name}` does not let `{found.name}` call it",
        f"it belongs to {callee.owner}; the network would refuse the calls",
        f"ask {callee.owner} for `allow: {{callers: [{found.name}]}}` in {callee.unit[0]}/platform.yaml", at,
    )  # fmt: skip


def _problem(found: Facts, pointer: Pointer, code: str, message: str, why: str, fix: str, at: Places | None) -> Problem:
    pos = at(found.unit, pointer) if at is not None else Pos(1, 1)
    return Problem(f"{found.unit[0]}/platform.yaml", pos.line, pos.column, code, message, why, fix)
