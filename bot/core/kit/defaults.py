"""A blueprint's defaults, worked out once for every situation a service can be in."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import product
from typing import cast

from bot.core.kit.shapes import Settled, Situation
from bot.core.model.values import Doc, Origin, Pointer, Value

TIERS = (1, 2, 3, 4)
KINDS = ("development", "staging", "production")
SIZES = ("s", "m", "l", "xl")


def settle(doc: Doc) -> Mapping[Situation, Settled]:
    """The defaults of a checked blueprint.yaml in all 48 situations. Later entries win where they match."""
    entries = cast(Sequence[Mapping[str, Value]], cast(Mapping[str, Value], doc.value).get("defaults") or ())
    if not entries:
        return {}
    return {
        (tier, kind, size): _in(doc, entries, tier, kind, size) for tier, kind, size in product(TIERS, KINDS, SIZES)
    }


def _in(doc: Doc, entries: Sequence[Mapping[str, Value]], tier: int, kind: str, size: str) -> Settled:
    here: Mapping[str, Value] = {"tier": tier, "kind": kind, "size": size}
    value: dict[str, Value] = {}
    origins: dict[Pointer, Origin] = {}
    for index, entry in enumerate(entries):
        when = cast(Mapping[str, Value], entry.get("when") or {})
        if all(here[key] == wanted for key, wanted in when.items()):
            source: Pointer = ("defaults", index, "set")
            for key, given in cast(Mapping[str, Value], entry["set"]).items():
                long: Value = {"name": given} if key == "size" and isinstance(given, str) else given
                _lay(value, origins, doc, str(entry["reason"]), (key,), (*source, key), long)
    return Settled(value, origins)


def _lay(
    into: dict[str, Value],
    origins: dict[Pointer, Origin],
    doc: Doc,
    reason: str,
    at: Pointer,
    source: Pointer,
    given: Value,
) -> None:
    key = cast(str, at[-1])
    old = into.get(key)
    if isinstance(given, Mapping) and given and (old is None or isinstance(old, dict)):
        below: dict[str, Value] = {} if old is None else cast(dict[str, Value], old)
        origins.pop(at, None)
        into[key] = below
        for name, inner in given.items():
            _lay(below, origins, doc, reason, (*at, name), (*source, name), inner)
        return
    for gone in [pointer for pointer in origins if pointer[: len(at)] == at]:
        del origins[gone]
    into[key] = given
    place = doc.at(source)
    for pointer in leaves(given, at):
        origins[pointer] = Origin("blueprint", doc.path, place.line, place.column, reason)


def leaves(value: Value, at: Pointer = ()) -> list[Pointer]:
    """Pointers of all scalars and empty containers in `value`."""
    if isinstance(value, Mapping) and value:
        return [leaf for key, inner in value.items() for leaf in leaves(inner, (*at, key))]
    if isinstance(value, Sequence) and not isinstance(value, str) and value:
        return [leaf for index, inner in enumerate(value) for leaf in leaves(inner, (*at, index))]
    return [at]
