"""A sandbox seen through its GitLab face: one project, one merge request, and an adapter whose waiting is noted."""

from __future__ import annotations

from bot.core.tree import Oid
from bot.forges.gitlab import GitLab
from bot.ports import Status
from bot.sandbox import Sandbox

NAME = "acme/platform"
SECRET = "a secret of sixteen characters"
A, B = "aa" * 8, "bb" * 8
READY = Status("causeway", "success", "Ready: 1 service", "https://causeway.example.com/1")
WAITS = Status("causeway", "pending", "Waits for 1 approval of @acme/payments")
BROKEN = Status("causeway", "failure", "2 problems")


class Stage:
    """Everything a test of the adapter needs."""

    def __init__(self, forge: Sandbox) -> None:
        self.forge = forge
        self.ada = forge.create_user("ada")
        self.bot = forge.create_user("project_7_bot_1a2b", kind="Bot")
        self.repository = str(forge.create_repository(NAME, {"README.md": "hello\n"}))
        forge.commit(NAME, "topic", {"a.txt": "1\n2\n3\n"}, "Add a", "ada")
        self.number = forge.open_pull(NAME, "Add a", "topic", "main", "ada")
        self.slept: list[float] = []
        self.gitlab = self.adapter()

    @property
    def head(self) -> Oid:
        return Oid(self.forge.pull(NAME, self.number).head_sha)

    def adapter(self, repository: str | None = None, token: str | None = None, secret: str = SECRET) -> GitLab:
        return GitLab(
            self.forge.gitlab_url,
            repository or self.repository,
            lambda: token or self.bot.token,
            secret,
            sleep=self.slept.append,
        )

    def bodies(self) -> list[str]:
        return [one.body for one in self.forge.comments(NAME, self.number)]

    def calls(self) -> list[tuple[str, str]]:
        """What was asked since the last time, as method and path."""
        asked = [(one.method, one.path.removeprefix("/api/v4")) for one in self.forge.requests]
        self.forge.requests.clear()
        return asked
