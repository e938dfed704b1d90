"""What a renderer is: four functions from values to values."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from bot.core.kit import Kit
from bot.core.model.platform import Platform
from bot.core.model.render import Inputs, Key, Objects
from bot.core.model.unit import Effective, Facts, Links
from bot.core.model.values import UnitEnv
from bot.core.problem import Refusal


@dataclass(frozen=True, slots=True)
class World:
    """What a renderer may look at while it makes `Inputs`. What it puts there is all that its render can read."""

    platform: Platform
    kit: Kit
    effective: Callable[[UnitEnv], Effective]
    facts: Callable[[UnitEnv], Facts]
    links: Callable[[UnitEnv], Links]
    members: Callable[[Key], tuple[UnitEnv, ...]]
    """The unit-environments whose facts named this key, sorted."""


@dataclass(frozen=True, slots=True)
class Renderer:
    """One kind of output. `inputs` takes as little as it can: what it takes, it is rendered again for."""

    name: str
    keys_of_facts: Callable[[Facts], Iterable[Key]]
    keys_of_platform: Callable[[Platform], Iterable[Key]]
    inputs: Callable[[Key, World], Inputs]
    objects: Callable[[Inputs, Kit], Objects | Refusal]
    folder: Callable[[Inputs], str | None]
    """The folder that the key owns whole and that holds its provenance; None where it owns single files."""
