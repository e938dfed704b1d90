"""What a plain scalar means: the core schema of YAML 1.2, within what JSON and 64 bits can say."""

from __future__ import annotations

import math
import re
from typing import Final

_WORDS: Final[dict[str, bool | None]] = {
    "": None,
    "~": None,
    "null": None,
    "Null": None,
    "NULL": None,
    "true": True,
    "True": True,
    "TRUE": True,
    "false": False,
    "False": False,
    "FALSE": False,
}
_NUMBER = re.compile(
    r"(?P<int>[-+]?[0-9]+)|0o(?P<oct>[0-7]+)|0x(?P<hex>[0-9a-fA-F]+)"
    r"|(?P<float>[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?)"
    r"|(?P<odd>[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN))"
)
# The longest way to write a 64-bit number without leading zeros has 22 digits (octal).
_MOST_DIGITS = 40


class OutOfRangeError(ValueError):
    """A number that JSON or 64 bits cannot hold. Its text says which and why."""


def resolve_plain(text: str) -> bool | int | float | str | None:
    """The value of a plain scalar; `OutOfRangeError` where it is a number that cannot be kept exactly."""
    if text in _WORDS:
        return _WORDS[text]
    if text[0] not in "0123456789+-.":
        return text
    found = _NUMBER.fullmatch(text)
    if found is None:
        return text
    if found["float"] is not None:
        number = float(found["float"])
        if not math.isfinite(number):
            raise OutOfRangeError("the number is larger than a 64-bit float can hold")
        return number
    if found["odd"] is not None:
        raise OutOfRangeError("JSON has no infinity and no not-a-number")
    digits, radix = next((found[name], radix) for name, radix in _RADIX if found[name] is not None)
    return _whole(digits, radix)


_RADIX: Final = (("int", 10), ("oct", 8), ("hex", 16))


def _whole(digits: str, radix: int) -> int:
    # Python refuses, and takes quadratic time for, very long digit strings.
    number = int(digits, radix) if len(digits) <= _MOST_DIGITS else 2**63
    if not -(2**63) <= number < 2**63:
        raise OutOfRangeError("the number does not fit into 64 bits")
    return number
