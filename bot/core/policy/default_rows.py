"""The defaults of every kind that we render and of those that people add: what a cluster writes where nothing is said.

Sources: Kubernetes' API defaults of 1.34 for its own kinds; for others the defaults in the schemas of their CRDs, of
the parts that somebody here writes. A kind without defaults has an empty row, so that the list is whole.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from bot.core.policy.filling import Plain, Rows

_ROOT: Final = {"path": {"type": "PathPrefix", "value": "/"}}
_REMOTE: Final = (("conversionStrategy", "Default"), ("decodingStrategy", "None"), ("metadataPolicy", "None"),
                  ("nullBytePolicy", "Ignore"))  # fmt: skip


def _rolling(unavailable: Any, surge: Any) -> Mapping[str, Any]:
    return {"type": "RollingUpdate", "rollingUpdate": {"maxUnavailable": unavailable, "maxSurge": surge}}


def _only(kind: str, value: Any, key: str = "type") -> Any:
    return lambda holder: value if holder.get(key) == kind else None


def _reached(service: Plain) -> str | None:
    return "Cluster" if service.get("type") in ("ClusterIP", "NodePort", "LoadBalancer") else None


def _outside(service: Plain) -> str | None:
    return "Cluster" if service.get("type") in ("NodePort", "LoadBalancer") else None


def _policy_types(spec: Plain) -> list[str]:
    return ["Ingress", "Egress"] if spec.get("egress") else ["Ingress"]


def _matched(start: str) -> Rows:
    rules = ("resourceRules", "excludeResourceRules")
    return (
        (f"{start}.matchPolicy", "Equivalent"), (f"{start}.namespaceSelector", {}), (f"{start}.objectSelector", {}),
        *((f"{start}.{rule}[].scope", "*") for rule in rules),
    )  # fmt: skip


def _completions(spec: Plain) -> int | None:
    return 1 if "parallelism" not in spec else None


_SCALE_UP: Final = [{"type": "Pods", "value": 4, "periodSeconds": 15},
                    {"type": "Percent", "value": 100, "periodSeconds": 15}]  # fmt: skip
_HALF: Final = {"type": "Resource", "resource": {"name": "cpu",
                "target": {"type": "Utilization", "averageUtilization": 80}}}  # fmt: skip

ROWS: Final[Mapping[tuple[str, str], Rows]] = {
    ("", "ConfigMap"): (),
    ("", "LimitRange"): (),
    ("", "Namespace"): (
        ("spec", {}),
        ("spec.finalizers", ["kubernetes"]),
        ("status", {}),
        ("status.phase", "Active"),
        ("metadata.labels", {}),
    ),
    ("", "PersistentVolumeClaim"): (("spec.volumeMode", "Filesystem"), ("status", {}), ("status.phase", "Pending")),
    ("", "Pod"): (("status", {}), ("status.phase", "Pending")),
    ("", "ResourceQuota"): (("status", {}),),
    ("", "Secret"): (("type", "Opaque"),),
    ("", "Service"): (
        ("spec.sessionAffinity", "None"),
        ("spec.type", "ClusterIP"),
        ("spec.ports[].protocol", "TCP"),
        ("spec.ports[].targetPort", lambda port: port.get("port")),
        ("spec.internalTrafficPolicy", _reached),
        ("spec.externalTrafficPolicy", _outside),
        ("spec.allocateLoadBalancerNodePorts", _only("LoadBalancer", True)),
        (
            "spec.sessionAffinityConfig",
            _only("ClientIP", {"clientIP": {"timeoutSeconds": 10800}}, "sessionAffinity"),
        ),
        ("status", {"loadBalancer": {}}),
    ),
    ("", "ServiceAccount"): (),
    ("admissionregistration.k8s.io", "ValidatingAdmissionPolicy"): (
        ("spec.failurePolicy", "Fail"), *_matched("spec.matchConstraints"),
    ),
    ("admissionregistration.k8s.io", "ValidatingAdmissionPolicyBinding"): _matched("spec.matchResources"),
    ("apps", "DaemonSet"): (
        ("spec.updateStrategy", _rolling(1, 0)),
        ("spec.updateStrategy.type", "RollingUpdate"),
        ("spec.updateStrategy.rollingUpdate", _only("RollingUpdate", {})),
        ("spec.updateStrategy.rollingUpdate.maxUnavailable", 1),
        ("spec.updateStrategy.rollingUpdate.maxSurge", 0),
        ("spec.revisionHistoryLimit", 10),
        ("status", {}),
    ),
    ("apps", "Deployment"): (
        ("spec.replicas", 1),
        ("spec.strategy", _rolling("25%", "25%")),
        ("spec.strategy.type", "RollingUpdate"),
        ("spec.strategy.rollingUpdate", _only("RollingUpdate", {})),
        ("spec.strategy.rollingUpdate.maxUnavailable", "25%"),
        ("spec.strategy.rollingUpdate.maxSurge", "25%"),
        ("spec.revisionHistoryLimit", 10),
        ("spec.progressDeadlineSeconds", 600),
        ("status", {}),
    ),
    ("apps", "ReplicaSet"): (("spec.replicas", 1), ("status", {})),
    ("apps", "StatefulSet"): (
        ("spec.replicas", 1),
        ("spec.podManagementPolicy", "OrderedReady"),
        ("spec.updateStrategy", {"type": "RollingUpdate"}),
        ("spec.updateStrategy.rollingUpdate", _only("RollingUpdate", {"partition": 0})),
        ("spec.updateStrategy.rollingUpdate.partition", 0),
        ("spec.persistentVolumeClaimRetentionPolicy", {"whenDeleted": "Retain", "whenScaled": "Retain"}),
        ("spec.volumeClaimTemplates[].spec.volumeMode", "Filesystem"),
        ("spec.volumeClaimTemplates[].status", {"phase": "Pending"}),
        ("spec.revisionHistoryLimit", 10),
        ("status", {}),
    ),
    ("argoproj.io", "AppProject"): (),
    ("argoproj.io", "Application"): (),
    ("autoscaling", "HorizontalPodAutoscaler"): (
        ("spec.minReplicas", 1),
        ("spec.metrics", [_HALF]),
        ("spec.behavior.scaleUp", lambda _: {}),
        ("spec.behavior.scaleUp.stabilizationWindowSeconds", 0),
        ("spec.behavior.scaleUp.selectPolicy", "Max"),
        ("spec.behavior.scaleUp.policies", _SCALE_UP),
        ("spec.behavior.scaleDown", lambda _: {}),
        ("spec.behavior.scaleDown.selectPolicy", "Max"),
        ("spec.behavior.scaleDown.policies", [{"type": "Percent", "value": 100, "periodSeconds": 15}]),
        ("status", {"desiredReplicas": 0}),
    ),
    ("batch", "CronJob"): (
        ("spec.concurrencyPolicy", "Allow"),
        ("spec.suspend", False),
        ("spec.successfulJobsHistoryLimit", 3),
        ("spec.failedJobsHistoryLimit", 1),
        ("status", {}),
    ),
    ("batch", "Job"): (
        ("spec.completions", _completions),
        ("spec.parallelism", 1),
        ("spec.backoffLimit", lambda spec: 2147483647 if "backoffLimitPerIndex" in spec else 6),
        ("spec.completionMode", "NonIndexed"),
        ("spec.suspend", False),
        ("spec.podReplacementPolicy",
         lambda spec: "Failed" if "podFailurePolicy" in spec else "TerminatingOrFailed"),
        ("spec.manualSelector", False),
        ("status", {}),
    ),
    ("causeway.dev", "Workload"): (),
    ("cert-manager.io", "Certificate"): (),
    ("external-secrets.io", "ExternalSecret"): (
        ("spec.refreshInterval", "1h0m0s"),
        ("spec.target", {}),
        ("spec.target.creationPolicy", "Owner"),
        ("spec.target.deletionPolicy", "Retain"),
        ("spec.target.template.engineVersion", "v2"),
        ("spec.target.template.mergePolicy", "Replace"),
        *((f"spec.data[].remoteRef.{key}", value) for key, value in _REMOTE),
        *((f"spec.dataFrom[].extract.{key}", value) for key, value in _REMOTE),
        ("spec.dataFrom[].find.conversionStrategy", "Default"),
        ("spec.dataFrom[].find.decodingStrategy", "None"),
        ("spec.dataFrom[].find.nullBytePolicy", "Ignore"),
    ),
    ("external-secrets.io", "SecretStore"): (
        ("spec.provider.aws.sessionTagsPolicy", "None"),
        ("spec.provider.kubernetes.remoteNamespace", "default"),
        ("spec.provider.kubernetes.server.url", "kubernetes.default"),
    ),
    ("gateway.networking.k8s.io", "HTTPRoute"): (
        ("spec.parentRefs[].group", "gateway.networking.k8s.io"),
        ("spec.parentRefs[].kind", "Gateway"),
        ("spec.rules", [{"matches": [_ROOT]}]),
        ("spec.rules[].matches", [_ROOT]),
        ("spec.rules[].matches[].path", _ROOT["path"]),
        ("spec.rules[].matches[].path.type", "PathPrefix"),
        ("spec.rules[].matches[].path.value", "/"),
        ("spec.rules[].matches[].headers[].type", "Exact"),
        ("spec.rules[].matches[].queryParams[].type", "Exact"),
        ("spec.rules[].filters[].requestRedirect.statusCode", 302),
        ("spec.rules[].filters[].requestMirror.backendRef.group", ""),
        ("spec.rules[].filters[].requestMirror.backendRef.kind", "Service"),
        ("spec.rules[].backendRefs[].group", ""),
        ("spec.rules[].backendRefs[].kind", "Service"),
        ("spec.rules[].backendRefs[].weight", 1),
    ),
    ("keda.sh", "ScaledObject"): (("spec.fallback.behavior", "static"),),
    ("keda.sh", "TriggerAuthentication"): (),
    ("monitoring.coreos.com", "PodMonitor"): (
        ("spec.podMetricsEndpoints[].metricRelabelings[].action", "replace"),
        ("spec.podMetricsEndpoints[].relabelings[].action", "replace"),
    ),
    ("monitoring.coreos.com", "PrometheusRule"): (),
    ("monitoring.coreos.com", "ServiceMonitor"): (
        ("spec.endpoints[].metricRelabelings[].action", "replace"),
        ("spec.endpoints[].relabelings[].action", "replace"),
    ),
    ("networking.k8s.io", "Ingress"): (("status", {"loadBalancer": {}}),),
    ("networking.k8s.io", "NetworkPolicy"): (
        ("spec.policyTypes", _policy_types),
        ("spec.ingress[].ports[].protocol", "TCP"),
        ("spec.egress[].ports[].protocol", "TCP"),
    ),
    ("objectbucket.io", "ObjectBucketClaim"): (),
    ("policy", "PodDisruptionBudget"): (("status", {
        "disruptionsAllowed": 0, "currentHealthy": 0, "desiredHealthy": 0, "expectedPods": 0,
    }),),
    ("postgresql.cnpg.io", "Cluster"): (
        ("spec.instances", 1),
        ("spec.minSyncReplicas", 0),
        ("spec.maxSyncReplicas", 0),
        ("spec.postgresUID", 26),
        ("spec.postgresGID", 26),
        ("spec.startDelay", 3600),
        ("spec.stopDelay", 1800),
        ("spec.smartShutdownTimeout", 180),
        ("spec.switchoverDelay", 3600),
        ("spec.failoverDelay", 0),
        ("spec.logLevel", "info"),
        ("spec.primaryUpdateStrategy", "unsupervised"),
        ("spec.primaryUpdateMethod", "restart"),
        ("spec.enableSuperuserAccess", False),
        ("spec.enablePDB", True),
        ("spec.storage.resizeInUseVolumes", True),
    ),
    ("rbac.authorization.k8s.io", "Role"): (("rules", []),),
    ("rbac.authorization.k8s.io", "RoleBinding"): (
        ("roleRef.apiGroup", "rbac.authorization.k8s.io"),
        (
            "subjects[].apiGroup",
            lambda one: None if one.get("kind") == "ServiceAccount" else "rbac.authorization.k8s.io",
        ),
    ),
}  # fmt: skip
"""(API group, kind) -> its rows."""
