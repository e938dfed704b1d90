"""The GitHub adapter against the sandbox forge: every verb keeps its promise, also while things break."""

from __future__ import annotations

import base64
import dataclasses
import subprocess
from collections.abc import Iterator

import pytest

from bot.core.tree import Oid
from bot.forges.github import GitHub
from bot.ports import Forge, GoneError, OutsideWorldError, Status
from bot.sandbox import Sandbox
from bot.sandbox.rest_commits import add_status

pytestmark = pytest.mark.world
NAME = "acme/platform"
SECRET = "a secret of sixteen characters"
A, B = "aa" * 8, "bb" * 8
READY = Status("causeway", "success", "Ready: 1 service", "https://causeway.example.com/1")


class World:
    """A sandbox with one repository, one pull request, and an adapter whose waiting is only written down."""

    def __init__(self, forge: Sandbox) -> None:
        self.forge = forge
        forge.create_user("ada")
        self.bot = forge.create_user("causeway")
        self.repository = str(forge.create_repository(NAME, {"README.md": "hello\n"}))
        forge.commit(NAME, "topic", {"a.txt": "1\n"}, "Add a", "ada")
        self.number = forge.open_pull(NAME, "Add a", "topic", "main", "ada")
        self.head = Oid(forge.pull(NAME, self.number).head_sha)
        self.slept: list[float] = []
        self.github = self.adapter()

    def adapter(self, repository: str | None = None, token: str | None = None, secret: str = SECRET) -> GitHub:
        return GitHub(
            self.forge.api_url,
            repository or self.repository,
            lambda: token or self.bot.token,
            secret,
            sleep=self.slept.append,
        )

    def bodies(self) -> list[str]:
        return [one.body for one in self.forge.comments(NAME, self.number)]

    def calls(self) -> list[tuple[str, str]]:
        """What was asked since the last time, as method and path."""
        asked = [(one.method, one.path.removeprefix("/api/v3")) for one in self.forge.requests]
        self.forge.requests.clear()
        return asked


@pytest.fixture
def world(sandbox: Sandbox) -> Iterator[World]:
    made = World(sandbox)
    yield made
    made.github.close()


def test_it_is_the_port(world: World) -> None:
    port: Forge = world.github
    assert port.repository().id == world.repository


# Reading


def test_a_pull_request_is_read_as_it_stands(world: World) -> None:
    pull = world.github.pull(world.number)
    assert (pull.number, pull.state, pull.merged, pull.draft) == (world.number, "open", False, False)
    assert (pull.head_sha, pull.base_ref, pull.title) == (world.head, "main", "Add a")
    assert pull.author_id == str(world.forge.world.user("ada").id)
    assert pull.landed_sha is None
    assert pull.web_url == f"{world.forge.url}/{NAME}/pull/{world.number}"
    landed = world.forge.merge(NAME, world.number, "squash", "ada")
    after = world.github.pull(world.number)
    assert (after.state, after.merged, after.landed_sha) == ("closed", True, landed)
    assert after.updated_at >= pull.updated_at


def test_a_list_and_a_single_look_say_the_same(world: World) -> None:
    assert world.github.open_pulls() == (world.github.pull(world.number),)


def test_what_does_not_exist_or_is_not_ours_to_see_is_gone(world: World) -> None:
    stranger = world.forge.create_user("stranger", permission="none")
    for ask in (
        lambda: world.github.pull(999),
        lambda: world.adapter("999999").repository(),
        lambda: world.adapter(token=stranger.token).repository(),
        lambda: world.github.ensure_comment(999, "plan", A, "text"),
        lambda: world.github.ensure_status(Oid("0" * 40), READY),
        lambda: world.github.pulls_of_commit(Oid("0" * 40)),
    ):
        with pytest.raises(GoneError):
            ask()


def test_a_wrong_token_is_refused_in_words_without_the_token(world: World) -> None:
    with pytest.raises(OutsideWorldError, match="401") as refused:
        world.adapter(token="not-a-token-of-anyone").repository()
    assert "not-a-token" not in str(refused.value)


def test_a_rename_does_not_matter_and_the_old_name_is_never_used(world: World) -> None:
    world.github.pull(world.number)
    world.github.repository()
    world.forge.rename_repository(NAME, "acme/renamed")
    world.calls()
    assert world.github.repository().full_name == "acme/renamed"
    assert world.github.pull(world.number).title == "Add a"
    assert world.github.repository().full_name == "acme/renamed"
    assert "renamed" in world.github.remote().url
    assert all(path.startswith(f"/repositories/{world.repository}") for _, path in world.calls())


def test_git_can_fetch_with_the_remote_and_the_token_is_only_in_the_header(world: World) -> None:
    remote = world.github.remote()
    assert world.bot.token not in remote.url
    assert remote.authorization is not None
    scheme, _, value = remote.authorization.partition(" ")
    assert (scheme, base64.b64decode(value)) == ("Basic", f"x-access-token:{world.bot.token}".encode())
    settings = {
        "GIT_CONFIG_COUNT": "1",
        "GIT_CONFIG_KEY_0": "http.extraHeader",
        "GIT_CONFIG_VALUE_0": f"Authorization: {remote.authorization}",
        "GIT_TERMINAL_PROMPT": "0",
    }
    listed = subprocess.run(
        ["git", "ls-remote", remote.url, f"refs/pull/{world.number}/head"],
        env=settings,
        capture_output=True,
        text=True,
        check=True,
    )
    assert listed.stdout.split()[0] == world.head


def test_only_merged_pull_requests_are_connected_with_a_commit(world: World) -> None:
    assert world.github.pulls_of_commit(world.head) == ()
    landed = world.forge.merge(NAME, world.number, "merge", "ada")
    assert world.github.pulls_of_commit(Oid(landed)) == (world.number,)


# What changed


def opened(world: World, count: int) -> list[int]:
    numbers = []
    for index in range(count):
        world.forge.commit(NAME, f"more-{index}", {"b.txt": f"{index}\n"}, "Add b", "ada", base="main")
        numbers.append(world.forge.open_pull(NAME, f"More {index}", f"more-{index}", "main", "ada"))
    return numbers


def test_nothing_changed_costs_one_request_that_is_free(world: World) -> None:
    first = world.github.changed_since("")
    assert first.pulls is not None
    assert [pull.number for pull in first.pulls] == [world.number]
    world.calls()
    assert world.github.changed_since(first.mark) == dataclasses.replace(first, pulls=None)
    assert world.calls() == [("GET", f"/repositories/{world.repository}/pulls")]


def test_what_opened_moved_or_closed_is_told_and_nothing_twice(world: World) -> None:
    mark = world.github.changed_since("").mark
    (other,) = opened(world, 1)
    world.forge.close(NAME, world.number, "ada")
    changed = world.github.changed_since(mark)
    assert changed.pulls is not None
    assert {pull.number: pull.state for pull in changed.pulls} == {world.number: "closed", other: "open"}
    assert world.github.changed_since(changed.mark).pulls is None


def test_more_than_a_page_of_changes_is_read_to_the_mark(world: World) -> None:
    mark = world.github.changed_since("").mark
    numbers = opened(world, 105)
    world.calls()
    changed = world.github.changed_since(mark)
    assert changed.pulls is not None
    assert {pull.number for pull in changed.pulls} >= set(numbers)
    assert len(changed.pulls) == len({pull.number for pull in changed.pulls})
    assert len(world.calls()) == 2
    assert len(world.github.open_pulls()) == 106


@pytest.mark.parametrize("mark", ["", "{}", "[]", "nonsense", '{"etag": "x", "since": "yesterday"}', "null"])
def test_a_mark_that_is_not_ours_means_a_full_look(world: World, mark: str) -> None:
    changed = world.github.changed_since(mark)
    assert changed.pulls is not None
    assert [pull.number for pull in changed.pulls] == [world.number]


# Statuses


def test_a_status_is_written_once_and_again_only_when_it_differs(world: World) -> None:
    assert world.github.status(world.head, "causeway") is None
    assert world.github.ensure_status(world.head, READY) is True
    assert world.github.ensure_status(world.head, READY) is False
    assert world.github.status(world.head, "causeway") == READY
    failed = Status("causeway", "failure", "2 problems")
    assert world.github.ensure_status(world.head, failed) is True
    assert world.github.ensure_status(world.head, failed) is False
    assert world.github.ensure_status(world.head, READY) is True
    assert world.github.status(world.head, "causeway") == READY
    assert len(world.forge.statuses(NAME, world.head)) == 3


def test_other_contexts_are_not_touched_and_do_not_hide_ours(world: World) -> None:
    world.github.ensure_status(world.head, READY)
    for index in range(120):
        world.github.ensure_status(world.head, Status(f"other-{index}", "pending", "waits"))
    assert world.github.ensure_status(world.head, READY) is False
    assert world.github.status(world.head, "other-3") == Status("other-3", "pending", "waits")


def test_githubs_error_is_a_failure_to_people_and_is_replaced(world: World) -> None:
    ours = Status("causeway", "failure", "broken")
    repo = world.forge.world.repository(NAME)
    add_status(world.forge.world, repo, world.head, world.bot, state="error", description="broken", context="causeway")
    assert world.github.status(world.head, "causeway") == ours
    assert world.github.ensure_status(world.head, ours) is True
    assert [one.state for one in world.forge.statuses(NAME, world.head)] == ["error", "failure"]


def test_a_status_too_long_is_never_sent(world: World) -> None:
    world.calls()
    with pytest.raises(ValueError, match="140"):
        world.github.ensure_status(world.head, Status("causeway", "success", "x" * 141))
    assert world.calls() == []


# Issues


def test_an_issue_is_opened_once_edited_and_closed(world: World) -> None:
    for _ in range(2):
        world.github.ensure_issue("halt", "Delivery halted", "Run this.")
    world.github.ensure_issue("halt", "Delivery halted", "Run that.")
    (issue,) = world.forge.issues(NAME)
    assert (issue.title, issue.state) == ("Delivery halted", "open")
    assert issue.body is not None
    assert issue.body.startswith("Run that.")
    for _ in range(2):
        world.github.ensure_issue("halt", "Delivery halted", None)
    assert [one.state for one in world.forge.issues(NAME)] == ["closed"]
    world.github.ensure_issue("halt", "Delivery halted", "Run this.")
    assert [one.state for one in world.forge.issues(NAME)] == ["closed", "open"]


def test_only_our_own_issue_is_closed(world: World) -> None:
    world.github.ensure_issue("halt", "Delivery halted", "Run this.")
    world.github.ensure_issue("drift", "Drift", "Seen.")
    world.github.ensure_issue("halt", "Delivery halted", None)
    assert {one.title: one.state for one in world.forge.issues(NAME)} == {"Delivery halted": "closed", "Drift": "open"}
