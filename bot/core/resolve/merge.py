"""Merging long forms: maps key by key, everything else whole."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from difflib import get_close_matches
from typing import cast

from bot.core.model.values import Pointer, Value
from bot.core.resolve.expand import Spots

_Map = Mapping[str, Value]


def merged(base: _Map, over: _Map) -> dict[str, Value]:
    """`over` laid on `base`; neither is changed, and what did not meet is shared."""
    result = dict(base)
    for key, given in over.items():
        old = result.get(key)
        both = isinstance(old, Mapping) and isinstance(given, Mapping)
        result[key] = merged(cast(_Map, old), cast(_Map, given)) if both else given
    return result


def forget(spots: Spots, at: Pointer) -> None:
    """Drops every place at or below `at`."""
    for pointer in [pointer for pointer in spots if pointer[: len(at)] == at]:
        del spots[pointer]


def replaced(base: _Map, over: _Map, at: Pointer = ()) -> list[Pointer]:
    """Where `over` replaces something of `base` whole: places below these are stale."""
    found: list[Pointer] = []
    for key, given in over.items():
        if key in base:
            old = base[key]
            if isinstance(old, Mapping) and isinstance(given, Mapping):
                found += replaced(old, given, (*at, key))
            else:
                found.append((*at, key))
    return found


def without(value: _Map, pointer: Sequence[str]) -> dict[str, Value] | None:
    """`value` less what stands at `pointer`; None where nothing does. A map that becomes empty goes too."""
    first, *rest = pointer
    if first not in value:
        return None
    result = dict(value)
    if not rest:
        del result[first]
        return result
    inner = value[first]
    below = without(inner, rest) if isinstance(inner, Mapping) else None
    if below is None:
        return None
    if below:
        result[first] = below
    else:
        del result[first]
    return result


def removable(value: _Map) -> list[str]:
    """Dotted names of what a manifest says, for messages."""
    names: list[str] = []
    for field, inner in value.items():
        if field not in KEPT:
            names.append(field)
            if isinstance(inner, Mapping) and field in NAMED:
                names += [f"{field}.{name}" for name in inner]
    return names


def closest(name: str, known: Sequence[str]) -> str | None:
    """The known name that was probably meant."""
    close = get_close_matches(name, known, n=1, cutoff=0.6)
    return close[0] if close else None


KEPT = frozenset({"name", "owner", "type", "image"})
"""What an override can never remove."""
NAMED = frozenset({"env", "secrets", "needs", "uses"})
