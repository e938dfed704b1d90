"""The same words in a terminal's form: plain text, wrapped, no colour and no escape."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence

from bot.core.model.plan import Plan
from bot.core.policy.model import ADVICE
from bot.core.problem import Problem, Refusal
from bot.core.words import data, facts, policies, problems, start, what
from bot.core.words.amounts import count, names, places
from bot.core.words.groups import Group, columns, grouped
from bot.core.words.inline import Line, line, plain
from bot.core.words.undo import undo
from bot.core.words.verdict import of_plan, refused


def terminal(outcome: Plan | Refusal, width: int = 100) -> str:
    """Verdict, what to be careful about, facts by service, what must exist first, undo, problems. Ends in a newline."""
    wide = max(width, 40)
    if isinstance(outcome, Refusal):
        found = refused(outcome.problems)
        sections = [_wrapped([found.first], wide), _problems(outcome, wide), _wrapped([found.unblock], wide)]
    else:
        sections = _plan(outcome, wide)
    return "\n\n".join(section for section in sections if section) + "\n"


def _plan(plan: Plan, wide: int) -> list[str]:
    found = of_plan(plan)
    groups = [group for group in grouped(plan.services) if group.shown.environments]
    return [
        _wrapped([found.first, *([found.unblock] if found.unblock else [])], wide),
        _problems(plan, wide),
        _listed("", data.careful(plan, ""), wide),
        *[_group(group, wide) for group in groups],
        _listed("", what.platform(plan), wide),
        _listed("Before it can start", start.before_start(plan), wide),
        _listed("Undo", undo(plan), wide),
        _listed("", policies.waivers(plan), wide),
    ]


def _problems(outcome: Plan | Refusal, wide: int) -> str:
    alike = [
        same
        for ones in problems.alike(outcome.problems)
        for same in ([(one,) for one in ones] if ones[0].severity == "error" else [ones])
    ]
    return _listed("", [problems.told_once(same, "") for same in alike], wide, ticks=True)


def warned(found: Sequence[Problem], width: int = 100) -> str:
    """What refuses nothing and is told without a plan: how much it is, then each with its places."""
    wide = max(width, 40)
    files = len({problem.path for problem in found})
    thing = "piece" if all(problem.code == ADVICE for problem in found) else "warning"
    first = line(count(len(found), thing), " of advice" if thing == "piece" else "", " in ", count(files, "file"))
    return f"{_wrapped([first], wide)}\n\n{_problems(Refusal(tuple(found)), wide)}\n"


def _group(group: Group, wide: int) -> str:
    """The service, then `fact  change  (environments)`."""
    rows: list[tuple[str, str]] = []
    shown = [column for column in columns(group.shown.environments) if column.action != "removed"]
    for fact in sorted({fact for column in shown for fact in column.cells}, key=facts.order):
        same: dict[str, list[str]] = {}
        for column in shown:
            if fact in column.cells:
                same.setdefault(plain(column.cells[fact]), []).extend(column.environments)
        rows.extend((plain(facts.label(fact)), f"{words}  ({plain(places(where))})") for words, where in same.items())
    pad = min(max((len(name) for name, _ in rows), default=0), 24)
    body = [_wrap(f"  {name:<{pad}}  {words}", wide, " " * (pad + 4)) for name, words in rows]
    who = what.one(group.services[0])
    others = line(" (the same for ", names(group.names[1:], 8), ")") if len(group.services) > 1 else ()
    head = _wrapped([line(who, others)], wide)
    effects = [_wrap(f"  {plain(words)}", wide, "    ") for words in start.effects(group.shown)]
    return "\n".join([head, *body, *effects])


def _listed(label: str, lines: Sequence[Line], wide: int, ticks: bool = False) -> str:
    """Lines with a mark; past two hundred they are counted, since nobody scrolls that far."""
    shown = [_wrap(f"- {plain(words, ticks)}", wide, "  ") for words in lines[:200]]
    more = [f"- and {count(len(lines) - 200, 'line')} like these"] if len(lines) > 200 else []
    return "\n".join([*([f"{label}:"] if label and lines else []), *shown, *more])


def _wrapped(lines: Sequence[Line], wide: int) -> str:
    return "\n".join(_wrap(plain(words), wide, "  ") for words in lines)


def _wrap(words: str, wide: int, indent: str) -> str:
    """Wrapped at spaces only: a path or a command that is broken cannot be copied."""
    return textwrap.fill(
        words, wide, subsequent_indent=indent, break_long_words=False, break_on_hyphens=False, drop_whitespace=True
    )
