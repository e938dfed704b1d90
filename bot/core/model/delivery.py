"""Delivery: cursor, kept, evidence, and the step that moves the GitOps head."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from bot.core.model.plan import Plan
from bot.core.problem import Problem
from bot.core.tree import NO_OID, Oid, Tree

Reason = Literal["data", "draining", "refused", "held"]


@dataclass(frozen=True, slots=True)
class Cursor:
    """`.causeway/cursor.json`: which platform commit, through which kit, the owned paths render."""

    repository: str
    """Numeric id of the platform repository at its forge."""
    commit: Oid
    renderer: int
    digest: str
    """Of the kit's shipped parts at the pin."""


@dataclass(frozen=True, slots=True)
class KeptEntry:
    """Why a path differs from the render: `id` stands there instead, or nothing where `id` is None."""

    id: Oid | None
    kind: Literal["file", "folder"]
    reason: Reason
    commit: Oid
    """The platform commit whose render this is (refused: the unit's last good one; data: the last that had it)."""
    unit: str = ""
    """Unit folder, for `refused`; `env/service/need` for `data` and `draining`."""


Kept = Mapping[str, KeptEntry]
"""By path of file or folder."""


@dataclass(frozen=True, slots=True)
class Actual:
    """The GitOps side as it stands."""

    head: Tree | None
    cursor: Cursor | None
    kept: Kept


@dataclass(frozen=True, slots=True)
class Approval:
    """A live member of `team` approved exactly the sha under which this is filed."""

    user_id: str
    team: str


@dataclass(frozen=True, slots=True)
class Landed:
    """How the platform commit `commit` came: the pull request that it landed with that one's last head, or 0 and the
    empty string for a direct commit. `time` is the commit's, seconds since 1970."""

    repository: str
    commit: Oid
    time: int
    number: int = 0
    head_sha: Oid = NO_OID
    author_id: str = ""


@dataclass(frozen=True, slots=True)
class ApplyReport:
    """What a Terraform apply of one folder's exact content reported."""

    success: bool
    state_empty: bool


@dataclass(frozen=True, slots=True)
class Evidence:
    """What a flow read from the world. What it decided is recorded in `kept` or the cursor."""

    approvals: Mapping[Oid, tuple[Approval, ...]] = field(default_factory=dict)
    landed: Landed | None = None
    applies: Mapping[tuple[str, Oid], ApplyReport] = field(default_factory=dict)
    ran: Mapping[str, frozenset[Oid]] = field(default_factory=dict)
    """Unit folder -> git tree ids of it that were delivered in the last 30 days and not refused."""
    resumed: Oid | None = None
    """The commit named by `causeway resume`: the shrink guard is off for exactly it."""
    consents: frozenset[str] = frozenset()
    """Slugs of the teams of which everybody who wrote the change is a live member."""
    reviewed: bool = True
    """What lands came by pull request. Told only where an environment asks for it."""


Edit = bytes | Mapping[str, bytes] | Oid | None
"""A file's bytes · a folder's whole content by relative path · an object that the repository has · removal."""


@dataclass(frozen=True, slots=True)
class Step:
    """One GitOps commit to be. `edits` includes `.causeway/cursor.json` and `kept.json`."""

    edits: Mapping[str, Edit]
    kept: Kept
    cursor: Cursor
    plan: Plan
    """What this commit changes, for its message and for the pull request."""
    trailers: tuple[tuple[str, str], ...]
    """For people and audit; nothing is decided from them. Names of the closed set in `core/words/commit.py`."""
    problems: tuple[Problem, ...] = ()
    """What was found on the way and did not stop the step: refused units, drift restored or held."""


@dataclass(frozen=True, slots=True)
class Unchanged:
    """Nothing owned differs."""

    problems: tuple[Problem, ...] = ()
