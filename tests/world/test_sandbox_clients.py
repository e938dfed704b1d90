"""The sandbox forge satisfies clients it was not written for: PyGithub and the plain git command."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest
from github import Auth, Github, GithubException, UnknownObjectException
from github.Repository import Repository as GithubRepository

from bot.sandbox import Fault, Sandbox
from bot.sandbox.world import MergeMethod

pytestmark = pytest.mark.world
PLATFORM = "acme/platform"
SERVICE = "services/checkout/platform.yaml"


@pytest.fixture
def acme(sandbox: Sandbox) -> Sandbox:
    """A forge with one repository, a bot and two people."""
    sandbox.create_user("causeway", kind="Bot")
    sandbox.create_user("ada")
    sandbox.create_user("stranger", permission="none")
    sandbox.create_repository(PLATFORM, {"README.md": "hello\n", SERVICE: "name: checkout\n"})
    return sandbox


def client(forge: Sandbox, login: str = "causeway") -> GithubRepository:
    auth = Auth.Token(forge.token_for(login))
    hub = Github(
        base_url=forge.api_url, auth=auth, retry=None, seconds_between_requests=None, seconds_between_writes=None
    )
    return hub.get_repo(forge.world.repository(PLATFORM).id)


def git(folder: Path, *args: str, forge: Sandbox | None = None, login: str = "ada") -> subprocess.CompletedProcess[str]:
    """Git as a person runs it, the token in a header of this process only."""
    env = {"PATH": os.environ["PATH"], "HOME": str(folder), "GIT_TERMINAL_PROMPT": "0", "GIT_CONFIG_NOSYSTEM": "1"}
    who = ["-c", "user.name=Ada", "-c", "user.email=ada@example.org"]
    if forge is not None:
        who += ["-c", f"http.{forge.url}/.extraHeader=Authorization: Bearer {forge.token_for(login)}"]
    return subprocess.run(["git", *who, *args], cwd=folder, env=env, capture_output=True, text=True, check=False)


def topic(forge: Sandbox, name: str = "topic", content: str = "name: checkout\nscale: 2\n") -> int:
    forge.commit(PLATFORM, name, {SERVICE: content}, f"Change on {name}", "ada")
    return forge.open_pull(PLATFORM, f"Change {name}", name, "main", "ada")


def test_pygithub_opens_comments_judges_and_merges_a_pull_request(acme: Sandbox) -> None:
    acme.commit(PLATFORM, "topic", {SERVICE: "name: checkout\nscale: 2\n"}, "Scale", "ada")
    repo = client(acme)
    pull = repo.create_pull(title="Scale checkout", head="topic", base="main", body="Please")
    comment = pull.create_issue_comment("A plan")
    comment.edit("A better plan")
    assert [found.body for found in repo.get_pull(pull.number).get_issue_comments()] == ["A better plan"]
    commit = repo.get_commit(pull.head.sha)
    commit.create_status("success", context="causeway", description="Ready")
    assert [(s.context, s.state) for s in commit.get_combined_status().statuses] == [("causeway", "success")]
    assert [(f.filename, f.additions) for f in pull.get_files()] == [(SERVICE, 1)]
    done = pull.merge(merge_method="squash", sha=pull.head.sha)
    assert done.merged
    assert repo.get_branch("main").commit.sha == done.sha
    assert [found.number for found in repo.get_commit(done.sha).get_pulls()] == [pull.number]


@pytest.mark.parametrize("method", ["merge", "squash", "rebase", "fast_forward"])
def test_every_way_of_merging_lands_the_content_and_its_revert_takes_it_back(
    acme: Sandbox, method: MergeMethod
) -> None:
    before = acme.files(PLATFORM)
    acme.commit(PLATFORM, "topic", {"services/new/platform.yaml": "name: new\n"}, "One", "ada")
    acme.commit(PLATFORM, "topic", {SERVICE: None}, "Two", "ada")
    number = acme.open_pull(PLATFORM, "Two commits", "topic", "main", "ada")
    landed = acme.merge(PLATFORM, number, method, by="ada")
    parents = acme.world.repository(PLATFORM).git.commit(landed).parents
    assert len(parents) == (2 if method == "merge" else 1)
    assert sorted(acme.files(PLATFORM)) == ["README.md", "services/new/platform.yaml"]
    assert client(acme).get_pull(number).merge_commit_sha == landed == acme.head(PLATFORM)
    acme.commit(PLATFORM, "main", {"OTHER.md": "kept\n"}, "Meanwhile", "ada")
    revert = acme.revert(PLATFORM, number, by="ada")
    assert client(acme).get_pull(revert).title == 'Revert "Two commits"'
    acme.merge(PLATFORM, revert, method, by="ada")
    assert acme.files(PLATFORM) == before | {"OTHER.md": b"kept\n"}


def test_a_conflict_is_not_merged_and_its_merge_ref_goes(acme: Sandbox) -> None:
    first, second = topic(acme, "one", "a: 1\n"), topic(acme, "two", "b: 2\n")
    acme.merge(PLATFORM, first)
    repo = client(acme)
    assert repo.get_pull(second).mergeable is False
    with pytest.raises(GithubException) as refused:
        repo.get_pull(second).merge()
    assert refused.value.status == 405
    with pytest.raises(UnknownObjectException):
        repo.get_git_ref(f"pull/{second}/merge")
    assert repo.get_git_ref(f"pull/{second}/head").object.sha == acme.head(PLATFORM, "two")


def test_a_merge_of_an_older_head_is_refused(acme: Sandbox) -> None:
    number = topic(acme)
    old = acme.pull(PLATFORM, number).head_sha
    acme.commit(PLATFORM, "topic", {"x": "x"}, "More", "ada")
    with pytest.raises(GithubException) as refused:
        client(acme).get_pull(number).merge(sha=old)
    assert refused.value.status == 409


def test_git_clones_pushes_and_fetches_pull_request_refs(acme: Sandbox, tmp_path: Path) -> None:
    number = topic(acme)
    url = acme.clone_url(PLATFORM)
    assert git(tmp_path, "clone", "-q", url, "work", forge=acme).returncode == 0
    work = tmp_path / "work"
    git(work, "switch", "-q", "topic")
    (work / "n.txt").write_text("n\n")
    git(work, "add", ".")
    git(work, "commit", "-qm", "More")
    pushed = git(work, "push", "-q", "origin", "topic", forge=acme)
    assert pushed.returncode == 0, pushed.stderr
    head = git(work, "rev-parse", "HEAD").stdout.strip()
    assert acme.pull(PLATFORM, number).head_sha == head == client(acme).get_pull(number).head.sha
    fetched = git(work, "fetch", "-q", "origin", f"refs/pull/{number}/head", forge=acme)
    assert fetched.returncode == 0, fetched.stderr
    assert git(work, "rev-parse", "FETCH_HEAD").stdout.strip() == head
    git(work, "fetch", "-q", "origin", f"refs/pull/{number}/merge", forge=acme)
    assert git(work, "rev-parse", "FETCH_HEAD^2").stdout.strip() == head


def test_git_without_a_token_or_with_too_few_rights_gets_nothing(acme: Sandbox, tmp_path: Path) -> None:
    url = acme.clone_url(PLATFORM)
    acme.create_user("reader", permission="read")
    assert "could not read Username" in git(tmp_path, "ls-remote", url).stderr
    assert "not found" in git(tmp_path, "ls-remote", url, forge=acme, login="stranger").stderr
    assert git(tmp_path, "clone", "-q", url, "work", forge=acme, login="reader").returncode == 0
    refused = git(tmp_path / "work", "push", "origin", "HEAD:refs/heads/x", forge=acme, login="reader")
    assert "403" in refused.stderr
    assert acme.head(PLATFORM, "x") is None


def test_a_lease_is_honoured_and_pull_request_refs_cannot_be_pushed(acme: Sandbox, tmp_path: Path) -> None:
    git(tmp_path, "clone", "-q", acme.clone_url(PLATFORM), "work", forge=acme)
    work, old = tmp_path / "work", acme.head(PLATFORM)
    git(work, "commit", "-q", "--allow-empty", "-m", "Mine")
    theirs = acme.commit(PLATFORM, "main", {"theirs": "x"}, "Theirs", "ada")
    refused = git(work, "push", f"--force-with-lease=main:{old}", "origin", "HEAD:refs/heads/main", forge=acme)
    assert refused.returncode != 0
    assert "stale info" in refused.stderr
    assert acme.head(PLATFORM) == theirs
    taken = git(work, "push", f"--force-with-lease=main:{theirs}", "origin", "+HEAD:refs/heads/main", forge=acme)
    assert taken.returncode == 0, taken.stderr
    assert git(work, "push", "origin", "HEAD:refs/pull/9/head", forge=acme).returncode != 0


def test_a_protected_branch_moves_by_merge_only(acme: Sandbox, tmp_path: Path) -> None:
    git(tmp_path, "clone", "-q", acme.clone_url(PLATFORM), "work", forge=acme)
    acme.protect(PLATFORM, "main")
    old, work = acme.head(PLATFORM), tmp_path / "work"
    git(work, "commit", "-q", "--allow-empty", "-m", "Direct")
    assert git(work, "push", "origin", "HEAD:refs/heads/main", forge=acme).returncode != 0
    assert acme.head(PLATFORM) == old
    acme.merge(PLATFORM, topic(acme), by="ada")
    assert acme.head(PLATFORM) != old


def test_a_push_that_lands_a_pull_request_closes_it_as_merged(acme: Sandbox, tmp_path: Path) -> None:
    number = topic(acme)
    git(tmp_path, "clone", "-q", acme.clone_url(PLATFORM), "work", forge=acme)
    git(tmp_path / "work", "push", "-q", "origin", "origin/topic:refs/heads/main", forge=acme)
    pull = client(acme).get_pull(number)
    assert (pull.state, pull.merged, pull.merge_commit_sha) == ("closed", True, acme.head(PLATFORM))


def test_a_renamed_repository_answers_under_its_id_and_its_old_name(acme: Sandbox, tmp_path: Path) -> None:
    repo_id, old_url = acme.world.repository(PLATFORM).id, acme.clone_url(PLATFORM)
    auth = Auth.Token(acme.token_for("ada"))
    hub = Github(base_url=acme.api_url, auth=auth, retry=None)
    acme.rename_repository(PLATFORM, "acme/renamed")
    assert hub.get_repo(repo_id).full_name == "acme/renamed"
    assert hub.get_repo(PLATFORM).full_name == "acme/renamed"
    assert git(tmp_path, "ls-remote", old_url, forge=acme).returncode == 0


def test_outsiders_see_nothing_and_readers_cannot_write(acme: Sandbox) -> None:
    with pytest.raises(UnknownObjectException):
        client(acme, "stranger")
    acme.create_user("reader", permission="read")
    with pytest.raises(GithubException) as refused:
        client(acme, "reader").create_git_ref("refs/heads/x", acme.head(PLATFORM) or "")
    assert refused.value.status == 403
    with pytest.raises(GithubException) as unknown:
        Github(base_url=acme.api_url, auth=Auth.Token("nobody"), retry=None).get_user().login  # noqa: B018
    assert unknown.value.status == 401


def test_githubs_limits_are_kept(acme: Sandbox) -> None:
    repo, number = client(acme), topic(acme)
    commit, pull = repo.get_commit(acme.head(PLATFORM, "topic") or ""), repo.get_pull(number)
    pull.create_issue_comment("x" * 65_536)
    for write in (
        lambda: pull.create_issue_comment("x" * 65_537),
        lambda: commit.create_status("success", description="x" * 141),
        lambda: commit.create_status("fine"),
        lambda: repo.create_pull(title="Again", head="topic", base="main"),
        lambda: repo.create_pull(title="Nothing", head="main", base="main"),
    ):
        with pytest.raises(GithubException) as refused:
            write()
        assert refused.value.status == 422
    held = acme.world.repository(PLATFORM).statuses.setdefault(commit.sha, [])
    commit.create_status("pending", context="causeway")
    held.extend([held[-1]] * 999)
    with pytest.raises(GithubException) as full:
        commit.create_status("success", context="causeway")
    assert full.value.status == 422


def test_lists_come_in_pages_and_a_conditional_request_costs_nothing(acme: Sandbox) -> None:
    repo = client(acme)
    for n in range(5):
        topic(acme, f"t{n}", f"n: {n}\n")
    hub = Github(base_url=acme.api_url, auth=Auth.Token(acme.token_for("causeway")), retry=None, per_page=2)
    pulls = hub.get_repo(PLATFORM).get_pulls(state="open", sort="created", direction="asc")
    assert [pull.number for pull in pulls] == [1, 2, 3, 4, 5]
    repo.update()
    assert not repo.update()
    assert acme.requests[-1].status == 304
    topic(acme, "t9", "n: 9\n")
    assert repo.update()


def test_faults_strike_before_or_after_the_effect(acme: Sandbox) -> None:
    repo, number = client(acme), topic(acme)
    pull = repo.get_pull(number)
    acme.faults.append(Fault("POST", ".*/comments", before=502))
    with pytest.raises(GithubException) as before:
        pull.create_issue_comment("lost")
    acme.faults.append(Fault("POST", ".*/comments", after=502))
    with pytest.raises(GithubException) as after:
        pull.create_issue_comment("stored")
    assert (before.value.status, after.value.status) == (502, 502)
    assert [comment.body for comment in acme.comments(PLATFORM, number)] == ["stored"]
    acme.faults.append(Fault("GET", truncate=True))
    acme.faults.append(Fault("GET", drop="before"))
    acme.faults.append(Fault("GET", before=403, headers={"Retry-After": "7"}))
    for _ in range(2):
        with pytest.raises((GithubException, OSError, ValueError)):
            repo.get_pull(number)
    with pytest.raises(GithubException) as limited:
        repo.get_pull(number)
    assert (limited.value.headers or {}).get("retry-after") == "7"
    assert repo.get_pull(number).number == number
    assert not acme.faults


def test_a_push_whose_answer_is_lost_has_landed(acme: Sandbox, tmp_path: Path) -> None:
    git(tmp_path, "clone", "-q", acme.clone_url(PLATFORM), "work", forge=acme)
    work = tmp_path / "work"
    git(work, "commit", "-q", "--allow-empty", "-m", "Mine")
    acme.faults.append(Fault("POST", ".*/git-receive-pack", after=503))
    assert git(work, "push", "origin", "HEAD:refs/heads/main", forge=acme).returncode != 0
    assert acme.head(PLATFORM) == git(work, "rev-parse", "HEAD").stdout.strip()
