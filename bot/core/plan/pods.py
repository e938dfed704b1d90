"""What the running pods feel: do they restart, and is there a moment without any."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from bot.core.model.values import Value
from bot.core.plan.shape import as_map, at, same

WORKLOADS = frozenset({"Deployment", "StatefulSet", "DaemonSet"})
"""Kinds whose pod template, when it differs, replaces running pods."""

Workload = tuple[str, str, str]
"""(kind, namespace, name)."""


def restarts(before: Iterable[Value], after: Iterable[Value]) -> bool:
    """True where pods that run are replaced: their template differs, or their workload goes and another comes."""
    old, new = _workloads(before), _workloads(after)
    if any(not same(at(old[name], TEMPLATE), at(new[name], TEMPLATE)) for name in old.keys() & new.keys()):
        return True
    return bool(old.keys() - new.keys()) and bool(new.keys() - old.keys())


def downtime(before: Iterable[Value], after: Iterable[Value]) -> bool:
    """True where pods restart and for a moment none needs to be ready: the workload gives way to another one, is
    recreated, or may have all of its replicas unavailable at once while it rolls."""
    after = list(after)
    old, new = _workloads(before), _workloads(after)
    if old.keys() - new.keys() and new.keys() - old.keys():
        return True
    restarted = [n for n in old.keys() & new.keys() if not same(at(old[n], TEMPLATE), at(new[n], TEMPLATE))]
    return any(_gap(name, new[name], _least(name, new[name], after)) for name in restarted)


TEMPLATE = ("spec", "template")


def _workloads(objects: Iterable[Value]) -> Mapping[Workload, Value]:
    return {_name(found): found for found in objects if as_map(found).get("kind") in WORKLOADS}


def _name(found: Value) -> Workload:
    meta = as_map(as_map(found).get("metadata"))
    return str(as_map(found).get("kind")), str(meta.get("namespace")), str(meta.get("name"))


def _least(name: Workload, workload: Value, objects: Iterable[Value]) -> int:
    """Replicas that surely run: what an autoscaler keeps at least, else what the workload says, else one."""
    for found in _scalers(objects):
        target = as_map(at(found, ("spec", "scaleTargetRef")))
        if target.get("kind") == name[0] and target.get("name") == name[2]:
            low = at(found, ("spec", "minReplicas"))
            return low if isinstance(low, int) else 1
    replicas = at(workload, ("spec", "replicas"))
    return replicas if isinstance(replicas, int) else 1


def _scalers(objects: Iterable[Value]) -> Iterator[Value]:
    return (found for found in objects if as_map(found).get("kind") == "HorizontalPodAutoscaler")


def _gap(name: Workload, workload: Value, replicas: int) -> bool:
    if name[0] != "Deployment":
        return replicas < 2  # one after the other, each stopped before its successor starts
    strategy = as_map(at(workload, ("spec", "strategy")))
    if strategy.get("type") == "Recreate":
        return True
    rolling = as_map(strategy.get("rollingUpdate"))
    down = _count(rolling.get("maxUnavailable", "25%"), replicas, up=False)
    surge = _count(rolling.get("maxSurge", "25%"), replicas, up=True)
    if down == 0 and surge == 0:
        down = 1  # as Kubernetes does, or the rollout could not move
    return 0 < replicas <= down


def _count(value: Value, replicas: int, up: bool) -> int:
    """A number or a percentage of `replicas`, rounded as Kubernetes rounds."""
    if isinstance(value, int):
        return value
    digits = str(value).removesuffix("%")
    if not digits.isascii() or not digits.isdigit():
        return 0
    return (int(digits) * replicas + (99 if up else 0)) // 100
