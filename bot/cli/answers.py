"""What commands answer with `--json`: one frozen shape each, published in `schemas/cli/`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import click
from pydantic import JsonValue, TypeAdapter

from bot.cli.plan_answer import PlanAnswer
from bot.cli.policy_answers import PolicyExplainAnswer, PolicyJudgeAnswer, PolicyTestAnswer
from bot.cli.shapes import OriginAnswer, ProblemAnswer
from bot.core.model.health import Standing


@dataclass(frozen=True, slots=True)
class CheckAnswer:
    """`check --json`."""

    ok: bool
    """False where any problem is an error."""
    compared_with: str | None
    """The commit, null where everything was judged as it stands."""
    services: int
    problems: tuple[ProblemAnswer, ...]


@dataclass(frozen=True, slots=True)
class RenderAnswer:
    """`render --json`."""

    out: str
    files: tuple[str, ...]
    """Paths relative to `out`, sorted; empty where the platform's own files cannot be read: nothing is written then."""
    problems: tuple[ProblemAnswer, ...]


@dataclass(frozen=True, slots=True)
class BreachAnswer:
    """One path where the GitOps head is not what the law says; ids are git's, null where absent."""

    gitops_commit: str
    path: str
    expected: str | None
    found: str | None


@dataclass(frozen=True, slots=True)
class VerifyAnswer:
    """`verify --json`."""

    holds: bool
    gitops_commit: str
    platform_commit: str
    """The newest one's cursor."""
    commits: int
    """GitOps commits that were recomputed."""
    breaches: tuple[BreachAnswer, ...]
    problems: tuple[ProblemAnswer, ...]


@dataclass(frozen=True, slots=True)
class InitAnswer:
    """`init --json`."""

    folder: str
    files: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class MissedAnswer:
    """A repository that could not be swept in this round, and why."""

    repository: str
    why: str


@dataclass(frozen=True, slots=True)
class SweepAnswer:
    """`sweep --json`: one round. With `--every` each round is one line."""

    rung: int
    """Names of work that were not queued already."""
    missed: tuple[MissedAnswer, ...]


@dataclass(frozen=True, slots=True)
class DeliveryAnswer:
    """What became of one GitOps target."""

    target: str
    pushed: bool
    commits: tuple[str, ...]
    halted: ProblemAnswer | None


@dataclass(frozen=True, slots=True)
class ResumeAnswer:
    """`resume --json`."""

    platform_commit: str
    targets: tuple[DeliveryAnswer, ...]


@dataclass(frozen=True, slots=True)
class FindingAnswer:
    """One thing that the doctor examined."""

    check: str
    standing: Standing
    where: str
    """A repository or a cluster; empty for the installation itself."""
    what: str
    mend: str
    """Empty where it is good."""


@dataclass(frozen=True, slots=True)
class DoctorAnswer:
    """`doctor --json`."""

    ok: bool
    """False where something must be mended."""
    findings: tuple[FindingAnswer, ...]


@dataclass(frozen=True, slots=True)
class StoryStep:
    """One step of `demo --story`: what a person did, and what the bot made of it."""

    step: str
    seconds: float
    """From the act to the bot's last word on it."""
    pull: int | None
    status: str | None
    gitops_commit: str | None
    subject: str | None
    added: tuple[str, ...]
    changed: tuple[str, ...]
    removed: tuple[str, ...]
    law: bool
    """Recomputed from scratch afterwards."""


@dataclass(frozen=True, slots=True)
class DemoAnswer:
    """`demo --story --json`."""

    ok: bool
    steps: tuple[StoryStep, ...]
    why: str | None
    """What went wrong, null where nothing did."""


@dataclass(frozen=True, slots=True)
class DemoPlace:
    """`demo --json` without `--story`: where everything listens, told once it does."""

    forge: str
    platform: str
    gitops: str
    door: str
    folder: str


@dataclass(frozen=True, slots=True)
class ValueAnswer:
    """One value and who gave it."""

    file: str | None
    """Path in the GitOps repo; null for a field of the effective manifest."""
    pointer: tuple[str | int, ...]
    path: str
    """The pointer with dots, as `explain` takes it."""
    value: JsonValue
    origin: OriginAnswer
    also: tuple[OriginAnswer, ...]
    template: str | None
    """The template's line that puts it there, as `file:line:column`."""
    left_out: str | None
    """The condition that does not hold, where the place is left out for it; null where the value is there."""
    fixed: bool
    """The template or the kit says the value itself."""


@dataclass(frozen=True, slots=True)
class ExplainAnswer:
    """`explain SERVICE ENV [PATH] --json`."""

    service: str
    environment: str
    values: tuple[ValueAnswer, ...]
    problems: tuple[ProblemAnswer, ...]
    """Why there is nothing to explain, where the service has problems."""


@dataclass(frozen=True, slots=True)
class CodeAnswer:
    """`explain CODE --json`. `wrong` and `right` are examples: path -> text."""

    code: str
    title: str
    what: str
    why: str
    wrong: dict[str, str]
    right: dict[str, str]


@dataclass(frozen=True, slots=True)
class ErrorAnswer:
    """Any command with `--json` that ends without an answer of its own: why, and its exit code."""

    error: str
    code: int


ANSWERS: Mapping[str, type] = {
    "check": CheckAnswer,
    "demo": DemoPlace,
    "demo-story": DemoAnswer,
    "doctor": DoctorAnswer,
    "error": ErrorAnswer,
    "explain": ExplainAnswer,
    "explain-code": CodeAnswer,
    "init": InitAnswer,
    "plan": PlanAnswer,
    "policy-explain": PolicyExplainAnswer,
    "policy-judge": PolicyJudgeAnswer,
    "policy-test": PolicyTestAnswer,
    "render": RenderAnswer,
    "resume": ResumeAnswer,
    "sweep": SweepAnswer,
    "verify": VerifyAnswer,
}
"""Name of the published schema -> the shape that it describes."""


def schema_of(name: str) -> dict[str, object]:
    """The JSON Schema of one answer, as published in `schemas/cli/<name>.schema.json`."""
    made = TypeAdapter(ANSWERS[name]).json_schema(mode="serialization")
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": f"https://causeway.dev/schemas/cli/{name}.schema.json",
        **made,
    }


def answer(value: object, line: bool = False) -> None:
    """Writes the answer as a JSON document on stdout, with `line` on one line. Only ASCII, so that no terminal is
    steered by it."""
    click.echo(TypeAdapter(type(value)).dump_json(value, indent=None if line else 2, ensure_ascii=True).decode())
