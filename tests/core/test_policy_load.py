"""Loading policies: every problem of every file at its place, and what takes whose place."""

from __future__ import annotations

import pytest

from bot.core.codes.policies import ENTRIES
from bot.core.policy.load import load_policies
from bot.core.policy.model import PolicySet
from tests.core.policy_world import EVERYTHING, PARAMS, PATH, binding, document, judged, loaded, policy, refused

_HEAD = """\
apiVersion: admissionregistration.k8s.io/v1
kind: ValidatingAdmissionPolicy
metadata: {name: p}
spec:
  matchConstraints: {resourceRules: [{apiGroups: ["*"], apiVersions: ["*"], operations: ["*"], resources: ["*"]}]}
  validations:
"""
_BINDING = """\
---
apiVersion: admissionregistration.k8s.io/v1
kind: ValidatingAdmissionPolicyBinding
metadata: {name: p}
spec: {policyName: p, validationActions: [Deny]}
"""


@pytest.mark.parametrize("code", [code for code in ENTRIES if code not in ("CW0709", "CW0710", "CW0711")])
def test_the_examples_of_the_codes_are_true(code: str) -> None:
    wrong, right = (
        {path: text.encode() for path, text in side.items()} for side in (ENTRIES[code].wrong, ENTRIES[code].right)
    )
    assert {problem.code for problem in load_policies(wrong).problems} == {code}
    made = load_policies(right)
    assert made.problems == ()


@pytest.mark.parametrize(
    ("written", "place"),
    [
        ("  - expression: object.a == 1 && object.b.c\n", (7, 17)),
        ("  - expression: 'object.a == 1 &&\n      object.b == 2'\n", (7, 18)),
        ("  - message: m\n    expression: |-\n\n      object.a == 1 &&\n        object.b == 2\n", (10, 7)),
        ("  - message: m\n    expression: >\n      true &&\n      object.b == 2\n", (9, 7)),
        ('  - expression: "true && object.b == 2"\n', (7, 18)),
    ],
)
def test_a_verdict_stands_where_its_expression_begins(written: str, place: tuple[int, int]) -> None:
    text = written.replace("object.b.c\n", "object.b.c == 2\n")
    (found,) = judged(loaded({PATH: _HEAD + text + _BINDING}), {"configmap": {"a": 2, "b": {"c": 0}}})
    assert found.kind == "violation"
    assert (found.place.path, found.place.line, found.place.column) == (PATH, *place)


@pytest.mark.parametrize(
    ("written", "place"),
    [
        ("  - expression: 1 == 1 && object.b.c == 2\n", (7, 33)),
        ("  - message: m\n    expression: |-\n      true &&\n      object.b.c == 2\n", (10, 13)),
        ("  - message: m\n    expression: |2-\n          true &&\n          object.b.c == 2\n", (10, 17)),
        ("  - message: m\n    expression: >\n      true &&\n      object.b.c == 2\n", (10, 13)),
        ("  - expression: '''a'' == ''a'' && object.b.c == 2'\n", (7, 42)),
        ('  - expression: "true && object.b.c == 2"\n', (7, 32)),
        ('  - expression: "\\"a\\" == \\"a\\" && object.b.c == 2"\n', (7, 17)),
        ("  - message: m\n    expression: true &&\n      object.b.c == 2\n", (9, 13)),
        ("  - expression: (\"\U0001f600\" == '') || object.b.c == 2\n", (7, 38)),
    ],
)
def test_an_error_stands_at_the_part_that_failed(written: str, place: tuple[int, int]) -> None:
    (found,) = judged(loaded({PATH: _HEAD + written + _BINDING}), "configmap")
    assert (found.kind, found.message) == ("error", "no such key: b")
    assert (found.place.line, found.place.column) == place


def test_an_error_of_a_variable_stands_in_the_variable() -> None:
    text = _HEAD + "  - expression: variables.a == 1\n  variables:\n  - name: a\n    expression: object.b\n" + _BINDING
    (found,) = judged(loaded({PATH: text}), "configmap")
    assert found.place.line == 10


def test_of_a_chain_of_variables_the_one_that_failed_is_told_and_its_place() -> None:
    text = "  - expression: variables.b == 1\n  variables:\n  - name: a\n    expression: object.b\n"
    more = "  - name: b\n    expression: variables.a\n"
    (found,) = judged(loaded({PATH: _HEAD + text + more + _BINDING}), "configmap")
    assert found.message == 'composited variable "a" fails to evaluate: no such key: b'
    assert found.place.line == 10


def test_all_problems_of_all_files_are_told_at_once() -> None:
    other = _HEAD.replace("name: p}", "name: q}")
    found = refused(
        {
            PATH: _HEAD + "  - {expression: 'true', mesage: x}\n  - expression: object.x.y( == 1\n  - 7\n",
            "platform/policies/q.yaml": other + "  - expression: object.\n  - expression: request.dryRun == true\n",
            "platform/policies/r.yaml": "a: [",
            PARAMS: "kind: ConfigMap\nmetadata: {name: a}\n",
        }
    )
    assert [(problem.path.removeprefix("platform/policies/"), problem.line, problem.code) for problem in found] == [
        ("p.yaml", 7, "CW0104"), ("p.yaml", 8, "CW0713"), ("p.yaml", 9, "CW0112"),
        ("params/p.yaml", 1, "CW0111"), ("q.yaml", 7, "CW0713"), ("q.yaml", 8, "CW0715"),
        ("r.yaml", 1, "CW0101"),
    ]  # fmt: skip


def test_a_binding_is_not_blamed_for_a_policy_that_could_not_be_read() -> None:
    found = refused({PATH: document(binding()), "platform/policies/q.yaml": "kind: [\n"})
    assert [problem.code for problem in found] == ["CW0101"]


def test_a_policy_takes_the_place_of_the_shipped_one_and_of_its_bindings() -> None:
    def one(message: str, name: str, bound: str) -> bytes:
        return document(
            policy(name, validations=[{"expression": "false", "message": message}]), binding(bound, to=name)
        )

    shipped = {"v1/a.yaml": one("shipped a", "a", "a-shipped"), "v1/b.yaml": one("shipped b", "b", "b-shipped")}
    found = loaded({PATH: one("own a", "a", "a-own")}, shipped)
    assert [(one.message, one.binding) for one in judged(found, "configmap")] == [
        ("own a", "a-own"), ("shipped b", "b-shipped"),
    ]  # fmt: skip
    assert found.replaced == ("a",)
    softer = loaded({PATH: document(binding("b-shipped", to="b", validationActions=["Audit"]))}, shipped)
    assert [(one.policy, one.effect) for one in judged(softer, "configmap")] == [("a", "deny"), ("b", "audit")]
    assert softer.replaced == ("b",)


def test_examples_and_pages_are_left_alone_and_rego_is_handed_on() -> None:
    found = loaded(
        {
            "platform/policies/cases/p/fail.yaml": "kind: [",
            "platform/policies/README.md": "# x",
            "platform/policies/a.rego": "package main",
        }
    )
    assert (found.policies, dict(found.rego)) == ((), {"platform/policies/a.rego": b"package main"})


def test_the_digest_is_of_all_that_can_change_a_verdict() -> None:
    one = document(policy(validations=[{"expression": "true"}]), binding())
    first = loaded({PATH: one})
    assert first.digest == loaded({PATH: one}).digest
    others = [
        loaded({PATH: one + b"\n"}), loaded({}, {PATH: one}), loaded({"platform/policies/q.yaml": one}),
        loaded({PATH: one, PARAMS: document({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "a"}})}),
    ]  # fmt: skip
    assert len({first.digest, *(other.digest for other in others)}) == 5


def test_no_files_make_a_set_that_refuses_nothing() -> None:
    found = load_policies({})
    assert isinstance(found, PolicySet)
    assert judged(found, "configmap") == []


def test_a_rule_on_everything_reaches_every_kind() -> None:
    found = loaded({PATH: document(policy(validations=[{"expression": "false"}]), binding())})
    for what in ("deployment", "cronjob", "configmap", "namespace", "hpa", "workload"):
        assert judged(found, what)
    assert EVERYTHING["resources"] == ["*"]
