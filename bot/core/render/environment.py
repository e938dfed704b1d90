"""The frame of an environment in Argo CD: root, parents, and the platform's own projects."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final, cast

from bot.core.kit import Kit
from bot.core.model.platform import Platform
from bot.core.model.render import Inputs, Key, Objects
from bot.core.model.unit import Facts
from bot.core.model.values import Value
from bot.core.problem import Refusal
from bot.core.render.expanding import expanded, short_name
from bot.core.render.policies import whitelists
from bot.core.render.reading import content, gitops_of, group_of, of_environment
from bot.core.render.shapes import Renderer, World
from bot.core.template import Template
from bot.core.template.nodes import Fixed, For, If, Items, Map, Node

PARENT: Final = "parent-"

SERVICES: Final = """\
Applications of the services in this environment, one file each. Causeway writes them; an edit here is reported and
undone. To change a service, open a pull request in the platform repository. This file keeps the folder.
"""

DATA: Final = """\
Applications of state that lives inside the cluster. They outlive their services: state goes only by an entry in
`platform/destroy.yaml` of the platform repository. This file keeps the folder.
"""


def keys_of_facts(facts: Facts) -> Iterable[Key]:  # noqa: ARG001
    return ()


def keys_of_platform(platform: Platform) -> Iterable[Key]:
    return [("environment", name) for name in platform.environments]


def patterns(platform: Platform, environment: str, data: bool) -> list[Value]:
    """The namespaces that a project may write to, as patterns: whatever the environment's rule can name. A list of
    what runs would be late for a new service, and early for one that leaves."""
    value = platform.environments[environment].value
    rule = str(value["namespace"])
    if "{env}" not in rule:
        reserved = cast("list[str]", value["reserved_namespaces"])
        argocd = str(cast("Mapping[str, Value]", value["cluster"])["argocd"])
        refused = ["kube-*", argocd, *reserved]
        return ["*", *(f"!{name}" for name in dict.fromkeys(refused))]
    one = rule.replace("{env}", environment).replace("{service}", "*").replace("{team}", "*").replace("**", "*")
    return [one, f"{one}-data"] if data else [one]


def inputs(key: Key, world: World) -> Inputs:
    """The environment's name and cluster, its GitOps target, and the kinds that the kit's recipes make."""
    names, digest = content(world.kit)
    recipes = [recipe for _, recipe in sorted(world.kit.recipes.items()) if recipe.form == "kubernetes"]
    kinds = {kind for recipe in recipes for template in recipe.templates for kind in kinds_of(template)}
    value: dict[str, Value] = {
        "env": of_environment(world.platform, key[1], ("name", "cluster")),
        "gitops": gitops_of(world.platform, key[1]),
        "patterns": patterns(world.platform, key[1], data=True),
        "kinds": [{"group": group, "kind": kind} for group, kind in sorted(kinds - _OF_EVERY_PROJECT)],
    }
    value |= whitelists(world.platform, world.kit)
    return Inputs(key, value, names, digest, world.kit.renderer)


_OF_EVERY_PROJECT: Final = {
    ("", "ConfigMap"),
    ("", "ServiceAccount"),
    ("networking.k8s.io", "NetworkPolicy"),
    ("rbac.authorization.k8s.io", "Role"),
    ("rbac.authorization.k8s.io", "RoleBinding"),
}


def kinds_of(template: Template) -> set[tuple[str, str]]:
    """(group, kind) of every object that a template can make: both are written out in it."""
    return set() if short_name(template.path).startswith("_") else set(_kinds(template.root))


def _kinds(node: Node) -> Iterable[tuple[str, str]]:
    match node:
        case If(_, _, inner) | For(_, _, _, inner):
            yield from _kinds(inner)
        case Items(_, items):
            for item in items:
                yield from _kinds(item)
        case Map(_, pairs):
            fixed = {key: inner.value for key, inner in pairs if isinstance(key, str) and isinstance(inner, Fixed)}
            yield from _kind(fixed)
        case Fixed(_, value):
            for fixed_item in value if isinstance(value, list) else [value]:
                yield from _kind(fixed_item)
        case _:
            pass


def _kind(item: Value) -> Iterable[tuple[str, str]]:
    if isinstance(item, Mapping) and isinstance(item.get("kind"), str) and isinstance(item.get("apiVersion"), str):
        group, slash, _ = str(item["apiVersion"]).partition("/")
        yield (group if slash else ""), str(item["kind"])


def objects(inputs: Inputs, kit: Kit) -> Objects | Refusal:
    home = f"apps/{inputs.key[1]}"

    def place(template: str, item: object) -> str:  # noqa: ARG001
        name = f"_{template[len(PARENT) :]}" if template.startswith(PARENT) else template
        return f"{home}/{name}.yaml"

    made = expanded(group_of(kit, "environment"), inputs.value, place)
    if isinstance(made, Refusal):
        return made
    return {**made, f"{home}/services/README.md": SERVICES, f"{home}/data/README.md": DATA}


ENVIRONMENT = Renderer("environment", keys_of_facts, keys_of_platform, inputs, objects, lambda inputs: None)  # noqa: ARG005
