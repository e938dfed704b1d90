"""The parts of the platform's entries that renderers take into their inputs: each as little as its output needs."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import lru_cache
from hashlib import sha256
from typing import Final, cast
from urllib.parse import urlsplit

from bot.core.kit import Kit
from bot.core.model.platform import Platform
from bot.core.model.values import Value
from bot.core.template import Template

Map = Mapping[str, Value]

OF_SERVICE: Final = ("name", "kind", "features", "gateway", "secrets", "otlp", "networks", "priority_classes")
"""Fields of an environment that a service's objects are made of. Freezes, approvals, prices and the like are not among
them: they change no byte."""

OF_PLACE: Final = ("name", "kind", "cluster")
"""Fields of an environment that an Application is made of."""

NOT_IN_BYTES: Final = ("cost", "description", "lifecycle", "urls")
"""Fields of a service that only the catalog or the plan shows."""

NEED_NOT_IN_BYTES: Final = ("price", "ready_in", "replaces_on")


def of_environment(platform: Platform, name: str, fields: Iterable[str]) -> dict[str, Value]:
    """Some fields of an environment."""
    value = platform.environments[name].value
    return {field: value[field] for field in fields}


def of_team(platform: Platform, slug: str) -> dict[str, Value]:
    """What objects say of a team; a budget or a host changes none of them."""
    value = platform.teams[slug].value
    return {"slug": slug, "cost_centre": value.get("cost_centre"), "runbook": value.get("runbook")}


def gitops_of(platform: Platform, environment: str) -> dict[str, Value]:
    """Where Argo CD finds what is written for an environment."""
    target = platform.targets[platform.environments[environment].target]
    known = cast("Mapping[str, Map]", platform.config.get("targets") or {}).get(target.name) or {}
    return {"url": known.get("url") or f"https://github.com/{target.repo}.git", "branch": target.branch}


def group_of(kit: Kit, group: str) -> tuple[Template, ...]:
    """The platform's templates of one renderer: those in its folder."""
    return _group(kit.platform.templates, group)


@lru_cache(maxsize=256)
def _group(templates: tuple[Template, ...], group: str) -> tuple[Template, ...]:
    return tuple(template for template in templates if f"/templates/{group}/" in f"/{template.path}")


def content(kit: Kit, *more: tuple[str, str]) -> tuple[tuple[str, ...], str]:
    """The names of interpreted content and their one digest; the platform's own templates always count."""
    rows = [(f"platform/v{kit.platform.version}", kit.platform.digest), *sorted(set(more))]
    return tuple(name for name, _ in rows), _joined(tuple(found for _, found in rows))


@lru_cache(maxsize=1024)
def _joined(digests: tuple[str, ...]) -> str:
    return sha256("\n".join(digests).encode()).hexdigest()


def blueprint_content(kit: Kit, type_: str, version: int) -> tuple[str, str]:
    return f"workloads/{type_}/v{version}", kit.blueprints[type_, version].digest


def recipe_content(kit: Kit, need: Map) -> tuple[str, str]:
    name, version = str(need["recipe"]), cast(int, need["recipe_version"])
    return f"recipes/{name}/v{version}", kit.recipes[name, version].digest


def collector_of(url: Value) -> dict[str, Value] | None:
    """Namespace and port of a collector inside the cluster (`http://name.namespace…:port`); None for any other."""
    if not isinstance(url, str):
        return None
    parts = urlsplit(url)
    labels = (parts.hostname or "").split(".")
    inside = len(labels) == 2 or labels[2:3] == ["svc"]
    return {"namespace": labels[1], "port": parts.port or (443 if parts.scheme == "https" else 80)} if inside else None
