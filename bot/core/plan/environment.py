"""One service in one environment: everything that a change means there."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Literal

from bot.core.build import Build
from bot.core.model.delivery import Kept
from bot.core.model.plan import DataChange, EnvironmentPlan, ObjectChange, Row
from bot.core.model.unit import Links
from bot.core.model.values import Origin, UnitEnv, Value
from bot.core.plan.data import Stakes, data_changes
from bot.core.plan.objects import Compared
from bot.core.plan.pods import downtime, restarts
from bot.core.plan.rows import Seen, origin_at, rows
from bot.core.plan.shape import as_list, as_map, at, same
from bot.core.plan.sides import KeyPair, Place, Sides
from bot.core.plan.waits import missing, waits

Action = Literal["new", "changed", "removed", "linked", "waiting"]

KINDS: Mapping[str, int] = {"development": 0, "staging": 1, "production": 2}
"""Kinds of environment in the order in which a change reaches them."""


def environment_plan(
    sides: Sides,
    place: Place,
    parts: Sequence[tuple[KeyPair, Compared]],
    kept: Kept,
    destroys: frozenset[tuple[str, str]],
) -> EnvironmentPlan:
    """`parts` are the keys of this service here whose digests differ, with their objects (empty where not rendered)."""
    env = place[1]
    before, after = _seen(sides.before, sides.old.get(place)), _seen(sides.after, sides.new.get(place))
    was, now = _environment(sides.before, env), _environment(sides.after, env)
    own_before = [value for pair, found in parts if pair.kind == "service" for value in found.before.values()]
    own_after = [value for pair, found in parts if pair.kind == "service" for value in found.after.values()]
    stakes = Stakes(
        environment=env,
        service=place[0],
        kept=kept,
        destroys=destroys,
        kit=sides.after.kit,
        moved=frozenset((pair.after or pair.before or ("",))[-1] for pair, found in parts if _root_moved(pair, found)),
        elsewhere=not same(was.get("terraform"), now.get("terraform")),
    )
    data = tuple(data_changes(before, after, stakes))
    runs_on = before is not None and after is not None
    told = tuple(_blamed(sides, place, row) for row in rows(before, after))
    only = _only_cause(sides, before, after, told, data)
    return EnvironmentPlan(
        environment=env,
        kind=str((now or was).get("kind", "")),
        action=_action(sides, place, before, after),
        rows=told,
        objects=tuple(_by_path(_caused(change, only) for _, found in parts for change in found.changes)),
        data=data,
        waits=tuple(waits(before, after, now, data, own_after)) if after is not None else (),
        restarts=runs_on and restarts(own_before, own_after),
        downtime=runs_on and downtime(own_before, own_after),
        migrates=_migrates(before, after),
        newly_public=_newly_public(before, after),
        missing=missing(before, after, as_map(was.get("features")), as_map(now.get("features")))
        if after is not None
        else (),
    )


def _root_moved(pair: KeyPair, found: Compared) -> bool:
    """Whether the output of a need differs. Not rendered, a folder that only moved is taken for the same."""
    if pair.kind != "data":
        return False
    return bool(found.changes) or (not found.before and not found.after and pair.before == pair.after)


def order(sides: Sides, env: str) -> tuple[int, str]:
    """Sort key of an environment: development first, then by name; never the order of a file."""
    kind = str((_environment(sides.after, env) or _environment(sides.before, env)).get("kind", ""))
    return KINDS.get(kind, len(KINDS)), env


def _seen(build: Build | None, unit: UnitEnv | None) -> Seen | None:
    if build is None or unit is None:
        return None
    links = build.linked.links.get(unit, Links())
    return Seen(build.effective(unit), build.origins(unit), build.facts(unit), links)


def _environment(build: Build | None, name: str) -> Mapping[str, Value]:
    found = build.platform.environments.get(name) if build is not None else None
    return {"kind": found.kind, **found.value} if found is not None else {}


def _action(sides: Sides, place: Place, before: Seen | None, after: Seen | None) -> Action:
    if after is None:
        return "removed"
    ran = before is not None and not before.effective.waiting
    if after.effective.waiting:
        return "removed" if ran else "waiting"
    if not ran:
        return "new"
    return "changed" if sides.edited(place) and sides.differ(place) else "linked"


def _blamed(sides: Sides, place: Place, row: Row) -> Row:
    """Who calls a service is written in the caller's manifest: the line is there."""
    if row.fact != "reached_by" or row.origin is not None:
        return row
    was = {str(name) for name in as_list(at(row.before, ("callers",)))}
    now = {str(name) for name in as_list(at(row.after, ("callers",)))}
    for names, units, build in ((now - was, sides.new, sides.after), (was - now, sides.old, sides.before)):
        for name in sorted(names):
            origin = _calls(build, units.get((name, place[1])), place[0])
            if origin is not None:
                return replace(row, origin=origin)
    return row


def _calls(build: Build | None, unit: UnitEnv | None, name: str) -> Origin | None:
    return origin_at(build.origins(unit), ("uses", name)) if build is not None and unit is not None else None


def _only_cause(
    sides: Sides, before: Seen | None, after: Seen | None, told: Iterable[Row], data: Iterable[DataChange]
) -> Origin | None:
    """The one line that caused everything, where there is just one: values that no template traced came of it, too."""
    if sides.before is None or before is None or after is None or sides.before.reads != sides.after.reads:
        return None
    facts = [row for row in told if row.fact != "cost"]
    if before.links != after.links and {row.fact for row in facts} != {"reached_by"}:
        return None
    causes = {origin for origin in (*(row.origin for row in facts), *(change.origin for change in data)) if origin}
    lines = {(origin.path, origin.line) for origin in causes}
    return min(causes, key=lambda origin: origin.column) if len(lines) == 1 else None


def _caused(change: ObjectChange, origin: Origin | None) -> ObjectChange:
    if origin is None or all(value.origin is not None for value in change.changes):
        return change
    values = tuple(replace(value, origin=value.origin or origin) for value in change.changes)
    return replace(change, changes=values)


def _by_path(changes: Iterable[ObjectChange]) -> list[ObjectChange]:
    return sorted(changes, key=lambda change: change.path)


def _migrates(before: Seen | None, after: Seen | None) -> tuple[str, ...]:
    """The migration that runs: once for each image, and again where the command itself differs."""
    if after is None or after.effective.waiting:
        return ()
    command = tuple(str(part) for part in as_list(after.effective.value.get("migrate")))
    if before is None or before.effective.waiting:
        return command
    changed = any(
        not same(at(before.effective.value, name), at(after.effective.value, name))
        for name in (("image", "ref"), ("migrate",))
    )
    return command if changed else ()


def _newly_public(before: Seen | None, after: Seen | None) -> tuple[str, ...]:
    """Addresses that the internet reaches from now on, with their path where the host was public before."""
    if after is None or after.effective.waiting:
        return ()
    old = before.facts.hosts if before is not None and not before.effective.waiting else ()
    was = {(host, path) for host, path, public in old if public}
    hosts = {host for host, _ in was}
    now = [(host, path) for host, path, public in after.facts.hosts if public and (host, path) not in was]
    return tuple(sorted({host + path if host in hosts else host for host, path in now}))
