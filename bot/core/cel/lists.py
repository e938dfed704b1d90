"""Functions on lists (Kubernetes' own), sets, and optionals."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from bot.core.cel.failures import Failure, no_overload
from bot.core.cel.operators import add, compare
from bot.core.cel.rows import Step, rows
from bot.core.cel.values import NONE, Duration, Optional, Runtime, Timestamp, Uint, equal, type_name

_SUMMED: Final = ("int", "uint", "double", "duration")
_ORDERED: Final = (*_SUMMED, "bool", "timestamp", "string", "bytes")
_COMPARABLE: Final = (int, Uint, float, Duration, bool, Timestamp, str, bytes)


def _order(one: Runtime, two: Runtime) -> int:
    """0 for what has no order beside each other: the cluster's lists leave such a pair as it is."""
    try:
        return compare(one, two)
    except Failure:
        return 0


def _checked(value: Runtime) -> Runtime:
    if type(value) not in _COMPARABLE:
        raise Failure(f"no such overload: {type_name(value)}")
    return value


def _is_sorted(items: list[Runtime]) -> bool:
    found = True
    for at, item in enumerate(items):
        _checked(item)
        if at and found:
            found = _order(items[at - 1], item) < 1
        if not found:
            return False
    return found


def _first_by(name: str, sign: int) -> Callable[[list[Runtime]], Runtime]:
    def run(items: list[Runtime]) -> Runtime:
        if not items:
            raise Failure(f"{name} called on empty list")
        best = _checked(items[0])
        for item in items[1:]:
            if _order(best, _checked(item)) == sign:
                best = item
        return best

    return run


def _sum(items: list[Runtime]) -> Runtime:
    if not items:
        return 0
    total = items[0]
    if type(total) not in (int, Uint, float, Duration):
        raise no_overload()
    for item in items[1:]:
        total = add(total, item)
    return total


def _index_of(items: list[Runtime], wanted: Runtime) -> int:
    return next((at for at, item in enumerate(items) if equal(item, wanted)), -1)


def _last_index_of(items: list[Runtime], wanted: Runtime) -> int:
    return next((at for at in range(len(items) - 1, -1, -1) if equal(items[at], wanted)), -1)


LISTS: Final = rows(
    {
        **{f"list({kind}).isSorted() -> bool": _is_sorted for kind in _ORDERED},
        **{f"list({kind}).sum() -> {kind}": _sum for kind in _SUMMED},
        **{f"list({kind}).min() -> {kind}": _first_by("min", 1) for kind in _ORDERED},
        **{f"list({kind}).max() -> {kind}": _first_by("max", -1) for kind in _ORDERED},
        "list(A).indexOf(A) -> int": _index_of,
        "list(A).lastIndexOf(A) -> int": _last_index_of,
    }
)


def _contains(items: list[Runtime], wanted: list[Runtime]) -> bool:
    return all(any(equal(item, one) for item in items) for one in wanted)


SETS: Final = rows(
    {
        "sets.contains(list(A), list(A)) -> bool": _contains,
        "sets.equivalent(list(A), list(A)) -> bool": lambda one, two: _contains(one, two) and _contains(two, one),
        "sets.intersects(list(A), list(A)) -> bool": lambda one, two: any(_contains(two, [item]) for item in one),
    }
)


def _value(optional: Optional) -> Runtime:
    if not optional.present:
        raise Failure("optional.none() dereference")
    return optional.value


def _is_zero(value: Runtime) -> bool:
    if type(value) is Uint:
        return value.value == 0
    if type(value) is Duration:
        return value.nanos == 0
    if isinstance(value, bool | int | float | str | bytes | list | tuple | dict | None):
        return not value
    return False


def _unwrap(items: list[Runtime]) -> list[Runtime]:
    for item in items:
        if type(item) is not Optional:
            raise no_overload()
    return [item.value for item in items if item.present]


_OPTIONALS: Final[dict[str, Step]] = {
    "optional.of(A) -> optional(A)": lambda value: Optional(value, True),
    "optional.ofNonZeroValue(A) -> optional(A)": lambda value: NONE if _is_zero(value) else Optional(value, True),
    "optional.none() -> optional(A)": lambda: NONE,
    "optional(A).hasValue() -> bool": lambda optional: optional.present,
    "optional(A).value() -> A": _value,
    "list(A).first() -> optional(A)": lambda items: Optional(items[0], True) if items else NONE,
    "list(A).last() -> optional(A)": lambda items: Optional(items[-1], True) if items else NONE,
}

OPTIONALS: Final = rows(
    {
        **_OPTIONALS,
        "optional(A).or(optional(A)) -> optional(A)": lambda optional, other: optional if optional.present else other,
        "optional(A).orValue(A) -> A": lambda optional, other: optional.value if optional.present else other,
    },
    standard=True,
)

UNWRAPPED: Final = rows(
    {
        "optional.unwrap(list(optional(A))) -> list(A)": _unwrap,
        "list(optional(A)).unwrapOpt() -> list(A)": _unwrap,
    }
)
"""The checker's own library of optionals lacks these two."""
