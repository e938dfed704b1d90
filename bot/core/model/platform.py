"""The platform team's side: environments, teams, recipes, configuration, and the kit that interprets them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from bot.core.model.values import Doc, Value


@dataclass(frozen=True, slots=True)
class Environment:
    """One entry of environments.yaml. `value` is its long form, every default written out; templates see it whole."""

    name: str
    kind: str
    default: bool
    protect_data: bool
    target: str
    """Name of the GitOps target: `main` (`gitops` of config.yaml) or the environment's name where it has its own."""
    value: Mapping[str, Value]


@dataclass(frozen=True, slots=True)
class Team:
    """One entry of teams.yaml."""

    slug: str
    value: Mapping[str, Value]


@dataclass(frozen=True, slots=True)
class RecipeRule:
    """One line of recipes.yaml: which recipe provides a type of need, where."""

    index: int
    provides: str
    match: Mapping[str, str]
    recipe: str
    value: Mapping[str, Value]


@dataclass(frozen=True, slots=True)
class Target:
    """A GitOps repository and branch that receive renders."""

    name: str
    repo: str
    branch: str
    drift: str
    """`restore` or `hold`."""


@dataclass(frozen=True, slots=True)
class Destroy:
    """One entry of destroy.yaml. Either `data` (`env/service/need`) with an action, or bulk `removals`."""

    index: int
    data: str | None
    action: str
    environment: str | None
    at_most: int
    reason: str
    until: str


@dataclass(frozen=True, slots=True)
class Platform:
    """`platform/` read whole. Mappings keep the order of the file; nothing below may depend on it."""

    config: Mapping[str, Value]
    environments: Mapping[str, Environment]
    teams: Mapping[str, Team]
    recipes: tuple[RecipeRule, ...]
    destroy: tuple[Destroy, ...]
    holds: Mapping[str, Mapping[str, Value]]
    targets: Mapping[str, Target]
    policies: Mapping[str, bytes] = field(default_factory=dict, repr=False)
    """Path -> content below `platform/policies`, where the clusters get them, too; else empty: nothing rendered reads
    them."""
    docs: Mapping[str, Doc] = field(default_factory=dict)
    """By path, for positions; no decision reads it."""

    @property
    def mode(self) -> str:
        """`enforce` or `observe`."""
        return str(self.config.get("mode", "enforce"))

    @property
    def platform_team(self) -> str:
        return str(self.config["platform_team"])
