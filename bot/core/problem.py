"""Problems: what is wrong, where, why it matters, and what to write instead."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

Severity = Literal["error", "warning", "note"]


@dataclass(frozen=True, slots=True, order=True)
class Problem:
    """One finding about one place in one file.

    `line` and `column` count from 1; columns are code points. `path` is relative to the repository's root.
    `code` is `CW` and four digits, the first two naming the room (see `core/codes/`); it never changes meaning.
    `suggestion`, where set, is the text that certainly mends the line `line` when it replaces that line whole.
    """

    path: str
    line: int
    column: int
    code: str
    message: str
    why: str
    fix: str
    severity: Severity = "error"
    suggestion: str | None = None
    instead: tuple[str, str] | None = None
    """What stands at `line` and `column`, and what certainly mends it in its place; both may be quoted there."""

    def as_warning(self) -> Problem:
        """The same problem where it informs and does not refuse."""
        return replace(self, severity="warning")


@dataclass(frozen=True, slots=True)
class Refusal:
    """The answer of a step that could not read its input: never a partial model. Holds at least one problem."""

    problems: tuple[Problem, ...]

    def __post_init__(self) -> None:
        if not self.problems:
            raise ValueError("a refusal names at least one problem")
