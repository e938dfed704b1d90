"""The Argo CD project of a team in an environment, whether or not anything of it runs there."""

from __future__ import annotations

from collections.abc import Iterable

from bot.core.kit import Kit
from bot.core.model.platform import Platform
from bot.core.model.render import Inputs, Key, Objects
from bot.core.model.unit import Facts
from bot.core.model.values import Value
from bot.core.problem import Refusal
from bot.core.render.environment import patterns
from bot.core.render.expanding import expanded
from bot.core.render.reading import content, gitops_of, group_of, of_environment
from bot.core.render.shapes import Renderer, World


def keys_of_facts(facts: Facts) -> Iterable[Key]:  # noqa: ARG001
    return ()


def keys_of_platform(platform: Platform) -> Iterable[Key]:
    return [("project", environment, team) for environment in platform.environments for team in platform.teams]


def inputs(key: Key, world: World) -> Inputs:
    """Names, cluster, GitOps target and the namespaces that the environment's rule can name."""
    _, environment, team = key
    names, digest = content(world.kit)
    value: dict[str, Value] = {
        "env": of_environment(world.platform, environment, ("name", "cluster")),
        "team": {"slug": team},
        "gitops": gitops_of(world.platform, environment),
        "patterns": patterns(world.platform, environment, data=False),
    }
    return Inputs(key, value, names, digest, world.kit.renderer)


def objects(inputs: Inputs, kit: Kit) -> Objects | Refusal:
    path = f"apps/{inputs.key[1]}/project-{inputs.key[2]}.yaml"
    return expanded(group_of(kit, "project"), inputs.value, lambda template, item: path)  # noqa: ARG005


PROJECT = Renderer("project", keys_of_facts, keys_of_platform, inputs, objects, lambda inputs: None)  # noqa: ARG005
