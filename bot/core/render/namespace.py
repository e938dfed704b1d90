"""A namespace with what fences it: one for a service and environment, or shared where the rule says so."""

from __future__ import annotations

from collections.abc import Iterable
from typing import cast

from bot.core.kit import Kit
from bot.core.model.platform import Platform
from bot.core.model.render import Inputs, Key, Objects
from bot.core.model.unit import DataFact, Facts
from bot.core.model.values import Value
from bot.core.problem import Refusal
from bot.core.render.expanding import expanded, in_folder
from bot.core.render.reading import content, group_of, of_environment, of_team
from bot.core.render.shapes import Renderer, World

PODS_EACH = 100
"""Pods that the quota allows for each service in a namespace."""


def apart_from(facts: Facts) -> str | None:
    """The namespace of its own that a service's protected state inside the cluster stands in."""
    return f"{facts.namespace}-data" if any(apart(data) for data in facts.data) else None


def apart(data: DataFact) -> bool:
    """Whether this state stands in a namespace of its own."""
    return data.form == "kubernetes" and data.stateful and data.protected


def keys_of_facts(facts: Facts) -> Iterable[Key]:
    if facts.waiting:
        return ()
    beside = apart_from(facts)
    own: Key = ("namespace", facts.unit[1], facts.namespace)
    return (own,) if beside is None else (own, ("namespace", facts.unit[1], beside))


def keys_of_platform(platform: Platform) -> Iterable[Key]:  # noqa: ARG001
    return ()


def inputs(key: Key, world: World) -> Inputs:
    """Of its members only what a namespace shows: owner, whether a migration runs, whether state stands in it."""
    _, environment, namespace = key
    members = [world.facts(unit) for unit in world.members(key)]
    for_data = all(facts.namespace != namespace for facts in members)
    names, digest = content(world.kit)
    value: dict[str, Value] = {
        "namespace": namespace,
        "env": of_environment(world.platform, environment, ("name",)),
        # Services that share a namespace and not an owner: the namespace is labelled with the first.
        "team": of_team(world.platform, min(facts.owner for facts in members)),
        "migrating": sorted({facts.name for facts in members if facts.migrates and not for_data}),
        "for_data": for_data,
        "data": any(data.form == "kubernetes" and not apart(data) for facts in members for data in facts.data),
        "pods": PODS_EACH * len({facts.name for facts in members}),
        "phase": "live",
    }
    return Inputs(key, value, names, digest, world.kit.renderer)


def objects(inputs: Inputs, kit: Kit) -> Objects | Refusal:
    place = in_folder(f"environments/{inputs.key[1]}/_platform/kubernetes")

    def named(template: str, item: object) -> str:
        # Objects of one name stand in many namespaces: the file says which.
        path = place(template, cast("dict[str, Value]", item))
        kind, _, name = path.rpartition("/")[2].partition("-")
        return path if name == f"{inputs.key[2]}.yaml" else f"{path.rpartition('/')[0]}/{kind}-{inputs.key[2]}.{name}"

    return expanded(group_of(kit, "namespace"), inputs.value, named)


NAMESPACE = Renderer("namespace", keys_of_facts, keys_of_platform, inputs, objects, lambda inputs: None)  # noqa: ARG005
