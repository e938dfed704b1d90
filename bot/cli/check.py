"""`causeway check`: is anything wrong?"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import click

from bot.cli.answers import CheckAnswer, answer
from bot.cli.asking import proposed
from bot.cli.desk import GOOD, PROBLEMS, REFUSED, headed, json_option, note, progress, say, tell_problems, width
from bot.cli.folder import compared, disk
from bot.cli.shapes import problem_answers
from bot.cli.standing import standing
from bot.core import words
from bot.core.load import unit_folders
from bot.core.policy.model import ADVICE
from bot.core.problem import Problem, Refusal
from bot.core.tree import Tree


@click.command()
@click.argument("folder", metavar="[DIR]", default=".", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.option("--base", metavar="REF", help="Only what a pull request against this commit would be refused for.")
@json_option
@click.pass_context
def check(ctx: click.Context, folder: Path, base: str | None, as_json: bool) -> None:
    """Find what is wrong in the platform repo DIR (default: here).

    Reads the files as they stand, committed or not; no network. Every problem comes at once, with its line, why it
    matters and what to write instead. With --base, what that commit has already got is a warning.

    Exit code: 0 nothing refuses, 1 problems, 3 the platform's own files cannot be read.
    """
    tree: Tree
    if base is None:
        tree, compared_with = disk(folder), None
        with progress("checking") as counted:
            found: Refusal | tuple[Problem, ...] = _all(tree, counted)
    else:
        chosen = compared(folder, base)
        tree, compared_with = chosen.tree, chosen.base_commit
        note(chosen.words)
        with progress("checking") as counted:
            out = proposed(chosen, counted)
        found = out if isinstance(out, Refusal) else out.plan.problems
    problems = found.problems if isinstance(found, Refusal) else found
    errors = any(problem.severity == "error" for problem in problems)
    services = len(unit_folders(tree))
    if as_json:
        answer(CheckAnswer(not errors, compared_with, services, problem_answers(problems)))
    elif isinstance(found, Refusal):
        headed(words.terminal(found, width()), "red")
    else:
        if all(problem.code == ADVICE for problem in problems):
            say(f"Nothing is wrong: {services} services.", "green")
        if problems:
            tell_problems(problems)
    ctx.exit(REFUSED if isinstance(found, Refusal) else PROBLEMS if errors else GOOD)


def _all(tree: Tree, counted: Callable[[], None]) -> Refusal | tuple[Problem, ...]:
    made = standing(tree, counted)
    return made if isinstance(made, Refusal) else made.problems
