"""The GitHub adapter against the sandbox forge: every verb keeps its promise, also while things break."""

from __future__ import annotations

import base64
import dataclasses
import subprocess
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from bot.core.tree import Oid
from bot.forges.ensure import UnknownOutcomeError
from bot.forges.github import COMMENT_LIMIT, GitHub
from bot.forges.marker import Marker
from bot.ports import Forge, GoneError, OutsideWorldError, Status
from bot.sandbox import Fault, Sandbox

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
    world.forge.rename_repository(NAME, "acme/renamed")
    world.calls()
    assert world.github.repository().full_name == "acme/renamed"
    assert world.github.pull(world.number).title == "Add a"
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
    world.github._repo.get_commit(world.head).create_status("error", description="broken", context="causeway")
    assert world.github.status(world.head, "causeway") == ours
    assert world.github.ensure_status(world.head, ours) is True
    assert [one.state for one in world.forge.statuses(NAME, world.head)] == ["error", "failure"]


def test_a_status_too_long_is_never_sent(world: World) -> None:
    world.calls()
    with pytest.raises(ValueError, match="140"):
        world.github.ensure_status(world.head, Status("causeway", "success", "x" * 141))
    assert world.calls() == []


# Comments


def test_a_comment_is_made_once_edited_when_its_digest_differs_and_otherwise_left_alone(world: World) -> None:
    assert world.github.comment_digest(world.number, "plan") is None
    assert world.github.ensure_comment(world.number, "plan", A, "One") is True
    assert world.github.ensure_comment(world.number, "plan", A, "words that moved by themselves") is False
    assert world.github.comment_digest(world.number, "plan") == A
    (first,) = world.forge.comments(NAME, world.number)
    assert first.body.startswith("One\n")
    assert world.github.ensure_comment(world.number, "plan", B, "Two") is True
    (second,) = world.forge.comments(NAME, world.number)
    assert (second.id, second.body.splitlines()[0]) == (first.id, "Two")
    assert world.github.comment_digest(world.number, "plan") == B


def test_another_worker_with_the_same_secret_finds_the_same_comment(world: World) -> None:
    world.github.ensure_comment(world.number, "plan", A, "One")
    assert world.adapter().ensure_comment(world.number, "plan", A, "One") is False


def test_each_key_has_its_own_comment(world: World) -> None:
    world.github.ensure_comment(world.number, "plan", A, "A plan")
    world.github.ensure_comment(world.number, "halt", B, "A halt")
    assert len(world.bodies()) == 2
    assert world.github.comment_digest(world.number, "plan") == A


def test_a_planted_marker_counts_for_nothing(world: World) -> None:
    world.github.ensure_comment(world.number, "plan", A, "Ours")
    ours = world.bodies()[0]
    theirs = [
        ours,
        Marker("another secret entirely", f"comment:{world.repository}:{world.number}").sign("x", "plan", B),
        "<!-- causeway:plan -->",
    ]
    for text in theirs:
        world.forge.comment(NAME, world.number, text, "ada")
    # The bot itself made to repeat markers: one of another place, one that is not at the end.
    elsewhere = Marker(SECRET, f"comment:{world.repository}:77").sign("x", "plan", B)
    for text in (elsewhere, f"{ours}\n\nand more"):
        world.forge.comment(NAME, world.number, text, "causeway")
    before = world.bodies()
    assert world.github.ensure_comment(world.number, "plan", A, "Ours") is False
    assert world.github.comment_digest(world.number, "plan") == A
    assert world.bodies() == before


def test_an_older_planted_comment_does_not_take_the_place_of_ours(world: World) -> None:
    planted = Marker("guessed secret, long enough", f"comment:{world.repository}:{world.number}").sign("x", "plan", A)
    world.forge.comment(NAME, world.number, planted, "ada")
    assert world.github.ensure_comment(world.number, "plan", A, "Ours") is True
    assert len(world.bodies()) == 2
    assert world.bodies()[0] == planted


def test_younger_twins_go_and_the_oldest_is_kept(world: World) -> None:
    marker = Marker(SECRET, f"comment:{world.repository}:{world.number}")
    for digest in (A, B, A):
        world.forge.comment(NAME, world.number, marker.sign(f"twin {digest}", "plan", digest), "causeway")
    oldest = world.forge.comments(NAME, world.number)[0].id
    assert world.github.ensure_comment(world.number, "plan", A, "One") is True
    assert [one.id for one in world.forge.comments(NAME, world.number)] == [oldest]
    assert world.github.ensure_comment(world.number, "plan", A, "One") is False


def test_ours_is_found_behind_a_hundred_others(world: World) -> None:
    for index in range(101):
        world.forge.comment(NAME, world.number, f"comment {index}", "ada")
    world.github.ensure_comment(world.number, "plan", A, "One")
    assert world.github.ensure_comment(world.number, "plan", A, "One") is False
    assert len(world.bodies()) == 102


def test_workers_that_comment_at_the_same_moment_leave_one_comment(world: World) -> None:
    def look(_: int) -> bool:
        return world.adapter().ensure_comment(world.number, "plan", A, "One")

    with ThreadPoolExecutor(8) as pool:
        assert True in list(pool.map(look, range(8)))
    assert len(world.bodies()) == 1


def test_a_comment_too_long_is_never_sent(world: World) -> None:
    world.calls()
    with pytest.raises(ValueError, match="65536"):
        world.github.ensure_comment(world.number, "plan", A, "x" * (COMMENT_LIMIT - 20))
    assert world.calls() == []
    room = COMMENT_LIMIT - len(Marker(SECRET, "").sign("", "plan", A))
    assert world.github.ensure_comment(world.number, "plan", A, "x" * room) is True


@pytest.mark.parametrize(("key", "digest"), [("Plan", A), ("plan -->", A), ("", A), ("plan", "xyz"), ("plan", "")])
def test_nothing_can_break_out_of_the_marker(world: World, key: str, digest: str) -> None:
    with pytest.raises(ValueError, match="marker"):
        world.github.ensure_comment(world.number, key, digest, "text")
    assert world.bodies() == []


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


# What it costs


def test_an_unchanged_review_costs_five_requests(world: World) -> None:
    def review() -> None:
        pull = world.github.pull(world.number)
        world.github.remote()
        world.github.ensure_status(pull.head_sha, READY)
        assert world.github.pull(world.number).head_sha == pull.head_sha
        world.github.ensure_comment(world.number, "plan", A, "One")

    review()
    world.calls()
    review()
    asked = world.calls()
    assert [method for method, _ in asked] == ["GET"] * 4
    world.github = world.adapter()
    review()
    assert len(world.calls()) == 5
    assert world.slept == []


# While things break


def named(fault: Fault) -> str:
    told = {name: getattr(fault, name) for name in ("before", "after", "drop", "truncate", "skip")}
    how = ", ".join(f"{name} {value}" for name, value in told.items() if value)
    return f"{fault.times} {fault.method} {how}"


COMMENTS = r"/api/v3/repositories/\d+/issues/\d+/comments"


@pytest.mark.parametrize(
    "fault",
    [
        Fault("POST", COMMENTS, after=502),
        Fault("POST", COMMENTS, after=502, times=2),
        Fault("POST", COMMENTS, before=502),
        Fault("POST", COMMENTS, before=500, times=2),
        Fault("POST", COMMENTS, drop="before"),
        Fault("POST", COMMENTS, drop="after"),
        Fault("POST", COMMENTS, truncate=True),
        Fault("GET", COMMENTS, before=502, times=2),
        Fault("GET", COMMENTS, truncate=True),
        Fault("GET", COMMENTS, drop="before", skip=1),
    ],
    ids=named,
)
def test_whatever_fails_around_a_new_comment_there_is_one(world: World, fault: Fault) -> None:
    world.forge.faults.append(dataclasses.replace(fault))
    assert world.github.ensure_comment(world.number, "plan", A, "One") is True
    assert [body.splitlines()[0] for body in world.bodies()] == ["One"]
    world.forge.faults.clear()
    assert world.github.ensure_comment(world.number, "plan", A, "One") is False


@pytest.mark.parametrize(
    "fault", [Fault("PATCH", after=502), Fault("PATCH", before=502), Fault("PATCH", drop="after")], ids=named
)
def test_whatever_fails_around_an_edit_the_comment_shows_the_newest(world: World, fault: Fault) -> None:
    world.github.ensure_comment(world.number, "plan", A, "One")
    world.forge.faults.append(dataclasses.replace(fault))
    assert world.github.ensure_comment(world.number, "plan", B, "Two") is True
    assert [body.splitlines()[0] for body in world.bodies()] == ["Two"]


@pytest.mark.parametrize(
    "fault", [Fault("DELETE", after=502), Fault("DELETE", before=502), Fault("DELETE", before=404)], ids=named
)
def test_whatever_fails_around_a_twin_it_goes(world: World, fault: Fault) -> None:
    marker = Marker(SECRET, f"comment:{world.repository}:{world.number}")
    for _ in range(2):
        world.forge.comment(NAME, world.number, marker.sign("One", "plan", A), "causeway")
    world.forge.faults.append(dataclasses.replace(fault))
    assert world.github.ensure_comment(world.number, "plan", A, "One") is True
    assert len(world.bodies()) == 1


STATUSES = r"/api/v3/repositories/\d+/statuses/.*"


@pytest.mark.parametrize(
    "fault",
    [
        Fault("POST", STATUSES, after=502),
        Fault("POST", STATUSES, before=502),
        Fault("POST", STATUSES, drop="after"),
        Fault("POST", STATUSES, truncate=True),
    ],
    ids=named,
)
def test_whatever_fails_around_a_status_there_is_one(world: World, fault: Fault) -> None:
    world.forge.faults.append(dataclasses.replace(fault))
    assert world.github.ensure_status(world.head, READY) is True
    assert len(world.forge.statuses(NAME, world.head)) == 1


@pytest.mark.parametrize(
    "fault", [Fault("POST", after=502), Fault("POST", drop="after"), Fault("POST", before=502)], ids=named
)
def test_whatever_fails_around_an_issue_there_is_one(world: World, fault: Fault) -> None:
    world.forge.faults.append(dataclasses.replace(fault))
    world.github.ensure_issue("halt", "Delivery halted", "Run this.")
    assert len(world.forge.issues(NAME)) == 1


def test_a_forge_that_stays_broken_is_given_up_in_our_words(world: World) -> None:
    for method in ("GET", "POST"):
        world.forge.faults.append(Fault(method, before=502, times=1000))
    for ask in (
        lambda: world.github.pull(world.number),
        lambda: world.github.ensure_status(world.head, READY),
        lambda: world.github.ensure_comment(world.number, "plan", A, "One"),
        lambda: world.github.changed_since(""),
        world.github.open_pulls,
        world.github.repository,
    ):
        world.calls()
        with pytest.raises(OutsideWorldError, match="502"):
            ask()
        assert len(world.calls()) == 3
    world.forge.faults[:] = [Fault("POST", before=502, times=1000)]
    with pytest.raises(UnknownOutcomeError):
        world.github.ensure_comment(world.number, "plan", A, "One")
    with pytest.raises(UnknownOutcomeError):
        world.github.ensure_status(world.head, READY)
    assert sum(world.slept) < 60


def test_a_forge_that_cannot_be_reached_is_the_outside_world(world: World) -> None:
    unreachable = GitHub("http://127.0.0.1:9/api/v3", "1", lambda: "t", SECRET, sleep=world.slept.append)
    with pytest.raises(OutsideWorldError, match="did not answer"):
        unreachable.repository()


@pytest.mark.parametrize("status", [403, 429])
def test_a_short_limit_is_waited_out_and_a_long_one_is_told(world: World, status: int) -> None:
    world.forge.faults.append(Fault("GET", before=status, headers={"Retry-After": "3"}))
    assert world.github.pull(world.number).number == world.number
    assert 3 <= world.slept[0] < 4
    world.forge.faults.append(Fault("GET", before=status, headers={"Retry-After": "600"}))
    with pytest.raises(OutsideWorldError) as refused:
        world.github.pull(world.number)
    assert refused.value.retry_after == 600
    world.forge.faults.append(Fault("GET", before=status))
    with pytest.raises(OutsideWorldError) as untold:
        world.github.pull(world.number)
    assert untold.value.retry_after == 60


def test_a_limited_write_is_told_and_not_repeated(world: World) -> None:
    world.github.comment_digest(world.number, "plan")
    world.forge.faults.append(Fault("POST", before=403, times=9, headers={"Retry-After": "2"}))
    world.calls()
    with pytest.raises(OutsideWorldError) as refused:
        world.github.ensure_comment(world.number, "plan", A, "One")
    assert refused.value.retry_after == 2
    assert [method for method, _ in world.calls()] == ["GET", "POST"]
    assert world.bodies() == []


def test_a_write_that_is_forbidden_is_no_limit(world: World) -> None:
    reader = world.forge.create_user("reader", permission="read")
    with pytest.raises(OutsideWorldError, match="not accessible") as refused:
        world.adapter(token=reader.token).ensure_status(world.head, READY)
    assert refused.value.retry_after is None


def test_a_slow_answer_is_not_waited_for_but_asked_for_again(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bot.forges.github._TIMEOUT_SECONDS", 1)
    impatient = world.adapter()
    world.forge.faults.append(Fault("GET", delay=1.5))
    assert impatient.pull(world.number).number == world.number
    assert len(world.slept) == 1
