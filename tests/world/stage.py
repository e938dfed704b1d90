"""The whole bot on the sandbox forge, without queue or door: flows are called as the worker would call them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType

from bot.core.build import Memo
from bot.core.memory import read_actual
from bot.core.policy.judge import judge_cases
from bot.core.problem import Refusal
from bot.core.tree import Oid
from bot.core.verify import Breach, verify
from bot.core.wake import parse_wake
from bot.flows.deliver import Outcome, deliver
from bot.flows.names import COMMENT, CONTEXT
from bot.flows.place import GitOps, Place
from bot.flows.review import review
from bot.forges.github import GitHub
from bot.git import Mirror
from bot.git.command import Limits
from bot.ports import Commit, Core
from bot.sandbox import Sandbox
from bot.sandbox.world import MergeMethod
from bot.shipped import shipped_tree
from bot.thinking import Thinking

PLATFORM, GITOPS, BOT, DEVELOPER = "acme/platform", "acme/gitops", "causeway-bot", "dana"
LIMITS = Limits(push=5)
"""Git waits for ever where an answer is cut off in the middle; no test has that much time."""

MARKER = "a marker secret for tests"


@dataclass
class Bell:
    """A bell whose rings are a list."""

    rung: list[str] = field(default_factory=list)

    def ring(self, name: str, after: float = 0.0) -> bool:  # noqa: ARG002 - the port's shape
        if name in self.rung:
            return False
        self.rung.append(name)
        return True


class Stage:
    """A platform repo and a GitOps repo on a sandbox, and the bot's own view of them."""

    def __init__(
        self,
        sandbox: Sandbox,
        root: Path,
        files: Mapping[str, str],
        core: Core | None = None,
        gitops: Mapping[str, bytes] = MappingProxyType({"README.md": b"What runs.\n"}),
    ) -> None:
        self.sandbox = sandbox
        sandbox.create_user(BOT, permission="write", kind="Bot")
        sandbox.create_user(DEVELOPER, permission="admin")
        self.platform_id = str(sandbox.create_repository(PLATFORM, {k: v.encode() for k, v in files.items()}))
        self.gitops_id = str(sandbox.create_repository(GITOPS, gitops))
        for name in (PLATFORM, GITOPS):
            sandbox.grant(name, BOT, "admin")
        for team in ("acme/platform", "acme/payments", "acme/shop"):
            sandbox.join(team, DEVELOPER)
        self.bell = Bell()
        self.root = root
        # In this very process: a judge of its own for each stage would cost every test a start, and memory to the end.
        self.core = core or Thinking(judge_cases)
        self.place = self.worker(root, self.core)

    def worker(self, root: Path, core: Core) -> Place:
        """The view of a worker of its own: its mirrors are in `root`."""
        gitops = GitOps(self._forge(self.gitops_id), Mirror(root / "gitops.git", LIMITS))
        return Place(
            "github",
            self.platform_id,
            self._forge(self.platform_id),
            Mirror(root / "platform.git", LIMITS),
            core,
            lambda name: gitops if name == GITOPS else None,
        )

    def _forge(self, repository: str) -> GitHub:
        token = self.sandbox.token_for(BOT)
        return GitHub(self.sandbox.api_url, repository, lambda: token, MARKER, sleep=lambda _: None)

    def open(self, edits: Mapping[str, str | None], title: str = "A change", branch: str | None = None) -> int:
        """A pull request with these edits on the newest default branch."""
        name = branch or f"change-{len(self.sandbox.requests)}"
        data = {path: None if text is None else text.encode() for path, text in edits.items()}
        self.sandbox.commit(PLATFORM, name, data, title, DEVELOPER, base="main")
        return self.sandbox.open_pull(PLATFORM, title, name, "main", DEVELOPER)

    def push(self, edits: Mapping[str, str | None], message: str = "A direct change") -> Oid:
        """A commit straight to the default branch."""
        data = {path: None if text is None else text.encode() for path, text in edits.items()}
        return Oid(self.sandbox.commit(PLATFORM, "main", data, message, DEVELOPER))

    def review(self, number: int) -> tuple[str, str | None]:
        """Reviews, and gives the status's description and the bot's comment as they stand at the forge."""
        review(number, self.place, self.bell, f"review-github-{self.platform_id}-{number}")
        return self.said(number)

    def deliver(self, resumed: Oid | None = None) -> tuple[Outcome, ...]:
        """Delivers, and answers every ring that it caused."""
        outcomes = deliver(self.place, self.bell, resumed)
        while self.bell.rung:
            wake = parse_wake(self.bell.rung.pop(0))
            if wake is not None and wake.flow == "review":
                review(wake.number, self.place, self.bell, str(wake))
        return outcomes

    def merge(self, number: int, method: MergeMethod = "merge") -> str:
        """Merges as a person would, and delivers."""
        sha = self.sandbox.merge(PLATFORM, number, method, by=DEVELOPER)
        self.deliver()
        return sha

    def revert(self, number: int) -> int:
        """Opens the pull request that takes a landed one back."""
        return self.sandbox.revert(PLATFORM, number, by=DEVELOPER)

    def foreign(self, edits: Mapping[str, bytes | None]) -> str:
        """Someone else's commit to the GitOps repo."""
        return self.sandbox.commit(GITOPS, "main", edits, "By hand", DEVELOPER)

    def said(self, number: int) -> tuple[str, str | None]:
        """The status's description and the bot's comment as they stand at the forge, looked at by nobody now."""
        head = self.sandbox.pull(PLATFORM, number).head_sha
        status = self.sandbox.newest_statuses(PLATFORM, head)[CONTEXT]
        bodies = [c.body for c in self.sandbox.comments(PLATFORM, number) if c.user.login == BOT]
        assert len(bodies) <= 1, "there is one comment"
        return f"{status.state}: {status.description}", bodies[0] if bodies else None

    def issues(self) -> list[str]:
        """Bodies of the bot's open issues on the platform repo."""
        return [i.body or "" for i in self.sandbox.issues(PLATFORM) if i.state == "open" and i.user.login == BOT]

    def commits(self, name: str = GITOPS) -> list[Commit]:
        """The first-parent line of a repository, oldest first."""
        git = Mirror(Path(self.sandbox.git_dir(name)))
        tip = self.sandbox.head(name)
        found: list[Commit] = []
        while tip is not None:
            commit = git.commit(Oid(tip))
            found.append(commit)
            tip = commit.parents[0] if commit.parents else None
        return found[::-1]

    def made(self) -> list[Commit]:
        """The bot's own GitOps commits, oldest first."""
        return [commit for commit in self.commits() if commit.author_name == "Causeway"]

    def trailer(self, commit: Commit, name: str) -> str:
        """One trailer of a commit, empty where it has none."""
        rows = (line.partition(": ") for line in commit.message.splitlines())
        return next((value for key, _, value in rows if key == name), "")

    def files(self) -> dict[str, bytes]:
        """The GitOps head."""
        return self.sandbox.files(GITOPS)

    def owned_files(self) -> dict[str, bytes]:
        """The GitOps head without the cursor and what is kept."""
        return {path: data for path, data in self.files().items() if not path.startswith(".causeway/")}

    def breaches(self, commit: Oid | None = None) -> tuple[Breach, ...]:
        """The law, from scratch, with nothing that the bot remembers; at the head or an earlier commit."""
        git = Mirror(Path(self.sandbox.git_dir(GITOPS)))
        platform = Mirror(Path(self.sandbox.git_dir(PLATFORM)))
        actual = read_actual(git.tree(commit or Oid(self.sandbox.head(GITOPS) or "")))
        assert not isinstance(actual, Refusal), actual
        assert actual.cursor is not None
        found = verify(platform.tree(actual.cursor.commit), actual, shipped_tree(), "main", platform.tree, Memo())
        assert not isinstance(found, Refusal), found
        return found

    def cursors(self) -> list[Oid]:
        """The platform commits that the bot's commits render, oldest first."""
        git = Mirror(Path(self.sandbox.git_dir(GITOPS)))
        found = []
        for commit in self.made():
            actual = read_actual(git.tree(commit.tree))
            assert not isinstance(actual, Refusal)
            assert actual.cursor is not None
            found.append(actual.cursor.commit)
        return found


__all__ = ["COMMENT", "Stage"]
