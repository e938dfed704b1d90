"""Pairs of a policy and an object, the question about each to a cluster, and the two answers side by side."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from bot.core.model.values import Doc
from bot.core.parse import parse_stream
from bot.core.policy.asking import Request, requests_of
from bot.core.policy.judge import judge_case
from bot.core.policy.load import load_policies
from bot.core.policy.matching import matches
from bot.core.policy.model import Case, Param, PolicySet
from bot.core.policy.params import params_for
from tests.core.policy_world import document
from tests.tools.cluster import ask

Answer = Literal["refused", "passed over", "allowed", "denied"]
POLICY, BINDING = "ValidatingAdmissionPolicy", "ValidatingAdmissionPolicyBinding"


@dataclass(frozen=True, slots=True)
class Pair:
    """One policy with its binding, as files, and one case. `params` are documents."""

    name: str
    policy: Mapping[str, Any]
    binding: Mapping[str, Any]
    case: Case
    params: tuple[Mapping[str, Any], ...] = ()


@dataclass(frozen=True, slots=True)
class Said:
    """What one side says: its answer, the messages that the policy made, and how many errors."""

    answer: Answer
    messages: tuple[str, ...] = ()
    errors: int = 0
    more: str = ""
    """For whoever reads a failure."""

    def same(self, other: Said) -> bool:
        return (self.answer, self.messages, bool(self.errors)) == (other.answer, other.messages, bool(other.errors))


def documents(data: bytes) -> list[Any]:
    """The documents of one YAML file."""
    found = parse_stream("policy.yaml", data)
    assert isinstance(found, tuple | list), found
    return [doc.value for doc in found if isinstance(doc, Doc)]


def ours(pairs: Sequence[Pair], sets: Mapping[int, PolicySet | str]) -> Iterator[Said]:
    """What is judged here."""
    for at, pair in enumerate(pairs):
        known = sets[at]
        if isinstance(known, str):
            yield Said("refused", more=known)
            continue
        verdicts = judge_case(known, pair.case)
        messages = {one.message for one in verdicts if one.kind == "violation"}
        errors = [one for one in verdicts if one.kind == "error"]
        matched = any(about(known, request) for request in requests_of(pair.case))
        answer: Answer = "denied" if verdicts else "allowed" if matched else "passed over"
        yield Said(answer, tuple(sorted(messages)), len(errors), "; ".join(one.message for one in errors))


def about(known: PolicySet, request: Request) -> bool:
    """Whether the set's only policy, by its only binding, is about the request."""
    policy, binding = known.policies[0], known.bindings[known.policies[0].name][0]
    return matches(policy.match, request) and matches(binding.match, request)


def loaded(pairs: Sequence[Pair]) -> dict[int, PolicySet | str]:
    """For each pair its policy as it is read here, or why not."""
    known: dict[tuple[int, int], PolicySet | str] = {}
    found: dict[int, PolicySet | str] = {}
    for at, pair in enumerate(pairs):
        key = (id(pair.policy), id(pair.binding))
        if key not in known:
            files = {"p/p.yaml": document(pair.policy, pair.binding)}
            if pair.params:
                files["p/params/p.yaml"] = document(*pair.params)
            made = load_policies(files)
            known[key] = (
                made if isinstance(made, PolicySet) else "; ".join(f"{one.code} {one.message}" for one in made.problems)
            )
        found[at] = known[key]
    return found


def clusters(pairs: Sequence[Pair], sets: Mapping[int, PolicySet | str]) -> Iterator[Said]:
    """What the cluster's evaluator says, over the same requests and parameters."""
    asked: list[dict[str, Any]] = []
    owner: list[int] = []
    for at, pair in enumerate(pairs):
        for request in requests_of(pair.case):
            for param in _params(sets[at], request):
                asked.append(_question(pair, request, param))
                owner.append(at)
    answers: dict[int, list[dict[str, Any]]] = {}
    for at, answer in zip(owner, ask(asked), strict=True):
        answers.setdefault(at, []).append(answer)
    return (_said(answers.get(at, [])) for at in range(len(pairs)))


def _params(known: PolicySet | str, request: Request) -> Iterable[Param | None]:
    if isinstance(known, str):
        return (None,)
    policy = known.policies[0]
    ref = known.bindings[policy.name][0].param_ref
    if policy.param_kind is None or ref is None:
        return (None,)
    return params_for(known.params, policy.param_kind, ref, request.namespace)


def _question(pair: Pair, request: Request, param: Param | None) -> dict[str, Any]:
    asked = {
        "op": "judge", "policy": pair.policy, "binding": pair.binding, "resource": request.resource,
        "object": request.object, "old": request.old, "namespace": request.namespace_object,
        "params": None if param is None else param.value,
    }  # fmt: skip
    return {key: value for key, value in asked.items() if value is not None}


def _said(answers: Sequence[Mapping[str, Any]]) -> Said:
    for one in answers:
        for key in ("broken", "unreadable", "compile"):
            if key in one:
                return Said("refused", more=f"{key}: {one[key]}")
    decisions = [one for answer in answers for one in answer.get("decisions", ()) if one["action"] == "deny"]
    messages = {one["message"] for one in decisions if one["evaluation"] != "error"}
    errors = [one["message"] for one in decisions if one["evaluation"] == "error"]
    matched = any(answer.get("matches", True) for answer in answers)
    answer: Answer = "denied" if decisions else "allowed" if matched else "passed over"
    return Said(answer, tuple(sorted(messages)), len(errors), "; ".join(errors))


def compared(pairs: Sequence[Pair]) -> Iterator[tuple[Pair, Said, Said]]:
    """Each pair with what is said here and what the cluster says."""
    sets = loaded(pairs)
    yield from zip(pairs, ours(pairs, sets), clusters(pairs, sets), strict=True)
