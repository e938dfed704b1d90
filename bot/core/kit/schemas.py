"""The schemas of a kit: the shipped files, the manifest's narrowed to the types and options that the kit has."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import cast

from bot.core.check import Schema, compile_schema
from bot.core.model.values import Value

NAMES = (
    "platform", "releases", "environments", "recipes", "teams", "config", "destroy", "holds", "blueprint", "recipe",
)  # fmt: skip
"""Schemas that belong to a kit. `kit` (the pin itself) belongs to none."""

Offer = tuple[str, Mapping[str, Value]]
"""(type of need, its options: name -> JSON Schema)."""


def narrowed(manifest: Mapping[str, Value], types: Iterable[str], offers: Iterable[Offer]) -> Mapping[str, Value]:
    """The manifest's schema with exactly the workload types, need types and options that a kit can render."""
    offers = sorted(offers, key=lambda offer: offer[0])
    defs = dict(cast(Mapping[str, Mapping[str, Value]], manifest["$defs"]))
    defs["workload"] = {**defs["workload"], "enum": sorted(set(types))}
    defs["need_type"] = {**defs["need_type"], "enum": sorted({kind for kind, _ in offers})}
    own = cast(Mapping[str, Value], defs["need"]["properties"])
    fields: dict[str, Value] = {name: own[name] for name in ("type", "class", "size")}
    for name in sorted({name for _, options in offers for name in options}):
        fields[name] = _any_of([_written(options[name]) for _, options in offers if name in options])
    defs["need"] = {**defs["need"], "properties": fields}
    return {**manifest, "$defs": cast(Value, defs)}


def options_schema(options: Mapping[str, Value]) -> Mapping[str, Value]:
    """The schema of a need's options under one recipe. Values keep their exact meaning there, unlike in `narrowed`,
    where two recipes of one type may differ."""
    return {"type": "object", "properties": dict(options), "additionalProperties": False}


def compiled(raw: Mapping[str, Mapping[str, Value]]) -> Mapping[str, Schema]:
    """Every schema of `raw`, able to refer to the others by `$id` and to nothing else."""
    others = {str(schema["$id"]): schema for schema in raw.values()}
    return {name: compile_schema(schema, others) for name, schema in raw.items()}


def _written(schema: Value) -> Value:
    """An option's schema where a person writes it: a default may be null, but an empty value is a mistake."""
    given = cast(Mapping[str, Value], schema)
    types = given.get("type")
    if isinstance(types, str) or types is None:
        return given
    some = [name for name in cast(Sequence[str], types) if name != "null"]
    return {
        **{key: value for key, value in given.items() if value is not None},
        "type": some[0] if len(some) == 1 else some,
    }


def _any_of(schemas: list[Value]) -> Value:
    distinct = [schema for index, schema in enumerate(schemas) if schema not in schemas[:index]]
    if len(distinct) == 1:
        return distinct[0]
    return {"anyOf": distinct, "description": cast(Mapping[str, Value], distinct[0]).get("description")}
