"""The desk: how commands speak to a person, and how they end."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

import click
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TextColumn
from rich.text import Text

from bot.core import words
from bot.core.model.plan import Plan
from bot.core.problem import Problem
from bot.core.words.terminal import warned

GOOD, PROBLEMS, USAGE, REFUSED, LAW_BROKEN, OUTSIDE = 0, 1, 2, 3, 4, 5
"""Exit codes: all is well · problems were found · the call is wrong · refused or halted · the law does not hold · the
world outside failed."""

json_option = click.option("--json", "as_json", is_flag=True, help="Answer with one JSON document on stdout.")


class Stop(Exception):  # noqa: N818 - it is an end, not always an error
    """Ends the command with a sentence on stderr and an exit code."""

    def __init__(self, message: str, code: int) -> None:
        super().__init__(message)
        self.code = code


def stdout() -> Console:
    """Colour only on a terminal that wants it; nothing in a text is taken for markup."""
    return Console(file=sys.stdout, markup=False, highlight=False, emoji=False)


def stderr() -> Console:
    """The same for what is said beside the answer."""
    return Console(file=sys.stderr, markup=False, highlight=False, emoji=False)


def say(text: str, style: str = "") -> None:
    """A line of the answer."""
    stdout().print(Text(text, style=style), soft_wrap=True)


def note(text: str) -> None:
    """A line beside the answer, for the person who waits."""
    stderr().print(Text(text, style="dim"), soft_wrap=True)


def headed(text: str, style: str) -> None:
    """A text whose first line is the verdict, in colour."""
    first, _, rest = text.rstrip("\n").partition("\n")
    say(first, f"bold {style}")
    if rest:
        say(rest)


def width() -> int:
    """Columns to write for; a pipe gets 100."""
    console = stdout()
    return min(console.width, 120) if console.is_terminal else 100


def tell_problems(problems: Sequence[Problem]) -> None:
    """Problems as a person reads them, each with what to write instead."""
    if not any(problem.severity == "error" for problem in problems):
        headed(warned(problems, width()), "yellow")
        return
    nothing = Plan((), (), tuple(problems), concerns=False, mode="enforce", renderer=0, lines={})
    headed(words.terminal(nothing, width()), "red")


@contextmanager
def progress(what: str, total: int | None = None) -> Iterator[Callable[[], None]]:
    """A line that moves while something long runs, on a terminal only. Yields what counts one step."""
    console = stderr()
    if not console.is_terminal:
        yield lambda: None
        return
    columns = (SpinnerColumn(), TextColumn("{task.description}", markup=False), BarColumn(), MofNCompleteColumn())
    with Progress(*columns, console=console, transient=True) as shown:
        task = shown.add_task(what, total=total)
        yield lambda: shown.advance(task)
