"""The Backstage system that services say they are part of: the catalog would have nothing behind that word."""

from __future__ import annotations

from collections.abc import Iterable

from bot.core.kit import Kit
from bot.core.model.platform import Platform
from bot.core.model.render import Inputs, Key, Objects
from bot.core.model.unit import Facts
from bot.core.problem import Refusal
from bot.core.render.expanding import expanded
from bot.core.render.reading import content, group_of
from bot.core.render.shapes import Renderer, World


def keys_of_facts(facts: Facts) -> Iterable[Key]:
    return () if facts.system is None else (("system", facts.system),)


def keys_of_platform(platform: Platform) -> Iterable[Key]:  # noqa: ARG001
    return ()


def inputs(key: Key, world: World) -> Inputs:
    """Whose it is. Where its services have several owners, the first by name stands for it."""
    names, digest = content(world.kit)
    owner = min(world.facts(unit).owner for unit in world.members(key))
    return Inputs(key, {"system": key[1], "owner": owner}, names, digest, world.kit.renderer)


def objects(inputs: Inputs, kit: Kit) -> Objects | Refusal:
    path = f"catalog/systems/{inputs.key[1]}.yaml"
    return expanded(group_of(kit, "system"), inputs.value, lambda template, item: path)  # noqa: ARG005


SYSTEM = Renderer("system", keys_of_facts, keys_of_platform, inputs, objects, lambda inputs: None)  # noqa: ARG005
