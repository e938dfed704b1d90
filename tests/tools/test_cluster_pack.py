"""Every case of the shipped pack: the cluster's own evaluator decides and speaks as we do."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from bot.core.parse import parse
from bot.core.policy.asking import requests_of
from bot.core.policy.examples import Example, case_of
from bot.core.policy.judge import judge_case
from bot.core.problem import Refusal
from tests.core.test_policy_pack import EXAMPLES, PACK, pack
from tests.tools.cluster import ask

pytestmark = [pytest.mark.tools, pytest.mark.timeout(1800)]

STANDARD = "k8s.io/pod-security-admission@v0.37.2"
VERSION = "v1.34"


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


def _pods(level: str, kind: str) -> Iterator[tuple[str, Any]]:
    """Kubernetes' own examples of pods that pass or fail a level of the Pod Security Standard."""
    if shutil.which("go") is None:
        pytest.skip("go is not on PATH, so its module cache cannot be found")
    cache = subprocess.run(["go", "env", "GOMODCACHE"], capture_output=True, text=True, timeout=60, check=True)
    folder = Path(cache.stdout.strip()) / STANDARD / "test" / "testdata" / level / VERSION / kind
    if not folder.is_dir():
        pytest.skip(f"absent: Kubernetes' example pods (go mod download {STANDARD})")
    for path in sorted(folder.glob("*.yaml")):
        doc = parse(path.name, path.read_bytes())
        assert not isinstance(doc, Refusal), doc
        yield path.name, doc.value


@pytest.mark.parametrize(("level", "kind"), [("restricted", "pass"), ("restricted", "fail"), ("baseline", "fail")])
def test_kubernetes_own_examples_of_the_standard_are_judged_as_it_says(level: str, kind: str) -> None:
    policies = pack()
    wrong, count = [], 0
    for name, pod in _pods(level, kind):
        said = [one for one in judge_case(policies, case_of(name, pod, None, None)) if one.policy == "pod-security"]
        count += 1
        if any(one.kind == "error" for one in said) or bool(said) != (kind == "fail"):
            wrong.append(name)
    assert wrong == []
    assert count >= 20
