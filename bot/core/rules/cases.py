"""What a change asks of the policies: each service once in each environment, and every object that differs."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cache
from typing import Final, cast

from bot.core.build import Build, Memo, difference, fill, inputs_of
from bot.core.model.render import Key, Objects
from bot.core.model.values import ObjectKey, UnitEnv, Value
from bot.core.policy.kinds import as_map, plural_of, text_of
from bot.core.policy.model import Case
from bot.core.policy.workload import workload_of
from bot.core.problem import Refusal
from bot.core.render.exceptions import unlabelled
from bot.core.render.service import place_of

_JUDGED = frozenset({"data", "environment", "namespace", "project", "service"})
"""Renderers whose output a cluster gets."""
_OWN = frozenset({"data", "service"})
"""Keys whose second item is the unit folder."""

ObjectsOf = Callable[[Build, Key], Objects]


def objects_in(memo: Memo) -> ObjectsOf:
    """Renders one key's objects, or finds them in the memo. Nothing where it does not render: others tell that."""

    def find(build: Build, key: Key) -> Objects:
        known = memo.rendered.get(build.digests[key])
        if known is not None and not isinstance(known, Refusal) and known.objects:
            return known.objects
        done = fill(build, [key], memo)[key]
        return {} if isinstance(done, Refusal) else done.objects

    return find


@dataclass(frozen=True, slots=True)
class Asked:
    """A case, and what of the builds it is about."""

    case: Case
    key: Key | None
    """None for a Workload."""
    before_key: Key | None
    """What it came from before: another key where a service changes its folder, None where it was not there."""
    place: UnitEnv | None
    """The unit that it belongs to, in its environment; None for what many share."""
    before_namespace: Value = field(default=None, compare=False, repr=False)
    labelled: Case | None = field(default=None, compare=False, repr=False)
    """The case as a cluster gets it, where labels of waivers make that another one."""


def asked(
    before: Build | None, after: Build, units: list[str], held: Collection[str], objects: ObjectsOf
) -> Iterator[Asked]:
    """Everything that is not the same on both sides, in a stable order. `units` are the folders that differ; of those
    in `held`, which run as another commit says, all is asked: the side before does not show how they run."""
    yield from _workloads(before, after, units, held)
    old_namespace, new_namespace = _namespaces(before, objects), _namespaces(after, objects)
    keys = sorted(_keys(before, after, held, old_namespace, new_namespace))
    news, olds = _by_path(after, keys, objects), _by_path(before, keys, objects)
    for path in sorted(news.keys() | olds.keys()):
        (new_key, new), (old_key, old) = news.get(path, _NOTHING), olds.get(path, _NOTHING)
        key = new_key or old_key
        assert key is not None  # noqa: S101  the path comes from one of the two
        environment = key[2] if key[0] in _OWN else key[1]
        shown = cast(Mapping[str, Value], new if new is not None else old)
        space = text_of(shown, "metadata", "namespace")
        here = new_namespace(environment, space or _home(after, key))
        there = old_namespace(environment, space or _home(before, old_key))
        if new == old and here == there and not (key[0] in _OWN and key[1] in held):
            continue
        resource = plural_of(text_of(shown, "apiVersion"), text_of(shown, "kind"))
        place = _place(key, after if new is not None else before, after)
        around = here if here is not None else there
        unit = place[0] if place else None
        as_it_is = Case(path, new, old, around, resource, unit, environment)
        case = replace(as_it_is, object=unlabelled(new), old=unlabelled(old))
        yield Asked(case, key, old_key, place, there, as_it_is if case != as_it_is else None)


def of_unit(build: Build, folder: str, objects: ObjectsOf) -> Iterator[Case]:
    """Everything of one service as it is, nothing of which stood there before: its namespace's objects, too."""
    namespace = _namespaces(build, objects)
    for environment in sorted(build.units[folder].environments):
        workload = _workload(build, (folder, environment))
        if workload is None:
            continue
        yield Case(f"{folder}@{environment}", workload, None, None, "workloads", folder, environment)
        keys = [*_keys_of(build, folder, environment)]
        keys.append(("namespace", environment, build.facts((folder, environment)).namespace))
        for key in keys:
            for path, one in sorted(_objects(build, key, objects).items()):
                around = namespace(environment, text_of(one, "metadata", "namespace") or _home(build, key))
                resource = plural_of(text_of(one, "apiVersion"), text_of(one, "kind"))
                yield Case(path, unlabelled(one), None, around, resource, folder, environment)


def older(one: Asked, side: Build | None, objects: ObjectsOf) -> Case | None:
    """The case as it stood on `side`, where nothing changed; None where there was no such object."""
    case = one.case
    if side is None:
        return None
    if one.key is None:
        found = _workload(side, one.place)
    else:
        keys = [key for key in (one.before_key, one.key) if key is not None]
        stood = (_objects(side, key, objects).get(case.key) for key in keys)
        found = unlabelled(next((value for value in stood if value is not None), None))
    if found is None:
        return None
    around = one.before_namespace if one.before_namespace is not None else case.namespace
    return Case(case.key, found, found, around, case.resource, case.unit, case.environment)


def _workloads(before: Build | None, after: Build, units: list[str], held: Collection[str]) -> Iterator[Asked]:
    for folder in sorted({*units, *_gone(before, after)}):
        states = [build.units.get(folder) if build is not None else None for build in (after, before)]
        names = {name for state in states if state is not None for name in state.environments}
        for environment in sorted(names):
            place = (folder, environment)
            new, old = _workload(after, place), _workload(before, place)
            if new != old or (new is not None and folder in held):
                unit = folder if new is not None else None
                case = Case(f"{folder}@{environment}", new, old, None, "workloads", unit, environment)
                yield Asked(case, None, None, place)


def _workload(build: Build | None, place: UnitEnv | None) -> Value:
    state = build.units.get(place[0]) if build is not None and place is not None else None
    if build is None or place is None or state is None or place[1] not in state.environments:
        return None
    found = state.environments[place[1]]
    if found.effective.waiting or place in build.linked.losers:
        return None
    environment = build.platform.environments[place[1]]
    tier = cast(int, found.effective.value["tier"])
    written = cast(Mapping[str, Value], state.unit.manifest.value) if state.unit is not None else {}
    team = build.platform.teams.get(found.effective.owner)
    budget = written.get("budget", team.value.get("budget") if team is not None else None)
    around = {
        **({"causeway.dev/budget": str(budget)} if budget is not None else {}),
        "causeway.dev/environment-kind": environment.kind,
        "causeway.dev/registries": ",".join(sorted(cast(Mapping[str, Value], environment.value["registries"]))),
    }
    return workload_of(found.effective, place[1], found.effective.owner, tier, found.facts.namespace, around)


def _gone(before: Build | None, after: Build) -> set[str]:
    if before is None:
        return set()
    return {folder for folder in difference(before, after).units if folder not in after.units}


_Namespaces = Callable[[str, str], Value]


def _home(build: Build | None, key: Key | None) -> str:
    """The namespace of what names none itself: that of its Application. Empty where the key has no such one."""
    if build is None or key is None or key[0] not in _OWN or build.digests.get(key) is None:
        return ""
    value = inputs_of(build, key).value
    return place_of(value, as_map(value.get("need"))) if key[0] == "data" else text_of(value, "namespace")


def _namespaces(build: Build | None, objects: ObjectsOf) -> _Namespaces:
    @cache
    def find(environment: str, name: str) -> Value:
        key = ("namespace", environment, name)
        if build is None or not name or build.digests.get(key) is None:
            return None
        return next((one for one in objects(build, key).values() if _kind(one) == "Namespace"), None)

    return find


def _keys(before: Build | None, after: Build, held: Collection[str], old: _Namespaces, new: _Namespaces) -> set[Key]:
    """Keys that differ, those of the units in `held`, and what stands in a namespace whose own object differs."""
    keys = {key for key in difference(before, after).keys if key[0] in _JUDGED}
    for key in list(keys):
        if key[0] == "namespace" and before is not None and old(key[1], key[2]) != new(key[1], key[2]):
            for folder, environment in after.members.get(key, ()):
                keys |= set(_keys_of(after, folder, environment))
    for folder in held:
        state = after.units.get(folder)
        for environment in state.environments if state is not None else ():
            keys |= set(_keys_of(after, folder, environment))
    return keys


def _keys_of(build: Build, folder: str, environment: str) -> Iterator[Key]:
    facts = build.facts((folder, environment))
    for key in (("service", folder, environment), *(("data", folder, environment, one.need) for one in facts.data)):
        if build.digests.get(key) is not None:
            yield key


_NOTHING: Final[tuple[None, None]] = (None, None)


def _by_path(
    build: Build | None, keys: Sequence[Key], objects: ObjectsOf
) -> Mapping[ObjectKey, tuple[Key, Value]]:  # fmt: skip
    """The objects of all keys by where they stand: one that another folder makes now is still the same object."""
    return {path: (key, one) for key in keys for path, one in _objects(build, key, objects).items()}


def _objects(build: Build | None, key: Key, objects: ObjectsOf) -> Mapping[ObjectKey, Value]:
    if build is None or build.digests.get(key) is None:
        return {}
    return {path: one for path, one in objects(build, key).items() if _kind(one) and path.endswith(".yaml")}


def _kind(value: Value) -> str:
    return text_of(value, "kind") if text_of(value, "apiVersion") else ""


def _place(key: Key, build: Build | None, after: Build) -> UnitEnv | None:
    """The unit that answers for an object: the key's own, or the only one that a namespace is made for."""
    if key[0] in _OWN:
        return (key[1], key[2]) if key[1] in after.units else None
    members = build.members.get(key, ()) if build is not None and key[0] == "namespace" else ()
    return members[0] if len(members) == 1 and members[0][0] in after.units else None
