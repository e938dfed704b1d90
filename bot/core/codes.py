"""Every problem code and its short title. A code never changes meaning and is never used again."""

from __future__ import annotations

from collections.abc import Mapping

CODES: Mapping[str, str] = {
    "CW0001": "a character that is invisible, or not read the same everywhere",
    "CW0002": "a letter that is not in its composed form",
    "CW0101": "the file is not YAML",
    "CW0102": "the file is not UTF-8",
    "CW0103": "the file is too large or too deep",
    "CW0104": "unknown field",
    "CW0105": "the same key twice",
    "CW0106": "a key that is not text",
    "CW0107": "a YAML construct that is not allowed",
    "CW0108": "more than one document",
    "CW0109": "the file is empty",
    "CW0110": "a number that cannot be kept exactly",
    "CW0111": "a field is missing",
    "CW0112": "a value of the wrong kind",
    "CW0113": "a value that is not one of those allowed",
    "CW0114": "a text that breaks its rule",
    "CW0115": "a number outside its limits",
    "CW0116": "too long or too short, too many or too few",
    "CW0117": "the same entry twice",
    "CW0118": "a value that fits none of its forms, or more than one",
    "CW0119": "a combination or a value that is not allowed",
}
