"""The sandbox forge as tests and the demo hold it: start it, fill it, act in it, break it."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Mapping, MutableSequence, Sequence
from pathlib import Path
from typing import Literal, TypeVar

from werkzeug.serving import BaseWSGIServer, WSGIRequestHandler, make_server

from bot.sandbox import pulls
from bot.sandbox.app import make_app
from bot.sandbox.faults import Fault, Front, Request, Weather
from bot.sandbox.github_desk import GithubDesk
from bot.sandbox.gitlab_state import GitLabState
from bot.sandbox.hooks import Delivery, Hooks
from bot.sandbox.moves import settle
from bot.sandbox.repos import ZERO, GitFolder
from bot.sandbox.rest_commits import newest
from bot.sandbox.rest_issues import add_comment
from bot.sandbox.reviews import add_review, dismiss
from bot.sandbox.urls import Urls
from bot.sandbox.world import (
    Comment,
    Issue,
    MergeMethod,
    Permission,
    Pull,
    Repository,
    Review,
    ReviewState,
    Status,
    User,
    World,
    WorldError,
)

Edits = Mapping[str, bytes | str | None]
"""Path -> new content, or None to remove it."""
HOOK_EVENTS = ("pull_request", "pull_request_review", "push", "issue_comment", "check_run", "merge_group")


_T = TypeVar("_T")


class _Quick(WSGIRequestHandler):
    """Answers at once (no Nagle) and keeps quiet."""

    disable_nagle_algorithm = True

    def log(self, type: str, message: str, *args: object) -> None:  # noqa: A002
        logging.getLogger("bot.sandbox").debug("%s %s", type, message % args)


class Sandbox:
    """A forge on 127.0.0.1. Its address is known at once; it answers between `start` and `stop`.

    Actions raise `WorldError` where GitHub would refuse; its `status` is GitHub's. People act by login and must exist
    (`create_user`); `viewer` is the person in front of the web page, an administrator.
    """

    def __init__(self, root: Path, port: int = 0, viewer: str = "you") -> None:
        root.mkdir(parents=True, exist_ok=True)
        front_door: list[Front] = []
        self._server: BaseWSGIServer = make_server(
            "127.0.0.1",
            port,
            lambda environ, start: front_door[0](environ, start),
            threaded=True,
            request_handler=_Quick,
        )
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        self.world = World(root, Urls(self.url))
        self.hooks = Hooks(self.world)
        self.github = GithubDesk(self.world, self.hooks)
        self.viewer = self.world.add_user(viewer, "User", "admin")
        self.gitlab = GitLabState(self.world)
        self._front = Front(make_app(self.world, self.hooks, self.viewer, self.gitlab))
        front_door.append(self._front)
        self._thread: threading.Thread | None = None

    @property
    def api_url(self) -> str:
        """The `base_url` for a GitHub client."""
        return self.world.urls.api

    @property
    def gitlab_url(self) -> str:
        """The API's address for a GitLab client: another face of the same world."""
        return f"{self.url}/api/v4"

    @property
    def faults(self) -> MutableSequence[Fault]:
        """Append to break what comes next; clear to mend."""
        return self._front.faults

    def storm(self, seed: int, share: float, stale: bool = True) -> None:
        """From now on this share of all requests to the API goes wrong, by dice of this seed; 0 ends it."""
        self._front.weather = Weather(seed, share, stale=stale) if share else None

    @property
    def requests(self) -> list[Request]:
        """Every request so far as (method, path, status). The web page's own polling is left out."""
        return self._front.requests

    @property
    def webhooks_on(self) -> bool:
        """False: what happens is told to nobody, and not later either."""
        return self.hooks.on

    @webhooks_on.setter
    def webhooks_on(self, value: bool) -> None:
        self.hooks.on = value

    @property
    def deliveries(self) -> Sequence[Delivery]:
        """Every webhook delivery so far, with its answer."""
        return self.hooks.deliveries

    def start(self) -> str:
        """Begins to answer; returns the root URL."""
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,), name="sandbox", daemon=True)
        self._thread.start()
        return self.url

    def stop(self) -> None:
        """Stops answering and drops webhooks that wait."""
        self.hooks.stop()
        if self._thread is not None:
            self._server.shutdown()
            self._thread.join()
        self._server.server_close()

    def __enter__(self) -> Sandbox:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    # People and repositories

    def create_user(self, login: str, permission: Permission = "write", kind: Literal["User", "Bot"] = "User") -> User:
        """A user with `id` and `token`. `permission` holds in every repository that says nothing else (`grant`)."""
        with self.world.lock:
            return self.world.add_user(login, kind, permission)

    def token_for(self, login: str) -> str:
        """The user's token, for REST and as the password for git."""
        return self.world.user(login).token

    def grant(self, full_name: str, login: str, permission: Permission) -> None:
        """What this user may do in this repository."""
        with self.world.lock:
            self.world.repository(full_name).rights[self.world.user(login).id] = permission

    def create_repository(self, full_name: str, files: Edits, default_branch: str = "main") -> int:
        """A repository whose first commit holds `files`; without any commit or branch where there are none."""
        with self.world.lock:
            owner = self.world.add_user(full_name.partition("/")[0], "Organization", "admin")
            repo_id = self.world.next_id()
            git = GitFolder.create(self.world.root / f"{repo_id}.git", default_branch)
            now = self.world.now()
            repo = Repository(repo_id, full_name, default_branch, git, now, now)
            self.world.repositories[repo_id] = repo
            if files:
                self._commit(repo, default_branch, files, "Initial commit", owner, None)
            return repo_id

    def fork(self, full_name: str, by: str) -> str:
        """The name of a copy that belongs to `by`. Pull requests from it have the head `<by>:<branch>`."""
        with self.world.lock:
            return pulls.fork(self.world, self.world.repository(full_name), self.world.user(by)).full_name

    def rename_repository(self, full_name: str, new_name: str) -> None:
        """The id stays; the old name redirects."""
        with self.world.lock:
            repo = self.world.repository(full_name)
            self.world.former_names.pop(new_name.lower(), None)
            self.world.former_names[full_name.lower()] = repo.id
            repo.full_name = new_name

    def protect(self, full_name: str, branch: str) -> None:
        """Only administrators move this branch without a pull request from now on."""
        with self.world.lock:
            self.world.repository(full_name).protected.add(branch)

    def create_webhook(self, full_name: str, url: str, secret: str, events: Sequence[str] = HOOK_EVENTS) -> int:
        """A webhook; a ping goes out."""
        with self.world.lock:
            repo = self.world.repository(full_name)
            return self.hooks.add(repo, url, secret, tuple(events), self.world.user(repo.owner)).id

    def create_gitlab_webhook(self, full_name: str, url: str, token: str = "", signing: str = "") -> int:
        """A webhook in GitLab's shapes, with a secret that is sent along, a signing token `whsec_…`, or both."""
        with self.world.lock:
            repo = self.world.repository(full_name)
            events = ("pull_request", "pull_request_review", "push", "issue_comment")
            return self.hooks.add_gitlab(repo, url, token, events, signing).id

    def redeliver(self, guid: str) -> Delivery:
        """Sends an earlier delivery again: same GUID, same bytes."""
        with self.world.lock:
            return self.hooks.redeliver(guid)

    def wait_for_webhooks(self, timeout: float = 10.0) -> bool:
        """Waits until every webhook was answered; False where it took longer."""
        return self.hooks.quiet(timeout)

    # Commits and branches

    def commit(
        self, full_name: str, branch: str, edits: Edits, message: str, author: str, base: str | None = None
    ) -> str:
        """A commit on `branch`, by a direct push. A branch that does not exist starts at `base` (branch or sha), or at
        the default branch."""
        with self.world.lock:
            repo, user = self.world.repository(full_name), self.world.user(author)
            return self._commit(repo, branch, edits, message, user, base)

    def _commit(self, repo: Repository, branch: str, edits: Edits, message: str, user: User, base: str | None) -> str:
        tip = repo.git.heads().get(branch)
        parent = tip or repo.git.resolve(base or repo.default_branch)
        if base is not None and parent is None:
            raise WorldError(422, f"no branch or commit {base}")
        written = {path: data.encode() if isinstance(data, str) else data for path, data in edits.items()}
        tree = repo.git.write_tree(parent, written)
        who = pulls.who(user)
        made = repo.git.write_commit(tree, [parent] if parent else [], message, (who, who))
        if not repo.git.move(f"refs/heads/{branch}", made, tip):
            raise WorldError(409, f"{branch} moved meanwhile")
        settle(self.world, repo, user)
        return made

    def set_branch(self, full_name: str, branch: str, sha: str | None, by: str) -> None:
        """A forced push of `branch` to any commit; None deletes it."""
        with self.world.lock:
            repo = self.world.repository(full_name)
            if not repo.git.move(f"refs/heads/{branch}", sha or ZERO, repo.git.heads().get(branch)):
                raise WorldError(422, f"{branch} cannot be set to {sha}")
            settle(self.world, repo, self.world.user(by))

    def head(self, full_name: str, branch: str | None = None) -> str | None:
        """The commit of a branch (the default branch where None); None where there is no such branch."""
        repo = self.world.repository(full_name)
        return repo.git.heads().get(branch or repo.default_branch)

    def files(self, full_name: str, ref: str | None = None) -> dict[str, bytes]:
        """Every file at a branch or commit; empty for an empty repository."""
        repo = self.world.repository(full_name)
        sha = repo.git.resolve(ref or repo.default_branch)
        return repo.git.files(sha) if sha else {}

    def git_dir(self, full_name: str) -> Path:
        """The bare repository on disk."""
        return self.world.repository(full_name).git.path

    def clone_url(self, full_name: str) -> str:
        """For git; any user name, the token as password."""
        return self.world.urls.clone(full_name)

    # Pull requests, comments, statuses

    def open_pull(self, full_name: str, title: str, head: str, base: str, author: str, draft: bool = False) -> int:
        """A new pull request's number."""
        with self.world.lock:
            repo, user = self.world.repository(full_name), self.world.user(author)
            return pulls.open_pull(self.world, repo, title=title, head=head, base=base, author=user, draft=draft).number

    def merge(self, full_name: str, number: int, method: MergeMethod = "merge", by: str | None = None) -> str:
        """Lands it; the commit it landed as. `by` is the viewer where None."""
        return self._on_pull(
            full_name, number, by, lambda repo, pull, user: pulls.merge(self.world, repo, pull, method, user)
        )

    def revert(self, full_name: str, number: int, by: str | None = None) -> int:
        """Opens the pull request that takes a landed one back; its number."""
        return self._on_pull(
            full_name, number, by, lambda repo, pull, user: pulls.revert(self.world, repo, pull, user).number
        )

    def edit_pull(self, full_name: str, number: int, by: str | None = None, **changes: str | bool) -> None:
        """Changes `title`, `body`, `base`, `draft` or `state`."""
        self._on_pull(
            full_name, number, by, lambda repo, pull, user: pulls.edit_pull(self.world, repo, pull, user, dict(changes))
        )

    def close(self, full_name: str, number: int, by: str | None = None) -> None:
        """Closes it unmerged."""
        self.edit_pull(full_name, number, by, state="closed")

    def _on_pull(self, full_name: str, number: int, by: str | None, act: Callable[[Repository, Pull, User], _T]) -> _T:
        with self.world.lock:
            repo = self.world.repository(full_name)
            return act(repo, repo.pull(number), self.world.user(by) if by else self.viewer)

    def pull(self, full_name: str, number: int) -> Pull:
        """A pull request as it stands; read only."""
        return self.world.repository(full_name).pull(number)

    def issues(self, full_name: str) -> list[Issue]:
        """Issues that are no pull requests, oldest first; read only."""
        with self.world.lock:
            return [one for one in self.world.repository(full_name).issues.values() if not isinstance(one, Pull)]

    def review(
        self, full_name: str, number: int, by: str, state: ReviewState = "APPROVED", sha: str | None = None
    ) -> Review:
        """A submitted review of the head, or of an older commit."""
        return self._on_pull(
            full_name, number, by, lambda repo, pull, user: add_review(self.world, repo, pull, user, state, "", sha)
        )

    def dismiss(self, full_name: str, found: Review, by: str) -> None:
        """Takes a review's word away."""
        with self.world.lock:
            dismiss(self.world, self.world.repository(full_name), found, self.world.user(by))

    def join(self, team: str, login: str, state: Literal["active", "pending"] | None = "active") -> None:
        """Puts somebody into the team `org/slug`, which is made where it does not exist; None takes them out."""
        with self.world.lock:
            members, who = self.world.add_team(team).members, self.world.user(login).id
            members.pop(who, None)
            if state is not None:
                members[who] = state

    def comment(self, full_name: str, number: int, body: str, by: str) -> Comment:
        """A new comment on an issue or pull request."""
        with self.world.lock:
            return add_comment(self.world, self.world.repository(full_name), number, self.world.user(by), body)

    def comments(self, full_name: str, number: int) -> list[Comment]:
        """Comments on an issue or pull request, oldest first; read only."""
        with self.world.lock:
            return self.world.repository(full_name).comments_of(number)

    def statuses(self, full_name: str, sha: str) -> list[Status]:
        """Every status ever set on a commit, oldest first."""
        with self.world.lock:
            return list(self.world.repository(full_name).statuses.get(sha, ()))

    def newest_statuses(self, full_name: str, sha: str) -> dict[str, Status]:
        """The newest status of a commit by context."""
        return {one.context: one for one in newest(self.statuses(full_name, sha))}
