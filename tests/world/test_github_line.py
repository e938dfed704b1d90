"""How the adapter asks: with ETags, within its budget, at its own host alone."""

from __future__ import annotations

import pytest
from github import GithubException

from bot.forges.github import GitHub
from bot.forges.github_calls import Calls
from bot.forges.github_line import _KNOWN_ANSWERS, Line
from bot.forges.github_pace import Pace
from bot.ports import OutsideWorldError, Status
from bot.sandbox import Fault, Sandbox
from tests.world.contract.faces import CONTEXT, NAME, SECRET, Face, github_token

pytestmark = pytest.mark.world
READY = Status(CONTEXT, "success", "Ready")
COMMENTS = r"/api/v3/repositories/\d+/issues/\d+/comments"


@pytest.fixture
def face(sandbox: Sandbox) -> Face:
    return github_token(sandbox)


def adapter(face: Face, pace: Pace) -> GitHub:
    token = face.sandbox.token_for(face.bot)
    repository = str(face.sandbox.world.repository(NAME).id)
    return GitHub(face.sandbox.api_url, repository, lambda: token, SECRET, sleep=face.slept.append, pace=pace)


def statuses(face: Face) -> list[int]:
    found = [one.status for one in face.sandbox.requests]
    face.sandbox.requests.clear()
    return found


def test_what_did_not_change_is_free(face: Face) -> None:
    def look() -> None:
        face.forge.pull(face.number)
        face.forge.ensure_status(face.head, READY)
        face.forge.comments(face.number)
        face.forge.ensure_comment(face.number, "plan", "aa" * 8, "One")

    look()
    # Once more: the first look saw what was there before its own writes.
    look()
    statuses(face)
    look()
    assert statuses(face) == [304] * 4


def test_what_changed_is_seen_at_once(face: Face) -> None:
    before = face.forge.pull(face.number)
    moved = face.push()
    after = face.forge.pull(face.number)
    assert (after.head_sha, after.head_sha == before.head_sha) == (moved, False)
    assert face.forge.comments(face.number) == ()
    face.sandbox.comment(NAME, face.number, "Hello", "bob")
    assert [one.body for one in face.forge.comments(face.number)] == ["Hello"]


def test_what_comes_after_a_full_page_is_seen_though_that_page_did_not_change(face: Face) -> None:
    for index in range(100):
        face.sandbox.comment(NAME, face.number, f"{index}", "bob")
    assert len(face.forge.comments(face.number)) == 100
    face.sandbox.comment(NAME, face.number, "/plan", "bob")
    assert [one.body for one in face.forge.comments(face.number)][-1] == "/plan"


def test_half_an_answer_is_not_kept(face: Face) -> None:
    face.sandbox.faults.append(Fault("GET", r".*/pulls/\d+", truncate=True))
    assert face.forge.pull(face.number).number == face.number
    assert face.forge.pull(face.number).number == face.number


def test_no_more_answers_are_kept_than_there_is_room_for(face: Face) -> None:
    github = adapter(face, Pace(None, None))
    for index in range(_KNOWN_ANSWERS + 20):
        github._line.every("listing", f"/repositories/{github._id}/issues", lambda one: one, creator=f"nobody-{index}")
    assert len(github._line._known) == _KNOWN_ANSWERS


@pytest.mark.parametrize(
    "there",
    [
        "http://evil.example/api/v3/repositories/1/issues/1/comments?page=2",
        "https://127.0.0.1/api/v3/repositories/1/issues/1/comments?page=2",
        "http://127.0.0.1@evil.example/api/v3/x?page=2",
        "//evil.example/api/v3/x?page=2",
    ],
)
def test_the_next_page_is_never_followed_to_another_host(face: Face, there: str) -> None:
    face.sandbox.faults.append(Fault("GET", COMMENTS, times=9, headers={"Link": f'<{there}>; rel="next"'}))
    with pytest.raises(OutsideWorldError, match="another host"):
        face.forge.comments(face.number)


def test_the_next_page_is_never_followed_outside_of_the_api(face: Face) -> None:
    elsewhere = f'<{face.sandbox.url}/acme/platform?page=2>; rel="next"'
    face.sandbox.faults.append(Fault("GET", COMMENTS, times=9, headers={"Link": elsewhere}))
    with pytest.raises(OutsideWorldError, match="another host"):
        face.forge.comments(face.number)


def test_a_comment_waits_where_a_verdict_still_has_room_and_nobody_sleeps(face: Face) -> None:
    github = adapter(face, Pace(per_minute=10, per_hour=None))
    for index in range(7):
        github.ensure_comment(face.number, f"k{index}", "aa" * 8, "One")
    with pytest.raises(OutsideWorldError, match="budget") as waits:
        github.ensure_comment(face.number, "more", "aa" * 8, "One")
    assert waits.value.retry_after is not None
    assert github.ensure_comment(face.number, "failing", "aa" * 8, "One", urgent=True) is True
    assert github.ensure_status(face.head, READY) is True
    assert face.slept == []


def test_one_who_is_limited_stops_all_who_share_its_pace(face: Face) -> None:
    pace = Pace()
    one, other = adapter(face, pace), adapter(face, pace)
    face.sandbox.faults.append(Fault("POST", before=403, headers={"Retry-After": "120"}))
    with pytest.raises(OutsideWorldError):
        one.ensure_status(face.head, READY)
    statuses(face)
    with pytest.raises(OutsideWorldError, match="pause that is not over") as told:
        other.pull(face.number)
    assert told.value.retry_after == pytest.approx(120, abs=5)
    assert statuses(face) == []


def test_a_secondary_limit_that_says_nothing_is_a_minute_then_longer(face: Face) -> None:
    face.sandbox.faults.append(Fault("GET", before=403, times=2))
    clock = [0.0]
    github = adapter(face, Pace(None, None, lambda: clock[0]))
    for expected in (60, 120):
        with pytest.raises(OutsideWorldError) as told:
            github.pull(face.number)
        assert told.value.retry_after == expected
        clock[0] += expected
    assert github.pull(face.number).number == face.number


def test_a_gateway_that_answers_in_html_is_the_outside_world(face: Face) -> None:
    html = {"Content-Type": "text/html"}
    face.sandbox.faults.append(Fault("GET", before=502, truncate=True, times=3, headers=html))
    with pytest.raises(OutsideWorldError, match="502"):
        face.forge.pull(face.number)


def test_more_commits_than_a_pull_request_lists_hide_nobody(face: Face, monkeypatch: pytest.MonkeyPatch) -> None:
    """GitHub lists 250 commits of a pull request; whoever wrote one beyond is an author all the same."""
    monkeypatch.setattr("bot.forges.github_people._LISTED_COMMITS", 3)
    for index in range(110):
        face.push(f"name: shop\ntier: {index}\n", by="eve" if index == 105 else "bob")
    face.sandbox.world.repository(NAME).pushes.clear()
    assert face.forge.authors(face.number) == {face.id(login) for login in ("ada", "bob", "eve")}


def test_members_of_a_team_with_more_than_a_page_are_found_too(face: Face) -> None:
    for index in range(105):
        face.sandbox.create_user(f"member-{index:03}")
        face.sandbox.join("acme/all", f"member-{index:03}")
    face.sandbox.join("acme/all", "eve", "pending")
    assert face.forge.member_of("acme/all", face.id("member-000")) is True
    assert face.forge.member_of("acme/all", face.id("member-104")) is True
    assert face.forge.member_of("acme/all", face.id("eve")) is False
    assert face.forge.member_of("acme/all", face.id("bob")) is False
    assert face.forge.member_of("acme/all", "99999999") is False


def test_whoever_pushed_is_an_author_whatever_the_commits_say(face: Face) -> None:
    made = face.push(by="bob")
    face.sandbox.set_branch(NAME, "topic", face.sandbox.world.repository(NAME).git.commit(made).parents[0], "eve")
    assert face.id("eve") in face.forge.authors(face.number)


def test_a_server_that_does_not_tell_pushes_tells_the_commits(face: Face) -> None:
    face.sandbox.faults.append(Fault("GET", r".*/activity", before=404))
    assert face.forge.authors(face.number) == {face.id("ada")}


def test_a_default_port_is_no_other_host(face: Face) -> None:
    for api_url, link in (
        ("https://github.acme.com/api/v3", "https://github.acme.com:443/api/v3/x?page=2"),
        ("https://github.acme.com:443/api/v3", "https://github.acme.com/api/v3/x?page=2"),
        ("https://api.github.com", "https://api.github.com/x?page=2"),
    ):
        line = Line(api_url, lambda: "t", Pace(), sleep=face.slept.append)
        assert line._following(f'<{link}>; rel="next"') == "/x?page=2"
        with pytest.raises(OutsideWorldError):
            line._following(f'<{link.replace("https", "http", 1)}>; rel="next"')


def test_one_comment_too_many_is_a_limit_and_no_mistake_of_ours() -> None:
    def refused() -> None:
        raise GithubException(422, {"message": "Validation Failed", "errors": ["was submitted too quickly"]}, {})

    with pytest.raises(OutsideWorldError) as told:
        Calls(Pace()).write("writing", refused)
    assert told.value.retry_after == 60


def test_the_end_of_a_limit_is_told_by_githubs_clock() -> None:
    """Ours may be wrong by hours."""
    headers = {"x-ratelimit-remaining": "0", "x-ratelimit-reset": "1000000300", "date": "Sun, 09 Sep 2001 01:46:40 GMT"}

    def refused() -> None:
        raise GithubException(403, {"message": "API rate limit exceeded for installation ID 1."}, headers)

    with pytest.raises(OutsideWorldError) as told:
        Calls(Pace()).read("reading", refused)
    assert told.value.retry_after == 300


def test_reactions_count_as_writes(face: Face) -> None:
    github = adapter(face, Pace(per_minute=1, per_hour=None))
    said = face.sandbox.comment(NAME, face.number, "/plan", "bob")
    github.react(face.number, str(said.id), "seen")
    with pytest.raises(OutsideWorldError, match="budget"):
        github.react(face.number, str(said.id), "done")
