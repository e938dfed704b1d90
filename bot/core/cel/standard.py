"""The functions that belong to the language itself: sizes, texts, conversions between kinds."""

from __future__ import annotations

import math
import re
from typing import Final

from bot.core.cel.failures import Failure
from bot.core.cel.native import re2_matches
from bot.core.cel.rows import rows
from bot.core.cel.values import LARGEST, LARGEST_UINT, SMALLEST, Runtime, TypeName, Uint, type_name

_WHOLE = re.compile(r"[+-]?[0-9]+", re.ASCII)
_NATURAL = re.compile(r"[0-9]+", re.ASCII)
_DECIMAL = re.compile(r"[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?", re.ASCII)
_HEX = re.compile(r"[+-]?0[xX](?:[0-9a-fA-F]+\.?[0-9a-fA-F]*|\.[0-9a-fA-F]+)[pP][+-]?[0-9]+", re.ASCII)
_BETWEEN = re.compile("(?<=[0-9])_(?=[0-9])", re.ASCII)
_ENDLESS = re.compile(r"[+-]?(?:inf|infinity)|nan", re.ASCII | re.IGNORECASE)
_LONGEST_NUMBER: Final = 400
TRUE: Final = frozenset(["1", "t", "T", "TRUE", "true", "True"])
FALSE: Final = frozenset(["0", "f", "F", "FALSE", "false", "False"])


def _refused(value: Runtime, wanted: str) -> Failure:
    return Failure(f"type conversion error from '{type_name(value)}' to '{wanted}'")


def _int_of_uint(value: Uint) -> int:
    if value.value > LARGEST:
        raise Failure("integer overflow")
    return value.value


def _int_of_double(value: float) -> int:
    # Strictly inside: both ends are doubles that stand for more than they say.
    if not SMALLEST < value < LARGEST:
        raise Failure("integer overflow")
    return int(value)


def _int_of_text(value: str) -> int:
    if len(value) > _LONGEST_NUMBER or not _WHOLE.fullmatch(value) or not SMALLEST <= int(value) <= LARGEST:
        raise _refused(value, "int")
    return int(value)


def _uint_of_int(value: int) -> Uint:
    if value < 0:
        raise Failure("unsigned integer overflow")
    return Uint(value)


def _uint_of_double(value: float) -> Uint:
    if not 0 <= value < LARGEST_UINT:
        raise Failure("unsigned integer overflow")
    return Uint(int(value))


def _uint_of_text(value: str) -> Uint:
    if len(value) > _LONGEST_NUMBER or not _NATURAL.fullmatch(value) or int(value) > LARGEST_UINT:
        raise _refused(value, "uint")
    return Uint(int(value))


def _double_of_text(value: str) -> float:
    if len(value) <= _LONGEST_NUMBER:
        value = value if _HEX.match(value) else _BETWEEN.sub("", value)
        if _DECIMAL.fullmatch(value):
            found = float(value)
            if math.isfinite(found):
                return found
        elif _HEX.fullmatch(value):
            try:
                return float.fromhex(value)
            except OverflowError:
                raise _refused(value, "double") from None
        elif _ENDLESS.fullmatch(value):
            return float(value)
    raise _refused(value, "double")


def _bool_of_text(value: str) -> bool:
    if value in TRUE or value in FALSE:
        return value in TRUE
    raise _refused(value, "bool")


def _text_of_bool(value: bool) -> str:
    return "true" if value else "false"


def text_of_double(value: float) -> str:
    """The shortest text that reads back the same, with an exponent below 0.0001 and from a million on: Go's `%g`."""
    if not math.isfinite(value):
        return "NaN" if math.isnan(value) else "+Inf" if value > 0 else "-Inf"
    sign = "-" if math.copysign(1.0, value) < 0 else ""
    digits, exponent = _shortest(abs(value))
    if exponent < -4 or exponent >= 6:
        rest = f".{digits[1:]}" if len(digits) > 1 else ""
        return f"{sign}{digits[0]}{rest}e{'-' if exponent < 0 else '+'}{abs(exponent):02d}"
    if exponent < 0:
        return f"{sign}0.{'0' * (-exponent - 1)}{digits}"
    padded = digits.ljust(exponent + 1, "0")
    rest = padded[exponent + 1 :]
    return f"{sign}{padded[: exponent + 1]}{'.' if rest else ''}{rest}"


def _shortest(value: float) -> tuple[str, int]:
    mantissa, _, exponent = f"{value!r}".partition("e")
    front, _, back = mantissa.partition(".")
    digits = (front + back).lstrip("0")
    lead = len(front + back) - len(digits)
    return digits.rstrip("0") or "0", (int(exponent or 0) + len(front) - 1 - lead) if digits else 0


def _text_of_bytes(value: bytes) -> str:
    try:
        return value.decode()
    except UnicodeDecodeError:
        raise Failure("invalid UTF-8 in bytes, cannot convert to string") from None


def _same(value: Runtime) -> Runtime:
    return value


def _type(value: Runtime) -> TypeName:
    return TypeName(type_name(value))


STANDARD: Final = rows(
    {
        "size(string) -> int": len,
        "size(bytes) -> int": len,
        "size(list(A)) -> int": len,
        "size(map(A, B)) -> int": len,
        "string.size() -> int": len,
        "bytes.size() -> int": len,
        "list(A).size() -> int": len,
        "map(A, B).size() -> int": len,
        "string.contains(string) -> bool": str.__contains__,
        "string.startsWith(string) -> bool": str.startswith,
        "string.endsWith(string) -> bool": str.endswith,
        "string.matches(string) -> bool": re2_matches,
        "matches(string, string) -> bool": re2_matches,
        "int(int) -> int": _same,
        "int(uint) -> int": _int_of_uint,
        "int(double) -> int": _int_of_double,
        "int(string) -> int": _int_of_text,
        "uint(uint) -> uint": _same,
        "uint(int) -> uint": _uint_of_int,
        "uint(double) -> uint": _uint_of_double,
        "uint(string) -> uint": _uint_of_text,
        "double(double) -> double": _same,
        "double(int) -> double": float,
        "double(uint) -> double": lambda value: float(value.value),
        "double(string) -> double": _double_of_text,
        "bool(bool) -> bool": _same,
        "bool(string) -> bool": _bool_of_text,
        "bytes(bytes) -> bytes": _same,
        "bytes(string) -> bytes": str.encode,
        "dyn(A) -> dyn": _same,
        "type(A) -> type": _type,
    },
    standard=True,
)

TEXTS_OF: Final = rows(
    {
        "string(string) -> string": _same,
        "string(bool) -> string": _text_of_bool,
        "string(int) -> string": str,
        "string(uint) -> string": lambda value: str(value.value),
        "string(double) -> string": text_of_double,
        "string(bytes) -> string": _text_of_bytes,
    }
)
"""`string` is declared anew, since addresses add to it."""

_NUMBERS: Final = ("int", "uint", "double")
ORDER: Final = tuple(
    f"{operator}({one}, {two}) -> bool"
    for operator in ("_<_", "_<=_", "_>_", "_>=_")
    for one, two in (
        *((one, two) for one in _NUMBERS for two in _NUMBERS),
        *((kind, kind) for kind in ("bool", "string", "bytes", "timestamp", "duration")),
    )
)
"""Comparisons, declared anew: the cluster compares numbers of different kinds, the checker by itself does not."""
