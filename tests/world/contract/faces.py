"""The faces that the contract is held against: each a way to reach one repository of the sandbox's world."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from bot.core.tree import Oid
from bot.forges.github import GitHub
from bot.forges.github_app import PLATFORM_RIGHTS, AppCredentials
from bot.forges.gitlab import GitLab
from bot.ports import Forge
from bot.sandbox import Sandbox

NAME = "acme/platform"
SECRET = "a secret of sixteen characters"
CONTEXT = "causeway"
FILE = "services/shop/platform.yaml"
TEXT = "name: shop\nowner: payments\ntype: web\nimage: ghcr.io/acme/shop:1\n"


@dataclass
class Face:
    """An adapter under test, and the world behind it. People act through the sandbox's own verbs: on GitLab's face an
    approved review is an approval, a team a group."""

    sandbox: Sandbox
    make: Callable[[], Forge]
    """Another worker's adapter: the same bot, nothing remembered."""
    verdicts: Callable[[str], list[str]]
    """Every verdict at a commit under `CONTEXT`, oldest first, as `state: description` in our three states."""
    bot: str
    """The bot's login."""
    slept: list[float]
    forge: Forge = field(init=False)
    number: int = field(init=False)
    """A pull request of ada's that adds `FILE`."""

    def __post_init__(self) -> None:
        self.sandbox.commit(NAME, "topic", {FILE: TEXT}, "Add shop", "ada")
        self.number = self.sandbox.open_pull(NAME, "Add shop", "topic", "main", "ada")
        self.forge = self.make()

    @property
    def head(self) -> Oid:
        """The pull request's."""
        return Oid(self.sandbox.pull(NAME, self.number).head_sha)

    def push(self, text: str = TEXT + "tier: 2\n", by: str = "ada") -> Oid:
        """A further commit of the pull request."""
        return Oid(self.sandbox.commit(NAME, "topic", {FILE: text}, "Change shop", by))

    def id(self, login: str) -> str:
        """Somebody's numeric id."""
        return str(self.sandbox.world.user(login).id)

    def said(self) -> list[str]:
        """First lines of the bot's comments."""
        listed = self.sandbox.comments(NAME, self.number)
        return [one.body.splitlines()[0] for one in listed if one.user.login == self.bot]

    def beside(self) -> list[tuple[str, int | None, str]]:
        """The bot's remarks: file, line, first line."""
        listed = self.sandbox.world.repository(NAME).review_comments.values()
        return [(r.path, r.line, r.body.splitlines()[0]) for r in listed if r.user.login == self.bot and not r.resolved]

    def asked(self) -> list[tuple[str, str]]:
        """Requests to the API since the last time, method and path."""
        found = [(one.method, one.path) for one in self.sandbox.requests if one.path.startswith("/api/")]
        self.sandbox.requests.clear()
        return found


def populated(sandbox: Sandbox) -> str:
    """The people and the repository that every face starts from; its id."""
    for login in ("ada", "bob", "eve"):
        sandbox.create_user(login)
    return str(sandbox.create_repository(NAME, {"README.md": "hello\n"}))


def github_token(sandbox: Sandbox) -> Face:
    """GitHub by the token of an account."""
    repository, bot, slept = populated(sandbox), sandbox.create_user("causeway"), list[float]()

    def verdicts(sha: str) -> list[str]:
        listed = sandbox.statuses(NAME, sha)
        return [f"{one.state}: {one.description}" for one in listed if one.context == CONTEXT]

    def make() -> GitHub:
        return GitHub(sandbox.api_url, repository, lambda: bot.token, SECRET, sleep=slept.append)

    return Face(sandbox, make, verdicts, bot.login, slept)


def github_app(sandbox: Sandbox) -> Face:
    """GitHub as an App."""
    repository, slept = populated(sandbox), list[float]()
    app, key = sandbox.github.create_app("causeway-app", "acme", PLATFORM_RIGHTS)
    sandbox.github.install(app, [NAME])

    def verdicts(sha: str) -> list[str]:
        told = {None: "pending", "success": "success"}
        listed = sandbox.github.checks(NAME, sha)
        return [f"{told.get(one.conclusion, 'failure')}: {one.title}" for one in listed if one.name == CONTEXT]

    def make() -> GitHub:
        credentials = AppCredentials(sandbox.api_url, app.id, key, repository, sleep=slept.append)
        return GitHub(sandbox.api_url, repository, credentials, SECRET, sleep=slept.append)

    return Face(sandbox, make, verdicts, "causeway-app[bot]", slept)


def gitlab(sandbox: Sandbox) -> Face:
    """GitLab by a project's token."""
    repository, bot, slept = populated(sandbox), sandbox.create_user("project_1_bot_5f", kind="Bot"), list[float]()

    def verdicts(sha: str) -> list[str]:
        listed = sandbox.statuses(NAME, sha)
        return [f"{one.state}: {one.description}" for one in listed if one.context == CONTEXT]

    def make() -> GitLab:
        return GitLab(sandbox.gitlab_url, repository, lambda: bot.token, SECRET, sleep=slept.append)

    return Face(sandbox, make, verdicts, bot.login, slept)


FACES: Mapping[str, Callable[[Sandbox], Face]] = {
    "github-token": github_token,
    "github-app": github_app,
    "gitlab": gitlab,
}
"""Name -> the face over an empty sandbox."""
