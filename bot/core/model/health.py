"""What was seen of an installation from outside, and what it comes to."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

Standing = Literal["good", "bad", "unknown", "look"]
"""As it should be · it must be mended · could not be seen · a person has to look, since nothing here can."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was examined. `mend` is empty where it is good."""

    check: str
    """`queue`, `tenants`, `clock`, `webhook`, `rights`, `protection`, `approvals`, `merge queue`, `gitops` or
    `operators`."""
    standing: Standing
    where: str
    what: str
    mend: str = ""


@dataclass(frozen=True, slots=True)
class HookSeen:
    """A webhook as the forge holds it."""

    url: str
    active: bool
    signed: bool | None
    """Whether it has a secret; None where the forge does not tell."""
    json: bool
    deaf: tuple[str, ...]
    """Events, as the forge calls them, that a review needs and this webhook does not send."""
    hears_queue: bool
    """It sends what a merge queue asks for; True where the forge has no such event."""
    answers: tuple[int, ...] = ()
    """HTTP answers to its newest deliveries, newest first; 0 where nobody answered."""


@dataclass(frozen=True, slots=True)
class RightsSeen:
    """What the bot may do in a repository."""

    who: str
    """As whom it speaks."""
    missing: tuple[str, ...]
    """Rights as the forge calls them (`statuses: write`), sorted."""
    ends_on: str = ""
    """The date (2026-12-31) when the token runs out; empty where it does not, or the forge does not tell."""


@dataclass(frozen=True, slots=True)
class ProtectionSeen:
    """How a branch is protected. None stands for what the bot may not see."""

    branch: str
    only_pulls: bool | None
    """Changes come by pull request only."""
    required: Mapping[str, str] | None
    """Required checks -> id of the App that alone may set them, empty where anybody may. At GitLab, where every commit
    status of a pipeline counts, the one name is `pipeline`."""
    queue: bool = False
    """A merge queue or train stands before the branch."""
    can_push: bool | None = None
    """The bot itself may push to it."""
    approvals_reset: bool | None = None
    """A push takes approvals away; None where the bot counts by commit and it does not matter."""


@dataclass(frozen=True, slots=True)
class TargetSeen:
    """The way into a GitOps repository."""

    name: str
    branch: str
    allowed: bool
    """The settings let this platform repository write there."""
    pushed: str = ""
    """Why a push that changes nothing was refused; empty where it was not."""
    protection: ProtectionSeen | None = None


@dataclass(frozen=True, slots=True)
class PlatformSeen:
    """One platform repository, with what could not be seen and why in `unseen` (`repository`, `webhook`, …)."""

    forge: str
    kind: Literal["github", "gitlab"]
    name: str
    app: str = ""
    """Id of the App that the bot is; empty where it is none."""
    hooks: tuple[HookSeen, ...] = ()
    rights: RightsSeen | None = None
    protection: ProtectionSeen | None = None
    skew: float | None = None
    """Seconds by which our clock is ahead of the forge's."""
    targets: tuple[TargetSeen, ...] = ()
    features: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """Cluster -> what environments.yaml says that it has."""
    unseen: Mapping[str, str] = field(default_factory=dict)
