"""Pull requests that are not the usual one: first, draft, conflicting, unrelated, against another branch, old."""

from __future__ import annotations

from pathlib import Path

import pytest

from bot.flows.line import LONG
from bot.sandbox import Sandbox
from tests.core.made import BROKEN, CONFIG, service
from tests.world.stage import DEVELOPER, GITOPS, Stage
from tests.world.stage import PLATFORM as REPO
from tests.world.test_story import DEPLOYMENT, FILES, Make, _image

pytestmark = pytest.mark.world


@pytest.fixture
def make(sandbox: Sandbox, tmp_path: Path) -> Make:
    """A stage with these files, already delivered."""

    def begin(files: dict[str, str] | None = None, delivered: bool = True) -> Stage:
        stage = Stage(sandbox, tmp_path, FILES if files is None else files)
        if delivered:
            stage.deliver()
        return stage

    return begin


# Other pull requests


def test_an_empty_repository_and_its_first_pull_request(make: Make) -> None:
    stage = make({"README.md": "# Platform\n"}, delivered=False)
    stage.deliver()
    assert stage.made() == []
    number = stage.open(dict(FILES))
    status, comment = stage.review(number)
    assert status.startswith("success: Ready")
    assert comment is not None
    stage.merge(number)
    assert DEPLOYMENT in stage.files()
    assert stage.breaches() == ()
    assert stage.said(number)[0].startswith("success: Delivered as")


def test_a_gitops_repo_without_any_commit_gets_its_first(sandbox: Sandbox, tmp_path: Path) -> None:
    stage = Stage(sandbox, tmp_path, FILES, gitops={})
    stage.deliver()
    assert len(stage.commits()) == 1
    assert stage.breaches() == ()


def test_a_draft_is_told_as_it_is(make: Make) -> None:
    stage = make()
    stage.sandbox.commit(REPO, "topic", _image("a", "2"), "one", DEVELOPER, base="main")
    number = stage.sandbox.open_pull(REPO, "Soon", "topic", "main", DEVELOPER, draft=True)
    status, comment = stage.review(number)
    assert status.startswith("success: Ready")
    assert comment is not None


def test_a_conflict_fails_in_one_sentence_and_heals(make: Make) -> None:
    stage = make()
    number = stage.open(_image("a", "2"))
    stage.push(_image("a", "3"))
    status, comment = stage.review(number)
    assert status.startswith("failure: Conflict")
    assert comment is not None
    assert "services/a/platform.yaml" in comment
    stage.push(_image("a", "1.0.0"))
    assert stage.review(number)[0].startswith("success: Ready")


def test_an_unrelated_pull_request_gets_a_status_and_no_comment(make: Make) -> None:
    stage = make()
    number = stage.open({"README.md": "# Words\n"})
    assert stage.review(number) == ("success: Ready: nothing here concerns Causeway", None)
    stage.merge(number)
    stage.merge(stage.open(_image("a", "2")))
    assert stage.review(number) == ("success: Merged: there was nothing to deliver", None)


def test_a_pull_request_against_another_branch_is_left_in_peace(make: Make) -> None:
    stage = make()
    stage.sandbox.commit(REPO, "old", {"README.md": "x"}, "old", DEVELOPER, base="main")
    stage.sandbox.commit(REPO, "topic", _image("a", "2"), "one", DEVELOPER, base="old")
    number = stage.sandbox.open_pull(REPO, "Backport", "topic", "old", DEVELOPER)
    assert stage.review(number)[0].startswith("pending: Not judged: only main is delivered")
    head = stage.sandbox.head(GITOPS)
    stage.merge(number)
    assert stage.sandbox.head(GITOPS) == head
    stage.sandbox.commit(REPO, "other", _image("a", "4"), "one", DEVELOPER, base="main")
    moved = stage.sandbox.open_pull(REPO, "Moves", "other", "old", DEVELOPER)
    assert stage.review(moved)[1] is None
    stage.sandbox.edit_pull(REPO, moved, DEVELOPER, base="main")
    assert stage.review(moved)[0].startswith("success: Ready")


def test_observe_mode_pushes_nothing_and_never_fails(make: Make) -> None:
    stage = make({**FILES, "platform/config.yaml": CONFIG + "mode: observe\n"}, delivered=False)
    stage.deliver()
    assert stage.made() == []
    number = stage.open({**service("a", BROKEN)})
    assert stage.review(number)[0].startswith("success: Observing")


def test_an_old_pull_request_is_still_told_as_what_it_was_delivered(make: Make) -> None:
    stage = make()
    number = stage.open(_image("a", "2"))
    stage.merge(number)
    told = stage.said(number)[0]
    for version in range(LONG + 10):
        stage.push(_image("b", str(version + 2)))
        if version % 30 == 29:
            stage.deliver()
    stage.deliver()
    assert len(stage.made()) == 2 + LONG + 10
    assert stage.review(number)[0] == told
