"""Problems in words: where, what, why, and what to write instead."""

from __future__ import annotations

import re
from collections.abc import Sequence

from bot.core.policy.model import ADVICE
from bot.core.problem import Problem
from bot.core.words.amounts import count
from bot.core.words.inline import Line, bold, code, line, own, prose, user
from bot.core.words.links import problem_link

_WORD = re.compile(r"[a-z]+[ ,]")
MOST_PLACES = 6
"""Further places that are named where the same is wrong at many."""


def told(problem: Problem, blob_url: str) -> Line:
    """The whole problem in one line. A problem that does not refuse says so first."""
    label = (
        "Advice" if problem.code == ADVICE else {"error": "", "warning": "Warning", "note": "Note"}[problem.severity]
    )
    soft = line(bold(label), " ")
    suggested = (problem.suggestion or "").strip()
    instead = line(" Write this line: ", code(suggested, 300)) if suggested and suggested not in problem.fix else ()
    return line(
        soft if problem.severity != "error" else (),
        bold(problem_link(problem, blob_url)),
        *(line(" ", sentence) for sentence in map(sentence, (problem.message, problem.why, problem.fix)) if sentence),
        instead,
        " ",
        code(problem.code, 12),
    )


def alike(found: Sequence[Problem]) -> list[tuple[Problem, ...]]:
    """Those that say the same of several places together, in the order of the first of each."""
    same: dict[tuple[str, ...], list[Problem]] = {}
    for problem in found:
        key = (problem.severity, problem.code, problem.message, problem.why, problem.fix, problem.suggestion or "")
        same.setdefault(key, []).append(problem)
    return [tuple(ones) for ones in same.values()]


def told_once(found: Sequence[Problem], blob_url: str) -> Line:
    """Problems that are alike, as the first of them and the places of the others."""
    shown = found[1 : 1 + MOST_PLACES]
    rest = len(found) - 1 - len(shown)
    places = [line(", " if at else " Also at ", problem_link(one, blob_url)) for at, one in enumerate(shown)]
    more = line(f" and {count(rest, 'more place')}") if rest else ()
    return line(told(found[0], blob_url), *places, more, "." if shown else "")


def short(problem: Problem, blob_url: str) -> Line:
    """Where and what, for a comment that has no room for more."""
    return line(bold(problem_link(problem, blob_url)), " ", prose(problem.message, 120), " ", code(problem.code, 12))


def sentence(words: str) -> Line:
    """Somebody's prose with a capital and a full stop, since rules write both ways. A first word that can only be a
    path or a value stays as it is."""
    words = words.strip()
    if not words:
        return ()
    if _WORD.match(words):
        words = words[0].upper() + words[1:]
    return line(prose(words), "" if words[-1] in ".!?" else ".")


def summed(problems: Sequence[Problem]) -> Line:
    """`2 problems in services/checkout/platform.yaml`, or in so many files."""
    files = {problem.path for problem in problems}
    where = line(user(next(iter(files)), 90)) if len(files) == 1 else (own(count(len(files), "file")),)
    return line(count(len(problems), "problem"), " in ", where)


def headline(problems: Sequence[Problem]) -> Line:
    """`2 problems in 1 file`: the file itself is named with each."""
    files = len({problem.path for problem in problems})
    return (own(f"{count(len(problems), 'problem')} in {count(files, 'file')}"),)
