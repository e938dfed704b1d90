"""How branches are guarded, and what an App was made with: what the forge's settings pages hold."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from bot.sandbox.nouns import Json


@dataclass(frozen=True, slots=True)
class Guard:
    """The rules of one branch. `checks` maps each required check to the App that alone may set it, if any."""

    only_pulls: bool = False
    checks: Mapping[str, int | None] = field(default_factory=dict)
    queue: bool = False
    approvals_reset: bool = False


@dataclass(slots=True)
class Guards:
    """Every rule of a world, every App's webhook, and the manifests that wait to be exchanged."""

    branches: dict[tuple[int, str], Guard] = field(default_factory=dict)
    app_hooks: dict[int, tuple[str, str]] = field(default_factory=dict)
    """App -> address and secret of its webhook."""
    manifests: dict[str, Json] = field(default_factory=dict)
    """Code, good for one exchange -> the manifest."""

    def of(self, repository: int, branch: str) -> Guard:
        """The branch's rules; none where nobody made any."""
        return self.branches.get((repository, branch), Guard())
