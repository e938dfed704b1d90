"""The Backstage group of a team."""

from __future__ import annotations

from collections.abc import Iterable

from bot.core.kit import Kit
from bot.core.model.platform import Platform
from bot.core.model.render import Inputs, Key, Objects
from bot.core.model.unit import Facts
from bot.core.problem import Refusal
from bot.core.render.expanding import expanded
from bot.core.render.reading import content, group_of, of_team
from bot.core.render.shapes import Renderer, World


def keys_of_facts(facts: Facts) -> Iterable[Key]:  # noqa: ARG001
    return ()


def keys_of_platform(platform: Platform) -> Iterable[Key]:
    return [("group", team) for team in platform.teams]


def inputs(key: Key, world: World) -> Inputs:
    names, digest = content(world.kit)
    return Inputs(key, {"team": of_team(world.platform, key[1])}, names, digest, world.kit.renderer)


def objects(inputs: Inputs, kit: Kit) -> Objects | Refusal:
    path = f"catalog/groups/{inputs.key[1]}.yaml"
    return expanded(group_of(kit, "group"), inputs.value, lambda template, item: path)  # noqa: ARG005


GROUP = Renderer("group", keys_of_facts, keys_of_platform, inputs, objects, lambda inputs: None)  # noqa: ARG005
