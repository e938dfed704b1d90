"""Who people are at GitLab: approvals of one head, authors, members, and what stands beside their comments."""

from __future__ import annotations

import time
from collections.abc import Iterator

import pytest

from bot.forges import gitlab_people
from bot.forges.gitlab_calls import Calls
from bot.ports import Approving
from bot.sandbox import Fault, Sandbox
from tests.world.gitlab_stage import NAME, Stage

pytestmark = pytest.mark.world


@pytest.fixture
def stage(sandbox: Sandbox) -> Iterator[Stage]:
    made = Stage(sandbox)
    sandbox.create_user("bob")
    yield made
    made.gitlab.close()


def approvers(stage: Stage) -> list[str]:
    found = stage.gitlab.approvals(stage.number, stage.head)
    logins = {str(user.id): user.login for user in stage.forge.world.users.values()}
    assert all(one.sha == stage.head for one in found)
    return [logins[one.user_id] for one in found]


# Approvals


def test_an_approval_that_gitlab_keeps_after_a_push_does_not_count_for_the_new_head(stage: Stage) -> None:
    stage.forge.review(NAME, stage.number, "bob")
    assert approvers(stage) == ["bob"]
    old = stage.head
    stage.forge.commit(NAME, "topic", {"a.txt": "2\n"}, "More", "ada")
    assert approvers(stage) == []
    assert stage.gitlab.approvals(stage.number, old) == (), "nor for one that is no longer the head"
    stage.forge.review(NAME, stage.number, "bob")
    assert approvers(stage) == ["bob"]


def test_going_back_to_an_earlier_head_does_not_bring_its_approvals_back(stage: Stage) -> None:
    stage.forge.review(NAME, stage.number, "bob")
    old = stage.head
    stage.forge.commit(NAME, "topic", {"a.txt": "2\n"}, "More", "ada")
    stage.forge.set_branch(NAME, "topic", old, "ada")
    assert stage.head == old
    assert approvers(stage) == []


def test_the_time_that_gitlab_tells_beside_an_approval_is_believed_and_none_at_all_is_not() -> None:
    versions = [
        {"head_commit_sha": "new", "created_at": "2026-11-21T10:00:05.000Z"},
        {"head_commit_sha": "new", "created_at": "2026-11-21T10:00:00.000Z"},
        {"head_commit_sha": "old", "created_at": "2026-11-21T09:00:00.000Z"},
    ]
    listed = [
        {"user": {"id": 1}, "approved_at": "2026-11-21T10:00:01.000Z"},
        {"user": {"id": 2}, "approved_at": "2026-11-21T09:59:59.000Z"},
        {"user": {"id": 3}, "approved_at": "2026-11-21T12:00:03.000+02:00"},
        {"user": {"id": 4}},
        {"user": {"id": 5}},
        {"user": {"id": 6}},
    ]
    notes = [
        {"system": True, "author": {"id": who}, "body": f"{what} this merge request", "created_at": at}
        for who, what, at in (
            (4, "approved", "2026-11-21T09:30:00Z"),
            (4, "approved", "2026-11-21T10:30:00Z"),
            (5, "approved", "2026-11-21T10:30:00Z"),
            (5, "unapproved", "2026-11-21T10:31:00Z"),
        )
    ] + [{"system": False, "author": {"id": 6}, "body": "approved this merge request", "created_at": "2027-01-01"}]

    class Told(Calls):
        def __init__(self) -> None:
            pass

        def get(self, path: str) -> object:
            return {f"{path}": {}, "mr/approvals": {"approved_by": listed}}[path]

        def all(self, path: str, **_: object) -> list[dict[str, object]]:
            return {"mr/versions": versions}[path]  # type: ignore[return-value]  # rows of text

    found = gitlab_people.approvals(Told(), "mr", "new", lambda: notes)  # type: ignore[arg-type]  # a short sha
    assert found == tuple(Approving(str(who), "new") for who in (1, 3, 4))  # type: ignore[arg-type]


def test_without_an_approval_one_request_is_enough(stage: Stage) -> None:
    stage.calls()
    assert stage.gitlab.approvals(stage.number, stage.head) == ()
    assert len(stage.calls()) == 1


# Authors and members


def test_authors_are_the_opener_the_pushers_and_whoever_gitlabs_own_address_names(stage: Stage) -> None:
    bob = stage.forge.world.user("bob")
    assert stage.gitlab.authors(stage.number) == {str(stage.ada.id)}
    stage.forge.commit(NAME, "topic", {"a.txt": "2\n"}, "More", "bob")
    assert stage.gitlab.authors(stage.number) == {str(stage.ada.id), str(bob.id)}
    stage.forge.world.repository(NAME).pushes.clear()
    assert stage.gitlab.authors(stage.number) == {str(stage.ada.id), str(bob.id)}, "their commits name them"


def test_pushes_that_are_not_ours_to_see_leave_the_rest(stage: Stage) -> None:
    for status in (403, 404):
        stage.forge.faults.append(Fault("GET", r".*/events", before=status))
        assert stage.gitlab.authors(stage.number) == {str(stage.ada.id)}


def test_a_member_of_a_group_is_looked_up_by_its_full_path(stage: Stage) -> None:
    bob = str(stage.forge.world.user("bob").id)
    stage.forge.join("acme/payments", "bob")
    stage.calls()
    assert stage.gitlab.member_of("acme/payments", bob) is True
    assert stage.gitlab.member_of("acme/none", bob) is False
    for name in ("", "../users", "acme/payments/../x", "acme//x", "acme/pay?x", "acme/pay#x", "-x"):
        assert stage.gitlab.member_of(name, bob) is False
    assert stage.gitlab.member_of("acme/payments", "1/../2") is False
    assert len(stage.calls()) == 2, "what is no name is never asked about"


def test_a_guest_of_the_group_owns_nothing(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        Calls, "get", lambda _, __: {"state": "active", "access_level": 20, "membership_state": "active"}
    )
    assert stage.gitlab.member_of("acme/payments", "7") is False
    assert stage.gitlab.permission("7") == "read"
    for state, membership in (("blocked", "active"), ("active", "awaiting")):
        told = {"state": state, "access_level": 50, "membership_state": membership}
        monkeypatch.setattr(Calls, "get", lambda _, __, told=told: told)
        assert stage.gitlab.member_of("acme/payments", "7") is False
        assert stage.gitlab.permission("7") == "none"


# Comments


def test_people_and_bots_are_told_apart_and_gitlabs_own_notes_are_left_out(stage: Stage) -> None:
    stage.forge.create_user("group_12_bot_77aa", kind="Bot")
    stage.forge.comment(NAME, stage.number, "/plan", "bob")
    stage.forge.comment(NAME, stage.number, "/plan", "group_12_bot_77aa")
    stage.forge.review(NAME, stage.number, "bob")
    told = stage.gitlab.comments(stage.number)
    assert [(one.body, one.is_bot, one.edited) for one in told] == [("/plan", False, False), ("/plan", True, False)]


def test_an_edit_is_seen_and_our_own_reaction_is_none(stage: Stage) -> None:
    said = stage.forge.comment(NAME, stage.number, "/plan", "bob")
    time.sleep(1.1)
    stage.gitlab.react(stage.number, str(said.id), "seen")
    (told,) = stage.gitlab.comments(stage.number)
    assert told.reactions == {"seen"}
    assert not told.edited
    time.sleep(1.1)
    with stage.forge.world.lock:
        said.body, said.updated_at = "/rollback checkout", stage.forge.world.now()
    assert [one.edited for one in stage.gitlab.comments(stage.number)] == [True]


def test_reactions_cost_a_request_only_until_the_last_word_on_a_command(stage: Stage) -> None:
    said = stage.forge.comment(NAME, stage.number, "please\n  /plan", "bob")
    for index in range(5):
        stage.forge.comment(NAME, stage.number, f"no command {index} a/b", "bob")
    stage.gitlab.comments(stage.number)
    stage.calls()
    stage.gitlab.comments(stage.number)
    assert len(stage.calls()) == 2
    stage.gitlab.react(stage.number, str(said.id), "done")
    stage.gitlab.comments(stage.number)
    stage.calls()
    assert stage.gitlab.comments(stage.number)[0].reactions == {"done"}
    assert len(stage.calls()) == 1


def test_a_reaction_stands_once_whatever_is_lost(stage: Stage) -> None:
    said = stage.forge.comment(NAME, stage.number, "/plan", "bob")
    stage.forge.faults.append(Fault("POST", r".*/award_emoji", after=502))
    stage.forge.faults.append(Fault("GET", r".*/award_emoji", truncate=True))
    stage.gitlab.react(stage.number, str(said.id), "refused")
    stage.adapter().react(stage.number, str(said.id), "refused")
    assert [one.content for one in said.reactions] == ["confused"]
