"""Linking again after a few units changed: what they touch, and nothing else.

Only where nothing is contested, absent or refused, before and after: any of that is rare, depends on who was first, and
is left to the whole round.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Generic, TypeVar

from bot.core.link.whole import ALONE, Claim, claims_of, peer_of, together
from bot.core.model.unit import Facts, Linked, Links
from bot.core.model.values import UnitEnv
from bot.core.overlay import Overlay

K = TypeVar("K")

Named = tuple[str, str]
"""(environment, service name)."""


@dataclass(frozen=True, slots=True)
class Index:
    """Who stands where, for looking up instead of looking through. Tuples are sorted."""

    claims: Overlay[Claim, tuple[UnitEnv, ...]]
    callers: Overlay[Named, tuple[UnitEnv, ...]]
    """By what they call."""
    names: Overlay[Named, tuple[UnitEnv, ...]]
    tenants: Overlay[tuple[str, str], tuple[UnitEnv, ...]]
    """By cluster and namespace."""


def index_of(facts: Mapping[UnitEnv, Facts]) -> Index:
    """The index of all facts."""
    return _moved(Index(Overlay({}), Overlay({}), Overlay({}), Overlay({})), {}, facts, facts)


def link_again(
    linked: Linked,
    index: Index,
    before: Mapping[UnitEnv, Facts],
    after: Mapping[UnitEnv, Facts],
    changed: Iterable[UnitEnv],
) -> tuple[Linked, Index, frozenset[UnitEnv]] | None:
    """`linked` with the facts of `changed` as they are in `after`: the links, the new index, and whose links differ.

    None where the whole round must decide: something is contested, missing or not allowed.
    """
    if linked.problems or linked.losers:
        return None
    moved = [unit for unit in changed if _linking(before.get(unit)) != _linking(after.get(unit))]
    if not moved:
        return linked, index, frozenset()
    new = _moved(index, before, after, moved)
    if not all(_peaceful(claim, new.claims[claim], after) for claim in _claims(moved, after)):
        return None
    found: dict[UnitEnv, Links] = {}
    for unit in _touched(index, before, moved) | _touched(new, after, moved):
        facts = after.get(unit)
        if facts is not None:
            links = _links(facts, new, after)
            if links is None:
                return None
            found[unit] = links
    old = linked.links
    differ = frozenset(unit for unit, links in found.items() if old.get(unit) != links)
    gone: dict[UnitEnv, Links | None] = {unit: None for unit in moved if unit not in after}
    overlay = old if isinstance(old, Overlay) else Overlay(dict(old))
    links_now = overlay.derive({**gone, **{unit: found[unit] for unit in differ}})
    return Linked(links_now, {}, frozenset()), new, differ | gone.keys()


def _linking(facts: Facts | None) -> object:
    """What of a unit's facts its links and those of others depend on."""
    if facts is None:
        return None
    return (
        facts.name,
        facts.owner,
        facts.namespace,
        facts.cluster,
        facts.ports,
        facts.hosts,
        facts.uses,
        facts.callers,
        facts.objects,
    )


def _claims(units: Iterable[UnitEnv], facts: Mapping[UnitEnv, Facts]) -> set[Claim]:
    return {claim for unit in units if unit in facts for claim in claims_of(facts[unit])}


def _peaceful(claim: Claim, units: tuple[UnitEnv, ...], facts: Mapping[UnitEnv, Facts]) -> bool:
    return all(together(claim[0], facts[unit], facts[units[0]]) for unit in units[1:])


def _touched(index: Index, facts: Mapping[UnitEnv, Facts], moved: Iterable[UnitEnv]) -> set[UnitEnv]:
    """The units whose links mention one of `moved`, and these themselves."""
    found: set[UnitEnv] = set()
    for unit in moved:
        here = facts.get(unit)
        if here is not None:
            found.add(unit)
            found.update(index.callers.get((unit[1], here.name), ()))
            found.update(index.tenants.get((here.cluster, here.namespace), ()))
            for name in here.uses:
                found.update(index.names.get((unit[1], name), ()))
    return found


def _links(facts: Facts, index: Index, after: Mapping[UnitEnv, Facts]) -> Links | None:
    """The links of one unit-environment; None where a call of it or to it is not in order."""
    unit, env = facts.unit, facts.unit[1]
    uses = []
    for name in facts.uses:
        callee = after[index.names[env, name][0]] if (env, name) in index.names else None
        if callee is None or not _allowed(facts, callee):
            return None
        uses.append(peer_of(callee, tuple(sorted(callee.ports.items()))))
    callers = [after[caller] for caller in index.callers.get((env, facts.name), ())]
    if not all(_allowed(caller, facts) for caller in callers):
        return None
    beside = index.tenants[facts.cluster, facts.namespace]
    shared = tuple(sorted(after[other].name for other in beside if other != unit))
    if not shared and not uses and not callers:
        return ALONE
    return Links(
        callers=tuple(sorted((peer_of(caller, ()) for caller in callers), key=lambda peer: peer.service)),
        uses=tuple(sorted(uses, key=lambda peer: peer.service)),
        namespace_shared_with=shared,
    )


def _allowed(caller: Facts, callee: Facts) -> bool:
    return caller.owner == callee.owner or caller.name in callee.callers


def _moved(
    index: Index, before: Mapping[UnitEnv, Facts], after: Mapping[UnitEnv, Facts], units: Iterable[UnitEnv]
) -> Index:
    """The index without what `units` were, and with what they are."""
    claims = _Edit(index.claims)
    callers, names, tenants = _Edit(index.callers), _Edit(index.names), _Edit(index.tenants)
    for side, change in ((before, False), (after, True)):
        for unit in units:
            facts = side.get(unit)
            if facts is None:
                continue
            for claim in claims_of(facts):
                claims.put(claim, unit, change)
            for name in facts.uses:
                callers.put((unit[1], name), unit, change)
            names.put((unit[1], facts.name), unit, change)
            tenants.put((facts.cluster, facts.namespace), unit, change)
    return Index(claims.done(), callers.done(), names.done(), tenants.done())


class _Edit(Generic[K]):
    """Sets of units by key, edited together and sorted once."""

    def __init__(self, old: Overlay[K, tuple[UnitEnv, ...]]) -> None:
        self._old = old
        self._sets: dict[K, set[UnitEnv]] = {}

    def put(self, key: K, unit: UnitEnv, there: bool) -> None:
        found = self._sets.get(key)
        if found is None:
            found = self._sets[key] = set(self._old.get(key, ()))
        if there:
            found.add(unit)
        else:
            found.discard(unit)

    def done(self) -> Overlay[K, tuple[UnitEnv, ...]]:
        return self._old.derive({key: tuple(sorted(units)) or None for key, units in self._sets.items()})
