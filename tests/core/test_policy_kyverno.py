"""The shipped policies, written as Kyverno's ValidatingPolicy, say of every case what they say themselves."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import pytest

from bot.core.policy.judge import judge_cases
from bot.core.policy.load import load_policies
from bot.core.policy.model import PolicySet
from bot.core.problem import Refusal
from tests.core.test_policy_pack import EXAMPLES, PACK, pack


def kyverno(name: str, **more: Any) -> Mapping[str, bytes]:
    """The policy as one document that is its own binding; it has its selector where a binding would have it."""
    policy, binding = PACK[name]
    constraints = {**policy["spec"]["matchConstraints"], **binding["spec"]["matchResources"]}
    document = {
        "apiVersion": "policies.kyverno.io/v1", "kind": "ValidatingPolicy", "metadata": {"name": name},
        "spec": {**policy["spec"], "validationActions": binding["spec"]["validationActions"],
                 "matchConstraints": constraints, **more},
    }  # fmt: skip
    return {f"platform/policies/{name}.yaml": json.dumps(document, default=dict).encode()}


@pytest.mark.parametrize("name", PACK)
def test_it_is_judged_the_same(name: str) -> None:
    theirs = load_policies(kyverno(name, autogen={"podControllers": {"controllers": ["deployments"]}}))
    assert isinstance(theirs, PolicySet), theirs
    cases = [one.case for one in EXAMPLES]
    ours = [one for one in judge_cases(pack(), cases) if one.policy == name]
    said = judge_cases(theirs, cases)
    assert [(one.case, one.validation, one.effect, one.message, one.kind, one.pointers) for one in said] == [
        (one.case, one.validation, one.effect, one.message, one.kind, one.pointers) for one in ours
    ]
    assert said


@pytest.mark.parametrize(
    ("field", "value"),
    [("evaluation", {"mode": "JSON"}), ("webhookConfiguration", {"matchConditions": [{"name": "a"}]}),
     ("autogen", {"validatingAdmissionPolicy": {"name": "a"}})],
)  # fmt: skip
def test_a_field_without_the_same_meaning_here_is_named(field: str, value: Any) -> None:
    found = load_policies(kyverno("limits", **{field: value}))
    assert isinstance(found, Refusal)
    assert {problem.code for problem in found.problems} == {"CW0718"}
    assert f"`{field}.{next(iter(value))}" in found.problems[0].message
