"""Defaults: what a cluster writes into an object before policies look, for every kind that is rendered."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from functools import lru_cache
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.core.build.fill import fill
from bot.core.build.state import Memo
from bot.core.model.unit import Effective
from bot.core.policy.default_rows import ROWS
from bot.core.policy.defaults import POD_SPECS, with_defaults
from bot.core.policy.filling import plain
from bot.core.policy.kinds import KINDS, group_version, plural_of
from bot.core.policy.pod_defaults import pull_policy
from bot.core.policy.pods import pod_of
from bot.core.policy.quantities import canonical
from bot.core.policy.workload import workload_of
from bot.core.problem import Refusal
from tests import reference
from tests.core.policy_world import OBJECTS, made, merged
from tests.core.render_world import CASES, built, case_named
from tests.core.rich import RICH

NOT_IN_A_CLUSTER = {"backstage.io"}
"""Groups of objects that no cluster sees."""


@lru_cache(maxsize=1)
def rendered() -> tuple[Mapping[str, Any], ...]:
    """Every Kubernetes object of the rich platform and of the cases of rendering."""
    found: list[Mapping[str, Any]] = []
    rich = built({path: text.encode() for path, text in RICH.items()})
    for build in (rich, *(case_named(name) for name in CASES)):
        for done in fill(build, build.digests, Memo()).values():
            assert not isinstance(done, Refusal), done
            found += [one for one in done.objects.values() if isinstance(one, Mapping) and "apiVersion" in one]
    return tuple(one for one in found if group_version(one["apiVersion"])[0] not in NOT_IN_A_CLUSTER)


def name_of(one: Mapping[str, Any]) -> tuple[str, str]:
    return group_version(str(one["apiVersion"]))[0], str(one["kind"])


def test_every_kind_that_is_rendered_has_a_row_and_a_plural() -> None:
    kinds = {name_of(one) for one in rendered()}
    assert len(kinds) > 18, kinds
    assert not kinds - ROWS.keys(), "write a row in bot/core/policy/default_rows.py"
    assert not kinds - KINDS.keys(), "write a row in bot/core/policy/kinds.py"
    assert ROWS.keys() == KINDS.keys()
    assert {one["apiVersion"] for one in rendered() if name_of(one) == ("autoscaling", "HorizontalPodAutoscaler")} == {
        "autoscaling/v2"
    }


def test_every_kind_is_rendered_in_the_version_that_its_row_names() -> None:
    for one in rendered():
        assert group_version(str(one["apiVersion"]))[1] == KINDS[name_of(one)].versions[0], name_of(one)


def test_defaults_are_written_once_and_take_nothing_away() -> None:
    for one in rendered():
        full = with_defaults(one)
        assert with_defaults(full) == full
        assert not list(lost(plain(one), full, ())), name_of(one)


def lost(before: Any, after: Any, at: tuple[Any, ...]) -> Iterator[tuple[Any, ...]]:
    """Places where something that was said is not there any more: emptiness and other words for a quantity aside."""
    if isinstance(before, dict) and isinstance(after, dict):
        for key, value in before.items():
            if key in after:
                yield from lost(value, after[key], (*at, key))
            elif value not in ({}, [], False):
                yield (*at, key)
    elif isinstance(before, list) and isinstance(after, list):
        for index, (one, two) in enumerate(zip(before, after, strict=True)):
            yield from lost(one, two, (*at, index))
    elif before != after and canonical(before) != after:
        yield at


SCHEMAS = {
    ("argoproj.io", "AppProject"): "strict/argoproj.io/appproject_v1alpha1.json",
    ("argoproj.io", "Application"): "strict/argoproj.io/application_v1alpha1.json",
    ("external-secrets.io", "ExternalSecret"): "external-secrets.io/externalsecret_v1.json",
    ("gateway.networking.k8s.io", "HTTPRoute"): "gateway.networking.k8s.io/httproute_v1.json",
    ("monitoring.coreos.com", "PrometheusRule"): "monitoring.coreos.com/prometheusrule_v1.json",
    ("monitoring.coreos.com", "ServiceMonitor"): "monitoring.coreos.com/servicemonitor_v1.json",
    ("external-secrets.io", "SecretStore"): "external-secrets.io/secretstore_v1.json",
}


@reference.needs("crd-schemas")
@pytest.mark.parametrize("name", SCHEMAS, ids="/".join)
def test_custom_resources_get_the_defaults_of_their_own_schemas(name: tuple[str, str]) -> None:
    schema = json.loads((reference.folder("crd-schemas") / SCHEMAS[name]).read_text(encoding="utf-8"))
    ours = [one for one in rendered() if name_of(one) == name]
    assert ours
    for one in ours:
        expected = plain(one)
        structural(expected, schema)
        assert with_defaults(one).get("spec") == expected.get("spec")


def structural(value: Any, schema: Mapping[str, Any]) -> None:
    """The defaults of a schema, as an API server fills them in."""
    if isinstance(value, dict):
        for key, inner in (schema.get("properties") or {}).items():
            if key not in value and "default" in inner:
                value[key] = json.loads(json.dumps(inner["default"]))
            if key in value:
                structural(value[key], inner)
        if isinstance(schema.get("additionalProperties"), dict):
            for inner_value in value.values():
                structural(inner_value, schema["additionalProperties"])
    elif isinstance(value, list):
        for item in value:
            structural(item, schema.get("items") or {})


def test_a_deployment_gets_what_a_cluster_writes() -> None:
    spec = with_defaults(OBJECTS["deployment"])["spec"]
    assert (spec["replicas"], spec["revisionHistoryLimit"], spec["progressDeadlineSeconds"]) == (1, 10, 600)
    assert spec["strategy"] == {
        "type": "RollingUpdate", "rollingUpdate": {"maxUnavailable": "25%", "maxSurge": "25%"},
    }  # fmt: skip
    pod = spec["template"]["spec"]
    assert pod["containers"] == [
        {
            "name": "app", "image": "ghcr.io/acme/checkout:1", "terminationMessagePath": "/dev/termination-log",
            "terminationMessagePolicy": "File", "imagePullPolicy": "IfNotPresent", "resources": {},
        }
    ]  # fmt: skip
    assert {key: pod[key] for key in pod if key != "containers"} == {
        "dnsPolicy": "ClusterFirst", "restartPolicy": "Always", "terminationGracePeriodSeconds": 30,
        "securityContext": {}, "schedulerName": "default-scheduler", "enableServiceLinks": True,
    }  # fmt: skip
    recreated = with_defaults(made({"deployment": {"spec": {"strategy": {"type": "Recreate"}}}}))
    assert recreated["spec"]["strategy"] == {"type": "Recreate"}


@pytest.mark.parametrize(
    ("container", "expected"),
    [
        ({"ports": [{"containerPort": 1}]}, {"ports": [{"containerPort": 1, "protocol": "TCP"}]}),
        ({"args": [], "tty": False}, {}),
        (
            {"readinessProbe": {"httpGet": {"port": 1}}},
            {"readinessProbe": {"httpGet": {"port": 1, "path": "/", "scheme": "HTTP"}, "timeoutSeconds": 1,
                                "periodSeconds": 10, "successThreshold": 1, "failureThreshold": 3}},
        ),
        (
            {"resources": {"limits": {"cpu": 0.5, "memory": "1024Mi"}, "requests": {"cpu": "100m"}}},
            {"resources": {"limits": {"cpu": "500m", "memory": "1Gi"}, "requests": {"cpu": "100m", "memory": "1Gi"}}},
        ),
        (
            {"env": [{"name": "A", "valueFrom": {"fieldRef": {"fieldPath": "x"}}}]},
            {"env": [{"name": "A", "valueFrom": {"fieldRef": {"fieldPath": "x", "apiVersion": "v1"}}}]},
        ),
    ],
)  # fmt: skip
def test_a_container_gets_what_a_cluster_writes(container: dict[str, Any], expected: dict[str, Any]) -> None:
    pod = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "a"}, "spec": {"containers": [container]}}
    (found,) = with_defaults(pod)["spec"]["containers"]
    known = ("terminationMessagePath", "terminationMessagePolicy", "imagePullPolicy")
    assert {key: found[key] for key in found if key not in known} == {"resources": {}, **expected}


@pytest.mark.parametrize(
    ("image", "policy"),
    [
        ("a", "Always"), ("a:latest", "Always"), ("a:1", "IfNotPresent"), ("h:5000/a", "Always"),
        ("h:5000/a:1", "IfNotPresent"), ("a@sha256:" + "0" * 64, "IfNotPresent"), (None, "Always"),
    ],
)  # fmt: skip
def test_an_image_without_a_version_is_always_pulled(image: str | None, policy: str) -> None:
    assert pull_policy(image) == policy


@pytest.mark.parametrize(
    ("written", "canon"),
    [
        (1, "1"), ("0.5", "500m"), ("1000m", "1"), ("1024Mi", "1Gi"), ("1.5Gi", "1536Mi"), ("100Mi", "100Mi"),
        ("1e3", "1e3"), ("1000", "1k"), ("0", "0"), (0.1, "100m"), ("0.5Mi", "512Ki"), ("2000k", "2M"),
        ("512", "512"), ("much", "much"), (True, True),
    ],
)  # fmt: skip
def test_quantities_are_written_in_one_form(written: Any, canon: Any) -> None:
    assert canonical(written) == canon
    assert canonical(canon) == canon


@given(st.text(alphabet="0123456789.eEkKMGTPmnui+-", max_size=12))
def test_no_text_breaks_the_reading_of_quantities(text: str) -> None:
    once = canonical(text)
    assert canonical(once) == once


def test_every_workload_makes_its_pod() -> None:
    makers = [one for one in rendered() if name_of(one) in POD_SPECS]
    assert {name_of(one)[1] for one in makers} >= {"Deployment", "Job"}
    for one in [*makers, OBJECTS["cronjob"]]:
        pod = pod_of(one)
        assert (pod["apiVersion"], pod["kind"]) == ("v1", "Pod")
        assert pod["metadata"]["name"] == one["metadata"]["name"]
        assert pod["metadata"]["namespace"] == one["metadata"]["namespace"]
        assert with_defaults(pod) == pod
    assert pod_of(OBJECTS["cronjob"])["metadata"]["ownerReferences"][0]["kind"] == "Job"
    assert pod_of(OBJECTS["configmap"]) is None
    assert pod_of(pod_of(OBJECTS["deployment"])) is None
    assert pod_of({"apiVersion": "apps/v1", "kind": "Deployment", "spec": {"template": "odd"}}) is None


def test_a_pod_tolerates_what_a_cluster_lets_every_pod_tolerate() -> None:
    pod = pod_of(OBJECTS["deployment"])
    assert [one["key"] for one in pod["spec"]["tolerations"]] == [
        "node.kubernetes.io/not-ready", "node.kubernetes.io/unreachable",
    ]  # fmt: skip
    every = {"spec": {"template": {"spec": {"tolerations": [{"operator": "Exists"}]}}}}
    assert pod_of(merged(OBJECTS["deployment"], every))["spec"]["tolerations"] == [{"operator": "Exists"}]


def test_a_workload_carries_the_effective_manifest_and_its_labels() -> None:
    effective = Effective("services/checkout", "prod", "checkout", "payments", "web", 1, {"scale": {"min": 2}})
    found: Any = workload_of(effective, "prod", "payments", 3, "checkout-prod")
    assert (found["apiVersion"], found["kind"], found["spec"]) == ("causeway.dev/v1", "Workload", effective.value)
    assert found["metadata"]["labels"] == {"env": "prod", "team": "payments", "tier": "3"}
    assert found["metadata"]["namespace"] == "checkout-prod"


Odd: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=4),
    lambda inner: st.lists(inner, max_size=3)
    | st.dictionaries(
        st.sampled_from(
            ["metadata", "spec", "template", "containers", "labels", "volumes", "ports", "strategy", "limits",
             "resources", "tolerations", "readinessProbe", "name", "image"]
        ),
        inner, max_size=4,
    ),
    max_leaves=20,
)  # fmt: skip


@given(st.sampled_from(sorted(KINDS)), st.dictionaries(st.sampled_from(["metadata", "spec", "status"]), Odd))
def test_no_object_breaks_the_defaults(name: tuple[str, str], rest: dict[str, Any]) -> None:
    group, kind = name
    version = KINDS[name].versions[0]
    full = with_defaults({"apiVersion": f"{group}/{version}" if group else version, "kind": kind, **rest})
    assert with_defaults(full) == full
    pod_of(full)


@pytest.mark.parametrize(
    ("kind", "plural"), [("Policy", "policies"), ("Ingress", "ingresses"), ("Box", "boxes"), ("Thing", "things")]
)
def test_a_kind_that_is_not_known_gets_the_plural_that_tools_guess(kind: str, plural: str) -> None:
    assert plural_of("acme.com/v1", kind) == plural
