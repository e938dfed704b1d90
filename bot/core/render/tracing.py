"""Which line of a manifest made which value of an object."""

from __future__ import annotations

from collections.abc import Mapping
from typing import cast

from bot.core.kit import Kit
from bot.core.model.render import Inputs
from bot.core.model.unit import Origins
from bot.core.model.values import ObjectKey, Origin, Pointer, Value
from bot.core.problem import Refusal
from bot.core.render.data import folder as data_folder
from bot.core.render.expanding import Place, in_folder, maker, placed, short_name, wanted_parts
from bot.core.render.service import folder as service_folder
from bot.core.render.service import place_of, scope_of
from bot.core.template import Template, traced

Reads = Mapping[Pointer, tuple[Pointer, ...]]


def trace(
    inputs: Inputs, kit: Kit, origins: Origins, only: ObjectKey | None = None
) -> Mapping[tuple[ObjectKey, Pointer], Origin]:
    """For every value of a service's or a need's objects that came from the manifest, the line that gave it; with
    `only`, at least for every value of that one object.

    `origins` are those of the effective manifest. Where several lines made one value, the most telling wins: one that
    a person wrote for this service over one that holds by default. Values that templates fix have no entry.
    """
    value = inputs.value
    if inputs.key[0] == "service":
        scope = scope_of(inputs, kit)
        if isinstance(scope, Refusal):
            return {}
        blueprint = kit.blueprints[str(_map(value["service"])["type"]), cast(int, value["blueprint"])]
        home = f"{service_folder(inputs)}/kubernetes"
        return _traced(blueprint.templates, scope, home, _Sources(inputs, origins), only)
    if inputs.key[0] == "data":
        need = _map(value["need"])
        recipe = kit.recipes[str(need["recipe"]), cast(int, need["recipe_version"])]
        terraform = recipe.form == "terraform"
        home = f"{data_folder(inputs)}/{'terraform' if terraform else 'kubernetes'}"
        scope = {**value, "place": place_of(value, need)}
        return _traced(recipe.templates, scope, home, _Sources(inputs, origins), only, terraform)
    return {}


class _Sources:
    """Finds the origin of a pointer into a render's scope."""

    def __init__(self, inputs: Inputs, origins: Origins) -> None:
        self._origins = origins
        self._need = inputs.key[3] if inputs.key[0] == "data" else ""
        self._found: dict[Pointer, Origin | None] = {}

    def of(self, reads: tuple[Pointer, ...]) -> Origin | None:
        # Every object reads the service's name, team and labels again.
        for read in reads:
            if read not in self._found:
                self._found[read] = self._one(read)
        found = [origin for read in reads if (origin := self._found[read]) is not None]
        return min(found, key=lambda origin: _TELLING.index(origin.layer), default=None)

    def _one(self, read: Pointer) -> Origin | None:
        pointer = self._in_manifest(read)
        while pointer:
            if pointer in self._origins:
                return self._origins[pointer]
            pointer = pointer[:-1]
        return None

    def _in_manifest(self, read: Pointer) -> Pointer:
        if read[:1] == ("service",):
            return read[1:]
        if read[:1] == ("need",):
            return ("needs", self._need, *read[1:])
        return ()


_TELLING = ("release", "override", "manifest", "team", "environment", "recipe", "link", "platform", "blueprint")


def _traced(
    templates: tuple[Template, ...],
    scope: Mapping[str, Value],
    home: str,
    sources: _Sources,
    only: ObjectKey | None,
    terraform: bool = False,
) -> Mapping[tuple[ObjectKey, Pointer], Origin]:
    place: Place = (lambda name, _: f"{home}/{name}.json") if terraform else in_folder(home)
    parts: dict[str, Value] = {}
    whole = {**scope, "parts": parts}
    of_parts: dict[str, Reads] = {}
    made: dict[tuple[ObjectKey, Pointer], Origin] = {}
    if only is None:
        rest = tuple(template for template in templates if not short_name(template.path).startswith("_"))
    else:
        rest = maker(templates, scope, place, only)
    names = frozenset(name for template in rest for name in template.parts)
    for template in (*wanted_parts(templates, names), *rest):
        found = traced(template, whole)
        if isinstance(found, Refusal):
            return {}
        value, raw = found
        reads = spliced(raw, of_parts)
        name = short_name(template.path)
        if name.startswith("_"):
            parts[name[1:]], of_parts[name[1:]] = value, reads
            continue
        several = isinstance(value, list)
        for index, item in enumerate(value if isinstance(value, list) else [value]):
            if isinstance(item, Mapping):
                path = placed(template, item, place, [])[1]
                for at, seen in reads.items():
                    origin = sources.of(seen)
                    if origin is not None and (not several or at[:1] == (index,)):
                        made[path, at[1:] if several else at] = origin
    return made


def spliced(reads: Reads, of_parts: Mapping[str, Reads]) -> Reads:
    """The same reads with every look-up of a part replaced by what that part was made of, place by place."""
    made: dict[Pointer, tuple[Pointer, ...]] = {}
    for at, seen in reads.items():
        rest = [read for read in seen if read[:1] != ("parts",)]
        for read in seen:
            if read[:1] == ("parts",) and len(read) > 1:
                start = read[2:]
                for inner, deeper in of_parts.get(str(read[1]), {}).items():
                    if inner[: len(start)] == start:
                        place = (*at, *inner[len(start) :])
                        made[place] = tuple(dict.fromkeys((*made.get(place, ()), *deeper)))
                    elif start[: len(inner)] == inner:
                        rest += deeper
        if rest:
            made[at] = tuple(dict.fromkeys((*made.get(at, ()), *rest)))
    return made


def _map(value: Value) -> Mapping[str, Value]:
    return cast("Mapping[str, Value]", value)
