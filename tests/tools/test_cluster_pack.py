"""Every case of the shipped pack: the cluster's own evaluator decides and speaks as we do."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from bot.core.policy.asking import requests_of
from bot.core.policy.examples import Example
from bot.core.policy.judge import judge_case
from tests.core.test_policy_pack import EXAMPLES, PACK, pack
from tests.tools.cluster import ask

pytestmark = [pytest.mark.tools, pytest.mark.timeout(1800)]


def test_a_cluster_agrees_with_every_case_of_the_pack() -> None:
    policies = pack()
    asked = [(one, question) for one in EXAMPLES for question in _questions(one)]
    said: dict[str, set[str]] = {one.path: set() for one in EXAMPLES}
    for (one, _), answer in zip(asked, ask(question for _, question in asked), strict=True):
        assert "matches" in answer, (one.path, answer)
        for decision in answer.get("decisions", ()):
            assert decision["action"] in ("admit", "deny"), (one.path, answer)
            if decision["action"] == "deny":
                said[one.path].add(decision["message"])
    ours = {
        one.path: {verdict.message for verdict in judge_case(policies, one.case) if verdict.policy == one.policy}
        for one in EXAMPLES
    }
    assert said == ours
    assert len(EXAMPLES) > 90


def _questions(one: Example) -> Iterator[dict[str, Any]]:
    documents = [json.loads(json.dumps(doc, default=dict)) for doc in PACK[one.policy]]
    for request in requests_of(one.case):
        yield {
            "op": "judge", "policy": documents[0], "binding": documents[1], "object": request.object,
            "old": request.old, "namespace": request.namespace_object, "resource": request.resource,
        }  # fmt: skip
