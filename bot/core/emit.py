"""The only writer of YAML and JSON. The same value gives the same bytes, and every reader reads the value back.

No library's emitter is safe for Kubernetes: YAML 1.1, YAML 1.2 and Go's readers disagree about `on`, `0o10` or `1e10`.
So a plain scalar is written only where it matches a narrow whitelist; everything else is quoted.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Final

from bot.core.model.values import Value
from bot.core.text import UNPRINTABLE

_WORD = re.compile(
    # Each group begins with a character that the one before cannot take, so matching is linear.
    r"[A-Za-z/_][A-Za-z0-9_./@+'-]*(?:[:,=]{1,2}[A-Za-z0-9_./@+-]+)*(?:,? [A-Za-z0-9(][A-Za-z0-9_./@+()'-]*)*"
    r"|[0-9]+(?:\.[0-9]+)?(?:m|[KMGT]i|s|h)"  # quantities and durations: 100m, 256Mi, 1.5s
    r"|[0-9]+(?:\.[0-9]+){2,}(?:/[0-9]+)?"  # versions, addresses, networks: two dots are no number anywhere
)
_AMBIGUOUS: Final = frozenset(
    ["y", "n", "yes", "no", "on", "off", "true", "false", "null", "nan", "inf", "infinity", "_", "__", "/"]
)
_ESCAPED = re.compile(f'["\\\\\n\t{UNPRINTABLE}]')
_HIDDEN = re.compile(f"[{UNPRINTABLE}]")
_SHORT = {'"': '\\"', "\\": "\\\\", "\n": "\\n", "\t": "\\t", "\r": "\\r"}
# An implicit key may have 1,024 characters, and readers count differently: beyond this, `? key` is written.
_LONGEST_KEY = 900


class SharedMap(dict[str, Value]):
    """A map that stands in many documents, or often in one, and never changes: its text is made once for each
    indentation. Same bytes as for any other map."""

    __slots__ = ("texts",)

    def __init__(self, value: Mapping[str, Value]) -> None:
        super().__init__(value)
        self.texts: dict[tuple[str, str], str] = {}


class SharedList(list[Value]):
    """The same for a list."""

    __slots__ = ("texts",)

    def __init__(self, value: Sequence[Value]) -> None:
        super().__init__(value)
        self.texts: dict[tuple[str, str], str] = {}


def shared(value: Value) -> Value:
    """The same value in the form whose text is remembered."""
    if isinstance(value, Mapping):
        return SharedMap(value)
    return SharedList(value) if isinstance(value, list | tuple) else value


def _remembered(out: list[str], value: SharedMap | SharedList, lead: str, rest: str) -> None:
    text = value.texts.get((lead, rest))
    if text is None:
        fresh: list[str] = []
        if isinstance(value, SharedMap):
            _mapping(fresh, value, lead, rest)
        else:
            _sequence(fresh, value, lead, rest)
        text = value.texts[lead, rest] = "".join(fresh)
    out.append(text)


def emit_yaml(value: Value) -> bytes:
    """Block style in the order given: two spaces, list items at their key's indentation, one newline at the end.

    Multi-line text is a literal block where that is exact, else quoted. TypeError for what JSON cannot say (also keys
    that are not strings); ValueError for what would not read back the same: a float that is not finite, an integer
    beyond 64 bits, half of a surrogate pair.
    """
    out: list[str] = []
    if isinstance(value, Mapping) and value:
        _mapping(out, value, "", "\n")
    elif isinstance(value, Sequence) and value and not isinstance(value, str | bytes):
        _sequence(out, value, "", "\n")
    else:
        out.append(_leaf(value, "\n"))
    out.append("\n")
    return "".join(out).encode()


def emit_json(value: Value) -> bytes:
    """JSON in the order given, indented by two spaces, UTF-8, one newline at the end. Errors as `emit_yaml`."""
    text = json.dumps(_plain(value), indent=2, ensure_ascii=False, allow_nan=False)
    return (_HIDDEN.sub(_json_escape, text) + "\n").encode()


def canonical(value: Value) -> bytes:
    """The one form that is hashed: compact ASCII JSON with sorted keys. Equal bytes mean equal values of equal types:
    `1`, `1.0`, `"1"` and `true` all differ. Errors as `emit_yaml`."""
    return json.dumps(_plain(value), sort_keys=True, separators=(",", ":"), allow_nan=False).encode()


def _mapping(out: list[str], value: Mapping[str, Value], lead: str, rest: str) -> None:
    """`lead` stands before the first key, `rest` (a newline and the indentation) before all others."""
    for key, item in value.items():
        out.append(lead)
        out.append(_key(key, rest))
        kind = type(item)
        if kind is str:
            out.append(" ")
            out.append(_text(item, rest))  # type: ignore[arg-type]  # `kind` is the test; isinstance costs a quarter
        elif (kind is SharedMap or kind is SharedList) and item:
            inner = rest + "  " if kind is SharedMap else rest
            _remembered(out, item, inner, inner)  # type: ignore[arg-type]  # `kind` is the test
        elif isinstance(item, Mapping) and item:
            _mapping(out, item, rest + "  ", rest + "  ")
        elif isinstance(item, Sequence) and item and not isinstance(item, str | bytes):
            _sequence(out, item, rest, rest)
        else:
            out.append(" ")
            out.append(_leaf(item, rest))
        lead = rest


def _sequence(out: list[str], value: Sequence[Value], lead: str, rest: str) -> None:
    for item in value:
        out.append(lead)
        out.append("- ")
        if type(item) is SharedMap and item:
            _remembered(out, item, "", rest + "  ")
        elif isinstance(item, Mapping) and item:
            _mapping(out, item, "", rest + "  ")
        elif isinstance(item, Sequence) and item and not isinstance(item, str | bytes):
            _sequence(out, item, "", rest + "  ")
        else:
            out.append(_leaf(item, rest))
        lead = rest


def _key(key: object, rest: str) -> str:
    if not isinstance(key, str):
        raise TypeError(f"a key is a string, not {type(key).__name__}")
    written = _short(key) if len(key) <= 128 else _scalar(key)
    return f"{written}:" if len(written) <= _LONGEST_KEY else f"? {written}{rest}:"


def _leaf(value: object, rest: str) -> str:
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return _text(value, rest)
    if isinstance(value, int):
        return str(_int(value))
    if isinstance(value, float):
        return _float(value)
    if isinstance(value, Mapping):
        return "{}"
    if isinstance(value, Sequence) and not isinstance(value, bytes | bytearray):
        return "[]"
    raise TypeError(f"JSON has no {type(value).__name__}")


def _text(text: str, rest: str) -> str:
    if "\n" in text and _literal_is_exact(text):
        lines = text.removesuffix("\n").split("\n")
        sign = "|" if text.endswith("\n") else "|-"
        return sign + "".join(f"{rest}  {line}" if line else "\n" for line in lines)
    return _short(text) if len(text) <= 128 else _scalar(text)


def _literal_is_exact(text: str) -> bool:
    """Where a block needs no indentation sign and no keep sign, and no reader or editor would strip anything."""
    return (
        text[0] not in " \t\n"
        and not text.endswith("\n\n")
        and not _HIDDEN.search(text)
        and not re.search(r"[ \t]$|^\t", text, re.MULTILINE)
    )


def _scalar(text: str) -> str:
    if _WORD.fullmatch(text) and text.lower() not in _AMBIGUOUS:
        return text
    return '"' + _ESCAPED.sub(_yaml_escape, text) + '"'


_short = lru_cache(maxsize=65536)(_scalar)


def _yaml_escape(found: re.Match[str]) -> str:
    char = found[0]
    short = _SHORT.get(char)
    if short is not None:
        return short
    code = ord(char)
    if 0xD800 <= code <= 0xDFFF:
        raise ValueError("half of a surrogate pair cannot be written")
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"


def _json_escape(found: re.Match[str]) -> str:
    code = ord(found[0])
    if 0xD800 <= code <= 0xDFFF:
        raise ValueError("half of a surrogate pair cannot be written")
    return "".join(f"\\u{unit:04x}" for unit in _utf16(code))


def _utf16(code: int) -> tuple[int, ...]:
    if code < 0x10000:
        return (code,)
    return 0xD800 + (code - 0x10000 >> 10), 0xDC00 + (code - 0x10000 & 0x3FF)


def _int(value: int) -> int:
    if not -(2**63) <= value < 2**63:
        raise ValueError(f"an integer beyond 64 bits: {value}")
    return int(value)


def _float(value: float) -> str:
    if not math.isfinite(value):
        raise ValueError(f"not a finite number: {value}")
    written = repr(float(value))
    # YAML 1.1 takes an exponent for a number only after a point.
    return written if "." in written else written.replace("e", ".0e")


def _plain(value: object) -> Value:
    """The same value in dicts and lists, which the JSON encoder takes; refuses what it would bend."""
    if value is None or isinstance(value, str | bool):
        return value
    if isinstance(value, int):
        return _int(value)
    if isinstance(value, float):
        _float(value)
        return value
    if isinstance(value, Mapping):
        for key in value:
            if not isinstance(key, str):
                raise TypeError(f"a key is a string, not {type(key).__name__}")
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, Sequence) and not isinstance(value, bytes | bytearray):
        return [_plain(item) for item in value]
    raise TypeError(f"JSON has no {type(value).__name__}")
