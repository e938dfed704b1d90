"""The whole bot at one face of the sandbox or the other: what is promised on GitHub is promised on GitLab."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from bot.core.model.conversation import Dialect
from bot.core.tree import Oid
from bot.flows.place import GitOps, Place
from bot.flows.review import review
from bot.forges.github import GitHub
from bot.forges.github_app import PLATFORM_RIGHTS, AppCredentials
from bot.forges.gitlab import GitLab
from bot.git import Mirror
from bot.ports import Core
from bot.sandbox import Sandbox
from bot.sandbox.nouns import CheckRun, ReviewComment
from tests.world.stage import BOT, GITOPS, LIMITS, MARKER, PLATFORM, Stage

FACES = ("github", "gitlab")
APP = "app"
"""GitHub again, with the bot as an App, which has check runs."""


class GitLabStage(Stage):
    """A stage whose bot speaks to GitLab's face; people do what they do in the same world."""

    def worker(self, root: Path, core: Core) -> Place:
        gitops = GitOps(self._gitlab(self.gitops_id), Mirror(root / "gitops.git", LIMITS))
        return replace(
            super().worker(root, core),
            forge_name="gitlab",
            forge=self._gitlab(self.platform_id),
            gitops=lambda name: gitops if name == GITOPS else None,
            dialect=Dialect("gitlab"),
        )

    def _gitlab(self, repository: str) -> GitLab:
        token = self.sandbox.token_for(BOT)
        return GitLab(self.sandbox.gitlab_url, repository, lambda: token, MARKER, sleep=lambda _: None)


def stage_at(face: str, sandbox: Sandbox, root: Path, files: Mapping[str, str], core: Core | None = None) -> Stage:
    """A platform with these files at that face, nothing delivered yet."""
    if face == "gitlab":
        return GitLabStage(sandbox, root, files, core)
    on = Stage(sandbox, root, files, core)
    if face == APP:
        app, key = sandbox.github.create_app("causeway", "acme", PLATFORM_RIGHTS)
        sandbox.github.install(app, [PLATFORM])
        credentials = AppCredentials(sandbox.api_url, app.id, key, on.platform_id, sleep=lambda _: None)
        on.place = replace(on.place, forge=GitHub(sandbox.api_url, on.platform_id, credentials, MARKER, lambda _: None))
    return on


def checks(on: Stage, number: int) -> list[CheckRun]:
    """The App's check runs at the pull request's head after a look, oldest first."""
    review(number, on.place, on.bell, "")
    return on.sandbox.github.checks(PLATFORM, head_of(on, number))


def beside(on: Stage, number: int) -> list[ReviewComment]:
    """What stands at lines of the pull request and is not resolved."""
    found = on.sandbox.world.repository(PLATFORM).review_comments.values()
    return [one for one in found if one.number == number and not one.resolved]


def head_of(on: Stage, number: int) -> Oid:
    """The pull request's head."""
    return on.place.forge.pull(number).head_sha
