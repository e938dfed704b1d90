"""The nouns of judging: policies as they were loaded, what they are asked about, and what they say."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, Literal

from bot.core.cel import Program
from bot.core.model.values import Doc, Pointer, Value
from bot.core.problem import Problem

Effect = Literal["deny", "warn", "audit"]
Operation = Literal["CREATE", "UPDATE", "DELETE"]

CODE_OF: Final[Mapping[str, str]] = {"violation": "CW0710", "error": "CW0711"}
"""Kind of a verdict -> the code of the problem that a verdict that denies becomes."""

ADVICE: Final = "CW0709"
"""Code of a violation of a policy that only warns: nothing waits for it, and it is told once."""


@dataclass(frozen=True, slots=True)
class Place:
    """A place in a policy's file; line and column from 1, columns in code points."""

    path: str
    line: int
    column: int


@dataclass(frozen=True, slots=True)
class Expression:
    """A CEL expression of a policy, compiled. `at` maps a line and column of its text to the place in the file."""

    text: str
    program: Program
    place: Place
    """Where its first character stands."""
    at: Callable[[int, int], Place] = field(compare=False, repr=False)
    variables: tuple[str, ...] = ()
    """Names below `variables.` that it reads, sorted."""
    reads: tuple[Pointer, ...] = ()
    """Paths of `object` that it reads, by itself and through variables, sorted; `*` stands for every item of a list."""


@dataclass(frozen=True, slots=True)
class Named:
    """A variable, a match condition or an audit annotation: a name (or key) and its expression."""

    name: str
    expression: Expression


@dataclass(frozen=True, slots=True)
class Validation:
    """One of a policy's `validations`."""

    expression: Expression
    message: str
    message_expression: Expression | None
    reason: str


@dataclass(frozen=True, slots=True)
class Requirement:
    """One requirement of a label selector. `operator` is In, NotIn, Exists or DoesNotExist."""

    key: str
    operator: str
    values: tuple[str, ...] = ()


Selector = tuple[Requirement, ...]
"""All of them must hold; an empty one selects everything."""


@dataclass(frozen=True, slots=True)
class ResourceRule:
    """Which requests a policy is about; `*` is any."""

    groups: frozenset[str]
    versions: frozenset[str]
    resources: frozenset[str]
    """Plurals; a subresource's `/*` is dropped when loaded."""
    operations: frozenset[str]
    names: frozenset[str] = frozenset()
    """Empty: any."""
    scope: str = "*"


@dataclass(frozen=True, slots=True)
class Match:
    """`matchConstraints` of a policy or `matchResources` of a binding. No `rules`: every resource."""

    rules: tuple[ResourceRule, ...] = ()
    excluded: tuple[ResourceRule, ...] = ()
    namespaces: Selector = ()
    objects: Selector = ()


@dataclass(frozen=True, slots=True)
class ParamKind:
    """The kind of a policy's parameters, and whether its objects live in a namespace."""

    api_version: str
    kind: str
    namespaced: bool


@dataclass(frozen=True, slots=True)
class ParamRef:
    """Where a binding finds the parameters: by `name`, or all that `selector` selects."""

    name: str | None
    namespace: str | None
    selector: Selector | None
    allow_missing: bool
    place: Place


@dataclass(frozen=True, slots=True)
class Param:
    """An object of `params/`."""

    path: str
    api_version: str
    kind: str
    name: str
    namespace: str | None
    value: Mapping[str, Value]


@dataclass(frozen=True, slots=True)
class Binding:
    """A policy put to work: on what, with which parameters, to what effect."""

    name: str
    policy: str
    place: Place
    match: Match
    effect: Effect
    """The strongest of its `validationActions`."""
    param_ref: ParamRef | None = None


@dataclass(frozen=True, slots=True)
class Policy:
    """A policy, compiled. `kind` says what it was written as; both kinds are judged alike."""

    name: str
    place: Place
    kind: Literal["vap", "kyverno"]
    match: Match
    variables: tuple[Named, ...]
    conditions: tuple[Named, ...]
    validations: tuple[Validation, ...]
    audit: tuple[Named, ...]
    param_kind: ParamKind | None
    ignores_failure: bool
    """It says `failurePolicy: Ignore`, which is not followed here."""
    shipped: bool
    doc: Doc = field(compare=False, repr=False)

    @property
    def path(self) -> str:
        """The file that it stands in."""
        return self.place.path


@dataclass(frozen=True, slots=True)
class PolicySet:
    """All that judges. Of equal `digest` are sets of equal content, so of equal verdicts."""

    policies: tuple[Policy, ...]
    """By name."""
    bindings: Mapping[str, tuple[Binding, ...]]
    """Policy -> its bindings, by name."""
    params: tuple[Param, ...]
    rego: Mapping[str, bytes]
    """Path -> source, for whoever judges those."""
    problems: tuple[Problem, ...]
    """Warnings."""
    replaced: tuple[str, ...]
    """Names of shipped policies that the platform's own files replace, sorted."""
    digest: str
    files: Mapping[str, bytes] = field(compare=False, repr=False)
    """What it was loaded from, and the shipped ones; enough to load it again in another process."""
    shipped: Mapping[str, bytes] = field(compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Case:
    """One object to judge, before and after a change. Defaults need not be written out: judging does that."""

    key: str
    """Output path, or `<folder>@<environment>` for a Workload."""
    object: Value
    """None: it is removed."""
    old: Value
    """None: it is new."""
    namespace: Value
    """The rendered Namespace that it lives in; None where we render none."""
    resource: str
    """Plural of its kind, as `kinds.plural_of` gives it."""
    unit: str | None
    environment: str


@dataclass(frozen=True, slots=True)
class Verdict:
    """One thing that a policy has against a case."""

    policy: str
    binding: str
    validation: str
    """`validations[0]`, `matchConditions[1]`, `auditAnnotations[0]`, `params`, or `case` where judging itself ended."""
    effect: Effect
    message: str
    place: Place
    """Of the expression; of the very part of it that failed, where an error tells."""
    case: str
    kind: Literal["violation", "error"]
    pointers: tuple[Pointer, ...] = ()
    """Paths of the case's object that the expression reads and that are there, deepest first: where the cause is."""
    audit: Mapping[str, str] = field(default_factory=dict, hash=False)
    """What the policy's `auditAnnotations` say, by `<policy>/<key>`."""


Engine = Callable[[PolicySet, Sequence[Case]], tuple[Verdict, ...]]
"""Verdicts in the order of the cases; none where all pass. Never raises for what a policy or an object holds."""
