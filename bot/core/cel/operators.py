"""The language's operators: arithmetic, order, membership, look-ups."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Final

from bot.core.cel.failures import Failure, no_overload
from bot.core.cel.values import (
    NONE,
    SMALLEST,
    Duration,
    Opaque,
    Optional,
    Runtime,
    Strings,
    Timestamp,
    Uint,
    equal,
    key_in,
    number,
    type_name,
    whole,
    whole_uint,
)

MOST_NANOS: Final = 2**63 - 1
"""A duration has 64 bits of nanoseconds: about 292 years."""
FIRST_MOMENT: Final = -62_135_596_800 * 10**9
LAST_MOMENT: Final = 253_402_300_799 * 10**9 + 999_999_999
"""The years 1 to 9999."""


_NOTHING: Final = object()
STEPS: Final = frozenset([str, bool, int, float, Uint])
"""What may stand between `[` and `]`."""


def length_of(nanos: int) -> Duration:
    """Failure where it does not fit a duration."""
    if not -MOST_NANOS - 1 <= nanos <= MOST_NANOS:
        raise Failure("integer overflow")
    return Duration(nanos)


def moment(nanos: int, shift: int = 0) -> Timestamp:
    """Failure where it lies outside the years 1 to 9999."""
    if not FIRST_MOMENT <= nanos <= LAST_MOMENT:
        raise Failure("timestamp overflow")
    return Timestamp(nanos, shift)


def same(one: Runtime, two: Runtime) -> bool:
    """`==`. Beside a value of Kubernetes' own types only its own kind and null may stand: the cluster fails too."""
    if isinstance(one, Opaque) and two is not None and (type(one) is not type(two) or two.computed):
        raise no_overload()
    if type(one) is Strings and two is not None and not isinstance(two, Mapping):
        raise no_overload()
    return equal(one, two)


def differ(one: Runtime, two: Runtime) -> bool:
    """`!=`: unlike `==`, different kinds beside each other are no error."""
    return not equal(one, two)


def add(one: Runtime, two: Runtime) -> Runtime:
    """`+` of numbers of one kind, texts, bytes, lists, times."""
    kind = type(one)
    if kind is type(two):
        if kind is str or kind is bytes or kind is float:
            return one + two
        if kind is int:
            return whole(one + two)
        if kind is Uint:
            return whole_uint(one.value + two.value)
        if kind is Duration:
            return length_of(one.nanos + two.nanos)
    if kind is Timestamp and type(two) is Duration:
        return moment(one.nanos + two.nanos, one.shift)
    if kind is Duration and type(two) is Timestamp:
        return moment(one.nanos + two.nanos, two.shift)
    if isinstance(one, list | tuple) and isinstance(two, list | tuple):
        return [*one, *two]
    raise no_overload()


def subtract(one: Runtime, two: Runtime) -> Runtime:
    """`-` between two values."""
    kind = type(one)
    if kind is type(two):
        if kind is int:
            return whole(one - two)
        if kind is float:
            return one - two
        if kind is Uint:
            return whole_uint(one.value - two.value)
        if kind is Duration or kind is Timestamp:
            return length_of(one.nanos - two.nanos)
    if kind is Timestamp and type(two) is Duration:
        return moment(one.nanos - two.nanos, one.shift)
    raise no_overload()


def multiply(one: Runtime, two: Runtime) -> Runtime:
    """`*` of numbers of one kind."""
    kind = type(one)
    if kind is type(two):
        if kind is int:
            return whole(one * two)
        if kind is float:
            return one * two
        if kind is Uint:
            return whole_uint(one.value * two.value)
    raise no_overload()


def divide(one: Runtime, two: Runtime) -> Runtime:
    """`/`: whole numbers towards zero; doubles as IEEE 754 has it, so by zero it is infinite."""
    kind = type(one)
    if kind is type(two):
        if kind is float:
            return _quotient(one, two)
        if kind is int or kind is Uint:
            left, right = (one, two) if kind is int else (one.value, two.value)
            if right == 0:
                raise Failure("division by zero")
            found = abs(left) // abs(right)
            return whole(found if (left < 0) == (right < 0) else -found) if kind is int else Uint(found)
    raise no_overload()


def _quotient(one: float, two: float) -> float:
    if two != 0.0:
        return one / two
    if one == 0.0 or math.isnan(one) or math.isnan(two):
        return math.nan
    return math.copysign(math.inf, one) * math.copysign(1.0, two)


def modulo(one: Runtime, two: Runtime) -> Runtime:
    """`%` of whole numbers, with the sign of the left one."""
    kind = type(one)
    if kind is type(two) and (kind is int or kind is Uint):
        left, right = (one, two) if kind is int else (one.value, two.value)
        if right == 0:
            raise Failure("modulus by zero")
        if kind is int and left == SMALLEST and right == -1:
            raise Failure("integer overflow")
        found = abs(left) % abs(right)
        return (found if left >= 0 else -found) if kind is int else Uint(found)
    raise no_overload()


def negate(one: Runtime) -> Runtime:
    """`-` before a value."""
    if type(one) is int:
        return whole(-one)
    if type(one) is float:
        return -one
    if type(one) is Duration:
        return length_of(-one.nanos)
    raise no_overload()


def invert(one: Runtime) -> bool:
    """`!`."""
    if type(one) is not bool:
        raise no_overload()
    return not one


def compare(one: Runtime, two: Runtime) -> int:
    """-1, 0 or 1. Failure where the two have no order, or a double is no number."""
    left, right = number(one), number(two)
    if left is not None and right is not None:
        if left != left or right != right:
            raise Failure("NaN values cannot be ordered")
        return int(left > right) - int(left < right)
    kind = type(one)
    if kind is not type(two):
        raise no_overload()
    if kind is Duration or kind is Timestamp:
        return int(one.nanos > two.nanos) - int(one.nanos < two.nanos)
    # Go orders texts by their bytes in UTF-8; code points give the same order.
    if kind is str or kind is bytes or kind is bool:
        return int(one > two) - int(one < two)
    raise no_overload()


def before(one: Runtime, two: Runtime) -> bool:
    """`<`."""
    return compare(one, two) == -1


def after(one: Runtime, two: Runtime) -> bool:
    """`>`."""
    return compare(one, two) == 1


def not_after(one: Runtime, two: Runtime) -> bool:
    """`<=`."""
    return compare(one, two) in (-1, 0)


def not_before(one: Runtime, two: Runtime) -> bool:
    """`>=`."""
    return compare(one, two) in (0, 1)


def within(one: Runtime, two: Runtime) -> bool:
    """`in`: an item of a list, a key of a map."""
    if isinstance(two, Mapping):
        if type(two) is Strings and type(one) is not str:
            raise Failure(f"unsupported map key type: {type_name(one)}")
        key = key_in(one)
        return key is not None and key in two
    if isinstance(two, list | tuple):
        return any(equal(one, item) for item in two)
    raise no_overload()


def select(one: Runtime, field: str) -> Runtime:
    """`one.field`; of an optional, an optional."""
    if isinstance(one, Mapping):
        found = one.get(field, _NOTHING)
        if found is _NOTHING:
            raise Failure(f"no such key: {field}")
        return found
    if type(one) is Optional:
        return optional_select(one, field)
    raise _no_field(one, field)


def has(one: Runtime, field: str) -> bool:
    """`has(one.field)`: whether it is there, null or not."""
    if isinstance(one, Mapping):
        return field in one
    if type(one) is Optional:
        return one.present and has(one.value, field)
    if isinstance(one, list | tuple):
        raise _no_field(one, field)
    return False


def _no_field(one: Runtime, field: Runtime) -> Failure:
    if isinstance(one, list | tuple):
        return Failure(f"unsupported index type '{type_name(field)}' in list")
    return Failure(f"no such key: {_shown(field)}")


def optional_select(one: Runtime, field: Runtime) -> Optional:
    """`one.?field`."""
    if type(one) is Optional:
        return optional_select(one.value, field) if one.present else NONE
    if isinstance(one, Mapping):
        return Optional(one[field], True) if field in one else NONE
    if isinstance(one, list | tuple):
        raise _no_field(one, field)
    return NONE


def item(one: Runtime, key: Runtime) -> Runtime:
    """`one[key]`; of an optional, an optional."""
    if type(one) is Optional:
        return optional_item(one, key)
    _step(key)
    if isinstance(one, Mapping):
        found = one.get(key_in(key), _NOTHING)
        if found is _NOTHING:
            raise Failure(f"no such key: {_shown(key)}")
        return found
    if isinstance(one, list | tuple):
        at = _index(key)
        if not 0 <= at < len(one):
            raise Failure(f"index out of bounds: {at}")
        return one[at]
    raise Failure(f"no such key: {_shown(key)}")


def optional_item(one: Runtime, key: Runtime) -> Optional:
    """`one[?key]`."""
    if type(one) is Optional:
        return optional_item(one.value, key) if one.present else NONE
    _step(key)
    if isinstance(one, Mapping):
        if type(one) is Strings and type(key) is not str:
            raise Failure(f"unsupported map key type: {type_name(key)}")
        found = key_in(key)
        return Optional(one[found], True) if found is not None and found in one else NONE
    if isinstance(one, list | tuple):
        at = _index(key)
        return Optional(one[at], True) if 0 <= at < len(one) else NONE
    return NONE


def _step(key: Runtime) -> None:
    if type(key) not in STEPS:
        raise Failure(f"invalid qualifier type: {type_name(key)}")


def _index(key: Runtime) -> int:
    found = number(key)
    if found is None:
        raise _no_field([], key)
    if not math.isfinite(found) or found != int(found):
        raise Failure(f"unsupported index value {found} in list")
    return int(found)


def _shown(key: Runtime) -> str:
    found = number(key)
    return key if type(key) is str else str(found) if found is not None else type_name(key)


UNARY: Final[Mapping[str, Callable[[Runtime], Runtime]]] = {"-_": negate, "!_": invert}

BINARY: Final[Mapping[str, Callable[[Runtime, Runtime], Runtime]]] = {
    "_+_": add,
    "_-_": subtract,
    "_*_": multiply,
    "_/_": divide,
    "_%_": modulo,
    "_==_": same,
    "_!=_": differ,
    "_<_": before,
    "_<=_": not_after,
    "_>_": after,
    "_>=_": not_before,
    "@in": within,
    "_[_]": item,
    "_?._": optional_select,
    "_[?_]": optional_item,
}
"""The checker's name of an operator -> what it does."""
