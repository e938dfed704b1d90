"""Parts that several `--json` answers share, and how values of the core become plain data."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, is_dataclass
from typing import cast

from pydantic import JsonValue

from bot.core.model.values import Layer
from bot.core.problem import Problem, Severity


@dataclass(frozen=True, slots=True)
class ProblemAnswer:
    """One finding: where, what, why, and what to write instead."""

    path: str
    line: int
    column: int
    code: str
    severity: Severity
    message: str
    why: str
    fix: str
    suggestion: str | None
    """Text that certainly mends the line when it replaces the line whole."""


@dataclass(frozen=True, slots=True)
class OriginAnswer:
    """Somebody who had a say in a value, and where."""

    layer: Layer
    path: str
    line: int
    column: int
    reason: str


def problem_answer(problem: Problem) -> ProblemAnswer:
    """A problem as machines read it."""
    return ProblemAnswer(
        problem.path, problem.line, problem.column, problem.code, problem.severity,
        problem.message, problem.why, problem.fix, problem.suggestion,
    )  # fmt: skip


def problem_answers(problems: Sequence[Problem]) -> tuple[ProblemAnswer, ...]:
    """Several, in their order."""
    return tuple(problem_answer(problem) for problem in problems)


def plain(value: object) -> JsonValue:
    """A frozen value of the core as plain data: dataclasses become objects, sequences lists."""
    if is_dataclass(value) and not isinstance(value, type):
        return {field.name: plain(getattr(value, field.name)) for field in fields(value)}
    if isinstance(value, Mapping):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [plain(item) for item in value]
    return cast("JsonValue", value)
