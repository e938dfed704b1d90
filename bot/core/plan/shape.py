"""Reading plain data whose shape was checked long before: the wrong shape reads as empty."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from bot.core.model.values import Pointer, Value

_EMPTY: Mapping[str, Value] = {}
_SCALARS = frozenset({str, int, bool, float})


def as_map(value: Value) -> Mapping[str, Value]:
    """The mapping, or an empty one."""
    return value if isinstance(value, Mapping) else _EMPTY


def as_list(value: Value) -> Sequence[Value]:
    """The list, or an empty one; text is no list."""
    return value if is_list(value) and isinstance(value, Sequence) else ()


def is_list(value: Value) -> bool:
    """True for a sequence that is not text."""
    return isinstance(value, Sequence) and not isinstance(value, str)


def at(value: Value, pointer: Pointer) -> Value:
    """What stands at `pointer`, None where nothing does."""
    for part in pointer:
        if isinstance(value, Mapping):
            value = value.get(str(part))
        elif isinstance(value, Sequence) and not isinstance(value, str) and isinstance(part, int):
            value = value[part] if part < len(value) else None
        else:
            return None
    return value


def same(a: Value, b: Value) -> bool:
    """Equal as data: `1`, `1.0`, `true` and `"1"` all differ, the order of keys does not matter."""
    if a is b:
        return True
    if type(a) in _SCALARS:  # most are; asking whether each is a mapping first costs as much as all the rest
        return type(a) is type(b) and a == b
    if isinstance(a, Mapping) and isinstance(b, Mapping):
        return a.keys() == b.keys() and all(same(item, b[key]) for key, item in a.items())
    if is_list(a) and is_list(b):
        one, two = as_list(a), as_list(b)
        return len(one) == len(two) and all(same(x, y) for x, y in zip(one, two, strict=True))
    return type(a) is type(b) and a == b
