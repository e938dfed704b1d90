"""Backstage entities of a service, over all environments it runs in."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final, cast

from bot.core.kit import Kit
from bot.core.model.platform import Platform
from bot.core.model.render import Inputs, Key, Objects
from bot.core.model.unit import Effective, Facts
from bot.core.model.values import Value
from bot.core.problem import Refusal
from bot.core.render.expanding import expanded, in_folder
from bot.core.render.reading import Map, content, group_of
from bot.core.render.shapes import Renderer, World

SHOWN: Final = ("name", "owner", "type", "tier", "description", "system", "lifecycle", "urls")
"""Fields that an entity shows. Where environments differ, the first by name is shown."""


def keys_of_facts(facts: Facts) -> Iterable[Key]:
    return (("catalog", facts.unit[0]),)


def keys_of_platform(platform: Platform) -> Iterable[Key]:  # noqa: ARG001
    return ()


def inputs(key: Key, world: World) -> Inputs:
    members = world.members(key)
    shown = [world.effective(unit) for unit in members]
    facts = [world.facts(unit) for unit in members]
    first = shown[0].value
    names, digest = content(world.kit)
    value: dict[str, Value] = {
        "service": {name: first[name] for name in SHOWN},
        "uses": sorted({name for one in facts for name in one.uses}),
        "data": _data(shown, facts),
        "hosts": [
            {"environment": one.unit[1], "host": host, "path": path} for one in facts for host, path, _ in one.hosts
        ],
    }
    return Inputs(key, value, names, digest, world.kit.renderer)


def _data(shown: list[Effective], facts: list[Facts]) -> list[Value]:
    """Each need once, with the environments that have it."""
    found: dict[str, tuple[str, list[Value]]] = {}
    for effective, one in zip(shown, facts, strict=True):
        for data in one.data:
            found.setdefault(data.need, (data.type, []))[1].append(effective.environment)
    return [{"need": need, "type": found[need][0], "environments": found[need][1]} for need in sorted(found)]


def objects(inputs: Inputs, kit: Kit) -> Objects | Refusal:
    """One file, `catalog/components/<service>.yaml`: a stream of entities, the component first."""
    made = expanded(group_of(kit, "catalog"), inputs.value, in_folder("catalog"))
    if isinstance(made, Refusal):
        return made
    name = cast(Map, inputs.value["service"])["name"]
    return {f"catalog/components/{name}.yaml": list(made.values())}


CATALOG = Renderer("catalog", keys_of_facts, keys_of_platform, inputs, objects, lambda inputs: None)  # noqa: ARG005
