"""Expressions are held to the types that a cluster knows, and to what it lets a policy cost."""

from __future__ import annotations

import pytest

from bot.core.policy import run
from bot.core.policy.model import Place
from tests.core.policy_world import PATH, binding, checks, document, judged, loaded, passes, policy, refused

TEN = "[1, 2, 3, 4, 5, 6, 7, 8, 9, 0]"
BIGGER = "".join(f"{TEN}.all({name}, " for name in "abcdef") + "true" + ")" * 6


@pytest.mark.parametrize(
    ("variable", "expression"),
    [
        ("'text'", "variables.v + 1 == 2"),
        ("[1, 2]", "variables.v.startsWith('a')"),
        ("size(object.spec)", "variables.v == 'two'"),
        ("{'a': 1}", "variables.v.a == 'one'"),
        ("object.spec.replicas", "request.operation == 1"),
        ("object.spec.replicas", "request.kind == 'Deployment'"),
        ("object.spec.replicas", "namespaceObject.metadata.labels.tier == 1"),
        ("object.spec.replicas", "variables.v"),
    ],
)
def test_what_a_cluster_does_not_compile_for_its_types_is_a_problem_when_it_is_read(
    variable: str, expression: str
) -> None:
    made = policy(variables=[{"name": "v", "expression": variable}], validations=[{"expression": expression}])
    assert [problem.code for problem in refused({PATH: document(made, binding())})] == ["CW0713"]


@pytest.mark.parametrize(
    ("variable", "expression"),
    [
        ("[1, 2]", "variables.v.all(x, x > 0) && has(request.kind.kind) && has(request.namespace)"),
        ("{'a': 'b'}", "variables.v.?c.orValue('d') == 'd' && request.?name.orValue('') != ''"),
        ("object.data", "variables.v.hello == 'world' && has(variables.v.hello) && request.kind.?kind.hasValue()"),
        ("optional.of(1)", "variables.v.orValue(2) == 1 && 'environment' in namespaceObject.metadata.labels"),
        ("quantity('1')", "variables.v.isGreaterThan(quantity('500m')) && request.kind.kind == 'ConfigMap'"),
        ("1", "has(namespaceObject.metadata.labels) && [{'v': 'a'}].all(variables, variables.v == 'a')"),
    ],
)
def test_types_refuse_nothing_that_a_cluster_takes(variable: str, expression: str) -> None:
    found = judged(checks(expression, variables=[{"name": "v", "expression": variable}]), "configmap")
    assert not found


def test_nothing_absorbs_that_a_variable_costs_too_much() -> None:
    validations = [{"expression": "variables.v || true"}, {"expression": "true || variables.v"}]
    made = policy(variables=[{"name": "v", "expression": BIGGER}], validations=validations)
    found = judged(loaded({PATH: document(made, binding())}), "configmap")
    assert [(one.validation, one.kind) for one in found] == [("validations[0]", "error")]
    assert "costs more" in found[0].message
    assert found[0].place == Place(PATH, 1, document(made).decode().index(BIGGER) + 1), "the variable, not its reader"


def test_all_expressions_of_a_policy_together_have_a_limit_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(run, "MOST_IN_ALL", 12_000)
    loop = "[{0}].all(a, [{0}].all(b, [{0}].all(c, a + b + c >= 0)))".format("0,1,2,3,4,5,6,7,8,9")
    assert not judged(checks(loop), "configmap")
    found = judged(checks(*[loop] * 5), "configmap")
    assert [one.validation for one in found] == ["validations[2]", "validations[3]", "validations[4]"]
    assert all("costs more" in one.message and one.kind == "error" for one in found)


def test_a_namespaces_labels_fail_beside_what_is_no_map_as_in_a_cluster() -> None:
    assert not passes("!(namespaceObject.metadata.labels == object.spec.replicas)")
    assert not passes("!(object.spec.replicas in namespaceObject.metadata.labels)")
    assert passes("namespaceObject.metadata.labels != {'a': 'b'} && !('x' in namespaceObject.metadata.labels)")


def test_an_object_without_a_namespace_shows_the_one_that_it_is_put_into() -> None:
    assert passes("object.metadata.namespace == 'checkout-prod'", {"configmap": {"metadata": {"namespace": None}}})
    assert passes("!has(object.metadata.namespace)", "namespace")
