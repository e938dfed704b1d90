"""One line of the language's table of functions."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from bot.core.cel.signatures import Signature, read_signature
from bot.core.cel.values import Runtime

Step = Callable[..., Runtime]


@dataclass(frozen=True, slots=True)
class Row:
    """One overload and what it does. With `standard`, the checker knows it already and must not be told again."""

    signature: Signature
    step: Step
    standard: bool


def rows(table: dict[str, Step], standard: bool = False) -> tuple[Row, ...]:
    """The rows of one library, from `signature: function`."""
    return tuple(Row(read_signature(text), step, standard) for text, step in table.items())
