"""An object as policies in a cluster see it: with the defaults of its kind written out."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from bot.core.model.values import Value
from bot.core.policy.default_rows import ROWS
from bot.core.policy.filling import Plain, at, drop, fill, plain
from bot.core.policy.kinds import group_version
from bot.core.policy.pod_defaults import fill_pod
from bot.core.policy.quantities import canonical

POD_SPECS: Final[Mapping[tuple[str, str], str]] = {
    ("", "Pod"): "spec",
    ("apps", "DaemonSet"): "spec.template.spec",
    ("apps", "Deployment"): "spec.template.spec",
    ("apps", "ReplicaSet"): "spec.template.spec",
    ("apps", "StatefulSet"): "spec.template.spec",
    ("batch", "CronJob"): "spec.jobTemplate.spec.template.spec",
    ("batch", "Job"): "spec.template.spec",
}
"""Kinds that make pods -> where the spec of the pod stands."""

_AMOUNTS: Final[Mapping[tuple[str, str], tuple[str, ...]]] = {
    ("", "LimitRange"): tuple(
        f"spec.limits[].{key}" for key in ("default", "defaultRequest", "max", "maxLimitRequestRatio", "min")
    ),
    ("", "PersistentVolumeClaim"): ("spec.resources.limits", "spec.resources.requests"),
    ("", "ResourceQuota"): ("spec.hard",),
    ("apps", "StatefulSet"): ("spec.volumeClaimTemplates[].spec.resources.requests",),
}
"""Maps of quantities, outside of pods."""


def with_defaults(value: Value) -> Any:
    """A copy of the object with every default that a cluster would write into it before policies look, quantities in
    their canonical form, and without what Kubernetes drops. Idempotent. An object of a kind without a row in
    `default_rows`, or one that is no map, is only copied. What only a cluster knows (`uid`, `creationTimestamp`,
    addresses) is not there."""
    found = plain(value)
    if not isinstance(found, dict):
        return found
    group, _ = group_version(str(found.get("apiVersion", "")))
    name = (group, str(found.get("kind", "")))
    drop(found, "metadata", ("labels", "annotations", "finalizers", "ownerReferences"), lambda part: part in ({}, []))
    fill(found, ROWS.get(name, ()))
    if name == ("", "Namespace"):
        _name_label(found)
    if name == ("", "LimitRange"):
        _limits(found)
    for path in _AMOUNTS.get(name, ()):
        for amounts in at(found, path):
            for key in amounts:
                amounts[key] = canonical(amounts[key])
    if name in POD_SPECS:
        for spec in at(found, POD_SPECS[name]):
            fill_pod(spec)
    return found


def _name_label(found: Plain) -> None:
    for metadata in at(found, "metadata"):
        if isinstance(metadata.get("labels"), dict) and isinstance(metadata.get("name"), str):
            metadata["labels"]["kubernetes.io/metadata.name"] = metadata["name"]


def _limits(found: Plain) -> None:
    for limit in at(found, "spec.limits[]"):
        if limit.get("type") != "Container":
            continue
        for key, source in (("default", "max"), ("defaultRequest", "default"), ("defaultRequest", "min")):
            known = limit.get(source)
            if isinstance(known, dict) and known:
                own = limit.setdefault(key, {})
                for name in known if isinstance(own, dict) else ():
                    own.setdefault(name, known[name])
