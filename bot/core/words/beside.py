"""What stands beside lines of the change: a problem as an annotation, and as a remark where its fix is certain."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Literal

from bot.core import text
from bot.core.model.conversation import Annotation, Conversation, Remark
from bot.core.model.plan import Plan
from bot.core.problem import Problem, Refusal, Severity
from bot.core.words import blocks, problems
from bot.core.words.inline import clip, line, plain, user

MOST = 300
"""Problems that are told at their lines; the comment tells how many there are in all."""
_LEVELS: Mapping[Severity, Literal["failure", "warning", "notice"]] = {
    "error": "failure",
    "warning": "warning",
    "note": "notice",
}
_END = re.compile(r"\s*(?:[,:}\]#]|$)")


def annotated(talk: Conversation) -> tuple[Annotation, ...]:
    """Every problem at its line, worst first, of the files whose lines are known (`Conversation.texts`)."""
    return tuple(_annotation(problem, talk.observing) for problem in _found(talk)[:MOST])


def remarks(talk: Conversation) -> tuple[Remark, ...]:
    """A suggestion for each line whose mending is beyond doubt. Where a forge has no annotations, what refuses is told
    at its line too."""
    mended: set[tuple[str, int]] = set()
    told: list[Remark] = []
    for problem in _found(talk):
        there, at = talk.texts[problem.path], (problem.path, problem.line)
        better = mended_line(there[problem.line - 1], problem) if 0 < problem.line <= len(there) else None
        # A second suggestion for the same line would undo the first.
        if better is not None and at not in mended:
            mended.add(at)
            told.append(Remark(*at, _remark(problem, better)))
        elif talk.dialect.forge == "gitlab" and problem.severity == "error":
            told.append(Remark(*at, _remark(problem)))
    return tuple(told)


def mended_line(written: str, problem: Problem) -> str | None:
    """The line as it should be; None where nothing is certain, or the line does not read as the problem says."""
    better = problem.suggestion if problem.suggestion is not None else _spliced(written, problem)
    # A forge reads a line that begins with a slash as an order, and what cannot be shown cannot be suggested.
    if better is None or better.lstrip().startswith("/") or "\n" in better or text.visible(better) != better:
        return None
    return better


def _spliced(written: str, problem: Problem) -> str | None:
    if problem.instead is None:
        return None
    start, (old, new) = problem.column - 1, problem.instead
    rest = written[start:]
    for form in (old, json.dumps(old, ensure_ascii=False), "'" + old.replace("'", "''") + "'"):
        if old and rest.startswith(form) and _END.match(rest[len(form) :]):
            return written[:start] + new + rest[len(form) :]
    return None


def _found(talk: Conversation) -> list[Problem]:
    match talk.outcome:
        case Plan() as plan if talk.stage == "open":
            found = plan.problems
        case Refusal(problems=refusing) if talk.stage == "open":
            found = refusing
        case _:
            found = ()
    return [problem for problem in found if problem.path in talk.texts]


def _annotation(problem: Problem, observing: bool) -> Annotation:
    level = "warning" if observing and problem.severity == "error" else problem.severity
    words = [plain(problems.sentence(part)) for part in (problem.message, problem.why, problem.fix)]
    title = clip(plain(line(user(problem.message.replace("`", "")))), 200)
    return Annotation(
        text.visible(problem.path), problem.line, problem.column,
        _LEVELS[level],
        f"{problem.code}: {title}", " ".join(word for word in words if word),
    )  # fmt: skip


def _remark(problem: Problem, better: str | None = None) -> str:
    said = blocks.paragraph(problems.told(problem, ""))
    return said if better is None else f"{said}\n\n{text.markdown_fence(better, 'suggestion')}"
