"""What a kit holds: the versioned content that interprets manifests."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from bot.core.check import Schema
from bot.core.model.values import Origin, Pointer, Value
from bot.core.template import Template

Form = Literal["terraform", "kubernetes"]

Situation = tuple[int, str, str]
"""(tier, kind of environment, size): what defaults may depend on."""


@dataclass(frozen=True, slots=True)
class Settled:
    """A blueprint's defaults in one situation, in long form, and for every leaf the line that gives it and why."""

    value: Mapping[str, Value]
    origins: Mapping[Pointer, Origin]


@dataclass(frozen=True, slots=True)
class Blueprint:
    """A golden path at one version. `digest` names its exact content; `path` is where its blueprint.yaml stands."""

    name: str
    version: int
    digest: str
    path: str
    meta: Mapping[str, Value]
    templates: tuple[Template, ...]
    settled: Mapping[Situation, Settled] = field(default_factory=dict)
    """Every situation; empty for the platform's own templates."""
    reserves: frozenset[str] = frozenset()
    """Environment variables that its templates set; a manifest may not."""


@dataclass(frozen=True, slots=True)
class Output:
    """One thing that a recipe hands to a service. `source` holds the placeholders `{service}`, `{env}`, `{need}`."""

    name: str
    origin: str
    """`store`, `secret`, `config` or `value`."""
    source: str
    key: str | None
    value: str | None


@dataclass(frozen=True, slots=True)
class Recipe:
    """A way to provide a type of need, at one version. `files` are those beside the templates, by relative path."""

    name: str
    version: int
    digest: str
    path: str
    meta: Mapping[str, Value]
    form: Form
    templates: tuple[Template, ...]
    files: Mapping[str, bytes]
    type: str
    stateful: bool
    classes: tuple[str, ...]
    sizes: tuple[str, ...]
    prices: Mapping[str, str]
    """Size, or `any` -> decimal string, a month."""
    outputs: tuple[Output, ...]
    """Sorted by name."""
    defaults: Mapping[str, Value]
    """Option -> its default."""
    options: Schema
    """Closed schema of an object of options."""


@dataclass(frozen=True, slots=True)
class Kit:
    """Everything that interprets a platform tree, at the versions its pin names."""

    renderer: int
    digest: str
    """Of the shipped parts at the pin. The cursor carries it: another digest is another kit."""
    schemas: Mapping[str, Schema]
    """By file name without `.schema.json`."""
    blueprints: Mapping[tuple[str, int], Blueprint]
    pins: Mapping[str, int]
    """Type of service -> version that holds where a release pins none."""
    recipes: Mapping[tuple[str, int], Recipe]
    recipe_pins: Mapping[str, int]
    platform: Blueprint
    policies: Mapping[str, bytes] = field(default_factory=dict, repr=False)
    """Path -> content of the shipped policies and their bindings."""
