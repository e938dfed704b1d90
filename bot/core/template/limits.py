"""What goes wrong while a template runs, and how large its results may become."""

from __future__ import annotations

from typing import Final

from bot.core.model.values import Value

MOST_TEXT: Final = 65_536
"""Characters of one computed text."""

MOST_ITEMS: Final = 4_096
"""Items that one loop may make."""

_LARGEST: Final = 2**63 - 1


class TemplateError(Exception):
    """A template cannot be read or run. `fix` says what to write instead."""

    def __init__(self, what: str, fix: str) -> None:
        super().__init__(what)
        self.what = what
        self.fix = fix


def capped(text: str) -> str:
    """The same text; TemplateError where it is longer than MOST_TEXT."""
    if len(text) > MOST_TEXT:
        raise TemplateError(f"a text of {len(text)} characters is computed", f"keep it under {MOST_TEXT}")
    return text


def whole(value: Value) -> int:
    """A whole number of at most 64 bits; TemplateError for anything else, booleans too."""
    if type(value) is not int:
        raise TemplateError(
            f"{_short(value)} is not a whole number", "use whole numbers, or the decimal filters for text"
        )
    if not -_LARGEST <= value <= _LARGEST:
        raise TemplateError("a number outgrows 64 bits", "use smaller numbers")
    return value


def text(value: Value) -> str:
    """A text; TemplateError for anything else."""
    if not isinstance(value, str):
        raise TemplateError(f"{_short(value)} is not a text", "give a text")
    return value


def _short(value: Value) -> str:
    shown = repr(value)
    return shown if len(shown) <= 40 else shown[:40] + "…"


def text_of(value: Value) -> str:
    """A value inside a longer text. TemplateError for what has no one obvious form."""
    if isinstance(value, str):
        return value
    if value is True:
        return "true"
    if value is False:
        return "false"
    if isinstance(value, int):
        return str(value)
    kind = "nothing (null)" if value is None else "a float" if isinstance(value, float) else "a list or a map"
    raise TemplateError(f"{kind} stands in the middle of a text", "make it text with a filter, or give a `default`")
