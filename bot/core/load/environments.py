"""environments.yaml in long form: every default written out."""

from __future__ import annotations

from collections.abc import Mapping
from typing import cast

from bot.core.model.platform import Environment, Target
from bot.core.model.values import Value

MAIN = "main"
FEATURES = ("gateway", "external_secrets", "prometheus_operator", "keda", "cert_manager")

_Map = Mapping[str, Value]


def environment(name: str, raw: _Map) -> Environment:
    """One checked entry. Its data is protected in production unless it says otherwise."""
    kind = str(raw["kind"])
    protect = bool(raw.get("protect_data", kind == "production"))
    given = cast(Mapping[str, bool], raw.get("features") or {})
    cluster = cast(_Map, raw["cluster"])
    networks = cast(_Map, raw.get("networks") or {})
    value: dict[str, Value] = {
        "name": name,
        "kind": kind,
        "default": bool(raw.get("default", False)),
        "cluster": {"name": cluster["name"], "argocd": cluster.get("argocd", "argocd")},
        "domain": raw.get("domain"),
        "features": {feature: given.get(feature, False) for feature in FEATURES},
        "gateway": by_name(raw.get("gateway")),
        "secrets": _secrets(raw.get("secrets")),
        "registries": by_name(raw.get("registries")),
        "terraform": _terraform(raw.get("terraform")),
        "otlp": raw.get("otlp"),
        "networks": {"data": networks.get("data") or []},
        "namespace": raw.get("namespace", "{service}-{env}"),
        "reserved_namespaces": raw.get("reserved_namespaces") or [],
        "priority_classes": by_name(raw.get("priority_classes")),
        "prices": by_name(raw.get("prices")),
        "protect_data": protect,
        "promote_from": raw.get("promote_from"),
        "approvals": raw.get("approvals", 0),
        "freeze": raw.get("freeze") or [],
        "require_pull_request": bool(raw.get("require_pull_request", False)),
    }
    target = name if "gitops" in raw else MAIN
    return Environment(name, kind, bool(value["default"]), protect, target, value)


def target(name: str, raw: _Map) -> Target:
    """A GitOps target as config.yaml or an environment states it."""
    return Target(name, str(raw["repo"]), str(raw.get("branch", "main")), str(raw.get("drift", "restore")))


def gitops(raw: _Map) -> _Map:
    """`gitops` in long form. The address is for Argo CD and is public: no secret is part of it."""
    return {
        "repo": raw["repo"],
        "branch": raw.get("branch", "main"),
        "url": raw.get("url", f"https://github.com/{raw['repo']}.git"),
        "drift": raw.get("drift", "restore"),
    }


def by_name(raw: Value) -> Value:
    """A map in the order of its names: the order of a file says nothing, so no output may depend on it."""
    return dict(sorted(cast(_Map, raw or {}).items()))


def _secrets(raw: Value) -> Value:
    if not isinstance(raw, Mapping):
        return None
    return {"store": raw["store"], "region": raw["region"], "role": raw.get("role")}


def _terraform(raw: Value) -> Value:
    if not isinstance(raw, Mapping):
        return None
    return {"backend": raw["backend"], "providers": raw["providers"], "eks_cluster": raw.get("eks_cluster")}
