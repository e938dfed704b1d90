"""Which line of which file a policy's verdict is about."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from bot.core.build import Build, inputs_of
from bot.core.model.unit import Unit
from bot.core.model.values import Origin, Pointer
from bot.core.policy.model import Verdict
from bot.core.render import trace
from bot.core.rules.cases import Asked

_PEOPLES: Final = frozenset({"release", "override", "manifest"})
"""Layers that are written in the service's own folder."""
_TELLING: Final = ("release", "override", "manifest", "team", "environment", "recipe", "link", "platform", "blueprint")


@dataclass(frozen=True, slots=True)
class Blame:
    """A place that somebody can change. `through` says where the value comes from, where it is not written there."""

    path: str
    line: int
    column: int
    through: str = ""


def blame(one: Asked, verdict: Verdict, after: Build, before: Build | None) -> Blame:
    """The line of the service's own files that causes what the policy read; the manifest's first line, with the layer
    that gave the value, where nobody wrote it for this service; the platform's files where it is no service's."""
    build = after if one.case.object is not None else before
    if one.place is None or build is None or one.place[0] not in build.units:
        return Blame("platform/environments.yaml", *_of_environment(after, one.case.environment))
    unit = build.units[one.place[0]].unit
    found = sorted(_origins(one, verdict, build), key=lambda origin: _TELLING.index(origin.layer))
    if found and found[0].layer in _PEOPLES:
        return Blame(found[0].path, found[0].line, found[0].column)
    path, line, column = _top(unit, one.place[0])
    if not found:
        return Blame(path, line, column)
    origin = found[0]
    return Blame(path, line, column, f" The value comes from the {origin.layer} ({origin.path}:{origin.line}).")


def _origins(one: Asked, verdict: Verdict, build: Build) -> Iterator[Origin]:
    assert one.place is not None  # noqa: S101  asked only of a unit's case
    if one.key is None:
        given: Mapping[Pointer, Origin] = build.origins(one.place)
        pointers = [pointer[1:] for pointer in verdict.pointers if pointer[:1] == ("spec",)]
    elif one.key[0] in ("service", "data"):
        made = trace(inputs_of(build, one.key), build.kit, build.origins(one.place), one.case.key)
        given = {at: origin for (path, at), origin in made.items() if path == one.case.key}
        pointers = list(verdict.pointers)
    else:
        return
    for pointer in pointers:
        exact = [origin for at, origin in given.items() if at[: len(pointer)] == pointer]
        yield from exact
        if not exact:
            near = next((given[pointer[:size]] for size in range(len(pointer), 0, -1) if pointer[:size] in given), None)
            if near is not None:
                yield near


def _top(unit: Unit | None, folder: str) -> tuple[str, int, int]:
    if unit is None:
        return f"{folder}/platform.yaml", 1, 1
    at = unit.manifest.at(("name",), key=True)
    return unit.manifest.path, at.line, at.column


def _of_environment(build: Build, environment: str) -> tuple[int, int]:
    doc = build.platform.docs.get("platform/environments.yaml")
    if doc is None:
        return 1, 1
    at = doc.at(("environments", environment), key=True)
    return at.line, at.column
