"""From a pull request to the GitOps repo and back, on real git, over real HTTP, through the real GitHub client."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from bot.flows.line import LONG
from bot.sandbox import Sandbox
from tests.core.made import DB, PLATFORM, SECRET, service
from tests.world.stage import DEVELOPER, GITOPS, Stage
from tests.world.stage import PLATFORM as REPO

pytestmark = pytest.mark.world

FILES = {**PLATFORM, **service("a"), **service("b")}
DEPLOYMENT = "environments/prod/payments/a/kubernetes/deployment-a.yaml"
PUSH = "/acme/gitops.git/git-receive-pack"

Make = Callable[..., Stage]


@pytest.fixture
def make(sandbox: Sandbox, tmp_path: Path) -> Make:
    """A stage with these files, already delivered."""

    def begin(files: dict[str, str] | None = None, delivered: bool = True) -> Stage:
        stage = Stage(sandbox, tmp_path, FILES if files is None else files)
        if delivered:
            stage.deliver()
        return stage

    return begin


def _image(name: str, version: str) -> dict[str, str]:
    return dict(service(name, image=version))


# One commit for each landed change


def test_each_landed_pull_request_is_one_commit_with_its_trailers(make: Make) -> None:
    stage = make()
    numbers, landed = [], []
    for version in ("2.0.0", "3.0.0"):
        number = stage.open(_image("a", version))
        assert stage.review(number)[0].startswith("success: Ready")
        numbers.append(str(number))
        landed.append(stage.merge(number))
    made = stage.made()[1:]
    assert [stage.trailer(commit, "Pull-Request") for commit in made] == numbers
    assert [stage.trailer(commit, "Platform-Commit") for commit in made] == landed
    assert {stage.trailer(commit, "Author-Id") for commit in made} == {
        str(stage.sandbox.pull(REPO, int(numbers[0])).user.id)
    }
    assert stage.cursors()[1:] == landed
    assert stage.breaches() == ()


def test_the_pull_request_is_told_as_what_it_was_delivered(make: Make) -> None:
    stage = make()
    number = stage.open(_image("a", "2.0.0"))
    stage.review(number)
    stage.merge(number)
    status, comment = stage.said(number)
    assert status == f"success: Delivered as {stage.made()[-1].id[:7]} to dev, prod"
    assert comment is not None
    assert "Delivered as" in comment


def test_a_direct_push_is_delivered_with_no_pull_request_named(make: Make) -> None:
    stage = make()
    sha = stage.push(_image("a", "2.0.0"))
    stage.deliver()
    assert stage.trailer(stage.made()[-1], "Pull-Request") == ""
    assert stage.trailer(stage.made()[-1], "Platform-Commit") == sha


def test_what_changes_nothing_that_runs_makes_no_commit(make: Make) -> None:
    stage = make()
    before = len(stage.commits())
    stage.push({"README.md": "# Hello\n"})
    stage.push({"services/a/platform.yaml": f"# a word\n{FILES['services/a/platform.yaml']}"})
    (outcome,) = stage.deliver()
    assert (outcome.pushed, outcome.halt) == (False, None)
    assert len(stage.commits()) == before


def test_a_merged_pull_request_that_changes_nothing_that_runs_says_so(make: Make) -> None:
    stage = make()
    number = stage.open({"services/a/platform.yaml": f"# a word\n{FILES['services/a/platform.yaml']}"})
    stage.review(number)
    stage.merge(number)
    assert stage.review(number) == ("success: Merged: there was nothing to deliver", None)
    stage.merge(stage.open(_image("b", "2")))
    assert stage.review(number) == ("success: Merged: there was nothing to deliver", None)


def test_a_pull_request_whose_last_version_changes_nothing_does_not_go_on_saying_what_is_over(make: Make) -> None:
    stage = make()
    number = stage.open(_image("a", "2"), branch="topic")
    assert stage.review(number)[1] is not None
    stage.sandbox.commit(REPO, "topic", {**_image("a", "1.0.0"), "README.md": "x"}, "back", DEVELOPER)
    status, comment = stage.review(number)
    assert status == "success: Ready: nothing here concerns Causeway"
    assert comment is not None
    assert "2" not in comment.partition("<!--")[0].partition("\n")[0]
    stage.merge(number)
    status, comment = stage.review(number)
    assert status == "success: Merged: there was nothing to deliver"
    assert comment is not None
    assert "nothing to deliver" in comment


def test_a_backlog_becomes_a_chain_of_one_commit_each_that_is_pushed_once(make: Make) -> None:
    stage = make()

    def pushes() -> int:
        return len([r for r in stage.sandbox.requests if r.path == PUSH and r.method == "POST"])

    landed = []
    for version in ("2", "3", "4", "5"):
        number = stage.open(_image("a", version))
        landed.append(stage.sandbox.merge(REPO, number, by=DEVELOPER))
    before = pushes()
    stage.deliver()
    assert pushes() - before == 1
    assert stage.cursors()[1:] == landed
    assert [stage.breaches(commit.id) for commit in stage.made()] == [()] * 5


def test_a_long_backlog_becomes_one_range_commit(make: Make) -> None:
    stage = make()
    for version in range(LONG + 1):
        stage.push(_image("a", str(version + 2)))
    stage.deliver()
    assert len(stage.made()) == 2
    assert stage.cursors()[-1] == stage.sandbox.head(REPO)
    assert stage.breaches() == ()


def test_a_backlog_just_not_long_enough_is_delivered_one_by_one(make: Make) -> None:
    stage = make()
    for version in range(LONG):
        stage.push(_image("a", str(version + 2)))
    stage.deliver()
    assert len(stage.made()) == 1 + LONG


def test_a_rebase_merge_of_several_commits_is_one_commit(make: Make) -> None:
    stage = make()
    stage.sandbox.commit(REPO, "topic", _image("a", "2"), "one", DEVELOPER, base="main")
    stage.sandbox.commit(REPO, "topic", {"README.md": "x"}, "two", DEVELOPER)
    stage.sandbox.commit(REPO, "topic", _image("b", "2"), "three", DEVELOPER)
    number = stage.sandbox.open_pull(REPO, "Both", "topic", "main", DEVELOPER)
    stage.push({"NOTES.md": "so that the rebase is a real one"})
    landed = stage.merge(number, "rebase")
    assert len(stage.made()) == 2
    assert stage.cursors()[-1] == landed
    assert stage.trailer(stage.made()[-1], "Pull-Request") == str(number)
    assert stage.said(number)[0].startswith("success: Delivered as")


@pytest.mark.parametrize("method", ["merge", "squash", "rebase", "fast_forward"])
def test_a_revert_gives_the_same_bytes_however_it_landed(make: Make, method: str) -> None:
    stage = make()
    before = stage.owned_files()
    number = stage.open({**service("c", "uses: [a]"), **_image("a", "2")})
    stage.merge(number, method)  # type: ignore[arg-type]  # the parameters are its values
    after = stage.owned_files()
    assert after != before
    back = stage.revert(number)
    assert stage.review(back)[0].startswith("success: ")
    stage.merge(back)
    assert stage.owned_files() == before
    assert stage.breaches() == ()
    again = stage.revert(back)
    stage.merge(again)
    assert stage.owned_files() == after


def test_data_survives_a_revert_and_only_that(make: Make) -> None:
    stage = make()
    before = stage.owned_files()
    number = stage.open(dict(service("c", DB)))
    stage.merge(number)
    data = {path: text for path, text in stage.files().items() if path.startswith("data/prod/c/")}
    back = stage.revert(number)
    stage.merge(back)
    assert data
    assert stage.owned_files() == {**before, **data}
    assert stage.breaches() == ()


# A bad change


def test_a_bad_service_that_lands_all_the_same_keeps_what_runs_and_is_told(make: Make) -> None:
    stage = make()
    number = stage.open({**service("a", SECRET, image="2"), **_image("b", "2")})
    assert stage.review(number)[0].startswith("failure: ")
    before = stage.files()[DEPLOYMENT]
    stage.merge(number)
    assert stage.files()[DEPLOYMENT] == before
    assert b"b:2" in stage.files()["environments/prod/payments/b/kubernetes/deployment-b.yaml"]
    assert stage.breaches() == ()
    other = stage.open(dict(service("c")))
    assert stage.review(other)[0].startswith("success: "), "the sins of others are no news"


def test_a_rollback_to_what_ran_lately_passes_newer_rules(make: Make) -> None:
    stage = make({**FILES, **service("a", SECRET)})
    assert DEPLOYMENT in stage.files(), "a first delivery finds nothing new"
    before = stage.owned_files()
    number = stage.open(_image("a", "2"))
    stage.merge(number)
    back = stage.revert(number)
    assert stage.review(back)[0].startswith("success: ")
    stage.merge(back)
    assert stage.owned_files() == before


def test_what_was_refused_may_not_come_back_as_a_rollback(make: Make) -> None:
    stage = make()
    stage.merge(stage.open({"services/a/platform.yaml": service("a", SECRET)["services/a/platform.yaml"]}))
    stage.merge(stage.open(_image("a", "2")))
    number = stage.open(dict(service("a", SECRET)))
    assert stage.review(number)[0].startswith("failure: ")


def test_a_platform_that_cannot_be_read_halts_and_a_pull_request_mends_it(make: Make) -> None:
    stage = make()
    head = stage.sandbox.head(GITOPS)
    stage.push({"platform/teams.yaml": "teams: [\n", **_image("a", "2")})
    stage.deliver()
    assert stage.sandbox.head(GITOPS) == head
    (issue,) = stage.issues()
    assert "platform/teams.yaml" in issue
    other = stage.open(_image("b", "2"))
    assert stage.review(other)[0].startswith("failure: ")
    number = stage.open({"platform/teams.yaml": FILES["platform/teams.yaml"]})
    assert stage.review(number)[0].startswith("success: ")
    stage.merge(number)
    assert stage.issues() == []
    assert b"a:2" in stage.files()[DEPLOYMENT]
    assert stage.breaches() == ()
    message = stage.made()[-1].message
    assert "platform/teams.yaml" in message, "what was passed over is named in the next message"


def test_a_removal_of_everything_waits_for_a_word(make: Make) -> None:
    stage = make({**FILES, **service("c")})
    sha = stage.push(dict.fromkeys([path for path in {**FILES, **service("c")} if path.startswith("services/")]))
    before = stage.owned_files()
    stage.deliver()
    assert stage.owned_files() == before
    assert f"causeway resume {sha}" in stage.issues()[0]
    stage.deliver(resumed=sha)
    assert stage.issues() == []
    assert "catalog/components/a.yaml" not in stage.files()
    assert stage.breaches() == ()
