"""What flows ask of the world: few verbs, each with its guarantee. Implementations are in `forges/`, `git/`, …

Every verb may raise `OutsideWorldError`; none returns a partial answer.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal, Protocol

from bot.core.event import Delivery
from bot.core.model.ask import (
    Chain,
    CursorAsk,
    CursorSeen,
    DeliverAsk,
    DeliveredAsk,
    DeliveredSeen,
    Draft,
    DraftAsk,
    ExplainAsk,
    Required,
    RequiredAsk,
    ReviewAsk,
    Survey,
    SurveyAsk,
    Told,
)
from bot.core.model.conversation import Annotation, Remark, Said
from bot.core.model.delivery import Edit
from bot.core.tree import Oid, Tree


class OutsideWorldError(Exception):
    """Something outside failed and may work later. `retry_after`, in seconds, where it said when."""

    def __init__(self, what: str, retry_after: float | None = None) -> None:
        super().__init__(what)
        self.retry_after = retry_after


class GoneError(OutsideWorldError):
    """The thing asked for does not exist (404), or is not ours to see."""


@dataclass(frozen=True, slots=True)
class Repository:
    """A repository as the forge describes it now. `id` is the numeric id, the only key; names may change."""

    id: str
    full_name: str
    default_branch: str
    web_url: str
    clone_url: str


@dataclass(frozen=True, slots=True)
class Pull:
    """A pull request as it stands now."""

    number: int
    state: Literal["open", "closed"]
    merged: bool
    draft: bool
    head_sha: Oid
    base_ref: str
    title: str
    author_id: str
    web_url: str
    landed_sha: Oid | None
    """The commit the forge says it landed as; the branch alone proves it."""
    updated_at: str
    fork: bool = False
    """The head lies in another repository, whose owner may be anybody."""


@dataclass(frozen=True, slots=True)
class Status:
    """A commit status. `description` fits 140 characters."""

    context: str
    state: Literal["success", "failure", "pending"]
    description: str
    url: str = ""
    summary: str = field(default="", compare=False)
    """Markdown for the page behind it, where the forge has one. Not told by `status`."""


@dataclass(frozen=True, slots=True)
class Changed:
    """Pull requests that may have changed since `mark` was made. `pulls` is None where nothing did."""

    pulls: tuple[Pull, ...] | None
    mark: str


@dataclass(frozen=True, slots=True)
class Comment:
    """A person's comment as it stands now. `reactions` are those of the bot itself."""

    id: str
    author_id: str
    is_bot: bool
    body: str
    created_at: str
    edited: bool
    reactions: frozenset[str]
    author: str = ""
    """What the author is called now, for people; names change hands, so nothing is decided by it."""


@dataclass(frozen=True, slots=True)
class Approving:
    """Somebody's standing approval of exactly this head; dismissed ones and those of older heads are not told."""

    user_id: str
    sha: Oid


@dataclass(frozen=True, slots=True)
class Opening:
    """A pull request to be: its branch is pushed already."""

    branch: str
    base: str
    title: str
    body: str


Reaction = Literal["seen", "done", "refused"]
"""What the bot leaves on a command: read, carried out, or answered with a no."""

Permission = Literal["admin", "write", "read", "none"]


@dataclass(frozen=True, slots=True)
class GitRemote:
    """How the git command reaches a repository. `authorization` is a header value, never part of a URL or argv."""

    url: str
    authorization: str | None


class Forge(Protocol):
    """One repository at one forge, seen with the bot's own rights."""

    def repository(self) -> Repository:
        """The repository with this numeric id, wherever it was renamed to."""

    def remote(self) -> GitRemote:
        """A fresh credential for git; valid for at least ten minutes."""

    def pull(self, number: int) -> Pull:
        """As it stands now, never from a cache. `GoneError` where there is none."""

    def open_pulls(self) -> tuple[Pull, ...]:
        """Every open pull request against any branch, all pages."""

    def changed_since(self, mark: str) -> Changed:
        """Open and recently closed pull requests, most recently changed first; one conditional request, free where
        nothing changed. `mark` is what an earlier answer gave, or empty."""

    def status(self, sha: Oid, context: str) -> Status | None:
        """The newest status the forge holds for this sha and context."""

    def ensure_status(self, sha: Oid, status: Status, annotations: Sequence[Annotation] = ()) -> bool:
        """Afterwards the newest status of (sha, context) is this one; False where it already was and nothing was
        written. `annotations` stand at their lines where the forge has a place for them beside a status."""

    def ensure_comment(self, number: int, key: str, digest: str, body: str, urgent: bool = False) -> bool:
        """Afterwards exactly one comment by the bot itself carries the keyed marker `key`, and shows content `digest`.
        Not written where the digest is the same; younger twins are deleted. False where nothing was written. Where the
        forge allows only so many writes, urgent ones (a failure, an answer to a person) still have room when others
        must wait."""

    def comment_digest(self, number: int, key: str) -> str | None:
        """The digest of the bot's own comment, None where there is none, empty where there are several, of which all
        but one are to go. Costs nothing right after `comments`, which has seen it."""

    def ensure_remarks(self, number: int, sha: Oid, key: str, remarks: Sequence[Remark]) -> bool:
        """Afterwards the bot's own remarks on lines of this head, known by the keyed marker, are exactly these; others
        of its own are removed or resolved. Lines that the pull request does not show are left out. False where nothing
        was written."""

    def pull_ref(self, number: int) -> str:
        """The full ref in the base repository that holds the pull request's head, forks included."""

    def comments(self, number: int) -> tuple[Comment, ...]:
        """Every comment on the pull request, oldest first, all pages, the bot's own left out."""

    def react(self, number: int, comment: str, reaction: Reaction) -> None:
        """The bot's own reaction stands at that comment; nothing changes where it already does."""

    def approvals(self, number: int, sha: Oid) -> tuple[Approving, ...]:
        """Who approves exactly this head now."""

    def authors(self, number: int) -> frozenset[str]:
        """Ids of the users who opened the pull request or wrote or pushed a commit of it, as far as the forge knows."""

    def member_of(self, team: str, user_id: str) -> bool:
        """Live: whether the user is an active member of the team or group as teams.yaml names it (`acme/payments`)."""

    def permission(self, user_id: str) -> Permission:
        """Live: what the user may do in this repository."""

    def open_pull(self, opening: Opening) -> int:
        """The number of the open pull request from that branch; opened where there is none."""

    def pulls_of_commit(self, sha: Oid) -> tuple[int, ...]:
        """Numbers of merged pull requests that the forge connects with this commit, lowest first."""

    def ensure_issue(self, key: str, title: str, body: str | None) -> None:
        """One open issue by the bot carries `key`, with this title and body; none is open where body is None."""


class DeliveryParser(Protocol):
    """An adapter's pure reading of a webhook."""

    def __call__(self, headers: Mapping[str, str], body: bytes, secrets: Sequence[str], now: float) -> Delivery:
        """Signature first, over raw bytes, in constant time; header names are lower-case. `now`, in seconds since 1970,
        is for signatures that are good for minutes only."""


@dataclass(frozen=True, slots=True)
class Commit:
    """A commit, read from git."""

    id: Oid
    tree: Oid
    parents: tuple[Oid, ...]
    time: int
    """Committer time, seconds since 1970."""
    author_name: str
    message: str


@dataclass(frozen=True, slots=True)
class Conflict:
    """A merge that git could not make. Paths that conflict, sorted."""

    paths: tuple[str, ...]


Pushed = Literal["pushed", "refused", "unknown"]
"""`refused`: the head was not the leased one, nothing moved. `unknown`: no answer; read the world again."""


class Git(Protocol):
    """One bare mirror of one repository. Reads never touch the network; nothing has a work tree."""

    @property
    def path(self) -> str:
        """The mirror's folder, for a process that only reads."""

    def fetch(self, remote: GitRemote, refs: Sequence[str]) -> Mapping[str, Oid | None]:
        """The full refs (`refs/heads/main`, `refs/pull/7/head`) or shas as the remote has them now, with all their
        history; None for one that does not exist there."""

    def heads(self, remote: GitRemote) -> Mapping[str, Oid]:
        """`ls-remote`: every branch and its sha, without fetching."""

    def tree(self, oid: Oid) -> Tree:
        """The tree of a commit or tree id."""

    def commit(self, oid: Oid) -> Commit:
        """KeyError where the mirror has no such commit."""

    def merge_tree(self, base: Oid, head: Oid) -> Oid | Conflict:
        """The tree that merging commit `head` into commit `base` makes."""

    def first_parents(self, older: Oid, newer: Oid) -> tuple[Commit, ...] | None:
        """Commits after `older` up to `newer` along first parents, oldest first; None where `older` is not on it."""

    def is_ancestor(self, older: Oid, newer: Oid) -> bool:
        """True where `older` is `newer` or reachable from it."""

    def write(self, parent: Oid | None, edits: Mapping[str, Edit], message: str, time: int) -> Oid:
        """A commit on `parent` with `edits` applied, author and committer the bot, at `time`. Objects only: no ref
        moves. The same arguments give the same id."""

    def push(self, remote: GitRemote, ref: str, new: Oid, lease: Oid | None) -> Pushed:
        """Moves `ref` to `new` only if it is exactly `lease` (None: does not exist) and `new` descends from it."""

    def tidy(self) -> None:
        """Packs what many fetches and commits left in small pieces. Loses nothing; safe beside readers and writers."""


class Wakeups(Protocol):
    """The bell. Losing every ring costs one sweep."""

    def ring(self, name: str, after: float = 0.0) -> bool:
        """Work of this name runs once more, after so many seconds; False where it was queued already."""


class Core(Protocol):
    """The pure core over mirrors, in a process without tokens that can be killed. It reads objects and may add some;
    it moves no ref. Raises `PoisonError` where one question ran out of time or memory."""

    def survey(self, ask: SurveyAsk) -> Survey:
        """The targets of a platform repo."""

    def cursor(self, ask: CursorAsk) -> CursorSeen:
        """Where a target stands."""

    def required(self, ask: RequiredAsk) -> Required:
        """Whose approval a change needs, before anybody is asked about members."""

    def review(self, ask: ReviewAsk) -> Said:
        """Status and comment of one pull request."""

    def explain(self, ask: ExplainAsk) -> Told:
        """Who gave the values that a command asks for."""

    def draft(self, ask: DraftAsk) -> Draft:
        """Which pull request a command means, and who may ask for it."""

    def delivered(self, ask: DeliveredAsk) -> DeliveredSeen:
        """Which GitOps commit carries a landed change."""

    def deliver(self, ask: DeliverAsk) -> Chain:
        """GitOps commits for a run of landed changes, written to the target's mirror."""


class PoisonError(Exception):
    """The input itself makes the core fail: too slow, too large, or a fault of ours. `error_id` is in the log."""

    def __init__(self, what: str, error_id: str) -> None:
        super().__init__(what)
        self.error_id = error_id
