"""What flows ask of the pure core, and its answers: plain values that cross a process border as JSON."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from bot.core.model.command import Change, ExplainCommand
from bot.core.model.conversation import Contest, Delivered, Dialect, Halted, Shas
from bot.core.model.delivery import Approval, Landed
from bot.core.model.rights import Requirement
from bot.core.problem import Problem
from bot.core.tree import NO_OID, Oid


@dataclass(frozen=True, slots=True)
class Head:
    """A GitOps target as fetched: which mirror holds it, and its branch's commit, None where there is no branch."""

    target: str
    repo: str
    """As config.yaml names it."""
    mirror: str
    commit: Oid | None


@dataclass(frozen=True, slots=True)
class TargetSeen:
    """A GitOps target that config.yaml names."""

    name: str
    repo: str
    branch: str


@dataclass(frozen=True, slots=True)
class TeamSeen:
    """A team by its slug, and as the forge names it."""

    team: str
    forge_team: str


@dataclass(frozen=True, slots=True)
class SurveyAsk:
    """Which targets does the platform at `commit` write to? Where it cannot be read, its newest readable ancestor."""

    mirror: str
    commit: Oid
    now: int = 0
    """Seconds since 1970, where it matters what time it is."""


@dataclass(frozen=True, slots=True)
class Survey:
    """`targets` is empty where no version can be read; `problems` then says why the newest cannot."""

    targets: tuple[TargetSeen, ...]
    observe: bool
    problems: tuple[Problem, ...]
    forks_ask: bool = False
    """Pull requests from forks wait for a member's word."""
    reviewed_only: bool = False
    """Some environment takes only what came by pull request."""
    turns_at: int = 0
    """When a freeze begins or ends next after the ask's `now`; 0 where none does, or nobody asked."""
    features: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """Cluster -> what environments.yaml says that it has, sorted."""


@dataclass(frozen=True, slots=True)
class CursorAsk:
    """Where does a GitOps target stand? With `tip`, a commit of the platform repo in `mirror`: is it behind that?"""

    head: Head
    mirror: str = ""
    tip: Oid | None = None


@dataclass(frozen=True, slots=True)
class CursorSeen:
    """`absent`: nothing of ours is there. `lost`: our provenance without a cursor. `unreadable`: `problem` says why."""

    state: Literal["absent", "found", "lost", "unreadable"]
    commit: Oid = NO_OID
    repository: str = ""
    problem: Problem | None = None
    behind: bool = True
    """The tip that was asked about renders to something else than the cursor's commit, as far as anybody knows. Holds,
    policies and waivers land without moving a cursor."""


@dataclass(frozen=True, slots=True)
class RequiredAsk:
    """Whose approval does the change from `base` (None: nothing stood there) to the tree `merged` need?"""

    mirror: str
    base: Oid | None
    merged: Oid
    now: int
    heads: tuple[Head, ...] = ()
    """What is kept there, and what ran lately: a rollback needs nobody."""


@dataclass(frozen=True, slots=True)
class Required:
    """Empty where nothing needs a person, or nothing can be read; a review then says why."""

    requirements: tuple[Requirement, ...]
    stand_in: TeamSeen | None = None
    """The platform team, which may stand in for an owning team whose only member wrote the change."""
    claims: tuple[tuple[str, ...], ...] = ()
    """What the change newly wants for itself alone: names, hosts, objects of a shared namespace, as links have them."""


@dataclass(frozen=True, slots=True)
class Earlier:
    """The merge result as it was for an earlier base."""

    base: Oid
    merged: Oid


@dataclass(frozen=True, slots=True)
class ReviewAsk:
    """One pull request, all that a review needs to know. `base` None: there is no commit to compare with.

    `merged` is the tree of the merge result, None where it conflicts.
    """

    mirror: str
    base: Oid | None
    merged: Oid | None
    heads: tuple[Head, ...]
    head_sha: Oid
    now: int
    dialect: Dialect
    shas: Shas
    stage: Literal["open", "merged", "delivered", "closed"] = "open"
    draft: bool = False
    conflict: tuple[str, ...] = ()
    delivered: Delivered | None = None
    halted: Halted | None = None
    lag: str = ""
    speak: bool = False
    """A comment stands there already, so the answer has one in any case."""
    approvals: tuple[Approval, ...] = ()
    """Of exactly `head_sha`, by live members, author and pushers left out."""
    consents: tuple[str, ...] = ()
    """Slugs of the teams of which everybody who wrote or pushed it is a live member."""
    required: Required | None = None
    """What `required` answered for the same base and merge result; None where it was not asked."""
    reviewed: bool = True
    """What landed came with all that an environment with `require_pull_request` wants."""
    remembered: str = ""
    """The digest of the comment that stands there, which also says what was reviewed."""
    earlier: tuple[Earlier, ...] = ()
    """Today's head with the bases that `remembered` names, where those are not `base`."""
    contests: tuple[Contest, ...] = ()


@dataclass(frozen=True, slots=True)
class Link:
    """One landed change: the first-parent commit before it, and itself with how it came."""

    before: Oid | None
    landed: Landed
    approvals: tuple[Approval, ...] = ()
    """Of exactly the head that landed, by live members, author and pushers left out."""
    consents: tuple[str, ...] = ()
    """Slugs of the teams of which everybody who wrote or pushed it is a live member."""
    reviewed: bool = True
    """All of it came by pull request. Told only where an environment asks for it."""


@dataclass(frozen=True, slots=True)
class DeliverAsk:
    """Walk these links, oldest first, from what is live. `resumed` names a commit that `causeway resume` confirmed."""

    mirror: str
    head: Head
    links: tuple[Link, ...]
    resumed: Oid | None = None


@dataclass(frozen=True, slots=True)
class Made:
    """One GitOps commit, made but not pushed."""

    commit: Oid
    landed: Landed
    subject: str


@dataclass(frozen=True, slots=True)
class PassedOver:
    """A link that was refused as a whole."""

    landed: Landed
    problems: tuple[Problem, ...]


@dataclass(frozen=True, slots=True)
class Chain:
    """The commits for a run of links. `problems` are those of units that the newest link refuses, and drift."""

    made: tuple[Made, ...]
    passed_over: tuple[PassedOver, ...]
    problems: tuple[Problem, ...]


@dataclass(frozen=True, slots=True)
class DraftAsk:
    """Which edits of the default branch at `tip` does a command mean? `by` is who asked, in words; `merged` the merge
    result of the pull request where it was written, if there is one."""

    mirror: str
    tip: Oid
    heads: tuple[Head, ...]
    command: Change
    by: str
    where: str
    """Where it was asked, as this forge links it: `#42`."""
    now: int
    merged: Oid | None = None


@dataclass(frozen=True, slots=True)
class Written:
    """One path of a draft: a file's text, or an object that the repository has."""

    path: str
    text: str = ""
    id: Oid | None = None


@dataclass(frozen=True, slots=True)
class Draft:
    """A pull request to be, or in `refused` why there is none (Markdown). `teams` are the teams, as the forge names
    them, of which one must hold whoever asks; empty where the right to write is enough."""

    edits: tuple[Written, ...] = ()
    branch: str = ""
    title: str = ""
    body: str = ""
    teams: tuple[str, ...] = ()
    refused: str = ""


@dataclass(frozen=True, slots=True)
class ExplainAsk:
    """Who gave the values that the command asks for, in this platform tree?"""

    mirror: str
    tree: Oid
    command: ExplainCommand


@dataclass(frozen=True, slots=True)
class Told:
    """An answer in Markdown; `found` is false where it only says what there is instead."""

    body: str
    found: bool


@dataclass(frozen=True, slots=True)
class DeliveredAsk:
    """Which GitOps commit carries `landed`?"""

    mirror: str
    head: Head
    landed: Oid


@dataclass(frozen=True, slots=True)
class DeliveredSeen:
    """The oldest GitOps commit whose cursor has reached the landed commit, and the one before it; None while none
    has."""

    commit: Oid | None
    before: Oid | None = None
    time: int = 0
    environments: tuple[str, ...] = ()
