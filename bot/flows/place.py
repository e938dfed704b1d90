"""Where a flow works: one platform repository with all that it may touch."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from bot.core.model.conversation import Dialect
from bot.core.tree import Oid
from bot.ports import Core, Forge, Git

_GITHUB = Dialect("github")


@dataclass(frozen=True, slots=True)
class GitOps:
    """A GitOps repository that this platform repository may write to."""

    forge: Forge
    git: Git


@dataclass(frozen=True, slots=True)
class Place:
    """One platform repository. `gitops` gives the repository that config.yaml names, None where it is not allowed."""

    forge_name: str
    repository: str
    forge: Forge
    git: Git
    core: Core
    gitops: Callable[[str], GitOps | None]
    dialect: Dialect = _GITHUB
    authors: dict[tuple[int, Oid], frozenset[str]] = field(default_factory=dict, compare=False)
    """Who wrote a head of a pull request, which never changes: the newest few, so that a second look asks less."""
    claims: dict[tuple[int, Oid], tuple[tuple[str, ...], ...]] = field(default_factory=dict, compare=False)
    """What a head of an open pull request newly claims: an index that any look can make again."""
    rivals: dict[int, frozenset[int]] = field(default_factory=dict, compare=False)
    """With which others the pull request that is looked at now collides."""
    contested: dict[int, frozenset[int]] = field(default_factory=dict, compare=False)
    """With which others a pull request was last seen to collide, so that they are told when that changes."""
