"""Needs: which recipe provides each, what it hands out, what it costs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import cast

from bot.core.check import check
from bot.core.kit import Recipe
from bot.core.kit.content import money
from bot.core.load.reading import did_you_mean
from bot.core.model.platform import RecipeRule
from bot.core.model.values import Doc, Pointer, Pos, Value
from bot.core.resolve.expand import variable
from bot.core.resolve.names import filled, namespace_of
from bot.core.resolve.scene import Scene

_Map = Mapping[str, Value]
ORDER = ("service", "environment", "kind", "class", "team")
"""What a line of recipes.yaml can match, most specific first."""
_OWN = frozenset({"type", "class", "size"})
RESERVED = frozenset({"dashboard", "migrate", "secrets", "shared"})
"""Names of needs that would make `<service>-<need>` the name of an object that the service's own blueprint makes."""


def needs(scene: Scene) -> dict[str, Value]:
    """Every need that could be resolved; those that could not are problems of the scene."""
    found: dict[str, Value] = {}
    for name, need in sorted(cast(Mapping[str, _Map], scene.said.get("needs") or {}).items()):
        rule = _rule(scene, name, need)
        if rule is not None:
            version = scene.kit.recipe_pins[rule.recipe]
            recipe = scene.kit.recipes[rule.recipe, version]
            if _fits(scene, name, need, recipe):
                found[name] = _need(scene, name, need, rule, recipe)
        if name in RESERVED:
            scene.refuse(
                ("needs", name), "CW0424", f"a need cannot be called `{name}`",
                f"`{scene.unit.name}-{name}` is the name of something that every service may have",
                "give it another name, such as what is in it", key=True,
            )  # fmt: skip
    _one_identity(scene, found)
    return found


def _one_identity(scene: Scene, found: Mapping[str, Value]) -> None:
    """Pods have one identity, and it holds one role: of several needs that bring one, all but the first are refused."""
    settings = cast("_Map | None", scene.environment.value["terraform"]) or {}
    holder = ""
    for name, need in found.items():
        recipe = scene.kit.recipes[str(cast(_Map, need)["recipe"]), cast(int, cast(_Map, need)["recipe_version"])]
        if not settings.get(str(recipe.meta.get("identity", ""))):
            continue
        if holder:
            scene.refuse(
                ("needs", name), "CW0414", f"`{name}` needs the identity of the pods, and `{holder}` has it",
                f"`{recipe.name}` gives the pods a role in {scene.environment.name}, and they can hold one",
                f"keep both in `{holder}`, under keys that begin differently, or ask the platform team for another "
                "recipe", key=True,
            )  # fmt: skip
        holder = holder or name


def matching(rules: Sequence[RecipeRule], type_: str, here: Mapping[str, str]) -> RecipeRule | None:
    """The most specific line that provides `type_` here. Two of the same rank match the same words, and such a pair
    is refused where recipes.yaml is read, so the winner is never chance."""
    fit = [r for r in rules if r.provides == type_ and all(here[word] == name for word, name in r.match.items())]
    return max(fit, key=lambda rule: tuple(word in rule.match for word in ORDER), default=None)


def _rule(scene: Scene, name: str, need: _Map) -> RecipeRule | None:
    here = {
        "service": scene.unit.name,
        "environment": scene.environment.name,
        "kind": scene.environment.kind,
        "class": str(need.get("class", "default")),
        "team": scene.unit.owner,
    }
    rules = scene.platform.recipes
    rule = matching(rules, str(need["type"]), here)
    if rule is None:
        there = sorted({r.provides for r in rules if matching([r], r.provides, here) is not None})
        fix = "use one of: " + ", ".join(f"`{t}`" for t in there) if there else "ask the platform team for a recipe"
        scene.refuse(
            ("needs", name, "type"), "CW0413",
            f"nothing provides `{need['type']}` of class `{here['class']}` in {scene.environment.name}",
            "platform/recipes.yaml has no line for it", fix + ", or leave the need out there: `remove: "
            f"[needs.{name}]`",
        )  # fmt: skip
    return rule


def _fits(scene: Scene, name: str, need: _Map, recipe: Recipe) -> bool:
    before = len(scene.problems)
    _offered(scene, name, need, recipe)
    features = cast(Mapping[str, bool], scene.environment.value["features"])
    where = scene.environment.name
    if recipe.form == "terraform" and scene.environment.value["terraform"] is None:
        scene.refuse(
            ("needs", name), "CW0415", f"`{recipe.name}` is made by Terraform, and {where} has no Terraform backend",
            "its state would have no place", f"ask the platform team for `terraform` in {where}, or for another recipe",
            key=True,
        )  # fmt: skip
    if not features["external_secrets"]:
        if any(output.origin == "store" for output in recipe.outputs):
            scene.refuse(
                ("needs", name), "CW0415", f"`{recipe.name}` hands out by the secret store, and {where} reads none",
                "the pods would never get its address or password",
                f"ask the platform team for external_secrets in {where}, or for a recipe in the cluster", key=True,
            )  # fmt: skip
        elif _moves_out(scene, recipe):
            scene.refuse(
                ("needs", name), "CW0415", f"data is protected in {where}, which has no external_secrets",
                "protected data lives in a namespace of its own, and its password could not be carried over",
                f"ask the platform team for external_secrets in {where}, or to turn `protect_data` off", key=True,
            )  # fmt: skip
    if _moves_out(scene, recipe) and any(output.origin == "config" for output in recipe.outputs):
        scene.refuse(
            ("needs", name), "CW0415", f"data is protected in {where}, and `{recipe.name}` cannot protect it",
            "protected data lives in a namespace of its own, and this recipe's outputs stay in it",
            f"ask the platform team for another recipe in {where}, or to turn `protect_data` off", key=True,
        )  # fmt: skip
    return len(scene.problems) == before


def _moves_out(scene: Scene, recipe: Recipe) -> bool:
    """Protected data in the cluster stands in a namespace of its own, so that it outlives the service's."""
    return recipe.form == "kubernetes" and recipe.stateful and scene.environment.protect_data


def _offered(scene: Scene, name: str, need: _Map, recipe: Recipe) -> None:
    wanted = str(need.get("class", "default"))
    if wanted not in recipe.classes:
        fix = did_you_mean(wanted, recipe.classes, "name a class that it has")
        _cannot(scene, (name, "class"), f"`{recipe.name}` has no class `{wanted}`", fix)
    size = need.get("size")
    if size is not None and size not in recipe.sizes:
        known = ", ".join(f"`{known}`" for known in recipe.sizes)
        fix = f"use one of {known}" if known else "drop `size`"
        _cannot(scene, (name, "size"), f"`{recipe.name}` knows no size `{size}`", fix)
    options = {option: given for option, given in need.items() if option not in _OWN}
    if not options:
        return
    for option in options.keys() - recipe.defaults.keys():
        fix = did_you_mean(option, recipe.defaults, "drop it")
        _cannot(scene, (name, option), f"`{recipe.name}` has no field `{option}`", fix, key=True)
    known_options = {option: given for option, given in options.items() if option in recipe.defaults}
    marks: dict[Pointer, tuple[Pos | None, Pos]] = {(): (None, scene.place(("needs", name)))}
    marks.update({(option,): (None, scene.place(("needs", name, option))) for option in known_options})
    doc = Doc(scene.unit.manifest.path, known_options, marks)
    scene.problems += check(doc, recipe.options)


def _cannot(scene: Scene, pointer: Pointer, message: str, fix: str, *, key: bool = False) -> None:
    where = scene.environment.name
    scene.refuse(("needs", *pointer), "CW0414", message, f"it is the recipe that holds in {where}", fix, key=key)


def _need(scene: Scene, name: str, need: _Map, rule: RecipeRule, recipe: Recipe) -> _Map:
    options = {option: need.get(option, default) for option, default in recipe.defaults.items()}
    version = options.get("version")
    size = str(need.get("size", _size(recipe)))
    return {
        "type": recipe.type,
        "class": need.get("class", "default"),
        "size": size,
        "version": None if version is None else str(version),
        "options": options,
        "recipe": recipe.name,
        "recipe_version": recipe.version,
        "form": recipe.form,
        "stateful": recipe.stateful,
        "protected": recipe.stateful and scene.environment.protect_data,
        "ready_in": rule.value.get("ready_in", recipe.meta.get("ready_in", "")),
        "price": _price(rule, recipe, size),
        "replaces_on": rule.value.get("replaces_on", recipe.meta.get("replaces_on") or []),
        "unit": scene.unit.name,
        "outputs": _outputs(scene, name, rule, recipe),
    }


def _size(recipe: Recipe) -> str:
    return ("s" if "s" in recipe.sizes else recipe.sizes[0]) if recipe.sizes else ""


def _price(rule: RecipeRule, recipe: Recipe, size: str) -> str:
    per_size = cast("_Map | None", cast(_Map, rule.value.get("price") or {}).get("per_size"))
    if per_size is None:
        return recipe.prices.get(size, recipe.prices.get("any", "0"))
    return money(cast("int | float | str", per_size.get(size, per_size.get("any", 0))))


def _outputs(scene: Scene, name: str, rule: RecipeRule, recipe: Recipe) -> list[Value]:
    keys = cast("Sequence[str] | None", cast(_Map, rule.value.get("outputs") or {}).get("keys"))
    namespace = namespace_of(scene.environment, scene.unit.name, scene.unit.owner)
    place = f"{namespace}-data" if _moves_out(scene, recipe) else namespace
    names = {"service": scene.unit.name, "env": scene.environment.name, "need": name, "place": place}
    return [
        {
            "name": output.name,
            "variable": variable(name, output.name),
            "from": output.origin,
            "source": filled(output.source, names),
            "key": output.key,
            "value": filled(output.value, names) if output.origin == "value" and output.value else output.value,
        }
        for output in recipe.outputs
        if keys is None or output.name in keys
    ]
