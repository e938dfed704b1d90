"""All that the bot may say about one pull request, as one frozen value; `words` makes the sentences."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from bot.core.model.plan import Plan
from bot.core.model.rights import Agreement
from bot.core.problem import Refusal


@dataclass(frozen=True, slots=True)
class Dialect:
    """What a forge's Markdown and limits are."""

    forge: Literal["github", "gitlab"]
    limit: int = 60_000
    """Bytes of a comment, UTF-8."""

    def reference(self, number: int, issue: bool = False) -> str:
        """How a comment names a pull request, or an issue: `#42`, `!42`."""
        return f"{'!' if self.forge == 'gitlab' and not issue else '#'}{number}"


@dataclass(frozen=True, slots=True)
class Shas:
    """What the answer was first computed for. No content: an answer that only moves here is not written again."""

    base: str
    base_ref: str
    head: str
    blob_url: str
    """URL prefix of a file at the head: `<prefix>/<path>#L<line>`; empty where there is no page to link to."""


@dataclass(frozen=True, slots=True)
class Delivered:
    """The change's GitOps commit, and those of further targets (sha, url) where the platform writes to several."""

    sha: str
    url: str
    at: str
    """`2026-11-21 14:02 UTC`."""
    environments: tuple[str, ...]
    notes: tuple[str, ...] = ()
    """What differs from what was reviewed, one sentence each, already plain text."""
    others: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Halted:
    """Delivery stands still until a person acts."""

    why: str
    command: str


@dataclass(frozen=True, slots=True)
class Contest:
    """Another open pull request that wants the same for itself. `claims` in words, backticks around names."""

    number: int
    claims: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Conversation:
    """`outcome` is None where the merge itself conflicts (`conflict`), or an unexpected error happened (`error_id`)."""

    outcome: Plan | Refusal | None
    stage: Literal["open", "merged", "delivered", "closed"]
    dialect: Dialect
    shas: Shas
    draft: bool = False
    observing: bool = False
    """The base's config says `mode: observe`; told here too because a refusal, a conflict or an error has no plan."""
    conflict: tuple[str, ...] = ()
    error_id: str = ""
    delivered: Delivered | None = None
    halted: Halted | None = None
    lag: str = ""
    """Told only beyond ten minutes: `deliveries are 14 minutes behind`."""
    drift: tuple[str, ...] = ()
    """Owned paths in the GitOps repo that someone else changed."""
    diffs: Mapping[str, str] = field(default_factory=dict)
    """Unified diff by output path, for the folds; may lack any path, and is the first thing the ladder drops."""
    agreement: Agreement = field(default_factory=Agreement)
    """Whose approval is there, and whose is missing."""
    changed: tuple[str, ...] = ()
    """What other merges have changed in this plan since it was first computed, one sentence each."""
    since: str = ""
    """The base for which it was first computed, where that is not `shas.base`. No content, as all shas."""
    contests: tuple[Contest, ...] = ()
    plan_id: str = ""
    """The plan's digest, where it is known already."""
    texts: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """The lines of files with problems, where they are at the head what they are in the merge result: there only does
    a place in one mean the same place in the other."""


@dataclass(frozen=True, slots=True)
class Annotation:
    """A problem at its line, as plain text: `line` and `column` from 1."""

    path: str
    line: int
    column: int
    level: Literal["failure", "warning", "notice"]
    title: str
    message: str


@dataclass(frozen=True, slots=True)
class Remark:
    """Markdown that stands beside a line of the change; a certain fix is a suggestion that one click applies."""

    path: str
    line: int
    body: str


@dataclass(frozen=True, slots=True)
class Said:
    """The words, ready to be ensured. `comment` is None where there is nothing to say; `digest` is of the content."""

    state: Literal["success", "failure", "pending"]
    status: str
    comment: str | None
    digest: str
    annotations: tuple[Annotation, ...] = ()
    remarks: tuple[Remark, ...] = ()
    summary: str = ""
    """Markdown for the page that a forge shows behind a status."""
