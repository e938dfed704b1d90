"""What `causeway policy` answers with `--json`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from bot.cli.shapes import ProblemAnswer
from bot.core.policy.model import Effect, Verdict


@dataclass(frozen=True, slots=True)
class TriedAnswer:
    """One case."""

    path: str
    policy: str
    expected: Literal["pass", "fail"]
    ok: bool
    why: str | None
    """What happened instead; null where it went as the case says."""


@dataclass(frozen=True, slots=True)
class PolicyTestAnswer:
    """`policy test --json`."""

    ok: bool
    cases: tuple[TriedAnswer, ...]
    untested: tuple[str, ...]
    """Policies without a case."""
    problems: tuple[ProblemAnswer, ...]
    """Why no case could be tried, or warnings of the policies."""


@dataclass(frozen=True, slots=True)
class VerdictAnswer:
    """One thing that a policy has against an object. Line and column are those of the expression."""

    object: str
    """`<kind> <namespace>/<name>`."""
    policy: str
    binding: str
    part: str
    """`validations[0]`, `matchConditions[1]`, `params`, `case`."""
    effect: Effect
    kind: Literal["violation", "error"]
    message: str
    path: str
    line: int
    column: int


@dataclass(frozen=True, slots=True)
class PolicyJudgeAnswer:
    """`policy judge --json`."""

    allowed: bool
    """False where anything denies, or a file cannot be read."""
    objects: tuple[str, ...]
    verdicts: tuple[VerdictAnswer, ...]
    problems: tuple[ProblemAnswer, ...]


@dataclass(frozen=True, slots=True)
class StepAnswer:
    """One expression of a policy over one request."""

    part: str
    name: str
    """Of a variable or a condition; empty for a validation."""
    expression: str
    value: str
    """As JSON, cut where it is long; empty where it failed."""
    failed: str
    """Why it has no value; empty where it has one."""


@dataclass(frozen=True, slots=True)
class SeenAnswer:
    """What one policy saw of one request."""

    policy: str
    binding: str
    request: str
    left_out: str
    """Why it is not judged; empty where it is."""
    steps: tuple[StepAnswer, ...]


@dataclass(frozen=True, slots=True)
class PolicyAnswer:
    """A policy as it was read."""

    name: str
    path: str
    line: int
    kind: Literal["vap", "kyverno"]
    effects: tuple[Effect, ...]
    """Of its bindings; empty where none binds it."""
    about: tuple[str, ...]
    """`CREATE, UPDATE of pods`, a line for each rule."""
    what: str
    why: str
    fix: str
    """Its annotations."""


@dataclass(frozen=True, slots=True)
class PolicyExplainAnswer:
    """`policy explain --json`. Without an object, `seen` and `verdicts` are empty."""

    policies: tuple[PolicyAnswer, ...]
    seen: tuple[SeenAnswer, ...]
    verdicts: tuple[VerdictAnswer, ...]
    problems: tuple[ProblemAnswer, ...]


def verdict_answer(verdict: Verdict) -> VerdictAnswer:
    """A verdict as machines read it."""
    place = verdict.place
    return VerdictAnswer(
        verdict.case, verdict.policy, verdict.binding, verdict.validation, verdict.effect, verdict.kind,
        verdict.message, place.path, place.line, place.column,
    )  # fmt: skip
