"""What a forge tells about pull requests and people: as it stands now, and nothing that is not so."""

from __future__ import annotations

import subprocess

import pytest

from bot.core.tree import Oid
from bot.ports import Approving, GoneError, Opening, OutsideWorldError
from tests.world.contract.faces import FILE, NAME, TEXT, Face

pytestmark = pytest.mark.world


def test_a_pull_request_and_the_list_of_them_say_the_same(face: Face) -> None:
    pull = face.forge.pull(face.number)
    assert (pull.number, pull.state, pull.merged, pull.fork) == (face.number, "open", False, False)
    assert (pull.head_sha, pull.base_ref, pull.author_id) == (face.head, "main", face.id("ada"))
    assert face.forge.open_pulls() == (pull,)
    landed = face.sandbox.merge(NAME, face.number, "merge", "ada")
    after = face.forge.pull(face.number)
    assert (after.state, after.merged, after.landed_sha) == ("closed", True, landed)
    assert face.forge.pulls_of_commit(Oid(landed)) == (face.number,)


def test_a_pull_request_that_is_not_there_is_gone(face: Face) -> None:
    with pytest.raises(GoneError):
        face.forge.pull(999)


def test_what_moved_since_a_mark_is_told_and_nothing_else(face: Face) -> None:
    mark = face.forge.changed_since("").mark
    assert face.forge.changed_since(mark).pulls is None
    face.sandbox.close(NAME, face.number, "ada")
    changed = face.forge.changed_since(mark).pulls
    assert changed is not None
    assert [(one.number, one.state) for one in changed] == [(face.number, "closed")]


def test_the_ref_of_a_pull_request_holds_its_head(face: Face) -> None:
    remote, ref = face.forge.remote(), face.forge.pull_ref(face.number)
    settings = {
        "GIT_CONFIG_COUNT": "1",
        "GIT_CONFIG_KEY_0": "http.extraHeader",
        "GIT_CONFIG_VALUE_0": f"Authorization: {remote.authorization}",
        "GIT_TERMINAL_PROMPT": "0",
    }
    command = ["git", "ls-remote", remote.url, ref]
    listed = subprocess.run(command, env=settings, capture_output=True, text=True, check=True)
    assert listed.stdout.split()[:1] == [face.head]


def test_a_pull_request_from_a_fork_is_known_as_one_and_follows_its_pushes(face: Face) -> None:
    fork = face.sandbox.fork(NAME, "eve")
    face.sandbox.commit(fork, "theirs", {FILE: TEXT}, "Add shop", "eve")
    number = face.sandbox.open_pull(NAME, "From outside", "eve:theirs", "main", "eve")
    assert face.forge.pull(number).fork is True
    moved = face.sandbox.commit(fork, "theirs", {FILE: TEXT + "tier: 1\n"}, "More", "eve")
    assert face.forge.pull(number).head_sha == moved
    assert face.forge.authors(number) == {face.id("eve")}


# Approvals


def test_an_approval_counts_for_exactly_the_head_it_was_given_to(face: Face) -> None:
    assert face.forge.approvals(face.number, face.head) == ()
    face.sandbox.review(NAME, face.number, "bob")
    approved = face.head
    assert face.forge.approvals(face.number, approved) == (Approving(face.id("bob"), approved),)
    moved = face.push()
    assert face.forge.approvals(face.number, moved) == ()
    face.sandbox.review(NAME, face.number, "bob")
    assert face.forge.approvals(face.number, moved) == (Approving(face.id("bob"), moved),)


def test_an_approval_that_was_taken_back_does_not_count(face: Face) -> None:
    given = face.sandbox.review(NAME, face.number, "bob")
    face.sandbox.review(NAME, face.number, "eve")
    face.sandbox.dismiss(NAME, given, "ada")
    assert [one.user_id for one in face.forge.approvals(face.number, face.head)] == [face.id("eve")]


def test_several_people_approve_and_each_is_told_once(face: Face) -> None:
    for login in ("bob", "eve", "bob"):
        face.sandbox.review(NAME, face.number, login)
    told = [one.user_id for one in face.forge.approvals(face.number, face.head)]
    assert sorted(told) == sorted([face.id("bob"), face.id("eve")])


# People


def test_authors_are_who_opened_and_who_wrote_or_pushed(face: Face) -> None:
    assert face.forge.authors(face.number) == {face.id("ada")}
    face.push(by="eve")
    assert face.forge.authors(face.number) == {face.id("ada"), face.id("eve")}


def test_members_are_looked_up_live(face: Face) -> None:
    assert face.forge.member_of("acme/payments", face.id("bob")) is False
    face.sandbox.join("acme/payments", "bob")
    face.sandbox.join("acme/payments", "eve", "pending")
    assert face.forge.member_of("acme/payments", face.id("bob")) is True
    assert face.forge.member_of("acme/payments", face.id("eve")) is False, "invited only"
    assert face.forge.member_of("acme/others", face.id("bob")) is False
    face.sandbox.join("acme/payments", "bob", None)
    assert face.forge.member_of("acme/payments", face.id("bob")) is False


@pytest.mark.parametrize("team", ["", "payments", "acme/../x", "acme/payments?x=1", "acme/pay ments", "a/b#c"])
def test_a_team_that_is_no_name_has_no_members(face: Face, team: str) -> None:
    assert face.forge.member_of(team, face.id("bob")) is False


def test_permission_is_looked_up_live_by_id(face: Face) -> None:
    assert face.forge.permission(face.id("bob")) == "write"
    face.sandbox.grant(NAME, "bob", "read")
    assert face.forge.permission(face.id("bob")) == "read"
    face.sandbox.grant(NAME, "bob", "admin")
    assert face.forge.permission(face.id("bob")) == "admin"
    assert face.forge.permission("999999999") == "none"
    assert face.forge.permission("bob") == "none", "a login is no id"


# Pull requests of our own


def test_a_pull_request_of_ours_is_opened_once(face: Face) -> None:
    face.sandbox.commit(NAME, "causeway/rollback", {"a.txt": "1\n"}, "Take it back", "ada", base="main")
    opening = Opening("causeway/rollback", "main", "Take it back", "Because.")
    number = face.forge.open_pull(opening)
    assert face.forge.open_pull(opening) == number
    assert face.make().open_pull(opening) == number
    made = face.sandbox.pull(NAME, number)
    assert (made.title, made.body, made.user.login) == ("Take it back", "Because.", face.bot)


def test_nothing_to_pull_is_told_and_opens_nothing(face: Face) -> None:
    face.sandbox.set_branch(NAME, "causeway/same", face.sandbox.head(NAME), "ada")
    with pytest.raises(OutsideWorldError):
        face.forge.open_pull(Opening("causeway/same", "main", "Nothing", ""))
    assert len(face.forge.open_pulls()) == 1
