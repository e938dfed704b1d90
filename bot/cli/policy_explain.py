"""`causeway policy explain`: what a policy sees, and why it judged so."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any, Final

import click

from bot.cli.answers import answer
from bot.cli.desk import GOOD, PROBLEMS, json_option, say, tell_problems
from bot.cli.policy_answers import (
    PolicyAnswer,
    PolicyExplainAnswer,
    SeenAnswer,
    StepAnswer,
    VerdictAnswer,
    verdict_answer,
)
from bot.cli.policy_files import cases_in, policies_in
from bot.cli.shapes import problem_answers
from bot.core.policy.kinds import as_map, text_of
from bot.core.policy.model import Case, Policy, PolicySet
from bot.core.problem import Refusal
from bot.core.text import visible
from bot.judging import Judging

_FILE: Any = click.Path(exists=True, dir_okay=False, path_type=Path)
_ANNOTATIONS: Final = ("what", "why", "fix")


@click.command()
@click.argument("policies", metavar="POLICY...", nargs=-1, required=True)
@click.option("--object", "new", metavar="FILE", type=_FILE, help="Say what the policy makes of this object.")
@click.option("--old", metavar="FILE", type=_FILE, help="The same before the change; alone, it is removed.")
@click.option("--params", metavar="FILE", type=_FILE, multiple=True, help="Parameters, in place of those found.")
@click.option("--namespace", metavar="FILE", type=_FILE, help="The Namespace that it lives in.")
@json_option
@click.pass_context
def explain(
    ctx: click.Context, policies: tuple[str, ...], new: Path | None, old: Path | None, params: tuple[Path, ...],
    namespace: Path | None, as_json: bool,
) -> None:  # fmt: skip
    """Say what a policy is about and what it asks; with an object, the value of each of its expressions.

    A workload is judged itself and as the pod that it makes; both are told.

    Exit code: 0 told, 1 something cannot be read, or cannot be worked out within its limits.
    """
    found, cases = policies_in(policies, params), cases_in(new, old, namespace)
    problems = tuple(one for each in (found, cases) if isinstance(each, Refusal) for one in each.problems)
    if isinstance(found, Refusal) or isinstance(cases, Refusal):
        if as_json:
            answer(PolicyExplainAnswer((), (), (), problem_answers(problems)))
        else:
            tell_problems(problems)
        ctx.exit(PROBLEMS)
    read = tuple(_policy(found, one) for one in found.policies)
    seen, verdicts, why = _seen(found, cases)
    if as_json:
        answer(PolicyExplainAnswer(read, seen, verdicts, problem_answers(found.problems)))
    else:
        _tell(found, read, seen, verdicts)
    if why:
        say(f"It cannot be worked out: {why}.", "red")
    ctx.exit(PROBLEMS if why else GOOD)


def _policy(found: PolicySet, one: Policy) -> PolicyAnswer:
    notes = as_map(as_map(as_map(one.doc.value).get("metadata")).get("annotations"))
    what, why, fix = (text_of(notes, f"causeway.dev/{name}") for name in _ANNOTATIONS)
    effects = tuple(binding.effect for binding in found.bindings.get(one.name, ()))
    return PolicyAnswer(one.name, one.path, one.place.line, one.kind, effects, tuple(_about(one)), what, why, fix)


def _about(one: Policy) -> Iterator[str]:
    for rule in one.match.rules:
        groups = ", ".join(sorted(group or "core" for group in rule.groups))
        yield f"{', '.join(sorted(rule.operations))} of {', '.join(sorted(rule.resources))} ({groups})"


def _seen(
    found: PolicySet, cases: Sequence[Case]
) -> tuple[tuple[SeenAnswer, ...], tuple[VerdictAnswer, ...], str]:  # fmt: skip
    seen: list[SeenAnswer] = []
    verdicts: list[VerdictAnswer] = []
    with closing(Judging()) as engine:
        for case in cases:
            told, why = engine.tell(found, case)
            if why:
                return tuple(seen), tuple(verdicts), why
            seen.extend(map(_one, told))
            verdicts.extend(map(verdict_answer, engine(found, [case])))
    return tuple(seen), tuple(verdicts), ""


def _one(told: Mapping[str, Any]) -> SeenAnswer:
    steps = tuple(StepAnswer(**step) for step in told["steps"])
    return SeenAnswer(told["policy"], told["binding"], told["request"], told["left_out"], steps)


def _tell(
    found: PolicySet, read: Sequence[PolicyAnswer], seen: Sequence[SeenAnswer], verdicts: Sequence[VerdictAnswer]
) -> None:  # fmt: skip
    for one, policy in zip(read, found.policies, strict=True):
        _head(one)
        mine = [sight for sight in seen if sight.policy == one.name]
        for sight in mine:
            _sight(sight)
        if not seen:
            for named in (*policy.conditions, *policy.variables):
                say(visible(f"  {named.name}: {' '.join(named.expression.text.split())}"), "dim")
            for at, validation in enumerate(policy.validations):
                say(visible(f"  validations[{at}]: {' '.join(validation.expression.text.split())}"), "dim")
    for verdict in verdicts:
        colour = "red" if verdict.effect == "deny" else "yellow"
        say(visible(f"{verdict.policy}, {verdict.part}: {verdict.effect}: {verdict.message}"), colour)
    if seen and not verdicts:
        say("Nothing is held against it.", "green")


def _head(one: PolicyAnswer) -> None:
    say(visible(f"{one.name} ({', '.join(one.effects) or 'bound by nothing'}), {one.path}:{one.line}"), "bold")
    for text in (one.what, one.why, one.fix):
        if text:
            say(visible(f"  {text}"))
    for line in one.about:
        say(visible(f"  is about {line}"))


def _sight(sight: SeenAnswer) -> None:
    say(visible(f"  {sight.request}: {f'not judged, {sight.left_out}' if sight.left_out else 'judged'}"))
    for step in sight.steps:
        value = f"fails: {step.failed}" if step.failed else step.value
        say(visible(f"    {step.part}{f' {step.name}' if step.name else ''} = {value}"), "dim")
        say(visible(f"      {' '.join(step.expression.split())}"), "dim")
