"""Policies and objects for tests: whole documents from the few words that a test is about."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from bot.core.policy.judge import judge_case
from bot.core.policy.kinds import plural_of
from bot.core.policy.load import load_policies
from bot.core.policy.model import Case, PolicySet, Verdict
from bot.core.problem import Problem, Refusal

PATH = "platform/policies/p.yaml"
PARAMS = "platform/policies/params/p.yaml"
EVERYTHING: Mapping[str, Any] = {
    "apiGroups": ["*"], "apiVersions": ["*"], "operations": ["*"], "resources": ["*"],
}  # fmt: skip

POD: Mapping[str, Any] = {
    "metadata": {"labels": {"app": "checkout"}},
    "spec": {"containers": [{"name": "app", "image": "ghcr.io/acme/checkout:1"}]},
}
OBJECTS: Mapping[str, Mapping[str, Any]] = {
    "deployment": {
        "apiVersion": "apps/v1", "kind": "Deployment",
        "metadata": {"name": "checkout", "namespace": "checkout-prod", "labels": {"app": "checkout"}},
        "spec": {"selector": {"matchLabels": {"app": "checkout"}}, "template": POD},
    },
    "cronjob": {
        "apiVersion": "batch/v1", "kind": "CronJob",
        "metadata": {"name": "nightly", "namespace": "checkout-prod"},
        "spec": {"schedule": "0 3 * * *", "jobTemplate": {"spec": {"template": POD}}},
    },
    "pod": {
        "apiVersion": "v1", "kind": "Pod", **POD,
        "metadata": {"name": "checkout-1", "namespace": "checkout-prod", "labels": {"app": "checkout"}},
    },
    "service": {
        "apiVersion": "v1", "kind": "Service", "metadata": {"name": "checkout", "namespace": "checkout-prod"},
        "spec": {"selector": {"app": "checkout"}, "ports": [{"port": 80, "targetPort": 8080}]},
    },
    "ingress": {
        "apiVersion": "networking.k8s.io/v1", "kind": "Ingress",
        "metadata": {"name": "checkout", "namespace": "checkout-prod"},
        "spec": {"tls": [{"hosts": ["shop.acme.com"], "secretName": "shop"}], "rules": [{"host": "shop.acme.com"}]},
    },
    "configmap": {
        "apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "texts", "namespace": "checkout-prod"},
        "data": {"hello": "world"},
    },
    "namespace": {
        "apiVersion": "v1", "kind": "Namespace",
        "metadata": {"name": "checkout-prod", "labels": {"environment": "production"}},
    },
    "policy": {
        "apiVersion": "admissionregistration.k8s.io/v1", "kind": "ValidatingAdmissionPolicy",
        "metadata": {"name": "guard"}, "spec": {},
    },
    "hpa": {
        "apiVersion": "autoscaling/v2", "kind": "HorizontalPodAutoscaler",
        "metadata": {"name": "checkout", "namespace": "checkout-prod"},
        "spec": {"maxReplicas": 4, "scaleTargetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": "a"}},
    },
    "workload": {
        "apiVersion": "causeway.dev/v1", "kind": "Workload",
        "metadata": {"name": "checkout", "namespace": "checkout-prod",
                     "labels": {"env": "prod", "team": "payments", "tier": "3"}},
        "spec": {"owner": "payments", "scale": {"min": 2, "max": 4}},
    },
}  # fmt: skip
"""Objects by a short name, for `made`."""


def made(what: Any) -> Any:
    """An object: null, the short name of one, or `{name: changes}`, merged into it; a null removes a key."""
    if what is None:
        return None
    name, changes = (what, {}) if isinstance(what, str) else next(iter(what.items()))
    return merged(OBJECTS[name], changes)


def merged(value: Any, changes: Any) -> Any:
    """Maps merged, everything else replaced."""
    if not isinstance(changes, Mapping) or not isinstance(value, Mapping):
        return changes
    keys = [*value, *(key for key in changes if key not in value)]
    pairs = {key: merged(value.get(key), changes[key]) if key in changes else value[key] for key in keys}
    return {key: one for key, one in pairs.items() if one is not None}


def policy(name: str = "p", **spec: Any) -> dict[str, Any]:
    """A policy on everything, with the fields of `spec`."""
    return {
        "apiVersion": "admissionregistration.k8s.io/v1", "kind": "ValidatingAdmissionPolicy",
        "metadata": {"name": name}, "spec": {"matchConstraints": {"resourceRules": [EVERYTHING]}, **spec},
    }  # fmt: skip


def binding(name: str = "p", to: str = "p", **spec: Any) -> dict[str, Any]:
    """A binding that denies, with the fields of `spec`."""
    return {
        "apiVersion": "admissionregistration.k8s.io/v1", "kind": "ValidatingAdmissionPolicyBinding",
        "metadata": {"name": name}, "spec": {"policyName": to, "validationActions": ["Deny"], **spec},
    }  # fmt: skip


def document(*documents: Any) -> bytes:
    """The documents in one file."""
    return "---\n".join(json.dumps(one, ensure_ascii=False) + "\n" for one in documents).encode()


def loaded(files: Mapping[str, bytes | str], shipped: Mapping[str, bytes] | None = None) -> PolicySet:
    """The set; the test fails where the files have problems."""
    made_of = {path: data.encode() if isinstance(data, str) else data for path, data in files.items()}
    found = load_policies(made_of, shipped or {})
    assert isinstance(found, PolicySet), found
    return found


def refused(files: Mapping[str, bytes | str]) -> tuple[Problem, ...]:
    """The problems; the test fails where there are none."""
    found = load_policies({path: data.encode() if isinstance(data, str) else data for path, data in files.items()})
    assert isinstance(found, Refusal), found
    return found.problems


def checks(*expressions: str, **spec: Any) -> PolicySet:
    """A policy with these validations, bound."""
    validations = [{"expression": one, "message": "no"} for one in expressions]
    return loaded({PATH: document(policy(validations=validations, **spec), binding())})


def case(what: Any, old: Any = None, namespace: Any = "namespace") -> Case:
    """A case by short names of objects."""
    new, before = made(what), made(old)
    shown = new if new is not None else before
    plural = plural_of(shown["apiVersion"], shown["kind"])
    return Case("environments/prod/x.yaml", new, before, made(namespace), plural, "services/checkout", "prod")


def judged(policies: PolicySet, what: Any, old: Any = None, namespace: Any = "namespace") -> list[Verdict]:
    """All verdicts over one object."""
    return list(judge_case(policies, case(what, old, namespace)))


def passes(expression: str, what: Any = "deployment", old: Any = None, namespace: Any = "namespace") -> bool:
    """Whether an expression is true of an object."""
    return not judged(checks(expression), what, old, namespace)
