"""Functions on texts (the strings extension, version 2) and on patterns."""

from __future__ import annotations

from typing import Final

from bot.core.cel.failures import Failure
from bot.core.cel.formatting import formatted
from bot.core.cel.native import re2_all
from bot.core.cel.rows import rows
from bot.core.cel.values import Runtime

_LOWER: Final = {code: code + 32 for code in range(ord("A"), ord("Z") + 1)}
_UPPER: Final = {code + 32: code for code in range(ord("A"), ord("Z") + 1)}
_SPACE: Final = (
    "\t\n\v\f\r \x85\xa0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a"
    "\u2028\u2029\u202f\u205f\u3000"
)
_ESCAPES: Final = str.maketrans(
    {
        "\a": "\\a", "\b": "\\b", "\f": "\\f", "\n": "\\n", "\r": "\\r", "\t": "\\t", "\v": "\\v", "\\": "\\\\",
        '"': '\\"',
    }
)  # fmt: skip
MOST_TEXT: Final = 1_000_000
"""Characters that one function may make: replacing and joining can multiply what they were given."""


def _inside(at: int, text: str) -> int:
    if not 0 <= at <= len(text):
        raise Failure(f"index out of range: {at}")
    return at


def _char_at(text: str, at: int) -> str:
    return text[_inside(at, text) : at + 1]


def _index_of(text: str, part: str, start: int = 0) -> int:
    if part == "":
        return start
    if start < 0:
        raise Failure(f"index out of range: {start}")
    return text.find(part, start)


def _last_index_of(text: str, part: str) -> int:
    return text.rfind(part)


def _last_index_of_from(text: str, part: str, start: int) -> int:
    if part == "":
        return start
    if start < 0:
        raise Failure(f"index out of range: {start}")
    return -1 if start >= len(text) else text.rfind(part, 0, start + len(part))


def _join(parts: list[Runtime], between: str = "") -> str:
    for part in parts:
        if type(part) is not str:
            raise Failure(f"join: invalid input: {part}")
    _small(sum(map(len, parts)) + len(between) * len(parts))
    return between.join(parts)


def _small(size: int) -> None:
    if size > MOST_TEXT:
        raise Failure(f"a text of more than {MOST_TEXT} characters")


def _replace(text: str, old: str, new: str, most: int = -1) -> str:
    found = text.count(old)
    _small(len(text) + max(0, len(new) - len(old)) * (found if most < 0 else min(found, most)))
    return text.replace(old, new, max(most, -1))


def _split(text: str, between: str, most: int = -1) -> list[str]:
    if most == 0:
        return []
    if between == "":
        chars = list(text)
        return chars if most < 0 or len(chars) <= most else [*chars[: most - 1], "".join(chars[most - 1 :])]
    return text.split(between, max(most, 0) - 1)


def _substring(text: str, start: int, end: int | None = None) -> str:
    if end is not None and start > end:
        raise Failure(f"invalid substring range. start: {start}, end: {end}")
    _inside(start, text)
    return text[start : _inside(len(text) if end is None else end, text)]


def _find(text: str, pattern: str) -> str:
    found = re2_all(text, pattern, 1)
    return found[0] if found else ""


def _find_all(text: str, pattern: str, most: int = -1) -> list[str]:
    return list(re2_all(text, pattern, max(most, -1)))


STRINGS: Final = rows(
    {
        "string.charAt(int) -> string": _char_at,
        "string.indexOf(string) -> int": _index_of,
        "string.indexOf(string, int) -> int": _index_of,
        "string.lastIndexOf(string) -> int": _last_index_of,
        "string.lastIndexOf(string, int) -> int": _last_index_of_from,
        "string.lowerAscii() -> string": lambda text: text.translate(_LOWER),
        "string.upperAscii() -> string": lambda text: text.translate(_UPPER),
        "string.replace(string, string) -> string": _replace,
        "string.replace(string, string, int) -> string": _replace,
        "string.split(string) -> list(string)": _split,
        "string.split(string, int) -> list(string)": _split,
        "string.substring(int) -> string": _substring,
        "string.substring(int, int) -> string": _substring,
        "string.trim() -> string": lambda text: text.strip(_SPACE),
        "list(string).join() -> string": _join,
        "list(string).join(string) -> string": _join,
        "string.format(list(dyn)) -> string": formatted,
        "strings.quote(string) -> string": lambda text: f'"{text.translate(_ESCAPES)}"',
    }
)

PATTERNS: Final = rows(
    {
        "string.find(string) -> string": _find,
        "string.findAll(string) -> list(string)": _find_all,
        "string.findAll(string, int) -> list(string)": _find_all,
    }
)
