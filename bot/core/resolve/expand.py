"""Short forms to long forms, and where each value of the long form was written."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import cast

from bot.core.model.values import Pointer, Value

Spots = dict[Pointer, Pointer]
"""Leaf of the long form -> place in the file."""

_Map = Mapping[str, Value]
_Expand = Callable[[Value, Pointer, Pointer, Spots], Value]

APART = frozenset({"environments", "remove", "deploy_to"})
"""Fields that are about the manifest itself and not merged."""


def expand(raw: _Map, at: Pointer) -> tuple[dict[str, Value], Spots]:
    """The long form of a manifest or an override that stands at `at`, and where its leaves were written.

    `size` and `scale` stay as written: their forms replace each other whole.
    """
    spots: Spots = {}
    value: dict[str, Value] = {}
    for field, given in raw.items():
        if field not in APART:
            value[field] = _SHAPES.get(field, _as_written)(given, (field,), (*at, field), spots)
    return value, spots


def variable(name: str, suffix: str) -> str:
    """The environment variable of a need's output or a used service: `inventory`, `URL` is `INVENTORY_URL`."""
    return f"{name}_{suffix}".replace("-", "_").upper()


def _as_written(given: Value, long: Pointer, at: Pointer, spots: Spots) -> Value:
    if isinstance(given, Mapping) and given:
        for key, inner in given.items():
            _as_written(inner, (*long, key), (*at, key), spots)
    else:
        spots[long] = at
    return given


def _env(given: Value, long: Pointer, at: Pointer, spots: Spots) -> Value:
    value: dict[str, Value] = {}
    for name, inner in cast(_Map, given).items():
        wrapped = isinstance(inner, Mapping)
        spots[*long, name, "value"] = (*at, name, "value") if wrapped else (*at, name)
        value[name] = inner if wrapped else {"value": inner}
    return value


def _secrets(given: Value, long: Pointer, at: Pointer, spots: Spots) -> Value:
    if not isinstance(given, Mapping):
        for index, name in enumerate(cast(Sequence[str], given)):
            spots[*long, name, "path"] = (*at, index)
        return {name: {"path": name} for name in cast(Sequence[str], given)}
    value: dict[str, Value] = {}
    for name, inner in given.items():
        wrapped = isinstance(inner, Mapping)
        spots[*long, name, "path"] = (*at, name, "path") if wrapped else (*at, name)
        value[name] = inner if wrapped else {"path": inner}
    return value


def _needs(given: Value, long: Pointer, at: Pointer, spots: Spots) -> Value:
    value: dict[str, Value] = {}
    for name, inner in cast(_Map, given).items():
        if isinstance(inner, Mapping):
            value[name] = _as_written(inner, (*long, name), (*at, name), spots)
        else:
            spots[*long, name, "type"] = (*at, name)
            value[name] = {"type": inner}
    return value


def _uses(given: Value, long: Pointer, at: Pointer, spots: Spots) -> Value:
    value: dict[str, Value] = {}
    for name, inner, place in _named(given, at):
        chosen = inner.get("variable")
        spots[*long, name, "variable"] = place if chosen is None else (*place, "variable")
        value[name] = {"variable": chosen or variable(name, "URL")}
    return value


def _allow(given: Value, long: Pointer, at: Pointer, spots: Spots) -> Value:
    value: dict[str, Value] = {}
    for key, inner in cast(_Map, given).items():
        names: dict[str, Value] = {}
        for name, _, place in _named(inner, (*at, key)):
            spots[*long, key, name] = place
            names[name] = {}
        value[key] = names
    return value


def _health(given: Value, long: Pointer, at: Pointer, spots: Spots) -> Value:
    if isinstance(given, Mapping):
        return _as_written(given, long, at, spots)
    spots[*long, "ready"] = spots[*long, "start"] = at
    return {"ready": given, "start": given}


def _named(given: Value, at: Pointer) -> list[tuple[str, _Map, Pointer]]:
    """A list of names, or a map by name, as (name, what is said of it, place)."""
    if isinstance(given, Mapping):
        return [(name, cast(_Map, inner), (*at, name)) for name, inner in given.items()]
    return [(name, {}, (*at, index)) for index, name in enumerate(cast(Sequence[str], given))]


_SHAPES: Mapping[str, _Expand] = {
    "env": _env,
    "secrets": _secrets,
    "needs": _needs,
    "uses": _uses,
    "allow": _allow,
    "health": _health,
}
