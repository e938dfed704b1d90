"""`'…%s…'.format([…])`: what each clause takes, and how the cluster writes it (numbers in English, as it does)."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Final

from bot.core.cel.failures import Failure
from bot.core.cel.standard import text_of_double
from bot.core.cel.times import text_of_duration, text_of_timestamp
from bot.core.cel.values import Duration, Key, Runtime, Timestamp, TypeName, Uint, key_out, type_name

_CLAUSE = re.compile(r"%(?:(?P<percent>%)|(?:\.(?P<digits>[0-9]+))?(?P<verb>[sdfebxXo]))", re.ASCII)
_RAISED: Final = str.maketrans("0123456789-", "\u2070\u00b9\u00b2\u00b3\u2074\u2075\u2076\u2077\u2078\u2079\u207b")
_ENDLESS: Final = frozenset(["NaN", "Infinity", "-Infinity"])
_SHORT: Final = {
    "\a": "\\a", "\b": "\\b", "\f": "\\f", "\n": "\\n", "\r": "\\r", "\t": "\\t", "\v": "\\v", "\\": "\\\\",
    '"': '\\"',
}  # fmt: skip
_MOST_DIGITS: Final = 1000
_USUAL: Final = 6
MOST_TEXT: Final = 1_000_000

TAKES: Final[Mapping[str, tuple[str, ...]]] = {
    "s": (
        "string", "bool", "bytes", "int", "uint", "double", "null_type", "type", "google.protobuf.Duration",
        "google.protobuf.Timestamp", "list", "map",
    ),
    "d": ("int", "uint"),
    "f": ("double", "string"),
    "e": ("double", "string"),
    "b": ("int", "uint", "bool"),
    "x": ("int", "uint", "string", "bytes"),
    "X": ("int", "uint", "string", "bytes"),
    "o": ("int", "uint"),
}  # fmt: skip
"""Clause -> the kinds of values that it writes."""


def clauses(text: str) -> Iterator[str | tuple[str, int]]:
    """The literal parts of a format and its clauses (verb, digits). Failure where a `%` begins none."""
    at = 0
    while at < len(text):
        sign = text.find("%", at)
        if sign < 0:
            yield text[at:]
            return
        found = _CLAUSE.match(text, sign)
        if found is None:
            raise Failure(_wrong(text, sign))
        if sign > at:
            yield text[at:sign]
        if found["percent"]:
            yield "%"
        else:
            digits = _USUAL if found["digits"] is None else int(found["digits"][:5])
            if digits > _MOST_DIGITS:
                raise Failure(f"a precision of more than {_MOST_DIGITS} digits")
            yield found["verb"], digits
        at = found.end()


def _wrong(text: str, at: int) -> str:
    if at + 1 >= len(text):
        return "unexpected end of string"
    if text[at + 1] == ".":
        return "could not parse formatting clause: error while parsing precision"
    return f'could not parse formatting clause: unrecognized formatting clause "{text[at + 1]}"'


def formatted(text: str, values: Sequence[Runtime]) -> str:
    """The text with each clause replaced. Failure where a clause is wrong, or has no value or one of another kind.

    Values beyond the last clause are left out, as in the cluster.
    """
    found: list[str] = []
    size = at = 0
    for part in clauses(text):
        if isinstance(part, str):
            found.append(part)
        else:
            if at >= len(values):
                raise Failure(f"index {at} out of range")
            found.append(_clause(part[0], part[1], values[at]))
            at += 1
        size += len(found[-1])
        if size > MOST_TEXT:
            raise Failure(f"a text of more than {MOST_TEXT} characters")
    return "".join(found)


def refused(verb: str, kind: str) -> str:
    """What is said where a clause cannot write a kind of value."""
    return f"error during formatting: the clause %{verb} takes {', '.join(TAKES[verb])}, and was given {kind}"


def _clause(verb: str, digits: int, value: Runtime) -> str:
    kind = type_name(value)
    endless = kind == "string" and verb in "fe" and value in _ENDLESS
    if kind not in TAKES[verb] or (verb in "fe" and kind == "string" and not endless):
        raise Failure(refused(verb, kind))
    if verb == "s":
        return _text(value)
    if verb in "fe":
        return _decimal(verb, digits, float(value))
    number = value.value if type(value) is Uint else value
    if verb in "xX" and kind in ("string", "bytes"):
        text = str((value.encode() if kind == "string" else value).hex())
        return text if verb == "x" else text.upper()
    return f"{int(number):{verb}}"


def _decimal(verb: str, digits: int, value: float) -> str:
    if not math.isfinite(value):
        text = "NaN" if math.isnan(value) else "\u221e" if value > 0 else "-\u221e"
        # The cluster pads these in one of the two clauses.
        return text.rjust(6) if verb == "e" else text
    if verb == "f":
        return format(value, f",.{digits}f")
    # The cluster gives six digits here, however many were asked for.
    front, _, exponent = format(value, f".{_USUAL}e").partition("e")
    sign = "-" if exponent[0] == "-" else ""
    return f"{front}\u00d710{(sign + exponent[1:]).translate(_RAISED)}"


def _text(value: Runtime) -> str:
    if isinstance(value, Mapping):
        pairs = sorted(((_quoted(key_out(key)), _quoted(one)) for key, one in value.items()), key=lambda pair: pair[0])
        return "{" + ", ".join(f"{key}:{one}" for key, one in pairs) + "}"
    if isinstance(value, list | tuple):
        return "[" + ", ".join(map(_quoted, value)) + "]"
    return _PLAIN[type(value)](value)


def _quoted(value: Runtime) -> str:
    """The value inside a list or a map: as it would stand in an expression."""
    kind = type(value)
    if kind is str:
        return f'"{_escaped(value)}"'
    if kind is bytes:
        return f'b"{_escaped(value.decode(errors="surrogateescape"))}"'
    if kind is float:
        text = "NaN" if math.isnan(value) else f"{value:+.0f}" if math.isinf(value) else f"{value:.6f}"
        return f'"{text.replace("inf", "Inf")}"' if not math.isfinite(value) else text
    if kind is Timestamp:
        return f'timestamp("{text_of_timestamp(value)}")'
    if kind is Duration:
        return f'duration("{text_of_duration(value)}")'
    if type_name(value) not in TAKES["s"]:
        raise Failure(f"error during formatting: no formatting function for {type_name(value)}")
    return _text(value)


def _escaped(text: str) -> str:
    return "".join(_SHORT.get(char) or (char if char.isprintable() else _code(char)) for char in text)


def _code(char: str) -> str:
    code = ord(char)
    if 0xDC80 <= code <= 0xDCFF:
        return f"\\x{code - 0xDC00:02x}"
    return f"\\x{code:02x}" if code < 0x80 else f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"


def _bytes(value: bytes) -> str:
    try:
        return value.decode()
    except UnicodeDecodeError:
        raise Failure("error during formatting: invalid UTF-8 in bytes") from None


_PLAIN: Final[Mapping[type, Callable[[Runtime], str]]] = {
    str: str,
    bool: lambda value: "true" if value else "false",
    bytes: _bytes,
    int: str,
    Uint: lambda value: str(value.value),
    float: text_of_double,
    type(None): lambda _: "null",
    TypeName: lambda value: str(value.name),
    Duration: text_of_duration,
    Timestamp: text_of_timestamp,
    Key: lambda value: str(key_out(value)),
}
