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
from json.encoder import encode_basestring
from typing import Final, cast

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
_PLAIN: Final = frozenset((str, int, bool, float, list, dict, type(None)))
_TEXTS: Final = (str, bytes, bytearray)
_SHOWN: Final = bytes([*b"\t\n", *range(0x20, 0x7F)])
_SHORT = {'"': '\\"', "\\": "\\\\", "\n": "\\n", "\t": "\\t", "\r": "\\r"}
# An implicit key may have 1,024 characters, and readers count differently: beyond this, `? key` is written.
_LONGEST_KEY = 900
# Texts up to this length are remembered in the form in which they are written.
_SHORT_TEXT = 128


class SharedMap(dict[str, Value]):
    """A map that stands in many documents, or often in one, and never changes: its text is made once for each
    indentation. Same bytes as for any other map."""

    __slots__ = ("json", "texts")

    def __init__(self, value: Mapping[str, Value]) -> None:
        super().__init__(value)
        self.json: dict[str, str] = {}
        self.texts: dict[str, str] = {}


class SharedList(list[Value]):
    """The same for a list."""

    __slots__ = ("texts",)

    def __init__(self, value: Sequence[Value]) -> None:
        super().__init__(value)
        self.texts: dict[str, str] = {}


def shared(value: Value) -> Value:
    """The same value in the form whose text is remembered."""
    if type(value) is dict or isinstance(value, Mapping):
        return SharedMap(value)
    return SharedList(value) if isinstance(value, list | tuple) else value


def emit_yaml(value: Value) -> bytes:
    """Block style in the order given: two spaces, list items at their key's indentation, one newline at the end.

    Multi-line text is a literal block where that is exact, else quoted. TypeError for what JSON cannot say (also keys
    that are not strings); ValueError for what would not read back the same: a float that is not finite, an integer
    beyond 64 bits, half of a surrogate pair.
    """
    return as_document(after(value, "\n  " if isinstance(value, str) else "\n", "\n"))


def as_document(text: str) -> bytes:
    """The file that holds only what `after` made at the left margin."""
    return f"{text[1:]}\n".encode()


def emit_json(value: Value) -> bytes:
    """JSON in the order given, indented by two spaces, UTF-8, one newline at the end. Errors as `emit_yaml`."""
    return (_json(value, "\n") + "\n").encode()


def canonical(value: Value) -> bytes:
    """The one form that is hashed: compact ASCII JSON with sorted keys. Equal bytes mean equal values of equal types:
    `1`, `1.0`, `"1"` and `true` all differ. Errors as `emit_yaml`."""
    _check(value)
    text: str = _CANONICAL.encode(value)
    return text.encode()


def after(value: object, of_map: str, of_list: str) -> str:
    """What stands behind a `key:`, with the space or the line break that comes first.

    `of_map` and `of_list` are a newline and the indentation: of the value's keys if it is a map, of its items if it is
    a list. Below a key the first is two spaces deeper than the key and the second as deep; in a list item both are two
    spaces deeper than the dash. Errors as `emit_yaml`.
    """
    kind = type(value)
    if kind is str:
        return f" {_text(value, of_map)}"  # type: ignore[arg-type]  # `kind` is the test; isinstance costs a quarter
    if kind is SharedMap or kind is SharedList:
        rest = of_map if kind is SharedMap else of_list
        text: str | None = value.texts.get(rest)  # type: ignore[attr-defined]  # `kind` is the test
        if text is None:
            text = _map(value, rest) if kind is SharedMap else _list(value, rest)  # type: ignore[arg-type]
            value.texts[rest] = text  # type: ignore[attr-defined]
        return text
    # A built-in type is told apart ten times faster than what only behaves like it.
    if kind is dict or (kind not in _PLAIN and isinstance(value, Mapping)):
        return _map(value, of_map)  # type: ignore[arg-type]  # `kind` is the test
    if kind is list or (kind not in _PLAIN and isinstance(value, Sequence) and not isinstance(value, _TEXTS)):
        return _list(value, of_list)  # type: ignore[arg-type]  # `kind` is the test
    return f" {_leaf(value, of_map)}"


@lru_cache(maxsize=65536)
def short_line(text: str) -> str:
    """The same for a text: nothing where it is long or has several lines. Remembered, as names stand in many places."""
    return f" {_scalar(text)}" if len(text) <= _SHORT_TEXT and "\n" not in text else ""


def key(name: object, rest: str) -> str:
    """A key at the indentation of `rest`, with the line break before it and the colon. TypeError if it is no text."""
    if not isinstance(name, str):
        raise TypeError(f"a key is a string, not {type(name).__name__}")
    written = _short(name) if len(name) <= _SHORT_TEXT else _scalar(name)
    return f"{rest}{written}:" if len(written) <= _LONGEST_KEY else f"{rest}? {written}{rest}:"


def item(text: str, rest: str) -> str:
    """A list item at the indentation of `rest`; `text` is what `after` made of it two spaces deeper."""
    return f"{rest}-{text}" if text[0] == " " else f"{rest}- {text[len(rest) + 2 :]}"


def json_after(value: object, of_map: str, of_list: str) -> str:  # noqa: ARG001  the shape of `after`
    """The same for JSON, where maps and lists stand alike: `of_map` is a newline and the indentation of entries."""
    return f" {_json(value, of_map[:-2])}"


def json_key(name: object, rest: str) -> str:
    """A key of a JSON map, with the comma before it; TypeError if it is no text."""
    if not isinstance(name, str):
        raise TypeError(f"a key is a string, not {type(name).__name__}")
    return f",{rest}{_json_text(name)}:"


def json_item(text: str, rest: str) -> str:
    """An item of a JSON list, with the comma before it; `text` is what `json_after` made of it."""
    return f",{rest}{text[1:]}"


def _map(value: Mapping[str, Value], rest: str) -> str:
    deeper = rest + "  "
    return "".join([key(name, rest) + after(inner, deeper, rest) for name, inner in value.items()]) or " {}"


def _list(value: Sequence[Value], rest: str) -> str:
    deeper = rest + "  "
    return "".join([item(after(inner, deeper, deeper), rest) for inner in value]) or " []"


def _leaf(value: object, of_map: str) -> str:
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return _text(value, of_map)
    if isinstance(value, int):
        return str(_int(value))
    if isinstance(value, float):
        return _float(value)
    raise TypeError(f"JSON has no {type(value).__name__}")


def _text(text: str, of_map: str) -> str:
    if "\n" in text and _literal_is_exact(text):
        sign = "|" if text[-1] == "\n" else "|-"
        if "\n\n" not in text:
            return sign + of_map + text.removesuffix("\n").replace("\n", of_map)
        return sign + "".join([of_map + line if line else "\n" for line in text.removesuffix("\n").split("\n")])
    return _short(text) if len(text) <= _SHORT_TEXT else _scalar(text)


def _literal_is_exact(text: str) -> bool:
    """Where a block needs no indentation sign and no keep sign, and no reader or editor would strip anything."""
    # Finding substrings, and dropping all that is known to be fine, are a hundred times faster than two expressions
    # over the few thousand characters of a dashboard.
    return (
        text[0] not in " \t\n"
        and text[-1] not in " \t"
        and not text.endswith("\n\n")
        and " \n" not in text
        and "\t\n" not in text
        and "\n\t" not in text
        and not (text.encode().translate(None, _SHOWN) if text.isascii() else _HIDDEN.search(text))
    )


def _scalar(text: str) -> str:
    if _WORD.fullmatch(text) and text.lower() not in _AMBIGUOUS:
        return text
    if text.isascii() and text.isprintable():
        # The two that need it, without an expression that stops at each: a thirtieth of a whole render.
        quoted = text.replace("\\", "\\\\").replace('"', '\\"')
        return f'"{quoted}"'
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


def _json(value: object, rest: str) -> str:
    """`rest` is a newline and the indentation of the line on which the value begins."""
    if type(value) is str:
        return _json_text(value)
    if isinstance(value, Mapping):
        if type(value) is not SharedMap:
            return _json_map(value, rest)
        text = value.json.get(rest)
        if text is None:
            text = value.json[rest] = _json_map(value, rest)
        return text
    if isinstance(value, Sequence) and not isinstance(value, _TEXTS):
        if not value:
            return "[]"
        deeper = rest + "  "
        return f"[{','.join([deeper + _json(item, deeper) for item in value])}{rest}]"
    if isinstance(value, str):
        return _json_text(value)
    # YAML's words for these are JSON's, but for large floats.
    return repr(float(value)) if isinstance(value, float) and _float(value) else _leaf(value, rest)


def _json_map(value: Mapping[str, Value], rest: str) -> str:
    deeper = rest + "  "
    rows = "".join([f"{json_key(name, deeper)} {_json(item, deeper)}" for name, item in value.items()])
    return f"{{{rows[1:]}{rest}}}" if rows else "{}"


@lru_cache(maxsize=8192)
def _json_text(text: str) -> str:
    written = encode_basestring(text)
    return written if text.isascii() and text.isprintable() else _HIDDEN.sub(_json_escape, written)


def _check(value: object) -> None:
    """Refuses what the JSON encoder would bend: keys that are no text, wide integers, bytes."""
    if type(value) is dict or isinstance(value, Mapping):
        for name, item in value.items():
            if not isinstance(name, str):
                raise TypeError(f"a key is a string, not {type(name).__name__}")
            if type(item) is not str:
                _check(item)
    elif type(value) is list or (isinstance(value, Sequence) and not isinstance(value, _TEXTS)):
        for item in value:
            if type(item) is not str:
                _check(item)
    elif type(value) is not bool and value is not None:
        _leaf(value, "\n")


def _opened(value: object) -> Value:
    """A map or a list of a kind that the encoder does not know."""
    return dict(value) if isinstance(value, Mapping) else list(cast("Sequence[Value]", value))


_CANONICAL: Final = json.JSONEncoder(sort_keys=True, separators=(",", ":"), allow_nan=False, default=_opened)
