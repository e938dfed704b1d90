"""What a cluster writes into the spec of a pod where nothing is said. Source: Kubernetes' API, core/v1 and apps/v1."""

from __future__ import annotations

import re
from typing import Any, Final

from bot.core.policy.filling import Plain, Rows, at, drop, fill
from bot.core.policy.quantities import canonical

_CONTAINERS: Final = ("containers", "initContainers", "ephemeralContainers")
_PROBES: Final = ("livenessProbe", "readinessProbe", "startupProbe")
_TAG = re.compile(r":[\w][\w.-]{0,127}$")

POD: Final[Rows] = (
    ("dnsPolicy", "ClusterFirst"),
    ("restartPolicy", "Always"),
    ("terminationGracePeriodSeconds", 30),
    ("securityContext", {}),
    ("schedulerName", "default-scheduler"),
    ("enableServiceLinks", True),
    ("serviceAccount", lambda spec: spec.get("serviceAccountName")),
    ("volumes[].emptyDir", lambda volume: {} if set(volume) <= {"name"} else None),
    ("volumes[].secret.defaultMode", 420),
    ("volumes[].configMap.defaultMode", 420),
    ("volumes[].downwardAPI.defaultMode", 420),
    ("volumes[].downwardAPI.items[].fieldRef.apiVersion", "v1"),
    ("volumes[].projected.defaultMode", 420),
    ("volumes[].projected.sources[].serviceAccountToken.expirationSeconds", 3600),
    ("volumes[].projected.sources[].downwardAPI.items[].fieldRef.apiVersion", "v1"),
    ("volumes[].hostPath.type", ""),
    ("volumes[].ephemeral.volumeClaimTemplate.spec.volumeMode", "Filesystem"),
)
"""Below the spec of a pod."""

CONTAINER: Final[Rows] = (
    ("terminationMessagePath", "/dev/termination-log"),
    ("terminationMessagePolicy", "File"),
    ("imagePullPolicy", lambda container: pull_policy(container.get("image"))),
    ("resources", {}),
    ("ports[].protocol", "TCP"),
    ("env[].valueFrom.fieldRef.apiVersion", "v1"),
    *((f"lifecycle.{when}.httpGet.{key}", value) for when in ("postStart", "preStop")
      for key, value in (("path", "/"), ("scheme", "HTTP"))),
    *((f"{probe}.{key}", value) for probe in _PROBES for key, value in (
        ("timeoutSeconds", 1), ("periodSeconds", 10), ("successThreshold", 1), ("failureThreshold", 3),
        ("httpGet.path", "/"), ("httpGet.scheme", "HTTP"), ("grpc.service", ""),
    )),
)  # fmt: skip
"""Below each container."""

ADMITTED: Final[Rows] = (
    ("serviceAccountName", "default"),
    ("serviceAccount", lambda spec: spec["serviceAccountName"]),
    ("priority", lambda spec: None if "priorityClassName" in spec else 0),
    ("preemptionPolicy", "PreemptLowerPriority"),
    ("tolerations", []),
)
"""Below the spec of a pod that is made: what the cluster's own admission writes before policies look."""

_WAITS: Final = ("node.kubernetes.io/not-ready", "node.kubernetes.io/unreachable")
_LISTS: Final = ("volumes", "initContainers", "imagePullSecrets", "hostAliases", "tolerations", "readinessGates",
                 "topologySpreadConstraints", "nodeSelector")  # fmt: skip
_CONTAINER_LISTS: Final = ("command", "args", "ports", "envFrom", "env", "volumeMounts", "volumeDevices")


def pull_policy(image: Any) -> str:
    """When an image is pulled: always, for one that names no version or `latest`."""
    text = image if isinstance(image, str) else ""
    if "@" in text:
        return "IfNotPresent"
    tag = _TAG.search(text.rpartition("/")[2])
    return "IfNotPresent" if tag is not None and tag[0] != ":latest" else "Always"


def fill_pod(spec: Plain) -> None:
    """Fills in the spec of a pod, or of the template of one."""
    drop(spec, "", ("hostNetwork", "hostPID", "hostIPC"), lambda value: value is False)
    drop(spec, "", _LISTS, lambda value: value in ([], {}))
    fill(spec, POD)
    for place in _CONTAINERS:
        for container in at(spec, f"{place}[]"):
            _fill_container(container, spec.get("hostNetwork") is True)


def admit_pod(spec: Plain) -> None:
    """Fills in what is written into a pod on its way into the cluster."""
    fill(spec, ADMITTED)
    tolerations = spec["tolerations"]
    for key in _WAITS if isinstance(tolerations, list) else ():
        if not any(_tolerates(one, key) for one in tolerations):
            tolerations.append({"key": key, "operator": "Exists", "effect": "NoExecute", "tolerationSeconds": 300})


def _tolerates(one: Any, key: str) -> bool:
    return isinstance(one, dict) and one.get("key", key) == key and one.get("effect", "NoExecute") == "NoExecute"


def _fill_container(container: Plain, host_network: bool) -> None:
    drop(container, "", _CONTAINER_LISTS, lambda value: value == [])
    drop(container, "", ("stdin", "stdinOnce", "tty"), lambda value: value is False)
    drop(container, "volumeMounts[]", ("readOnly",), lambda value: value is False)
    fill(container, CONTAINER)
    if host_network:
        fill(container, (("ports[].hostPort", lambda port: port.get("containerPort")),))
    fill_resources(container["resources"])


def fill_resources(resources: Any) -> None:
    """Canonical quantities; what is limited and not requested is requested as much."""
    if not isinstance(resources, dict):
        return
    for which in ("limits", "requests"):
        for amounts in at(resources, which):
            for name in amounts:
                amounts[name] = canonical(amounts[name])
    limits = resources.get("limits")
    if isinstance(limits, dict) and limits:
        requests = resources.setdefault("requests", {})
        for name in limits if isinstance(requests, dict) else ():
            requests.setdefault(name, limits[name])
