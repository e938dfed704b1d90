"""`causeway plan`: what would this change do?"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import click

from bot.cli.answers import answer
from bot.cli.asking import proposed, said
from bot.cli.desk import GOOD, PROBLEMS, REFUSED, USAGE, Stop, headed, json_option, note, progress, say, width
from bot.cli.folder import Compared, compared
from bot.cli.plan_answer import PlanAnswer, told
from bot.cli.shapes import problem_answers
from bot.core import words
from bot.core.problem import Refusal
from bot.core.propose import Proposal

_COLOURS: Mapping[str, str] = {"+": "green", "-": "red", "@": "dim"}


@click.command()
@click.argument("folder", metavar="[DIR]", default=".", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.option("--base", metavar="REF", help="Compare with this commit. Default: HEAD, or HEAD^ where nothing differs.")
@click.option("--markdown", is_flag=True, help="The comment that the bot would write, as it would write it.")
@click.option("--full", is_flag=True, help="Then every object that differs, line by line, however long that is.")
@json_option
@click.pass_context
def plan(ctx: click.Context, folder: Path, base: str | None, markdown: bool, full: bool, as_json: bool) -> None:
    """Say what the platform repo DIR (default: here) would change.

    The files as they stand, committed or not, are compared with a commit: what is not committed yet with HEAD; in a
    clean clone the last commit with the one before it. Which it is is said on stderr. No network is used, so data that
    the GitOps repo keeps from earlier is not known here.

    Exit code: 0 ready, 1 problems, 3 the platform's own files cannot be read.
    """
    if full and (markdown or as_json):
        raise Stop("--full is for a person at a terminal: leave out --markdown and --json", USAGE)
    chosen = compared(folder, base)
    note(chosen.words)
    with progress("planning") as counted:
        out = proposed(chosen, counted, full)
    if as_json:
        answer(_answer(chosen, out))
    elif markdown:
        click.echo(said(chosen, out, speak=True).comment or "")
    elif isinstance(out, Refusal):
        headed(words.terminal(out, width()), "red")
    elif not out.plan.concerns and not out.plan.problems:
        say("Nothing here concerns Causeway.")
    else:
        headed(words.terminal(out.plan, width()), "red" if out.plan.errors else "green")
        if full:
            _diffs(out.diffs)
    ctx.exit(REFUSED if isinstance(out, Refusal) else PROBLEMS if out.plan.errors else GOOD)


def _diffs(diffs: Mapping[str, str]) -> None:
    """Files of the GitOps repo in order of their paths. What is refused is not among them."""
    for path, diff in diffs.items():
        say("")
        say(path, "bold")
        for line in diff.splitlines():
            say(line, _COLOURS.get(line[:1], ""))


def _answer(chosen: Compared, out: Proposal | Refusal) -> PlanAnswer:
    words_of_it = said(chosen, out)
    made = None if isinstance(out, Refusal) else out.plan
    services, platform = told(made) if made else ((), ())
    return PlanAnswer(
        state=words_of_it.state,
        status=words_of_it.status,
        compared_with=chosen.base_commit,
        services=services,
        platform=platform,
        totals=dict(made.lines) if made else {},
        problems=problem_answers(out.problems if isinstance(out, Refusal) else out.plan.problems),
    )
