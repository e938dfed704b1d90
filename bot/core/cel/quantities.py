"""Kubernetes' quantities: `1.5Gi`, `200m`.

As there, an amount is either *small* (a 64-bit whole number times a power of ten) or not; only a small amount can be
read as an integer, so `quantity('1000m')`, which is one in thousandths, cannot.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from bot.core.cel.failures import Failure
from bot.core.cel.rows import rows
from bot.core.cel.values import LARGEST, SMALLEST, Opaque

_QUANTITY = re.compile(r"([+-]?)(0*)([0-9]*)(?:(\.)([0-9]*))?([eEinumkKMGTP]*[-+]?[0-9]*)", re.ASCII)
_DECIMAL: Final = {"n": -9, "u": -6, "m": -3, "": 0, "k": 3, "M": 6, "G": 9, "T": 12, "P": 15, "E": 18}
_BINARY: Final = {"Ki": 10, "Mi": 20, "Gi": 30, "Ti": 40, "Pi": 50, "Ei": 60}
_EXPONENT = re.compile(r"[eE]([+-]?[0-9]+)", re.ASCII)
_SMALL_DIGITS: Final = 18
_MOST_EXPONENT: Final = 1_000
_LONGEST: Final = 1_000


@dataclass(frozen=True, slots=True, eq=False)
class Quantity(Opaque):
    """`value` times ten to the `scale`. `computed` is one that `add` or `sub` made: the cluster cannot find it equal
    to anything when it stands on the right of `==`."""

    value: int
    scale: int
    small: bool
    computed: bool = False

    type_name = "kubernetes.Quantity"

    def same(self, other: Opaque) -> bool:
        return isinstance(other, Quantity) and not other.computed and _compare(self, other) == 0


def _read(text: str) -> Quantity:
    if text == "":
        raise Failure(_FORM)
    found = _QUANTITY.fullmatch(text) if len(text) <= _LONGEST else None
    if found is None:
        raise Failure(_FORM)
    sign, zeros, front, dot, back, suffix = found.groups(default="")
    # A text of zeros and nothing else is read before its digits are looked at.
    if front == "" and not dot and suffix == "":
        return Quantity(0, 0, True)
    number = int((front or "0") + back)
    places, digits = len(back), len(front or "0") + len(back)
    negative = sign == "-"
    if suffix in _BINARY:
        result = _binary(number, places, digits, _BINARY[suffix], negative)
    else:
        scale = _decimal_scale(suffix) - places
        small = digits <= _SMALL_DIGITS and scale >= -9 and number <= LARGEST
        result = Quantity(-number if negative else number, scale, True) if small else _large(number, scale, negative)
    if not (result.small or zeros or front or back):
        raise Failure("unable to parse numeric part of quantity")
    return result


_FORM: Final = "quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'"


def _decimal_scale(suffix: str) -> int:
    if suffix in _DECIMAL:
        return _DECIMAL[suffix]
    found = _EXPONENT.fullmatch(suffix)
    if found is None:
        raise Failure("unable to parse quantity's suffix")
    exponent = int(found[1]) if len(found[1]) <= 20 else _MOST_EXPONENT + 1
    if abs(exponent) > _MOST_EXPONENT:
        raise Failure(f"a quantity with an exponent beyond {_MOST_EXPONENT}")
    return exponent


def _binary(number: int, places: int, digits: int, exponent: int, negative: bool) -> Quantity:
    value = number << exponent
    if places == 0 and 15 - digits - exponent * 3 // 10 - 1 >= 0 and value <= LARGEST:
        return Quantity(-value if negative else value, 0, True)
    if value > LARGEST * 10**places:
        return Quantity(-LARGEST if negative else LARGEST, 0, False)
    return _large(value, -places, negative)


def _large(number: int, scale: int, negative: bool) -> Quantity:
    """In billionths, rounded away from zero: whoever asks for a little gets a little."""
    shift = scale + 9
    value = number * 10**shift if shift >= 0 else -(-number // 10**-shift)
    return Quantity(-value if negative else value, -9, False)


def _aligned(one: Quantity, two: Quantity) -> tuple[int, int, int]:
    scale = min(one.scale, two.scale)
    return one.value * 10 ** (one.scale - scale), two.value * 10 ** (two.scale - scale), scale


def _compare(one: Quantity, two: Quantity) -> int:
    left, right, _ = _aligned(one, two)
    return int(left > right) - int(left < right)


def _add(one: Quantity, two: Quantity) -> Quantity:
    if one.small and two.small:
        if two.value == 0:
            return Quantity(one.value, one.scale, True, True)
        if one.value == 0:
            return Quantity(two.value, two.scale, True, True)
    left, right, scale = _aligned(one, two)
    small = one.small and two.small and all(SMALLEST <= part <= LARGEST for part in (left, right, left + right))
    return Quantity(left + right, scale, small, True)


def _subtract(one: Quantity, two: Quantity) -> Quantity:
    return _add(one, Quantity(-two.value, two.scale, two.small))


def _whole(value: int) -> Quantity:
    return Quantity(value, 0, True)


def _integer(one: Quantity) -> int | None:
    if not one.small or one.scale < 0:
        return None
    value = one.value * 10**one.scale
    return value if SMALLEST <= value <= LARGEST else None


def _as_integer(one: Quantity) -> int:
    found = _integer(one)
    if found is None:
        raise Failure("cannot convert value to integer")
    return found


def _ten_to(exponent: int) -> float:
    """Ten to the exponent in two roundings, as Go has it."""
    coarse, fine = divmod(abs(exponent), 32)
    if exponent < 0:
        return float(f"1e-{32 * coarse}") / float(f"1e{fine}")
    return float(f"1e{32 * coarse}") * float(f"1e{fine}")


def _as_float(one: Quantity) -> float:
    try:
        return float(one.value) * _ten_to(one.scale)
    except OverflowError:
        return float("inf") if one.value > 0 else float("-inf")


def _is_quantity(text: str) -> bool:
    try:
        _read(text)
    except Failure:
        return False
    return True


QUANTITIES: Final = rows(
    {
        "quantity(string) -> Quantity": _read,
        "isQuantity(string) -> bool": _is_quantity,
        "sign(Quantity) -> int": lambda one: int(one.value > 0) - int(one.value < 0),
        "Quantity.isInteger() -> bool": lambda one: _integer(one) is not None,
        "Quantity.asInteger() -> int": _as_integer,
        "Quantity.asApproximateFloat() -> double": _as_float,
        "Quantity.add(Quantity) -> Quantity": _add,
        "Quantity.add(int) -> Quantity": lambda one, two: _add(one, _whole(two)),
        "Quantity.sub(Quantity) -> Quantity": _subtract,
        "Quantity.sub(int) -> Quantity": lambda one, two: _subtract(one, _whole(two)),
        "Quantity.compareTo(Quantity) -> int": _compare,
        "Quantity.isGreaterThan(Quantity) -> bool": lambda one, two: _compare(one, two) == 1,
        "Quantity.isLessThan(Quantity) -> bool": lambda one, two: _compare(one, two) == -1,
    }
)
