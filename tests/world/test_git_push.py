"""A push moves a branch by compare-and-swap or not at all, and says only what it knows."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from threading import Thread

import pytest

from bot.core.tree import Oid
from bot.git import Limits, Mirror
from bot.ports import GitRemote, GoneError, OutsideWorldError
from bot.sandbox import Fault, Sandbox
from tests.world.git_fixture import GITOPS, next_commit, remote_of
from tests.world.git_remote import Remote

MAIN = "refs/heads/main"


# The lease


def test_a_branch_moves_when_it_is_exactly_the_leased_commit(origin: Remote, mirror: Mirror) -> None:
    tip = origin.commit(MAIN, {"a": b"1"})
    mirror.fetch(origin.remote, [MAIN])
    chain = mirror.write(mirror.write(tip, {"b": b"1"}, "one", 1), {"c": b"1"}, "two", 2)
    assert mirror.push(origin.remote, MAIN, chain, tip) == "pushed"
    assert origin.ref(MAIN) == chain
    assert mirror.push(origin.remote, MAIN, chain, tip) == "pushed", "again, after an answer was lost"


def test_a_branch_that_moved_meanwhile_is_left_alone(origin: Remote, mirror: Mirror) -> None:
    tip = origin.commit(MAIN, {"a": b"1"})
    mirror.fetch(origin.remote, [MAIN])
    new = mirror.write(tip, {"b": b"1"}, "m", 1)
    foreign = origin.commit(MAIN, {"f": b"1"}, [tip])
    assert mirror.push(origin.remote, MAIN, new, tip) == "refused"
    assert origin.ref(MAIN) == foreign


def test_a_commit_that_does_not_descend_from_the_lease_is_refused_though_the_lease_is_right(
    origin: Remote, mirror: Mirror
) -> None:
    first = origin.commit(MAIN, {"a": b"1"})
    tip = origin.commit(MAIN, {"a": b"2"}, [first])
    mirror.fetch(origin.remote, [MAIN])
    sideways = mirror.write(first, {"b": b"1"}, "m", 1)
    for new in (sideways, first, mirror.write(None, {"b": b"1"}, "m", 1)):
        assert mirror.push(origin.remote, MAIN, new, tip) == "refused"
    assert origin.ref(MAIN) == tip


def test_without_a_lease_the_branch_must_not_exist(origin: Remote, mirror: Mirror) -> None:
    new = mirror.write(None, {"a": b"1"}, "m", 1)
    assert mirror.push(origin.remote, MAIN, new, None) == "pushed"
    other = mirror.write(new, {"a": b"2"}, "m", 2)
    assert mirror.push(origin.remote, MAIN, other, None) == "refused"
    assert origin.ref(MAIN) == new


def test_a_branch_that_was_deleted_meanwhile_is_not_made_again(origin: Remote, mirror: Mirror) -> None:
    tip = origin.commit(MAIN, {"a": b"1"})
    mirror.fetch(origin.remote, [MAIN])
    new = mirror.write(tip, {"b": b"1"}, "m", 1)
    origin.git("update-ref", "-d", MAIN)
    assert mirror.push(origin.remote, MAIN, new, tip) == "refused"
    assert origin.git("for-each-ref") == ""


def test_a_push_that_the_remotes_own_rules_refuse_is_an_error_that_says_why(origin: Remote, mirror: Mirror) -> None:
    tip = origin.commit(MAIN, {"a": b"1"})
    mirror.fetch(origin.remote, [MAIN])
    hook = origin.path / "hooks" / "pre-receive"
    hook.parent.mkdir(exist_ok=True)
    hook.write_text("#!/bin/sh\necho 'main is protected: open a pull request' >&2\nexit 1\n")
    hook.chmod(0o755)
    with pytest.raises(OutsideWorldError, match="main is protected"):
        mirror.push(origin.remote, MAIN, mirror.write(tip, {"b": b"1"}, "m", 1), tip)
    assert origin.ref(MAIN) == tip


def test_only_one_of_many_pushes_from_the_same_head_wins(origin: Remote, tmp_path: Path) -> None:
    tip = origin.commit(MAIN, {"a": b"1"})
    answers: list[str] = []

    def push(n: int) -> None:
        mirror = Mirror(tmp_path / f"m{n}.git")
        mirror.fetch(origin.remote, [MAIN])
        new = mirror.write(tip, {"n": b"%d" % n}, f"m{n}", n)
        answers.append(mirror.push(origin.remote, MAIN, new, tip))

    threads = [Thread(target=push, args=(n,)) for n in range(5)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(answers) == ["pushed", *["refused"] * 4]


@pytest.mark.parametrize(
    ("ref", "new"),
    [("main", "1" * 40), ("refs/heads/a..b", "1" * 40), ("--mirror", "1" * 40), (MAIN, "HEAD"), (MAIN, "")],
)
def test_short_refs_and_names_of_commits_are_mistakes(origin: Remote, mirror: Mirror, ref: str, new: str) -> None:
    with pytest.raises(ValueError, match="not a"):
        mirror.push(origin.remote, ref, Oid(new), None)


# Over HTTP, with a token


@pytest.mark.world
def test_the_token_opens_fetch_list_and_push(git_forge: Sandbox, mirror: Mirror) -> None:
    tip, new = next_commit(git_forge, mirror)
    assert mirror.heads(remote_of(git_forge)) == {MAIN: tip}
    assert mirror.push(remote_of(git_forge), MAIN, new, tip) == "pushed"
    assert git_forge.head(GITOPS) == new
    assert git_forge.files(GITOPS) == {"README.md": b"hello\n", "apps/x.yaml": b"x: 1\n"}


@pytest.mark.world
def test_a_fetch_of_a_pull_request_is_one_conversation(git_forge: Sandbox, mirror: Mirror) -> None:
    next_commit(git_forge, mirror)
    git_forge.commit(GITOPS, "topic", {"a": "1"}, "m", "causeway")
    number = git_forge.open_pull(GITOPS, "t", "topic", "main", "causeway")
    git_forge.requests.clear()
    found = mirror.fetch(remote_of(git_forge), [MAIN, f"refs/pull/{number}/head"])
    assert None not in found.values()
    assert [request.method for request in git_forge.requests] == ["GET", "POST", "POST"]


@pytest.mark.world
def test_a_wrong_token_or_a_missing_right_is_told_and_the_token_is_not(git_forge: Sandbox, mirror: Mirror) -> None:
    tip, new = next_commit(git_forge, mirror)
    wrong = GitRemote(git_forge.clone_url(GITOPS), "Bearer ghs_W0rd0fM0uth")
    acts: list[Callable[[], object]] = [
        lambda: mirror.fetch(wrong, [MAIN]),
        lambda: mirror.heads(wrong),
        lambda: mirror.push(wrong, MAIN, new, tip),
        lambda: mirror.push(remote_of(git_forge, "reader"), MAIN, new, tip),
    ]
    for act in acts:
        with pytest.raises(OutsideWorldError) as failed:
            act()
        for login in ("causeway", "reader"):
            assert git_forge.token_for(login) not in str(failed.value)
        assert "W0rd0fM0uth" not in str(failed.value)
    with pytest.raises(GoneError):
        mirror.fetch(remote_of(git_forge, "stranger"), [MAIN])
    assert git_forge.head(GITOPS) == tip


@pytest.mark.world
@pytest.mark.parametrize("status", [500, 502, 503, 429])
def test_a_failing_forge_makes_fetches_fail_and_later_work(git_forge: Sandbox, mirror: Mirror, status: int) -> None:
    git_forge.faults.append(Fault(path=".*/info/refs", before=status, times=2))
    acts: list[Callable[[], object]] = [
        lambda: mirror.fetch(remote_of(git_forge), [MAIN]),
        lambda: mirror.heads(remote_of(git_forge)),
    ]
    for act in acts:
        with pytest.raises(OutsideWorldError) as failed:
            act()
        assert not isinstance(failed.value, GoneError)
    assert mirror.fetch(remote_of(git_forge), [MAIN]) == {MAIN: git_forge.head(GITOPS)}


@pytest.mark.world
@pytest.mark.parametrize(
    ("fault", "moved"),
    [
        (Fault(path=".*/info/refs", before=502), False),
        (Fault(path=".*/info/refs", drop="before"), False),
        (Fault(path=".*/git-receive-pack", before=502), False),
        (Fault(path=".*/git-receive-pack", drop="before"), False),
        (Fault(path=".*/git-receive-pack", after=502), True),
        (Fault(path=".*/git-receive-pack", drop="after"), True),
        (Fault(path=".*/git-receive-pack", truncate=True), True),
    ],
    ids=["502", "no answer", "push 502", "push no answer", "done but 502", "done but no answer", "done, answer cut"],
)
def test_a_lost_answer_is_unknown_and_the_same_push_again_is_right(
    git_forge: Sandbox, tmp_path: Path, fault: Fault, moved: bool
) -> None:
    mirror = Mirror(tmp_path / "m.git", Limits(push=2))
    tip, new = next_commit(git_forge, mirror)
    git_forge.faults.append(fault)
    assert mirror.push(remote_of(git_forge), MAIN, new, tip) == "unknown"
    assert git_forge.head(GITOPS) == (new if moved else tip)
    assert mirror.push(remote_of(git_forge), MAIN, new, tip) == "pushed"
    assert git_forge.head(GITOPS) == new


@pytest.mark.world
def test_a_fetch_that_is_cut_off_fails_in_time_and_works_again(git_forge: Sandbox, tmp_path: Path) -> None:
    mirror = Mirror(tmp_path / "m.git", Limits(fetch=2, clone=2))
    for skip in (0, 1):
        git_forge.faults.append(Fault(path=".*/git-upload-pack", truncate=True, skip=skip))
        with pytest.raises(OutsideWorldError):
            mirror.fetch(remote_of(git_forge), [MAIN])
    assert mirror.fetch(remote_of(git_forge), [MAIN]) == {MAIN: git_forge.head(GITOPS)}


@pytest.mark.world
def test_a_push_that_takes_too_long_is_unknown(git_forge: Sandbox, tmp_path: Path) -> None:
    mirror = Mirror(tmp_path / "m.git", Limits(push=0.5))
    tip, new = next_commit(git_forge, mirror)
    git_forge.faults.append(Fault(path=".*/git-receive-pack", delay=2.0))
    assert mirror.push(remote_of(git_forge), MAIN, new, tip) == "unknown"
