"""What goes into a render and what comes out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from bot.core.model.values import ObjectKey, Value
from bot.core.tree import Oid

Key = tuple[str, ...]
"""A part of the output that is rendered and compared as one. First item: the name of the renderer in RENDERERS.

("service", folder, env) · ("data", folder, env, need) · ("catalog", folder)             units
("environment", env) · ("project", env, team) · ("namespace", env, namespace) · ("group", team)  aggregates
("system", name)                                                                               aggregate
"""


@dataclass(frozen=True, slots=True)
class Inputs:
    """All that a renderer may read. `value` is plain data without positions; `content` names interpreted content
    (a blueprint, a recipe) by kind, name and version, with its digest in `content_digest`. The canonical hash of
    (key, value, content, content_digest, renderer) is the input digest, so what is not in it cannot be read."""

    key: Key
    value: Mapping[str, Value]
    content: tuple[str, ...]
    content_digest: str
    renderer: int


Objects = Mapping[ObjectKey, Value]
"""Output path -> object, before bytes. A str value is written as it is (a README, a vendored module's file)."""


@dataclass(frozen=True, slots=True)
class Item:
    """An owned path: a folder that is ours whole (`tree` id), or one file (`blob` id)."""

    path: str
    id: Oid
    kind: Literal["file", "folder"]


Outline = tuple[Item, ...]
"""What a key owns, by id, sorted by path."""


@dataclass(frozen=True, slots=True)
class Rendered:
    """The bytes of a key: full output path -> bytes, the outline that they make, and the objects they are made of."""

    files: Mapping[str, bytes]
    outline: Outline
    objects: Objects = field(default_factory=dict, compare=False, repr=False)
