"""From two trees to a kit: shipped parts at the pin, the platform repo's own on top."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from hashlib import sha256
from typing import TypeVar, cast

from bot.core.check import Schema, check, compile_schema
from bot.core.emit import canonical
from bot.core.kit.content import blueprint, recipe, workload
from bot.core.kit.folders import Folder, Found, numbered, versions
from bot.core.kit.schemas import NAMES, compiled, narrowed
from bot.core.kit.shapes import Blueprint, Kit, Recipe
from bot.core.model.values import Doc, Pointer, Value
from bot.core.parse import parse
from bot.core.problem import Problem, Refusal
from bot.core.tree import Oid, Tree

CARRIED = (1,)
"""Renderers that this code can be, newest last."""

CONFIG = "platform/config.yaml"
OWN = ("platform/blueprints/workloads", "platform/blueprints/recipes", "platform/recipes")

_Read = TypeVar("_Read")


@dataclass(frozen=True, slots=True)
class _Pin:
    """The pin as written; what is not named is absent."""

    renderer: int
    blueprints: tuple[tuple[str, int], ...]
    recipes: tuple[tuple[str, int], ...]
    platform: tuple[tuple[str, int], ...]
    policies: tuple[tuple[str, int], ...]


@dataclass(frozen=True, slots=True)
class _Sources:
    """Where content is read. Equal where all content is."""

    schemas: Folder
    shipped: Folder
    own: tuple[Folder, ...]


@dataclass(frozen=True, slots=True)
class _Content:
    """Every version of everything, read and compiled."""

    schemas: Mapping[str, Mapping[str, Value]]
    workloads: Found
    recipe_folders: Found
    platforms: Found
    packs: Found
    blueprints: Mapping[tuple[str, int], Blueprint]
    recipes: Mapping[tuple[str, int], Recipe]
    platform: Mapping[tuple[str, int], Blueprint]


def kit_of(tree: Tree, shipped: Tree) -> Kit | Refusal:
    """The kit that interprets `tree`: parts of `shipped` at the pin in config.yaml (where it names none, the newest),
    overridden and added to by `platform/blueprints/{workloads,recipes}/<name>/v<N>/` and
    `platform/recipes/<name>/v<N>/`. Refused where the pin, or any part of the tree's own, cannot be read. The same
    pin and content give the same object, so a caller may compare kits by identity within a process."""
    sources = _Sources(
        _folder(shipped, "schemas"), _folder(shipped, "blueprints"), tuple(_folder(tree, root) for root in OWN)
    )
    doc = _config(tree, sources.schemas)
    if isinstance(doc, Refusal):
        return doc
    content = _content(sources)
    if isinstance(content, Refusal):
        return content
    pin = _pin(doc)
    problems = tuple(_unknown(doc, pin, content))
    return Refusal(problems) if problems else _kit(pin, sources)


def _folder(tree: Tree, path: str) -> Folder:
    entry = tree.get(path)
    return Folder(path, entry.id if entry is not None else Oid(""), tree)


def _config(tree: Tree, schemas: Folder) -> Doc | Refusal:
    entry = tree.get(CONFIG)
    if entry is None or entry.kind != "file":
        return Doc(CONFIG, {}, {})  # what is missing or no file is told where the platform's files are read
    doc = parse(CONFIG, tree.read(CONFIG))
    if isinstance(doc, Refusal):
        return doc
    problems = check(doc, _pin_schema(schemas))
    return Refusal(problems) if problems else doc


@lru_cache(maxsize=4)
def _pin_schema(schemas: Folder) -> Schema:
    return compile_schema(_schema(schemas, "kit"))


def _pin(doc: Doc) -> _Pin:
    pin = cast(Mapping[str, Value], cast(Mapping[str, Value], doc.value).get("kit") or {})
    platform, policies = (cast("int | None", pin.get(part)) for part in ("platform", "policies"))
    return _Pin(
        renderer=cast(int, pin.get("renderer", CARRIED[-1])),
        blueprints=tuple(sorted(cast(Mapping[str, int], pin.get("blueprints") or {}).items())),
        recipes=tuple(sorted(cast(Mapping[str, int], pin.get("recipes") or {}).items())),
        platform=() if platform is None else (("platform", platform),),
        policies=() if policies is None else (("policies", policies),),
    )


def _unknown(doc: Doc, pin: _Pin, content: _Content) -> Iterator[Problem]:
    """What the pin names and nobody has."""
    if pin.renderer not in CARRIED:
        yield _not_there(doc, ("kit", "renderer"), f"renderer {pin.renderer}", [str(number) for number in CARRIED])
    for part, names, found in (
        ("blueprints", pin.blueprints, content.workloads),
        ("recipes", pin.recipes, content.recipe_folders),
        ("platform", pin.platform, content.platforms),
        ("policies", pin.policies, content.packs),
    ):
        for name, version in names:
            if (name, version) not in found:
                pointer: Pointer = ("kit", part) if part == name else ("kit", part, name)
                same = [f"{other} {number}" for other, number in sorted(found) if other == name]
                known = same or [f"{other} {number}" for other, number in sorted(found)]
                yield _not_there(doc, pointer, f"{name} {version}", known)


def _not_there(doc: Doc, pointer: Pointer, what: str, known: list[str]) -> Problem:
    place = doc.at(pointer)
    return Problem(
        CONFIG, place.line, place.column, "CW0201",
        f"the kit pin names {what}, which is neither shipped nor in platform/",
        "without it nothing can be rendered the way it was", f"pin one of these: {', '.join(known)}",
    )  # fmt: skip


@lru_cache(maxsize=16)
def _content(sources: _Sources) -> _Content | Refusal:
    schemas = {name: _schema(sources.schemas, name) for name in (*NAMES, "kit")}
    checks = compiled({name: schemas[name] for name in ("blueprint", "recipe")})
    problems: list[Problem] = []
    workloads = _found(sources.shipped, "workloads", sources.own[:1], problems)
    recipe_folders = _found(sources.shipped, "recipes", sources.own[1:], problems)
    platforms, wrong = numbered(sources.shipped.tree, f"{sources.shipped.path}/platform", shipped=True)
    problems += wrong
    named = {("platform", number): folder for number, folder in platforms.items()}
    packs, wrong = numbered(sources.shipped.tree, f"{sources.shipped.path}/policies", shipped=True)
    problems += wrong
    content = _Content(
        schemas=schemas,
        workloads=workloads,
        recipe_folders=recipe_folders,
        platforms=named,
        packs={("policies", number): folder for number, folder in packs.items()},
        blueprints=_each(
            {key: workload(*key, folder, checks["blueprint"]) for key, folder in workloads.items()}, problems
        ),
        recipes=_each(
            {key: recipe(*key, folder, checks["recipe"]) for key, folder in recipe_folders.items()}, problems
        ),
        platform=_each({key: blueprint(*key, folder, checks["blueprint"]) for key, folder in named.items()}, problems),
    )
    return Refusal(tuple(sorted(problems))) if problems else content


@lru_cache(maxsize=16)
def _kit(pin: _Pin, sources: _Sources) -> Kit:
    content = _content(sources)
    assert isinstance(content, _Content)  # noqa: S101  the caller read it just before; a cache may ask again
    pins = _pinned(content.workloads, dict(pin.blueprints))
    recipe_pins = _pinned(content.recipe_folders, dict(pin.recipes))
    platform = ("platform", _pinned(content.platforms, dict(pin.platform))["platform"])
    pack = _pinned(content.packs, dict(pin.policies)).get("policies")
    policies = content.packs["policies", pack] if pack is not None else None
    offers = [
        (made.type, cast(Mapping[str, Value], made.meta.get("options") or {})) for made in content.recipes.values()
    ]
    parts = {
        **{f"workloads/{name}": content.workloads[name, version] for name, version in pins.items()},
        **{f"recipes/{name}": content.recipe_folders[name, version] for name, version in recipe_pins.items()},
        "platform": content.platforms[platform],
        **({"policies": policies} if policies is not None else {}),
    }
    return Kit(
        renderer=pin.renderer,
        digest=_digest(pin.renderer, parts),
        schemas=compiled({**content.schemas, "platform": narrowed(content.schemas["platform"], pins, offers)}),
        blueprints=content.blueprints,
        pins=pins,
        recipes=content.recipes,
        recipe_pins=recipe_pins,
        platform=content.platform[platform],
        policies=_pack(policies) if policies is not None else {},
    )


def _pack(folder: Folder) -> Mapping[str, bytes]:
    """The policies and what they are bound to; their cases are for people who change them."""
    listed = folder.tree.list(folder.path)
    return {
        f"{folder.path}/{name}": folder.tree.read(f"{folder.path}/{name}")
        for name, entry in sorted(listed.items())
        if entry.kind == "file" and name.endswith(".yaml")
    }


def _schema(folder: Folder, name: str) -> Mapping[str, Value]:
    return cast(Mapping[str, Value], json.loads(folder.tree.read(f"{folder.path}/{name}.schema.json")))


def _found(shipped: Folder, part: str, own: tuple[Folder, ...], problems: list[Problem]) -> Found:
    found, wrong = versions(shipped.tree, f"{shipped.path}/{part}", shipped=True)
    problems += wrong
    for root in own:
        added, wrong = versions(root.tree, root.path, shipped=False)
        found.update(added)
        problems += wrong
    return found


def _each(read: Mapping[tuple[str, int], _Read | Refusal], problems: list[Problem]) -> Mapping[tuple[str, int], _Read]:
    good: dict[tuple[str, int], _Read] = {}
    for key, one in sorted(read.items(), key=lambda item: item[0]):
        if isinstance(one, Refusal):
            problems += one.problems
        else:
            good[key] = one
    return good


def _pinned(found: Found, pin: Mapping[str, int]) -> Mapping[str, int]:
    """The version of each name: as pinned, else the newest shipped, else (a name of the tree's own) the newest."""
    newest = dict(sorted(found, key=lambda key: (found[key].shipped, key[1])))
    return {name: pin.get(name, newest[name]) for name in sorted(newest)}


def _digest(renderer: int, parts: Mapping[str, Folder]) -> str:
    """Over the shipped parts only: what the tree itself brings is named by its commit. Schemas are not pinned and not
    part of it: they only grow while a renderer lives, so a newer bot can go on with an older pin."""
    ids: dict[str, Value] = {name: folder.id for name, folder in parts.items() if folder.shipped}
    if "policies" in parts:
        # Not its cases: an example that is added later changes nothing that runs.
        judging = parts["policies"].tree.list(parts["policies"].path)
        ids["policies"] = [[name, one.id] for name, one in sorted(judging.items()) if name.endswith(".yaml")]
    return sha256(canonical({"renderer": renderer, "parts": ids})).hexdigest()
