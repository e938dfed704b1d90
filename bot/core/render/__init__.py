"""Render: from frozen inputs to objects and bytes. Nothing here looks at anything but its arguments."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Final

from bot.core.kit import Kit
from bot.core.model.platform import Platform
from bot.core.model.render import Inputs, Key, Objects, Rendered
from bot.core.problem import Refusal
from bot.core.render.catalog import CATALOG
from bot.core.render.data import DATA, companions, drained
from bot.core.render.environment import ENVIRONMENT
from bot.core.render.finishing import digest, finished
from bot.core.render.group import GROUP
from bot.core.render.namespace import NAMESPACE
from bot.core.render.policies import POLICIES
from bot.core.render.project import PROJECT
from bot.core.render.service import SERVICE
from bot.core.render.shapes import Renderer, World
from bot.core.render.system import SYSTEM
from bot.core.render.tracing import trace

__all__ = [
    "RENDERERS",
    "Renderer",
    "World",
    "companions",
    "digest",
    "drained",
    "environment_of",
    "finish",
    "rendered",
    "target_of",
    "trace",
]

RENDERERS: Final[Mapping[str, Renderer]] = {
    "catalog": CATALOG,
    "data": DATA,
    "environment": ENVIRONMENT,
    "group": GROUP,
    "namespace": NAMESPACE,
    "policies": POLICIES,
    "project": PROJECT,
    "service": SERVICE,
    "system": SYSTEM,
}
"""Every kind of output. A new one is a file beside these and a line here."""


def finish(inputs: Inputs, objects: Objects, proof: str | None = None) -> Rendered:
    """Bytes and outline of a key's objects, with provenance where the key owns a folder. `proof` is `digest(inputs)`
    where the caller knows it."""
    return finished(inputs, objects, RENDERERS[inputs.key[0]].folder(inputs), proof)


def rendered(inputs: Inputs, kit: Kit, proof: str | None = None) -> Rendered | Refusal:
    """The whole render of one key. `proof` is `digest(inputs)` where the caller knows it."""
    objects = RENDERERS[inputs.key[0]].objects(inputs, kit)
    return objects if isinstance(objects, Refusal) else replace(finish(inputs, objects, proof), objects=objects)


_OF_ENVIRONMENT: Final = {"environment": 1, "namespace": 1, "policies": 1, "project": 1, "service": 2, "data": 2}
"""Where a key names its environment; the others are about no one environment."""


def environment_of(key: Key) -> str | None:
    """The environment that a key is about, None where it is about no one environment."""
    at = _OF_ENVIRONMENT.get(key[0])
    return None if at is None else key[at]


def target_of(key: Key, platform: Platform) -> str:
    """The GitOps target that receives a key: its environment's, or `main`."""
    environment = environment_of(key)
    return "main" if environment is None else platform.environments[environment].target
