"""`causeway policy`: try policies before they judge anybody."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path
from typing import Any

import click
from rich.table import Table
from rich.text import Text

from bot.cli.answers import answer
from bot.cli.desk import GOOD, PROBLEMS, USAGE, Stop, json_option, say, stdout, tell_problems
from bot.cli.policy_answers import PolicyJudgeAnswer, PolicyTestAnswer, TriedAnswer, verdict_answer
from bot.cli.policy_explain import explain
from bot.cli.policy_files import Trial, cases_in, policies_in, tests_in
from bot.cli.shapes import problem_answers
from bot.core.policy.examples import Tried, example_in, try_examples, unreadable
from bot.core.policy.model import Verdict
from bot.core.problem import Refusal
from bot.core.text import visible
from bot.core.words.amounts import count
from bot.judging import Judging

_FILE: Any = click.Path(exists=True, dir_okay=False, path_type=Path)


@click.group()
def policy() -> None:
    """Try policies: run their cases, judge any object, see why.

    The shipped policies go by their names; your own by the paths of their files.
    """


@policy.command(name="test")
@click.argument(
    "folder", metavar="[DIR]", required=False, type=click.Path(exists=True, file_okay=False, path_type=Path)
)
@json_option
@click.pass_context
def test_cases(ctx: click.Context, folder: Path | None, as_json: bool) -> None:
    """Run the cases of the policies in DIR, a platform repo or a folder of policies; without it, of the shipped pack.

    A case is a file `cases/<policy>/pass-<what>.yaml` or `fail-<what>.yaml` with `object`, and perhaps `old`,
    `namespace` and `params`. A failing case has the `message` that the policy then gives.

    Exit code: 0 all go as they say, 1 one does not, or something cannot be read.
    """
    found = tests_in(folder)
    if isinstance(found, Refusal):
        if as_json:
            answer(PolicyTestAnswer(False, (), (), problem_answers(found.problems)))
        else:
            tell_problems(found.problems)
        ctx.exit(PROBLEMS)
    tried = _tried(found)
    untested = tuple(sorted(found.own - {one.policy for one in tried}))
    ok = not any(one.why for one in tried)
    if as_json:
        cases = tuple(TriedAnswer(one.path, one.policy, one.expected, not one.why, one.why or None) for one in tried)
        answer(PolicyTestAnswer(ok, cases, untested, problem_answers(found.policies.problems)))
    else:
        _tell(found, tried, untested)
    ctx.exit(GOOD if ok else PROBLEMS)


def _tried(found: Trial) -> tuple[Tried, ...]:
    read = {path: example_in(path, data) for path, data in sorted(found.cases.items())}
    wrong = [unreadable(path, one) for path, one in read.items() if isinstance(one, Refusal)]
    with closing(Judging()) as engine:
        examples = [one for one in read.values() if not isinstance(one, Refusal)]
        return tuple(sorted((*try_examples(examples, found.policies, engine), *wrong), key=lambda one: one.path))


def _tell(found: Trial, tried: tuple[Tried, ...], untested: tuple[str, ...]) -> None:
    table = Table(box=None, pad_edge=False)
    for name in ("policy", "pass", "fail", "wrong"):
        table.add_column(name)
    for name in sorted({one.policy for one in tried} | set(untested)):
        mine = [one for one in tried if one.policy == name]
        numbers = [sum(one.expected == kind for one in mine) for kind in ("pass", "fail")]
        table.add_row(*map(Text, (visible(name), *map(str, numbers), str(sum(bool(one.why) for one in mine)))))
    if tried or untested:
        stdout().print(table)
    wrong = [one for one in tried if one.why]
    for one in wrong:
        say(f"{visible(one.path)}: {visible(one.why)}", "red")
    if untested:
        say(f"No case tries {', '.join(map(visible, untested))}.", "yellow")
    if found.policies.problems:
        tell_problems(found.policies.problems)
    if not tried:
        say(f"No case lies in {visible(found.where)}.", "yellow")
        return
    end = f"{count(len(tried), 'case')} of {visible(found.where)}"
    say(f"{end}: {len(wrong)} not as they say." if wrong else f"{end} as they say.", "red" if wrong else "green")


@policy.command()
@click.argument("policies", metavar="POLICY...", nargs=-1, required=True)
@click.option("--object", "new", metavar="FILE", type=_FILE, help="The object, or several in one file.")
@click.option("--old", metavar="FILE", type=_FILE, help="The same before the change; alone, it is removed.")
@click.option("--params", metavar="FILE", type=_FILE, multiple=True, help="Parameters, in place of those found.")
@click.option("--namespace", metavar="FILE", type=_FILE, help="The Namespace that it lives in.")
@json_option
@click.pass_context
def judge(
    ctx: click.Context, policies: tuple[str, ...], new: Path | None, old: Path | None, params: tuple[Path, ...],
    namespace: Path | None, as_json: bool,
) -> None:  # fmt: skip
    """Judge an object by policies, as a review and a cluster would.

    \b
    causeway policy judge platform/policies/few.yaml --object deployment.yaml
    causeway policy judge no-latest limits --object pod.yaml

    POLICY is a file, a folder of files, or the name of a shipped policy. A policy without a binding denies.

    Exit code: 0 allowed, 1 denied; what cannot be read or worked out is denied.
    """
    if new is None and old is None:
        raise Stop("name an object to judge: --object FILE", USAGE)
    found, cases = policies_in(policies, params), cases_in(new, old, namespace)
    problems = tuple(one for each in (found, cases) if isinstance(each, Refusal) for one in each.problems)
    if isinstance(found, Refusal) or isinstance(cases, Refusal):
        if as_json:
            answer(PolicyJudgeAnswer(False, (), (), problem_answers(problems)))
        else:
            tell_problems(problems)
        ctx.exit(PROBLEMS)
    with closing(Judging()) as engine:
        said = engine(found, cases)
    denied = any(one.effect == "deny" for one in said)
    if as_json:
        names = tuple(case.key for case in cases)
        answer(PolicyJudgeAnswer(not denied, names, tuple(map(verdict_answer, said)), problem_answers(found.problems)))
    else:
        for one in said:
            _say(one)
        if found.problems:
            tell_problems(found.problems)
        say("Denied." if denied else "Allowed.", "red" if denied else "green")
    ctx.exit(PROBLEMS if denied else GOOD)


def _say(one: Verdict) -> None:
    place = f"{one.place.path}:{one.place.line}:{one.place.column}"
    how = "cannot be worked out: " if one.kind == "error" else ""
    effect = {"deny": "denies", "warn": "warns", "audit": "notes"}[one.effect]
    say(visible(f"{one.case}: {one.policy} {effect}: {how}{one.message} ({one.validation}, {place})"),
        "red" if one.effect == "deny" else "yellow")  # fmt: skip


policy.add_command(explain)
