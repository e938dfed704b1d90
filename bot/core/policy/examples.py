"""Cases of policies: objects that must pass or fail, as files beside the policies.

A case is `cases/<policy>/pass-<what>.yaml` or `fail-<what>.yaml`: one document with `object`, and perhaps `old` (the
object before), `namespace` (the Namespace that it lives in) and `params` (a parameter, or a list of them, in place of
all others). With `old` alone, the object is removed. A case that fails has the `message` that the policy then gives.
"""

from __future__ import annotations

import json
import re
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Final, Literal, cast

from bot.core.check import Schema, check, compile_schema
from bot.core.model.values import Value
from bot.core.parse import parse
from bot.core.policy.kinds import as_map, plural_of, text_of
from bot.core.policy.load import load_policies
from bot.core.policy.model import Case, Engine, PolicySet, Verdict
from bot.core.problem import Problem, Refusal

Expected = Literal["pass", "fail"]

_PATH: Final = re.compile(r"(?:.*/)?cases/([^/]+)/(pass|fail)-[^/]+\.ya?ml")
_OBJECT: Final[Value] = {
    "type": "object", "required": ["apiVersion", "kind"],
    "properties": {"apiVersion": {"type": "string"}, "kind": {"type": "string"}, "metadata": {"type": "object"}},
}  # fmt: skip
_PARAMS: Final[Value] = {"oneOf": [_OBJECT, {"type": "array", "items": _OBJECT}]}


@dataclass(frozen=True, slots=True)
class Example:
    """One case, read."""

    path: str
    policy: str
    expected: Expected
    message: str
    """That a failing case names; empty for one that passes."""
    case: Case
    params: tuple[Value, ...] | None
    """None: those that lie beside the policies."""


@dataclass(frozen=True, slots=True)
class Tried:
    """What became of a case. `why` is empty where it went as the case says."""

    path: str
    policy: str
    expected: Expected
    why: str


def is_example(path: str) -> bool:
    """Whether a file is a case, by its name."""
    return _PATH.fullmatch(path) is not None


def example_in(path: str, data: bytes) -> Example | Refusal:
    """The case of a file. ValueError where `path` is not the name of one."""
    named = _PATH.fullmatch(path)
    if named is None:
        raise ValueError(f"{path} is not cases/<policy>/pass-<what>.yaml or fail-<what>.yaml")
    expected = cast(Expected, named[2])
    doc = parse(path, data)
    problems = doc.problems if isinstance(doc, Refusal) else check(doc, _schema(expected))
    if problems or isinstance(doc, Refusal):
        return Refusal(problems)
    given = as_map(doc.value)
    params = given.get("params")
    every = None if params is None else tuple(params) if isinstance(params, list | tuple) else (params,)
    return Example(path, named[1], expected, text_of(given, "message"), _case(path, given), every)


def case_of(key: str, new: Value, old: Value, namespace: Value) -> Case:
    """A case of objects that stand alone; one of them is there."""
    shown = new if new is not None else old
    resource = plural_of(text_of(shown, "apiVersion"), text_of(shown, "kind"))
    return Case(key, new, old, namespace, resource, None, "")


def try_examples(examples: Sequence[Example], policies: PolicySet, engine: Engine) -> tuple[Tried, ...]:
    """Each case against the policy that it is about, in their order."""
    said: dict[str, list[Verdict]] = defaultdict(list)
    refused: dict[str, str] = {}
    for verdict in engine(policies, [one.case for one in examples if one.params is None]):
        said[verdict.case].append(verdict)
    for one in examples:
        if one.params is not None:
            own = with_params(policies, one.params)
            if isinstance(own, Refusal):
                refused[one.path] = own.problems[0].message
            else:
                said[one.path] = list(engine(own, [one.case]))
    names = {policy.name for policy in policies.policies}
    return tuple(_tried(one, names, refused.get(one.path, ""), said[one.path]) for one in examples)


def with_params(policies: PolicySet, params: Sequence[Value]) -> PolicySet | Refusal:
    """The same policies with these parameters and no others."""
    files = {path: data for path, data in policies.files.items() if "params" not in path.split("/")[:-1]}
    given = {f"params/{at}.yaml": json.dumps(one, default=dict).encode() for at, one in enumerate(params)}
    return load_policies({**files, **given}, policies.shipped)


def _case(path: str, given: Mapping[str, Value]) -> Case:
    return replace(case_of(path, given.get("object"), given.get("old"), given.get("namespace")), key=path)


@lru_cache(maxsize=2)
def _schema(expected: Expected) -> Schema:
    needed = ["message"] if expected == "fail" else []
    message = {"message": {"type": "string", "minLength": 1}} if expected == "fail" else {}
    return compile_schema({
        "type": "object", "additionalProperties": False, "required": needed,
        "properties": {"object": _OBJECT, "old": _OBJECT, "namespace": _OBJECT, "params": _PARAMS, **message},
        "anyOf": [{"required": ["object"]}, {"required": ["old"]}],
    })  # fmt: skip


def _tried(one: Example, names: set[str], refused: str, verdicts: Sequence[Verdict]) -> Tried:
    said = sorted({_said(verdict) for verdict in verdicts if verdict.policy == one.policy})
    why = refused
    if not why and one.policy not in names:
        why = f"there is no policy `{one.policy}`"
    elif not why and one.expected == "pass" and said:
        why = f"it does not pass: {'; '.join(said)}"
    elif not why and one.expected == "fail" and said != [one.message]:
        why = f"it says: {'; '.join(said)}" if said else "it passes"
    return Tried(one.path, one.policy, one.expected, why)


def _said(verdict: Verdict) -> str:
    if verdict.kind == "violation":
        return verdict.message
    return f"{verdict.validation} cannot be worked out: {verdict.message} ({verdict.place.line}:{verdict.place.column})"


def unreadable(path: str, found: Refusal) -> Tried:
    """A case that cannot be read has not gone as it says."""
    named = _PATH.fullmatch(path)
    first: Problem = found.problems[0]
    expected = cast(Expected, named[2]) if named is not None else "pass"
    return Tried(path, named[1] if named else "", expected, f"line {first.line}: {first.message}. {first.fix}")
