"""Judging as a whole: never open by mistake, pointers that lead to the cause, and nothing that makes it raise."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.core.cel import CelValue, compile_cel, evaluate
from bot.core.policy.defaults import with_defaults
from bot.core.policy.exchange import case_id, case_in, case_out, verdict_in, verdict_out
from bot.core.policy.judge import judge_case
from bot.core.policy.kinds import plural_of
from bot.core.policy.model import Case, Requirement
from bot.core.policy.pointing import pointers_in
from bot.core.policy.selecting import selects
from tests.core.policy_world import PATH, binding, case, checks, document, judged, loaded, made, passes, policy

EXPRESSIONS = (
    "object.spec.replicas <= 5",
    "object.metadata.name.startsWith('a') || object.spec.a == 1",
    "object.spec.containers.all(c, c.image != '')",
    "has(object.spec) && object.spec.?a.orValue(1) == 1",
    "object.metadata.labels['a'] == 'b'",
    "size(object.spec) > 0 && object.spec != null",
    "int(string(object.spec.a)) > 0",
    "!(object.spec.a == 1)",
    "object.spec.a ? true : object.spec.b == 1",
)
Data: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=3),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["a", "b", "labels", "name", "containers", "image", "replicas"]), inner)
    ),
    max_leaves=12,
)


@given(st.sampled_from(EXPRESSIONS), st.dictionaries(st.sampled_from(["metadata", "spec"]), Data))
def test_an_object_passes_only_where_the_expression_itself_is_true(expression: str, rest: dict[str, Any]) -> None:
    thing = {"apiVersion": "acme.com/v1", "kind": "Thing", **rest}
    program = compile_cel(expression, frozenset({"object"}))
    found = evaluate(program, {"object": with_defaults(thing)})  # type: ignore[arg-type]  # they all compile
    true = isinstance(found, CelValue) and found.type == "bool" and found.value is True
    one = Case("k", thing, None, None, "things", None, "prod")
    verdicts = judge_case(checks(expression), one)
    assert (verdicts == ()) is true
    assert all(verdict.effect == "deny" and verdict.place.path == PATH for verdict in verdicts)


@given(Data, Data, Data)
def test_no_object_makes_judging_raise(new: Any, old: Any, namespace: Any) -> None:
    policies = checks(
        "object.a == 1", "true", matchConditions=[{"name": "a", "expression": "object.b != 1"}],
        matchConstraints={
            "resourceRules": [{"apiGroups": ["*"], "apiVersions": ["*"], "operations": ["*"], "resources": ["*"]}],
            "namespaceSelector": {"matchLabels": {"a": "b"}}, "objectSelector": {"matchLabels": {"a": "b"}},
        },
    )  # fmt: skip
    judge_case(policies, Case("k", new, old, namespace, "things", None, "prod"))
    judge_case(checks("object != null"), Case("k", new, old, namespace, "things", None, "prod"))


@pytest.mark.parametrize("text", ["a\0b", "\0"])
def test_a_nul_in_a_text_denies_by_every_policy_that_matches(text: str) -> None:
    (found,) = judged(checks("true"), {"configmap": {"data": {"hello": text}}})
    assert (found.kind, found.effect, found.validation, found.place.line) == ("error", "deny", "case", 1)
    (old,) = judged(checks("true"), "configmap", old={"configmap": {"data": {"hello": text}}})
    assert "NUL" in old.message


def test_a_pod_that_is_wrong_is_told_once_for_its_workload() -> None:
    found = judged(checks("object.metadata.name != 'checkout'"), "deployment")
    assert [verdict.pointers for verdict in found] == [(("metadata", "name"),), (("spec", "template", "metadata"),)]


def test_two_expressions_with_one_message_are_two_verdicts() -> None:
    assert [one.validation for one in judged(checks("false", "false"), "configmap")] == [
        "validations[0]", "validations[1]",
    ]  # fmt: skip


def test_pointers_lead_to_what_is_read_through_variables_and_macros() -> None:
    policies = checks(
        "variables.all.all(c, c.securityContext.runAsNonRoot == true)",
        variables=[
            {"name": "pod", "expression": "object.spec.template.spec"},
            {"name": "all", "expression": "variables.pod.containers"},
        ],
        matchConstraints={
            "resourceRules": [{"apiGroups": ["apps"], "apiVersions": ["v1"], "operations": ["*"],
                               "resources": ["deployments"]}],
        },
    )  # fmt: skip
    containers = [
        {"name": "a", "image": "a:1", "securityContext": {"runAsNonRoot": False}}, {"name": "b", "image": "b:1"},
    ]  # fmt: skip
    (found,) = judged(policies, {"deployment": {"spec": {"template": {"spec": {"containers": containers}}}}})
    place = ("spec", "template", "spec", "containers")
    assert (*place, 0, "securityContext", "runAsNonRoot") == found.pointers[0]
    assert (*place, 1) in found.pointers


def test_of_a_path_that_is_not_there_what_is_there_counts() -> None:
    thing = {"spec": {"a": [{"b": 1}, {"c": 2}], "*": 3}}
    assert pointers_in(thing, (), [("spec", "x", "y")]) == (("spec",),)
    assert pointers_in(thing, (), [("spec", "a", "*", "b")]) == (("spec", "a", 0, "b"), ("spec", "a", 1))
    assert pointers_in(thing, ("spec",), [("a", 1, "c"), ("*",)]) == (("spec", "a", 1, "c"), ("spec", "*"))
    assert pointers_in(None, ("spec",), [("a",)]) == ()
    assert len(pointers_in({"a": [{} for _ in range(100)]}, (), [("a", "*")])) == 20


@given(st.dictionaries(st.sampled_from("abc"), st.sampled_from("xyz")), st.sampled_from("abc"), st.sampled_from("xyz"))
def test_selectors_are_each_others_opposite_as_in_kubernetes(labels: dict[str, str], key: str, value: str) -> None:
    def holds(operator: str, *values: str) -> bool:
        return selects((Requirement(key, operator, values),), labels)

    assert holds("In", value) is (labels.get(key) == value)
    assert holds("NotIn", value) is not holds("In", value)
    assert holds("Exists") is (key in labels)
    assert holds("DoesNotExist") is not holds("Exists")
    assert selects((), labels)


def test_every_binding_and_policy_judges_in_the_order_of_its_name() -> None:
    documents = [policy(name, validations=[{"expression": "false", "message": name}]) for name in ("b", "a")]
    bindings = [binding(f"{name}{at}", to=name) for name in ("a", "b") for at in (2, 1)]
    found = judged(loaded({PATH: document(*documents, *bindings)}), "configmap")
    assert [(one.policy, one.binding) for one in found] == [("a", "a1"), ("a", "a2"), ("b", "b1"), ("b", "b2")]


def test_a_case_and_its_verdicts_travel_as_plain_data() -> None:
    one = case({"configmap": {"data": {"hello": "\U0001f600"}}}, old="configmap")
    assert case_in(case_out(one)) == one
    assert case_id(one) == case_id(case_in(case_out(one))) != case_id(case("configmap"))
    verdicts = judged(checks("object.data.hello == ''"), one.object and {"configmap": {}})
    assert verdicts
    assert [verdict_in(verdict_out(verdict)) for verdict in verdicts] == verdicts


def test_a_map_of_any_class_is_judged_and_named_as_the_map_that_it_is() -> None:
    class Shown(Mapping[str, Any]):
        def __init__(self, value: Mapping[str, Any]) -> None:
            self.value = value

        def __getitem__(self, key: str) -> Any:
            inner = self.value[key]
            return Shown(inner) if isinstance(inner, dict) else inner

        def __iter__(self) -> Any:
            return iter(self.value)

        def __len__(self) -> int:
            return len(self.value)

    plain = case("deployment")
    shown = Case(plain.key, Shown(made("deployment")), None, plain.namespace, plain.resource, plain.unit, "prod")
    assert case_id(plain) == case_id(shown)
    policies = checks("object.spec.replicas == 2")
    assert judge_case(policies, plain) == judge_case(policies, shown) != ()


def test_a_condition_tells_one_kind_from_another() -> None:
    assert passes("object.spec.template.spec.containers.size() == 1 || object.kind != 'Deployment'")
    assert not passes("object.kind == 'StatefulSet'")
    assert plural_of("apps/v1", "Deployment") == "deployments"


def test_thousands_of_judgements_are_done_in_a_second() -> None:
    policies = checks(*(f"object.spec.replicas != {at}" for at in range(10, 14)))
    cases = [case({"deployment": {"metadata": {"name": f"a{at}"}}}) for at in range(100)]
    began = time.process_time()
    for one in cases:
        judge_case(policies, one)
    assert len(cases) * 4 / (time.process_time() - began) > 1000
