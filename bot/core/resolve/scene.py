"""One unit in one environment while it is being resolved: what was said, where, and what is wrong with it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import cast

from bot.core.kit import Blueprint, Kit, Settled
from bot.core.model.platform import Environment, Platform
from bot.core.model.unit import Unit
from bot.core.model.values import Doc, Layer, Origin, Pointer, Pos, Value
from bot.core.problem import Problem
from bot.core.resolve.expand import Spots, expand
from bot.core.resolve.merge import KEPT, closest, forget, merged, removable, replaced, without

_Map = Mapping[str, Value]


@dataclass(slots=True)
class Scene:
    """`said` is the manifest in long form with the environment's override merged in. `settled` are the blueprint's
    defaults in this situation. Problems gather here, so that all of them are told at once."""

    unit: Unit
    environment: Environment
    platform: Platform
    kit: Kit
    blueprint: Blueprint
    settled: Settled
    said: _Map
    spots: Spots
    release: _Map
    problems: list[Problem] = field(default_factory=list)

    def place(self, pointer: Pointer, *, key: bool = False) -> Pos:
        """Where the manifest says `pointer`, or the nearest thing around it; the override first, since it wins."""
        doc = self.unit.manifest
        while pointer:
            if pointer in self.spots:
                return doc.at(self.spots[pointer], key=key)
            for written in (("environments", self.environment.name, *pointer), pointer):
                if written in doc.marks:
                    return doc.at(written, key=key)
            pointer = pointer[:-1]
        return doc.at(())

    def refuse(self, pointer: Pointer, code: str, message: str, why: str, fix: str, *, key: bool = False) -> None:
        """A problem at what the manifest says."""
        pos = self.place(pointer, key=key)
        path = self.unit.manifest.path
        self.problems.append(Problem(path, pos.line, pos.column, code, message, why, fix))

    def refuse_release(self, pointer: Pointer, code: str, message: str, why: str, fix: str) -> None:
        """A problem at what releases.yaml says of this environment."""
        doc = cast(Doc, self.unit.releases)
        pos = doc.at((self.environment.name, *pointer))
        self.problems.append(Problem(doc.path, pos.line, pos.column, code, message, why, fix))

    def origin(self, pointer: Pointer) -> Origin | None:
        """Who said `pointer`; None where the manifest does not."""
        written = self.spots.get(pointer)
        if written is None:
            return None
        layer: Layer = "override" if written[0] == "environments" else "manifest"
        pos = self.unit.manifest.at(written)
        return Origin(layer, self.unit.manifest.path, pos.line, pos.column)


def said_in(unit: Unit, environment: str, problems: list[Problem]) -> tuple[_Map, Spots, bool]:
    """The manifest in long form with the override of `environment`, where each leaf was written, and whether there
    is an override at all."""
    raw = cast(_Map, unit.manifest.value)
    base, spots = expand(raw, ())
    override = cast(Mapping[str, _Map], raw.get("environments") or {}).get(environment)
    if override is None:
        return base, spots, False
    for index, name in enumerate(cast(Sequence[str], override.get("remove") or ())):
        shorter = None if name in KEPT else without(base, name.split("."))
        if shorter is None:
            problems.append(_nothing_there(unit, ("environments", environment, "remove", index), name, base))
        else:
            base = shorter
            forget(spots, tuple(name.split(".")))
    over, places = expand(override, ("environments", environment))
    for pointer in replaced(base, over):
        forget(spots, pointer)
    spots.update(places)
    return merged(base, over), spots, True


def as_doc(unit: Unit, environment: str, said: _Map, spots: Spots) -> Doc:
    """The merged manifest as if it had been written, so that the schema can judge it."""
    doc = unit.manifest
    override = ("environments", environment)
    marks = {pointer[2:]: mark for pointer, mark in doc.marks.items() if pointer[:2] == override}
    marks.update(doc.marks)
    marks.update({pointer: doc.marks[written] for pointer, written in spots.items() if written in doc.marks})
    return Doc(doc.path, said, marks)


def _nothing_there(unit: Unit, pointer: Pointer, name: str, base: _Map) -> Problem:
    pos = unit.manifest.at(pointer)
    known = removable(base)
    close = closest(name, known)
    there = ", ".join(f"`{name}`" for name in known[:8])
    fix = f"did you mean `{close}`?" if close else "drop the line" + (f"; there is: {there}" if there else "")
    if name in KEPT:
        message, fix = f"`{name}` cannot be removed", "drop the line"
    else:
        message = f"`{name}` is not in the manifest, so there is nothing to remove"
    return Problem(
        unit.manifest.path, pos.line, pos.column, "CW0404", message,
        "`remove` drops what the manifest says; a line without effect hides a mistake", fix,
    )  # fmt: skip


def place_of(unit: Unit, environment: str, pointer: Pointer) -> Pos:
    """Where the manifest says what a link asks for: `("name",)`, `("needs", need)`, `("uses", service)` or `("routes",
    host, path)`."""
    said, spots, _ = said_in(unit, environment, [])
    if pointer[:1] == ("uses",):
        pointer = (*pointer, "variable")
    elif pointer[:1] == ("routes",):
        given = cast("Sequence[_Map]", said.get("routes") or ())
        found = [i for i, route in enumerate(given) if route.get("host", pointer[1]) == pointer[1]]
        exact = [i for i in found if given[i].get("path", "/") == pointer[2]]
        pointer = ("routes", (exact or found)[0]) if found else ("name",)
    if pointer[0] == "routes" and ("routes",) in spots:
        # A list has one place as a whole; what is in it stands where it was written, perhaps in an override.
        return unit.manifest.at((*spots["routes",], *pointer[1:]))
    written = spots.get(pointer)
    if written is None:
        prefix = [spot for spot in spots if spot[: len(pointer)] == pointer]
        written = spots[prefix[0]] if prefix else pointer
    return unit.manifest.at(written)
