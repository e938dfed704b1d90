"""The plan of a change: both builds side by side, and only what differs between them is looked at."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

from bot.core.build import Build, Memo, outlines
from bot.core.build.fill import Each
from bot.core.model.delivery import Kept
from bot.core.model.plan import EnvironmentPlan, ObjectChange, Plan, PlatformChange, ServicePlan
from bot.core.model.render import Key
from bot.core.plan.environment import environment_plan, order
from bot.core.plan.objects import Compared, compare
from bot.core.plan.platform import cause, file_changes, output_changes
from bot.core.plan.secret import hide
from bot.core.plan.sides import (
    KeyPair,
    Place,
    Sides,
    changed_keys,
    changed_places,
    place_of,
    service_of,
    shown_with,
    sides_of,
)
from bot.core.problem import Problem, Refusal
from bot.core.render import companions

ServiceAction = Literal["new", "changed", "removed", "linked", "refused"]
Parts = Mapping[KeyPair, Compared]

_NOTHING: Kept = {}
_SEVERITY = {"error": 0, "warning": 1, "note": 2}
_ORDER: Mapping[ServiceAction, int] = {"refused": 0, "removed": 1, "changed": 2, "new": 3, "linked": 4}


def plan(
    before: Build | None,
    after: Build,
    memo: Memo,
    *,
    refused: frozenset[str] = frozenset(),
    problems: tuple[Problem, ...] = (),
    kept: Kept = _NOTHING,
    each: Each[Any, Any] = map,
    objects: bool = True,
    destroys: frozenset[tuple[str, str]] = frozenset(),
) -> Plan:
    """What `after` changes against `before`; None: nothing ran.

    `refused` are unit folders that a problem keeps from going live, `kept` what the GitOps repo keeps beside its
    render, `destroys` the (`env/service/need`, action) that destroy.yaml names with its approvals in. With `objects`
    false nothing is rendered: the plan then has rows and data but no objects, restarts or downtime. A refused unit
    that could be compiled is told as it would be; one that could not is named alone, and what its absence would do to
    others is left out, for its last good output stays.
    """
    sides = sides_of(before, after)
    changed = changed_places(sides)
    pairs = changed_keys(sides)
    if objects:
        parts = _returned(after, compare(sides, pairs, _staying(sides, changed, destroys), memo, each), kept, memo)
    else:
        parts = {pair: Compared({}, {}, ()) for pair in pairs}
    sorted_out = _sort_out(sides, parts)
    services = tuple(
        hide(service, problems) for service in _services(sides, sorted_out, changed, refused, kept, destroys, objects)
    )
    platform = (*file_changes(sides), *output_changes(sorted_out.platform))
    return Plan(
        services=services,
        platform=platform,
        problems=tuple(sorted(set(problems), key=lambda p: (_SEVERITY[p.severity], p))),
        concerns=bool(services or platform or problems or pairs),
        mode="observe" if (before or after).platform.mode == "observe" else "enforce",
        renderer=after.kit.renderer,
        lines=_lines(services, platform),
    )


@dataclass(frozen=True, slots=True)
class _Sorted:
    """The differing keys by whom they concern."""

    places: Mapping[Place, Sequence[tuple[KeyPair, Compared]]]
    catalog: Mapping[str, Sequence[Compared]]
    """By unit folder."""
    platform: Sequence[tuple[KeyPair, Compared]]


def _sort_out(sides: Sides, parts: Parts) -> _Sorted:
    places: dict[Place, list[tuple[KeyPair, Compared]]] = defaultdict(list)
    catalog: dict[str, list[Compared]] = defaultdict(list)
    platform: list[tuple[KeyPair, Compared]] = []
    for pair, found in parts.items():
        place = place_of(sides, pair)
        if place is not None:
            places[place].append((pair, found))
        elif (folder := shown_with(sides, pair)) is not None:
            catalog[_home(sides, folder)].append(found)
        else:
            platform.append((pair, found))
    return _Sorted(places, catalog, platform)


def _home(sides: Sides, folder: str) -> str:
    """The folder under which a service is told: its own, or where it went."""
    if folder in sides.after.units or sides.before is None:
        return folder
    name = service_of(sides.before.units[folder])
    return next((new for new in sorted(sides.after.units) if service_of(sides.after.units[new]) == name), folder)


def _services(
    sides: Sides,
    found: _Sorted,
    changed: frozenset[Place],
    refused: frozenset[str],
    kept: Kept,
    destroys: frozenset[tuple[str, str]],
    objects: bool,
) -> list[ServicePlan]:
    places: dict[str, list[Place]] = defaultdict(list)
    for place in sorted(changed | found.places.keys(), key=lambda p: order(sides, p[1])):
        unit = sides.new.get(place) or sides.old.get(place)
        if unit is not None:
            places[_home(sides, unit[0])].append(place)
    plans: list[ServicePlan] = []
    told = refused | frozenset(folder for folder in sides.broken if _newly(sides, folder))
    for folder in sorted(places.keys() | found.catalog.keys() | told):
        causes = {place: cause(sides, place, changed) for place in places.get(folder, ()) if not sides.edited(place)}
        environments = tuple(
            made
            for place in places.get(folder, ())
            if place in changed or causes.get(place) not in sides.broken
            for made in [environment_plan(sides, place, found.places.get(place, ()), kept, destroys)]
            if _says_something(made) or (not objects and place in found.places)
        )
        entries = tuple(change for part in found.catalog.get(folder, ()) for change in part.changes)
        if environments or entries or folder in told:
            action = "refused" if folder in told else _action(sides, folder, environments)
            why = next((why for why in causes.values() if why), "") if action == "linked" else ""
            plans.append(_service(sides, folder, action, environments, entries, why))
    return sorted(plans, key=lambda service: (_ORDER[service.action], service.name, service.folder))


def _newly(sides: Sides, folder: str) -> bool:
    """A unit that could not be compiled before either is no news."""
    old = sides.before.units.get(folder) if sides.before is not None else None
    return old is None or bool(old.environments) or old.id != sides.after.units[folder].id


def _says_something(plan: EnvironmentPlan) -> bool:
    return bool(plan.rows or plan.objects or plan.data)


def _action(sides: Sides, folder: str, environments: tuple[EnvironmentPlan, ...]) -> ServiceAction:
    name = _name(sides, folder)
    if not any(place[0] == name for place in sides.old):
        return "new"
    if not any(place[0] == name for place in sides.new):
        return "removed"
    return "linked" if all(plan.action == "linked" for plan in environments) else "changed"


def _name(sides: Sides, folder: str) -> str:
    for build in (sides.after, sides.before):
        if build is not None and folder in build.units:
            return service_of(build.units[folder])
    return folder.rpartition("/")[2]


def _service(
    sides: Sides,
    folder: str,
    action: ServiceAction,
    environments: tuple[EnvironmentPlan, ...],
    entries: tuple[ObjectChange, ...],
    why: str,
) -> ServicePlan:
    owner = ""
    for build in (sides.before, sides.after):
        unit = build.units[folder].unit if build is not None and folder in build.units else None
        owner = unit.owner if unit is not None else owner
    return ServicePlan(folder, _name(sides, folder), owner, action, environments, why, entries)


def _staying(sides: Sides, changed: frozenset[Place], destroys: frozenset[tuple[str, str]]) -> frozenset[Key]:
    """Keys whose output stays though no render makes it any more: protected data and what it stands in."""
    found: set[Key] = set()
    for place in changed:
        unit, now = sides.old.get(place), sides.new.get(place)
        if unit is None or sides.before is None:
            continue
        facts = sides.before.facts(unit)
        still = {fact.need for fact in sides.after.facts(now).data} if now is not None else set()
        for fact in facts.data:
            name = f"{place[1]}/{place[0]}/{fact.need}"
            confirmed = (name, "destroy") in destroys or (name, "forget") in destroys
            if fact.need not in still and fact.stateful and fact.protected and not confirmed:
                key = ("data", unit[0], unit[1], fact.need)
                found.update((key, *companions(key, facts)))
    return frozenset(found)


def _returned(after: Build, parts: Parts, kept: Kept, memo: Memo) -> Parts:
    """Objects of data that was kept are there already: they stay, or change where the render says something else."""
    if not any(entry.reason == "data" for entry in kept.values()):
        return parts
    keys = {
        pair.after: pair
        for pair in parts
        if pair.before is None and pair.after is not None and pair.kind in ("data", "namespace")
    }
    out = dict(parts)
    for key, outline in outlines(after, keys, memo).items():
        if not isinstance(outline, Refusal):
            there = {item.path: kept[item.path].id == item.id for item in outline if item.path in kept}
            pair = keys[key]
            out[pair] = replace(parts[pair], changes=tuple(_there(change, there) for change in parts[pair].changes))
    return out


def _there(change: ObjectChange, there: Mapping[str, bool]) -> ObjectChange:
    for path, equal in there.items():
        if change.path == path or change.path.startswith(path + "/"):
            return replace(change, action="keep" if equal else "change")
    return change


def _lines(services: Iterable[ServicePlan], platform: Iterable[PlatformChange]) -> Mapping[str, int]:
    total = {"create": 0, "change": 0, "delete": 0, "keep": 0}
    for service in services:
        for change in (*service.objects, *(c for env in service.environments for c in env.objects)):
            total[change.action] += 1
    for part in platform:
        for change in part.objects:
            total[change.action] += 1
    return total
