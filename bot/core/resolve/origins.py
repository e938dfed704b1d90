"""Who gave each value. Worked out only when somebody asks: a fleet of thousands is built without ever asking."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import cast

from bot.core.kit import Kit
from bot.core.kit.defaults import leaves
from bot.core.model.platform import Environment, Platform
from bot.core.model.unit import Unit
from bot.core.model.values import Doc, Origin, Pointer, Value
from bot.core.problem import Problem, Refusal
from bot.core.resolve.image import read_image
from bot.core.resolve.needs import matching
from bot.core.resolve.scene import Scene

_Map = Mapping[str, Value]
SceneOf = Callable[[Unit, Environment, Platform, Kit, list[Problem]], Scene | Refusal]


class LazyOrigins(Mapping[Pointer, Origin]):
    """An origin for every leaf of an effective manifest, computed at the first look."""

    __slots__ = ("_environment", "_kit", "_made", "_platform", "_scene_of", "_unit", "_value")

    def __init__(
        self, scene_of: SceneOf, unit: Unit, environment: Environment, platform: Platform, kit: Kit, value: _Map
    ) -> None:
        self._scene_of, self._unit, self._environment = scene_of, unit, environment
        self._platform, self._kit, self._value = platform, kit, value
        self._made: Mapping[Pointer, Origin] | None = None

    def __getitem__(self, pointer: Pointer) -> Origin:
        return self._all()[pointer]

    def __iter__(self) -> Iterator[Pointer]:
        return iter(self._all())

    def __len__(self) -> int:
        return len(self._all())

    def _all(self) -> Mapping[Pointer, Origin]:
        if self._made is None:
            scene = self._scene_of(self._unit, self._environment, self._platform, self._kit, [])
            if isinstance(scene, Refusal):
                raise TypeError("origins are asked of what was resolved")
            self._made = {leaf: _origin(scene, leaf) for leaf in leaves(self._value)}
        return self._made


def _origin(scene: Scene, leaf: Pointer) -> Origin:
    special = _SPECIAL.get(str(leaf[0]))
    found = special(scene, leaf) if special is not None else None
    return found or _said(scene, leaf) or _default(scene, leaf)


def _said(scene: Scene, leaf: Pointer) -> Origin | None:
    """The manifest's own word for the leaf, or for the whole that it is part of (a list, a short form)."""
    pointer = leaf
    while pointer:
        found = scene.origin(pointer)
        if found is not None:
            return found
        pointer = pointer[:-1]
    below = [written for written in scene.spots if written[: len(leaf)] == leaf]
    return scene.origin(below[0]) if below else None


def _default(scene: Scene, leaf: Pointer) -> Origin:
    pointer = leaf
    while pointer:
        found = scene.settled.origins.get(pointer)
        if found is not None:
            return found
        pointer = pointer[:-1]
    return Origin("blueprint", scene.blueprint.path, 1, 1, "nothing says otherwise")


def _by_default(scene: Scene, reason: str) -> Origin:
    return Origin("blueprint", scene.blueprint.path, 1, 1, reason)


_OF_ROUTES: Mapping[str, str] = {
    "path": "a route without `path` leads all of its host here",
    "public": "a route is for the company unless it says `public: true`",
    "timeout": "a request may take 30 seconds unless the route says otherwise",
}


def _image(scene: Scene, leaf: Pointer) -> Origin | None:
    ref = scene.release.get("image", scene.said["image"])
    if leaf[-1] in ("tag", "digest") and read_image(str(ref)).value()[str(leaf[-1])] is None:
        return _by_default(scene, f"the image is named without a {leaf[-1]}")
    doc = scene.unit.releases
    if doc is None or "image" not in scene.release:
        return None
    pos = doc.at((scene.environment.name, "image"))
    return Origin("release", doc.path, pos.line, pos.column)


def _route(scene: Scene, leaf: Pointer) -> Origin | None:
    if len(leaf) < 2:
        return None
    given = cast("Sequence[_Map] | None", scene.said.get("routes"))
    if given is None or (leaf[2] == "host" and "host" not in given[cast(int, leaf[1])]):
        return _environment(scene, "domain", "every service is reached below the domain of its environment")
    if leaf[2] == "public" and "public" not in cast(_Map, scene.environment.value["gateway"]):
        return _environment(scene, "gateway", "this environment has no public gateway")
    left_out = leaf[2] != "host" and leaf[2] not in given[cast(int, leaf[1])]
    return _by_default(scene, _OF_ROUTES[str(leaf[2])]) if left_out else None


def _allowed(scene: Scene, leaf: Pointer) -> Origin | None:
    """Names are a map while layers are merged, and a sorted list once that is done."""
    value = cast(Mapping[str, _Map], scene.said.get("allow") or {})
    names = sorted(value.get(str(leaf[1]), {})) if len(leaf) > 1 else []
    return scene.origin((*leaf[:2], names[cast(int, leaf[2])])) if len(leaf) > 2 else None


def _need(scene: Scene, leaf: Pointer) -> Origin | None:
    if len(leaf) < 3:
        return None
    name, field = str(leaf[1]), leaf[-1] if leaf[2] == "options" else leaf[2]
    if field in ("type", "class", "size", "version") or leaf[2] == "options":
        said = scene.origin(("needs", name, field))
        if said is not None:
            return said
    need = cast(_Map, cast(_Map, scene.said["needs"])[name])
    here = {"service": scene.unit.name, "environment": scene.environment.name, "kind": scene.environment.kind}
    here |= {"class": str(need.get("class", "default")), "team": scene.unit.owner}
    rule = matching(scene.platform.recipes, str(need["type"]), here)
    if rule is None:
        return None
    return _at(scene, "platform/recipes.yaml", ("recipes", rule.index), "recipe", f"recipe {rule.recipe}")


def _scale(scene: Scene, leaf: Pointer) -> Origin | None:
    """An end of the range that gave way follows the end that was written."""
    given = scene.said.get("scale")
    other = {"min": "max", "max": "min"}.get(str(leaf[-1]))
    if other is None or not isinstance(given, Mapping) or leaf[-1] in given or other not in given:
        return None
    ends = {**cast(Mapping[str, int], scene.settled.value["scale"]), other: cast(int, given[other])}
    return scene.origin(("scale", other)) if ends["min"] > ends["max"] else None


def _cost(scene: Scene, leaf: Pointer) -> Origin | None:  # noqa: ARG001  a sum has no place of its own
    return _environment(scene, "prices", "prices of the environment and of the recipes")


def _pull_secret(scene: Scene, leaf: Pointer) -> Origin | None:  # noqa: ARG001  one origin for all its parts
    return _environment(scene, "registries", "images of this registry want a login")


def _environment(scene: Scene, field: str, reason: str) -> Origin:
    pointer: Pointer = ("environments", scene.environment.name, field)
    return _at(scene, "platform/environments.yaml", pointer, "environment", reason)


def _at(scene: Scene, path: str, pointer: Pointer, layer: str, reason: str) -> Origin:
    doc: Doc = scene.platform.docs[path]
    pos = doc.at(pointer)
    return Origin("recipe" if layer == "recipe" else "environment", path, pos.line, pos.column, reason)


_SPECIAL: Mapping[str, Callable[[Scene, Pointer], Origin | None]] = {
    "allow": _allowed,
    "image": _image,
    "routes": _route,
    "scale": _scale,
    "needs": _need,
    "cost": _cost,
    "pull_secrets": _pull_secret,
}
