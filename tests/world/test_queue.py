"""A merge queue waits for a verdict on its own commit; the bot gives it, as an account and as an App."""

from __future__ import annotations

from pathlib import Path

import pytest

from bot.core.event import Event
from bot.core.tree import Oid
from bot.flows.names import CONTEXT
from bot.flows.review import review, review_queue
from bot.forges.github import GitHub
from bot.forges.github_app import PLATFORM_RIGHTS, AppCredentials
from bot.forges.github_delivery import parse_delivery
from bot.sandbox import Sandbox, WorldError
from tests.world.sandbox_fixture import Mailbox
from tests.world.stage import DEVELOPER, GITOPS, MARKER, PLATFORM, Stage
from tests.world.street import FILES, manifest

pytestmark = pytest.mark.world
SECRET = "a secret of this test"


class AppStage(Stage):
    """The same world, where the bot is an App."""

    def _forge(self, repository: str) -> GitHub:
        github = self.sandbox.github
        if not self.sandbox.world.apps.apps:
            self.app, self.key = github.create_app("causeway-app", "acme", PLATFORM_RIGHTS)
            github.install(self.app, [PLATFORM, GITOPS])
        credentials = AppCredentials(self.sandbox.api_url, self.app.id, self.key, repository)
        return GitHub(self.sandbox.api_url, repository, credentials, MARKER, sleep=lambda _: None)


@pytest.fixture(params=[Stage, AppStage], ids=["account", "app"])
def on(request: pytest.FixtureRequest, sandbox: Sandbox, tmp_path: Path) -> Stage:
    made: Stage = request.param(sandbox, tmp_path, FILES)
    return made


def told(on: Stage, mailbox: Mailbox) -> list[Event]:
    """What the merge queue's deliveries say."""
    assert on.sandbox.wait_for_webhooks()
    read = [
        parse_delivery(headers, body, [SECRET])
        for headers, body in mailbox.received
        if headers["x-github-event"] == "merge_group"
    ]
    return [one for one in read if isinstance(one, Event)]


def verdict(on: Stage, sha: str) -> str:
    found = on.place.forge.status(Oid(sha), CONTEXT)
    assert found is not None
    return found.state


def test_the_queue_lands_what_the_bot_finds_good_on_the_queues_own_commit(on: Stage, mailbox: Mailbox) -> None:
    on.sandbox.create_webhook(PLATFORM, mailbox.url, SECRET, ["merge_group"])
    number = on.open(manifest("checkout"))
    sha = on.sandbox.github.enqueue(PLATFORM, number, DEVELOPER)
    assert told(on, mailbox) == [Event("queue", on.platform_id, sha=sha)]
    with pytest.raises(WorldError, match="expected"):
        on.sandbox.github.land(PLATFORM, number, sha, DEVELOPER)
    review_queue(Oid(sha), on.place)
    assert verdict(on, sha) == "success"
    on.sandbox.github.land(PLATFORM, number, sha, DEVELOPER)
    on.deliver()
    assert any("checkout" in path for path in on.owned_files())
    assert on.cursors()[-1] == sha


def test_the_queue_never_lands_what_is_broken_there(on: Stage) -> None:
    broken = {"services/checkout/platform.yaml": "name: checkout\nowner: payments\ntype: web\nreplica: 2\n"}
    number = on.open(broken)
    sha = on.sandbox.github.enqueue(PLATFORM, number, DEVELOPER)
    review_queue(Oid(sha), on.place)
    assert verdict(on, sha) == "failure"
    with pytest.raises(WorldError):
        on.sandbox.github.land(PLATFORM, number, sha, DEVELOPER)


def test_an_app_tells_its_whole_story_with_checks_and_tokens_alone(sandbox: Sandbox, tmp_path: Path) -> None:
    on = AppStage(sandbox, tmp_path, FILES)
    number = on.open(manifest("checkout"), branch="story")
    name = f"review-github-{on.platform_id}-{number}"
    review(number, on.place, on.bell, name)
    (check,) = sandbox.github.checks(PLATFORM, sandbox.pull(PLATFORM, number).head_sha)
    assert (check.name, check.status) == (CONTEXT, "completed")
    said = [one for one in sandbox.comments(PLATFORM, number) if one.user.login == "causeway-app[bot]"]
    assert len(said) == 1
    on.merge(number)
    assert any("checkout" in path for path in on.owned_files())
    assert sandbox.statuses(PLATFORM, check.sha) == [], "an App writes checks, not statuses"
    assert on.breaches() == ()


def test_a_queue_of_another_branch_is_not_judged_against_the_default_one(on: Stage) -> None:
    """Its commit holds what `release` holds: beside the default branch, that would look like a change of everything."""
    old = on.sandbox.world.repository(PLATFORM).git.heads()["main"]
    on.sandbox.commit(PLATFORM, "release", {"README.md": b"Of the release\n"}, "Begin", DEVELOPER, base=old)
    on.push(manifest("later"))
    on.sandbox.commit(PLATFORM, "note", {"NOTES.md": b"x\n"}, "A note", DEVELOPER, base="release")
    number = on.sandbox.open_pull(PLATFORM, "A note", "note", "release", DEVELOPER)
    sha = on.sandbox.github.enqueue(PLATFORM, number, DEVELOPER)
    review_queue(Oid(sha), on.place)
    assert verdict(on, sha) == "success"
