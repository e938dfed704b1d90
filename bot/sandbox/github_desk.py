"""What only GitHub has, for tests and the demo: Apps with keys and installations, checks asked for again, its queue."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from bot.sandbox import pulls
from bot.sandbox.apps import App, Installation
from bot.sandbox.bodies_apps import merge_group_payload
from bot.sandbox.hooks import Hooks
from bot.sandbox.moves import GITHUB, finish, settle
from bot.sandbox.rest_apps import ask_again
from bot.sandbox.world import CheckRun, World, WorldError

APP_EVENTS = ("pull_request", "pull_request_review", "push", "issue_comment", "check_run", "merge_group")


@cache
def _keys(_slug: str) -> tuple[str, str]:
    """A pair in PEM form, private half first. Making one takes long, so a process makes one for each name."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    public = key.public_key().public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.TraditionalOpenSSL, serialization.NoEncryption()
    )
    return private.decode(), public.decode()


class GithubDesk:
    """Acts as GitHub's own pages would."""

    def __init__(self, world: World, hooks: Hooks) -> None:
        self._world = world
        self._hooks = hooks

    def create_app(self, slug: str, owner: str, permissions: Mapping[str, str]) -> tuple[App, str]:
        """A new App and its private key in PEM form, shown once. Its bot acts as `<slug>[bot]`."""
        private, public = _keys(slug)
        with self._world.lock:
            self._world.add_user(f"{slug}[bot]", "Bot", "none")
            made = App(self._world.next_id(), slug, owner, public, dict(permissions), APP_EVENTS, self._world.now())
            self._world.apps.apps[made.id] = made
            return made, private

    def install(self, app: App, names: Sequence[str], webhook: tuple[str, str] | None = None) -> Installation:
        """Installs it for repositories of one owner; `webhook` is its address and secret."""
        with self._world.lock:
            repos = [self._world.repository(name) for name in names]
            ids = {repo.id for repo in repos}
            made = Installation(self._world.next_id(), app, repos[0].owner, ids, self._world.now())
            self._world.apps.installations[made.id] = made
            for repo in repos if webhook is not None else ():
                url, secret = webhook or ("", "")
                by = self._world.user(repo.owner)
                self._hooks.add(repo, url, secret, app.events, by, installation=made.id)
            return made

    def suspend(self, found: Installation) -> None:
        """Its tokens stop working at once."""
        with self._world.lock:
            found.suspended_at = self._world.now()

    def revoke_tokens(self) -> None:
        """Every token of every App stops working, long before it ends."""
        with self._world.lock:
            self._world.apps.grants.clear()

    def checks(self, full_name: str, sha: str) -> list[CheckRun]:
        """Every check run of a commit, oldest first; read only."""
        with self._world.lock:
            return [one for one in self._world.repository(full_name).check_runs.values() if one.sha == sha]

    def rerequest(self, full_name: str, run: CheckRun, by: str) -> None:
        """The button "Re-run"."""
        with self._world.lock:
            ask_again(self._world, self._world.repository(full_name), run, self._world.user(by))

    def enqueue(self, full_name: str, number: int, by: str) -> str:
        """Puts a pull request into the merge queue: the commit that it would land as waits for its verdict."""
        with self._world.lock:
            repo, who = self._world.repository(full_name), self._world.user(by)
            pull = repo.pull(number)
            base = repo.heads[pull.base_ref]
            tree, text = repo.git.merged_tree(base, pull.head_sha), f"Merge pull request #{number}\n"
            sha = repo.git.write_commit(tree, (base, pull.head_sha), text, (pulls.who(who), GITHUB))
            ref = f"refs/heads/gh-readonly-queue/{pull.base_ref}/pr-{number}-{base}"
            if not repo.git.move(ref, sha, None):
                raise WorldError(422, "It is in the queue already")
            settle(self._world, repo, who)
            view = repo.git.commit(sha)
            self._world.announce(
                repo,
                "merge_group",
                lambda: merge_group_payload(self._world, repo, ref, (pull.base_ref, base), view, who),
            )
            return sha

    def land(self, full_name: str, number: int, sha: str, by: str) -> None:
        """What waits in the queue becomes the branch's head. 409 where that moved, 405 while a verdict is missing."""
        with self._world.lock:
            repo, who = self._world.repository(full_name), self._world.user(by)
            pull = repo.pull(number)
            base = repo.git.commit(sha).parents[0]
            statuses = [one.state for one in repo.statuses.get(sha, ())]
            checks = [one.conclusion for one in repo.check_runs.values() if one.sha == sha]
            if (statuses or checks)[-1:] != ["success"]:
                raise WorldError(405, "Required status check is expected")
            if not repo.git.move(f"refs/heads/{pull.base_ref}", sha, base):
                raise WorldError(409, "Base branch was modified")
            repo.git.move(f"refs/heads/gh-readonly-queue/{pull.base_ref}/pr-{number}-{base}", "0" * 40, sha)
            finish(self._world, repo, pull, sha, base, who)
            settle(self._world, repo, who)
