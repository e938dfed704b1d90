"""What differs between two values, and what running pods feel of it."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.core.plan.diff import differences
from bot.core.plan.pods import downtime, restarts
from bot.core.plan.shape import at, same

SCALARS = st.none() | st.booleans() | st.integers(0, 3) | st.sampled_from(["", "a", "b", "1", "true"])
NAMED = st.lists(
    st.fixed_dictionaries({"name": st.sampled_from("abcd"), "value": SCALARS}),
    max_size=4,
    unique_by=lambda i: i["name"],
)
VALUES: st.SearchStrategy[Any] = st.recursive(
    SCALARS | NAMED,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["k", "l", "m"]), inner, max_size=3),
    max_leaves=12,
)


@given(VALUES)
def test_a_value_does_not_differ_from_itself_in_another_order_of_keys(value: Any) -> None:
    assert list(differences(value, _turned(value))) == []


@given(VALUES, VALUES)
def test_values_differ_exactly_where_they_are_not_the_same_data(a: Any, b: Any) -> None:
    assert bool(list(differences(a, b))) == (not same(a, b))


@given(VALUES, VALUES)
def test_a_difference_says_what_stood_there_before_and_after(a: Any, b: Any) -> None:
    for found in differences(a, b):
        if found.before is not None and found.was[-1:] == found.pointer[-1:]:
            assert same(at(a, found.was), found.before)
        if found.after is not None and found.now[-1:] == found.pointer[-1:]:
            assert same(at(b, found.now), found.after)


@given(VALUES, VALUES)
def test_the_order_of_keys_never_changes_the_answer(a: Any, b: Any) -> None:
    assert list(differences(a, b)) == list(differences(_turned(a), _turned(b)))


def test_a_variable_put_before_another_is_one_difference_named_by_its_name() -> None:
    old = {"env": [{"name": "B", "value": "1"}]}
    new = {"env": [{"name": "A", "value": "x"}, {"name": "B", "value": "2"}]}
    found = [(d.pointer, d.now, d.before, d.after) for d in differences(old, new)]
    assert found == [
        (("env", "A"), ("env", 0), None, {"name": "A", "value": "x"}),
        (("env", "B", "value"), ("env", 1, "value"), "1", "2"),
    ]


def test_named_items_in_another_order_are_told_as_an_order() -> None:
    one, two = {"name": "A"}, {"name": "B"}
    (found,) = differences({"env": [one, two]}, {"env": [two, one]})
    assert (found.pointer, found.before, found.after) == (("env",), ["A", "B"], ["B", "A"])


def test_an_item_without_a_name_that_is_put_in_between_is_one_difference() -> None:
    a, b, c = {"port": 1}, {"port": 2}, {"port": 3}
    (found,) = differences({"egress": [a, c]}, {"egress": [a, b, c]})
    assert (found.pointer, found.before, found.after) == (("egress", 1), None, b)


def test_an_item_without_a_name_that_changes_is_told_by_what_changes_in_it() -> None:
    old, new = [{"port": 1}, {"port": 2, "to": "x"}], [{"port": 1}, {"port": 3, "to": "x"}]
    (found,) = differences(old, new)
    assert (found.pointer, found.before, found.after) == ((1, "port"), 2, 3)


def test_a_list_of_plain_values_is_one_difference() -> None:
    (found,) = differences({"args": ["serve"]}, {"args": ["-v", "serve"]})
    assert (found.pointer, found.before, found.after) == (("args",), ["serve"], ["-v", "serve"])


@pytest.mark.parametrize(("a", "b"), [(1, True), (0, False), (1, 1.0), (1, "1"), (None, ""), ([], {})])
def test_data_of_different_types_is_never_the_same(a: Any, b: Any) -> None:
    assert not same(a, b)


def test_a_new_image_restarts_the_pods() -> None:
    assert restarts([_deployment(image="a")], [_deployment(image="b")])


def test_another_number_of_replicas_restarts_nothing() -> None:
    assert not restarts([_deployment(replicas=1)], [_deployment(replicas=5)])


def test_a_new_service_restarts_nothing() -> None:
    assert not restarts([], [_deployment()])


def test_a_workload_that_moves_to_another_namespace_restarts_with_downtime() -> None:
    old, new = [_deployment(namespace="a")], [_deployment(namespace="b")]
    assert restarts(old, new)
    assert downtime(old, new)


@pytest.mark.parametrize(
    ("strategy", "replicas", "gap"),
    [
        ({"type": "RollingUpdate", "rollingUpdate": {"maxUnavailable": 0, "maxSurge": "25%"}}, 1, False),
        ({"type": "RollingUpdate", "rollingUpdate": {"maxUnavailable": 1, "maxSurge": 0}}, 1, True),
        ({"type": "RollingUpdate", "rollingUpdate": {"maxUnavailable": 1, "maxSurge": 0}}, 2, False),
        ({"type": "RollingUpdate", "rollingUpdate": {"maxUnavailable": "25%", "maxSurge": "25%"}}, 1, False),
        ({"type": "RollingUpdate", "rollingUpdate": {"maxUnavailable": "100%", "maxSurge": 0}}, 3, True),
        # Both round to nothing: Kubernetes then takes one pod away, and there is no other.
        ({"type": "RollingUpdate", "rollingUpdate": {"maxUnavailable": "25%", "maxSurge": 0}}, 1, True),
        ({"type": "Recreate"}, 3, True),
        ({}, 1, False),
    ],
)
def test_downtime_is_what_the_rollout_may_take_away_at_once(strategy: Any, replicas: int, gap: bool) -> None:
    old = _deployment(image="a", replicas=replicas, strategy=strategy)
    new = _deployment(image="b", replicas=replicas, strategy=strategy)
    assert downtime([old], [new]) is gap


def test_an_autoscaler_says_how_many_replicas_surely_run() -> None:
    strategy = {"type": "RollingUpdate", "rollingUpdate": {"maxUnavailable": 2, "maxSurge": 0}}
    old, new = _deployment(image="a", strategy=strategy), _deployment(image="b", strategy=strategy)
    scaler = {
        "kind": "HorizontalPodAutoscaler",
        "spec": {"minReplicas": 3, "scaleTargetRef": {"kind": "Deployment", "name": "checkout"}},
    }
    assert downtime([old], [new])
    assert not downtime([old], [new, scaler])


def test_without_a_restart_there_is_no_downtime() -> None:
    recreate = _deployment(strategy={"type": "Recreate"})
    assert not downtime([recreate], [_deployment(strategy={"type": "Recreate"}, replicas=3)])


def _deployment(image: str = "a", namespace: str = "n", replicas: int | None = None, strategy: Any = None) -> Any:
    return {
        "kind": "Deployment",
        "metadata": {"name": "checkout", "namespace": namespace},
        "spec": {
            "replicas": replicas,
            "strategy": strategy or {},
            "template": {"spec": {"containers": [{"name": "checkout", "image": image}]}},
        },
    }


def _turned(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _turned(item) for key, item in reversed(value.items())}
    return [_turned(item) for item in value] if isinstance(value, list) else value
