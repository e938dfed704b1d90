"""Kinds of Kubernetes objects: their plurals, whether they live in a namespace, and which of them we render."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from bot.core.model.values import Value


@dataclass(frozen=True, slots=True)
class Kind:
    """What a cluster knows of a kind. `versions` are those that it serves and we know; the first is what we render."""

    plural: str
    versions: tuple[str, ...]
    namespaced: bool = True


WORKLOAD: Final = ("causeway.dev", "Workload")

KINDS: Final[Mapping[tuple[str, str], Kind]] = {
    ("", "ConfigMap"): Kind("configmaps", ("v1",)),
    ("", "LimitRange"): Kind("limitranges", ("v1",)),
    ("", "Namespace"): Kind("namespaces", ("v1",), namespaced=False),
    ("", "PersistentVolumeClaim"): Kind("persistentvolumeclaims", ("v1",)),
    ("", "Pod"): Kind("pods", ("v1",)),
    ("", "ResourceQuota"): Kind("resourcequotas", ("v1",)),
    ("", "Secret"): Kind("secrets", ("v1",)),
    ("", "Service"): Kind("services", ("v1",)),
    ("", "ServiceAccount"): Kind("serviceaccounts", ("v1",)),
    ("admissionregistration.k8s.io", "ValidatingAdmissionPolicy"): Kind(
        "validatingadmissionpolicies", ("v1",), namespaced=False
    ),
    ("admissionregistration.k8s.io", "ValidatingAdmissionPolicyBinding"): Kind(
        "validatingadmissionpolicybindings", ("v1",), namespaced=False
    ),
    ("apps", "DaemonSet"): Kind("daemonsets", ("v1",)),
    ("apps", "Deployment"): Kind("deployments", ("v1",)),
    ("apps", "ReplicaSet"): Kind("replicasets", ("v1",)),
    ("apps", "StatefulSet"): Kind("statefulsets", ("v1",)),
    ("argoproj.io", "AppProject"): Kind("appprojects", ("v1alpha1",)),
    ("argoproj.io", "Application"): Kind("applications", ("v1alpha1",)),
    ("autoscaling", "HorizontalPodAutoscaler"): Kind("horizontalpodautoscalers", ("v2", "v1")),
    ("batch", "CronJob"): Kind("cronjobs", ("v1",)),
    ("batch", "Job"): Kind("jobs", ("v1",)),
    ("causeway.dev", "Workload"): Kind("workloads", ("v1",)),
    ("cert-manager.io", "Certificate"): Kind("certificates", ("v1",)),
    ("external-secrets.io", "ExternalSecret"): Kind("externalsecrets", ("v1", "v1beta1")),
    ("external-secrets.io", "SecretStore"): Kind("secretstores", ("v1", "v1beta1")),
    ("gateway.networking.k8s.io", "HTTPRoute"): Kind("httproutes", ("v1", "v1beta1")),
    ("keda.sh", "ScaledObject"): Kind("scaledobjects", ("v1alpha1",)),
    ("keda.sh", "TriggerAuthentication"): Kind("triggerauthentications", ("v1alpha1",)),
    ("monitoring.coreos.com", "PodMonitor"): Kind("podmonitors", ("v1",)),
    ("monitoring.coreos.com", "PrometheusRule"): Kind("prometheusrules", ("v1",)),
    ("monitoring.coreos.com", "ServiceMonitor"): Kind("servicemonitors", ("v1",)),
    ("networking.k8s.io", "Ingress"): Kind("ingresses", ("v1",)),
    ("networking.k8s.io", "NetworkPolicy"): Kind("networkpolicies", ("v1",)),
    ("objectbucket.io", "ObjectBucketClaim"): Kind("objectbucketclaims", ("v1alpha1",)),
    ("policy", "PodDisruptionBudget"): Kind("poddisruptionbudgets", ("v1",)),
    ("postgresql.cnpg.io", "Cluster"): Kind("clusters", ("v1",)),
    ("rbac.authorization.k8s.io", "Role"): Kind("roles", ("v1",)),
    ("rbac.authorization.k8s.io", "RoleBinding"): Kind("rolebindings", ("v1",)),
}
"""(API group, kind) -> what a cluster knows of it: all that we render, what people write beside it as `extra`, and the
Workload, which only exists in a review."""

EXEMPT: Final = "admissionregistration.k8s.io"
"""The group of policies and bindings themselves. No policy judges them, or one could lock out its own mending."""

CLUSTER_WIDE: Final = frozenset({
    "ClusterRole", "ClusterRoleBinding", "CustomResourceDefinition", "GatewayClass", "IngressClass", "Namespace",
    "Node", "PersistentVolume", "PriorityClass", "RuntimeClass", "StorageClass", "ValidatingAdmissionPolicy",
    "ValidatingAdmissionPolicyBinding", "ClusterSecretStore", "ClusterIssuer",
})  # fmt: skip
"""Kinds without a namespace, known by name alone."""


def group_version(api_version: str) -> tuple[str, str]:
    """(group, version) of an `apiVersion`; the core group is the empty one."""
    group, slash, version = api_version.rpartition("/")
    return (group if slash else "", version)


def plural_of(api_version: str, kind: str) -> str:
    """The resource of a kind: from the table, else by the rule that Kubernetes' own tools guess by."""
    known = KINDS.get((group_version(api_version)[0], kind))
    if known is not None:
        return known.plural
    lower = kind.lower()
    if lower.endswith(("s", "x", "ch", "sh")):
        return f"{lower}es"
    return f"{lower[:-1]}ies" if lower.endswith("y") else f"{lower}s"


def is_namespaced(api_version: str, kind: str) -> bool:
    """Whether objects of the kind live in a namespace; true for one that is not known."""
    known = KINDS.get((group_version(api_version)[0], kind))
    return known.namespaced if known is not None else kind not in CLUSTER_WIDE


def as_map(value: Value) -> Mapping[str, Value]:
    """The value where it is a map, else an empty one."""
    return value if isinstance(value, Mapping) else {}


def as_list(value: Value) -> list[Value]:
    """The value where it is a list, else an empty one."""
    return list(value) if isinstance(value, list | tuple) else []


def text_of(value: Value, *path: str) -> str:
    """The text at a path of maps, empty where there is none."""
    for part in path:
        value = as_map(value).get(part)
    return value if isinstance(value, str) else ""
