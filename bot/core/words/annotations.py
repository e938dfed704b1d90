"""Problems at their lines, for a forge that shows them beside the diff."""

from dataclasses import dataclass
from typing import Literal

from bot.core.model.plan import Plan
from bot.core.problem import Problem, Refusal
from bot.core.words.inline import clip, plain, prose
from bot.core.words.problems import sentence


@dataclass(frozen=True, slots=True)
class Annotation:
    """One problem at one line. Texts are plain, not Markdown; lines and columns count from 1. Most severe first, and
    a forge that takes only so many takes the first."""

    path: str
    line: int
    column: int
    level: Literal["failure", "warning", "notice"]
    title: str
    message: str
    suggestion: str | None = None


def annotations(outcome: Plan | Refusal) -> tuple[Annotation, ...]:
    """An annotation for each problem: errors, warnings, notes, each by path and line."""
    rank = {"error": 0, "warning": 1, "note": 2}
    found = sorted(outcome.problems, key=lambda problem: (rank[problem.severity], problem))
    return tuple(map(_annotation, found))


def _annotation(problem: Problem) -> Annotation:
    parts = [plain(sentence(words)) for words in (problem.message, problem.why, problem.fix) if words.strip()]
    level: Literal["failure", "warning", "notice"] = "failure"
    if problem.severity != "error":
        level = "warning" if problem.severity == "warning" else "notice"
    title = clip(f"{problem.code} {plain(prose(problem.message, 120))}", 120)
    return Annotation(problem.path, problem.line, problem.column, level, title, " ".join(parts), problem.suggestion)
