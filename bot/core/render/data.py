"""State: a Terraform root of its own, or manifests under an Application of their own. It outlives its service."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Final, Literal, cast

from bot.core.kit import Kit, Recipe
from bot.core.model.platform import Platform
from bot.core.model.render import Inputs, Key, Objects
from bot.core.model.unit import Facts
from bot.core.model.values import Value
from bot.core.problem import Problem, Refusal
from bot.core.render.exceptions import excused, labelled
from bot.core.render.expanding import expanded, in_folder, short_name
from bot.core.render.namespace import apart, apart_from
from bot.core.render.reading import (
    NEED_NOT_IN_BYTES,
    OF_PLACE,
    Map,
    content,
    gitops_of,
    group_of,
    of_environment,
    of_team,
    recipe_content,
)
from bot.core.render.service import place_of
from bot.core.render.shapes import Renderer, World
from bot.core.template import Template

Phase = Literal["live", "lifted", "empty"]

MODULE: Final = "module/"
"""The folder of a recipe that is vendored into each root."""


def keys_of_facts(facts: Facts) -> Iterable[Key]:
    return () if facts.waiting else [("data", *facts.unit, data.need) for data in facts.data]


def keys_of_platform(platform: Platform) -> Iterable[Key]:  # noqa: ARG001
    return ()


def inputs(key: Key, world: World) -> Inputs:
    """The need itself and who owns it. Nothing of the rest of the manifest: what runs never changes what is stored."""
    unit = (key[1], key[2])
    effective = world.effective(unit)
    need = cast(Map, cast(Map, effective.value["needs"])[key[3]])
    names, digest = content(world.kit, recipe_content(world.kit, need))
    value: dict[str, Value] = {
        "service": {"name": effective.name, "owner": effective.owner},
        "need": {"name": key[3], **{name: item for name, item in need.items() if name not in NEED_NOT_IN_BYTES}},
        "namespace": world.facts(unit).namespace,
        "env": of_environment(world.platform, key[2], (*OF_PLACE, "terraform", "networks")),
        "team": of_team(world.platform, effective.owner),
        "gitops": gitops_of(world.platform, key[2]),
        "phase": "live",
    }
    return Inputs(key, value | excused(key, world), names, digest, world.kit.renderer)


def folder(inputs: Inputs) -> str:
    """`data/<env>/<service>/<need>`."""
    return f"data/{inputs.key[2]}/{cast(Map, inputs.value['service'])['name']}/{inputs.key[3]}"


def objects(inputs: Inputs, kit: Kit) -> Objects | Refusal:
    need = cast(Map, inputs.value["need"])
    recipe = kit.recipes[str(need["recipe"]), cast(int, need["recipe_version"])]
    scope = {**inputs.value, "place": place_of(inputs.value, need)}
    return (
        _terraform(inputs, kit, recipe, scope) if recipe.form == "terraform" else _cluster(inputs, kit, recipe, scope)
    )


def _terraform(inputs: Inputs, kit: Kit, recipe: Recipe, scope: Map) -> Objects | Refusal:
    """The root's own files, then the recipe's, then its vendored module. An empty root keeps what finds its state."""
    if not isinstance(cast(Map, inputs.value["env"])["terraform"], Mapping):
        return Refusal((_no_backend(inputs, recipe),))
    home = f"{folder(inputs)}/terraform"
    empty = inputs.value["phase"] == "empty"
    templates = [*group_of(kit, "terraform"), *(() if empty else _of_root(recipe))]
    made = expanded(templates, scope, lambda template, item: f"{home}/{template}.json")  # noqa: ARG005
    if isinstance(made, Refusal) or empty:
        return made
    module: dict[str, Value] = {
        f"{home}/{path}": data.decode() for path, data in sorted(recipe.files.items()) if path.startswith(MODULE)
    }
    return {**made, **module}


def _of_root(recipe: Recipe) -> list[Template]:
    return [template for template in recipe.templates if not short_name(template.path).startswith("_")]


def _no_backend(inputs: Inputs, recipe: Recipe) -> Problem:
    environment = inputs.key[2]
    return Problem(
        "platform/environments.yaml",
        1,
        1,
        "CW0604",
        f"environment `{environment}` has no `terraform`, and recipe `{recipe.name}` makes Terraform",
        "A root needs a place for its state and the settings of its providers.",
        "Write `terraform: {backend: {s3: {bucket, region}}, providers: {aws: {region}}}` there, "
        "or choose a recipe that runs inside the cluster.",
    )


def _cluster(inputs: Inputs, kit: Kit, recipe: Recipe, scope: Map) -> Objects | Refusal:
    if inputs.value["phase"] == "empty":
        return {}
    made = expanded(recipe.templates, scope, in_folder(f"{folder(inputs)}/kubernetes"))
    if isinstance(made, Refusal):
        return made
    made = labelled(made, inputs)
    held = cast(Map, inputs.value["need"])["protected"] and inputs.value["phase"] == "live"
    service, need = cast(Map, inputs.value["service"])["name"], inputs.key[3]
    path = f"apps/{inputs.key[2]}/data/{service}.{need}.yaml"
    runs = expanded(group_of(kit, "data"), {**scope, "folder": folder(inputs)}, lambda template, item: path)  # noqa: ARG005
    if isinstance(runs, Refusal):
        return runs
    return {**({key: _held(item) for key, item in made.items()} if held else made), **runs}


def _held(item: Value) -> Value:
    """The same object, which Argo CD neither prunes nor deletes with its Application."""
    metadata = cast(Map, cast(Map, item)["metadata"])
    annotations = cast(Map, metadata.get("annotations") or {})
    options = str(annotations.get("argocd.argoproj.io/sync-options", ""))
    kept = ",".join(option for option in (options, "Prune=false,Delete=false") if option)
    sealed = {**metadata, "annotations": {**annotations, "argocd.argoproj.io/sync-options": kept}}
    return {**cast(Map, item), "metadata": sealed}


def drained(inputs: Inputs, phase: Phase) -> Inputs:
    """The same state on its way out. `lifted`: nothing protects it any more, with a last snapshot where it was
    protected; `empty`: a root whose plan destroys all of it. Also for the namespace that protected state stands in."""
    return replace(inputs, value={**inputs.value, "phase": phase})


def companions(key: Key, facts: Facts) -> tuple[Key, ...]:
    """The keys whose paths must stay as long as this state is kept: the namespace that it stands in."""
    data = next((data for data in facts.data if data.need == key[3]), None)
    beside = apart_from(facts)
    return (("namespace", key[2], beside),) if beside is not None and data is not None and apart(data) else ()


DATA = Renderer("data", keys_of_facts, keys_of_platform, inputs, objects, folder)
