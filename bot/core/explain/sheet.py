"""One render, read backwards: from a place in an object to what its template looked up for it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import cast

from bot.core.explain.places import Leaf, Scope, Texts, exact, leaves_of, left_out
from bot.core.explain.shapes import Spot
from bot.core.kit import Kit
from bot.core.model.render import Inputs, Objects
from bot.core.model.values import ObjectKey, Pointer, Value
from bot.core.problem import Refusal
from bot.core.render.data import folder as data_folder
from bot.core.render.expanding import short_name, wanted_parts, with_parts
from bot.core.render.reading import group_of
from bot.core.render.service import folder as service_folder
from bot.core.render.service import place_of, scope_of
from bot.core.template import Template, traced

_Map = Mapping[str, Value]


@dataclass(frozen=True, slots=True)
class Found:
    """What made a value. `reads` are pointers into the scope; `around` those that decided whether it stands there."""

    spot: Spot
    fixed: bool
    reads: tuple[Pointer, ...]
    around: tuple[Pointer, ...]


@dataclass(frozen=True, slots=True)
class Made:
    """An object of a render, and the template (with the place in its output) that made it."""

    sheet: Sheet
    template: Template
    at: Pointer


@dataclass(frozen=True, slots=True)
class Sheet:
    """Templates that were expanded together, with what they saw. Each template is walked once, when it is asked for."""

    scope: Scope
    parts: Mapping[str, Template]
    rest: tuple[Template, ...]
    _leaves: dict[str, Mapping[Pointer, Leaf]] = field(default_factory=dict)
    _traced: dict[str, tuple[Value, Mapping[Pointer, tuple[Pointer, ...]]]] = field(default_factory=dict)

    def made(self) -> Iterable[tuple[_Map, Template, Pointer]]:
        """Every object, before its name is settled."""
        for template in self.rest:
            value = self.value(template)
            if isinstance(value, list):
                yield from ((cast(_Map, item), template, (at,)) for at, item in enumerate(value))
            elif isinstance(value, Mapping):
                yield value, template, ()

    def value(self, template: Template) -> Value:
        """What a template makes."""
        return self._seen(template)[0]

    def find(self, template: Template, pointer: Pointer, texts: Texts, around: tuple[Pointer, ...] = ()) -> Found:
        """What made the place `pointer` of a template's output."""
        leaves, raw = self._known(template), self._seen(template)[1]
        at = next(pointer[:size] for size in range(len(pointer), -1, -1) if pointer[:size] in leaves)
        leaf, below = leaves[at], pointer[len(at) :]
        above = [at[:size] for size in range(len(at)) if at[:size] in leaves and not leaves[at[:size]].loops]
        outer = [read for one in above for read in raw.get(one, ())]
        outer += [turn for size in range(len(at) + 1) if (turn := _turn(leaves.get(at[:size]))) is not None]
        around = (*around, *self._flat(outer))
        reads = raw.get(at, ())
        if leaf.source is not None and leaf.source[:1] == ("parts",) and len(leaf.source) > 1:
            part = self.parts[str(leaf.source[1])]
            rest = [read for read in reads if read != leaf.source]
            return self.find(part, (*leaf.source[2:], *below), texts, (*around, *self._flat(rest)))
        fixed = leaf.kind == "fixed"
        spot = Spot(template.path, exact(template.path, leaf.at, below, texts) if fixed else leaf.at)
        if leaf.kind != "computed":
            return Found(spot, fixed, (), (*around, *self._flat(reads)))
        if leaf.source is not None:
            rest = [read for read in reads if read != leaf.source]
            return Found(spot, False, ((*leaf.source, *below),), (*around, *self._flat(rest)))
        return Found(spot, False, self._flat(reads), around)

    def has(self, template: Template, pointer: Pointer) -> bool:
        """True where something of the template stands exactly there."""
        return pointer in self._known(template)

    def left_out(self, template: Template, pointer: Pointer) -> tuple[Found, str] | None:
        """What decided that nothing stands at `pointer`, and its condition; None where no condition did."""
        found = left_out(template.root, self.scope, pointer)
        if found is None:
            return None
        reads = self._flat(self._seen(template)[1].get(found[1], ()))
        return Found(Spot(template.path, found[0].at), False, reads, ()), found[0].test.source.strip("{} ")

    def _known(self, template: Template) -> Mapping[Pointer, Leaf]:
        if template.path not in self._leaves:
            self._leaves[template.path] = leaves_of(template.root, self.scope)
        return self._leaves[template.path]

    def _seen(self, template: Template) -> tuple[Value, Mapping[Pointer, tuple[Pointer, ...]]]:
        if template.path not in self._traced:
            done = traced(template, self.scope)
            self._traced[template.path] = (None, {}) if isinstance(done, Refusal) else done
        return self._traced[template.path]

    def _flat(self, reads: Iterable[Pointer]) -> tuple[Pointer, ...]:
        """The same reads with every look-up of a part replaced by all that this part was made of."""
        found: dict[Pointer, None] = {}
        for read in reads:
            if read[:1] != ("parts",):
                found[read] = None
            elif len(read) > 1 and str(read[1]) in self.parts:
                start = read[2:]
                for at, deeper in self._seen(self.parts[str(read[1])])[1].items():
                    if at[: len(start)] == start or start[: len(at)] == at:
                        found.update(dict.fromkeys(self._flat(deeper)))
        return tuple(found)


def _turn(leaf: Leaf | None) -> Pointer | None:
    return None if leaf is None else leaf.turn


def sheets(inputs: Inputs, kit: Kit) -> list[Sheet]:
    """The templates of one key with what they saw, as its renderer expands them."""
    value, kind = inputs.value, inputs.key[0]
    if kind == "service":
        scope = scope_of(inputs, kit)
        if isinstance(scope, Refusal):
            return []
        blueprint = kit.blueprints[str(_map(value["service"])["type"]), cast(int, value["blueprint"])]
        outer = {**scope, "folder": service_folder(inputs)}
        return [*_sheet(blueprint.templates, scope), *_sheet(group_of(kit, kind), outer)]
    if kind == "data":
        need = _map(value["need"])
        recipe = kit.recipes[str(need["recipe"]), cast(int, need["recipe_version"])]
        inner = {**value, "place": place_of(value, need)}
        group = "terraform" if recipe.form == "terraform" else "data"
        outer = {**inner, "folder": data_folder(inputs)}
        return [*_sheet(recipe.templates, inner), *_sheet(group_of(kit, group), outer)]
    return _sheet(group_of(kit, kind), value)


def _sheet(templates: tuple[Template, ...], scope: Scope) -> list[Sheet]:
    rest = tuple(one for one in templates if not short_name(one.path).startswith("_"))
    parts = wanted_parts(templates, frozenset(name for one in rest for name in one.parts))
    whole = with_parts(parts, scope)
    if isinstance(whole, Refusal):
        return []
    return [Sheet(whole, {short_name(part.path)[1:]: part for part in parts}, rest)]


def made_by(known: Iterable[Sheet], objects: Objects) -> Mapping[tuple[ObjectKey, int], Made]:
    """For each object of a render (path, and index where one file holds several) the template that made it."""
    found: dict[tuple[ObjectKey, int], Made] = {}
    rows = [(item, Made(sheet, template, at)) for sheet in known for item, template, at in sheet.made()]
    for path, value in objects.items():
        for index, one in enumerate(value if isinstance(value, list) else [value]):
            if isinstance(one, Mapping):
                made = next((made for item, made in rows if _same(item, one, made.template, path)), None)
                if made is not None:
                    found[path, index] = made
    return found


def _same(item: _Map, one: _Map, template: Template, path: ObjectKey) -> bool:
    """An object and what its template made, before its name was settled and sync options were added."""
    if "kind" not in one:
        return path.rpartition("/")[2] == f"{short_name(template.path)}.json"
    mine, theirs = _map(item.get("metadata") or {}), _map(one.get("metadata") or {})
    start = mine.get("generateName")
    named = mine.get("name") == theirs.get("name") or (start and str(theirs.get("name")).startswith(str(start)))
    return bool(named) and item.get("kind") == one["kind"] and mine.get("namespace") == theirs.get("namespace")


def _map(value: Value) -> _Map:
    return cast(_Map, value)
