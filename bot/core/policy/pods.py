"""The pod that a workload makes: policies on pods are judged on it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from bot.core.model.values import Pointer, Value
from bot.core.policy.defaults import POD_SPECS, with_defaults
from bot.core.policy.kinds import as_map, group_version, text_of
from bot.core.policy.pod_defaults import admit_pod

_OWNERS: Final[Mapping[str, tuple[str, str]]] = {
    "Deployment": ("apps/v1", "ReplicaSet"),
    "CronJob": ("batch/v1", "Job"),
}
"""Kinds whose pods belong to an object between."""


def template_of(value: Value) -> Pointer | None:
    """Where the template of a pod stands in a workload; None for what makes no pods, and for a pod itself."""
    found = as_map(value)
    name = (group_version(text_of(found, "apiVersion"))[0], text_of(found, "kind"))
    spec = POD_SPECS.get(name, "spec")
    return tuple(spec.split(".")[:-1]) or None


def pod_of(value: Value) -> Any:
    """The pod that a workload's template makes, with every default; None for what makes no pods or has no template.

    It is called as the workload, since the cluster chooses the end of its name only later, and it says who owns it."""
    where = template_of(value)
    if where is None:
        return None
    template: Value = value
    for part in where:
        template = as_map(template).get(str(part))
    spec = as_map(template).get("spec")
    if not isinstance(spec, Mapping):
        return None
    metadata, name = dict(as_map(as_map(template).get("metadata"))), text_of(value, "metadata", "name")
    metadata["name"], metadata["generateName"] = name, f"{name}-"
    namespace = text_of(value, "metadata", "namespace")
    if namespace:
        metadata["namespace"] = namespace
    kind = text_of(value, "kind")
    api_version, owner = _OWNERS.get(kind, (text_of(value, "apiVersion"), kind))
    metadata["ownerReferences"] = [
        {"apiVersion": api_version, "kind": owner, "name": name, "controller": True, "blockOwnerDeletion": True}
    ]
    pod = with_defaults({"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": spec})
    admit_pod(pod["spec"])
    return pod
