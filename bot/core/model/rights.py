"""Who may change what: what a change needs people for, and what they gave."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Ground = Literal["owner", "new-owner", "platform", "extra", "waiver", "destroy", "hosts", "environment", "stand-in"]
"""Why a team is needed. `stand-in`: judges came from an older commit, as the base's own cannot be read."""


@dataclass(frozen=True, slots=True)
class Requirement:
    """`count` members of `team` must approve exactly the head that lands, neither its author nor a pusher of it.

    `forge_team` is the team as the forge names it, in the base's teams.yaml (for a new owner: the merge result's).
    `subject` is a unit folder, a path or an environment, as `ground` asks.
    """

    team: str
    forge_team: str
    ground: Ground
    subject: str
    count: int = 1


@dataclass(frozen=True, slots=True)
class Missing:
    """A requirement, and how many approvals it still lacks."""

    requirement: Requirement
    lacks: int


@dataclass(frozen=True, slots=True)
class Agreement:
    """What needed people: what is `missing`, what is `given`. `stand_in` is the platform team as the forge names it: it
    may approve for an environment where the owning team is only the author."""

    missing: tuple[Missing, ...] = ()
    given: tuple[Requirement, ...] = ()
    stand_in: str = ""
