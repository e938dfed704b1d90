"""A status belongs to a commit: what is said of a pull request against another branch opens no way into main."""

from __future__ import annotations

from pathlib import Path

import pytest

from bot.sandbox import Sandbox
from tests.core.made import PLATFORM, Files, service
from tests.world.faces import FACES, stage_at
from tests.world.stage import DEVELOPER, Stage
from tests.world.stage import PLATFORM as REPO

pytestmark = pytest.mark.world
BROKEN = {"services/a/platform.yaml": "name: a\nowner: payments\ntype: web\nreplica: 2\n"}


@pytest.fixture(params=FACES)
def face(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def elsewhere(face: str, sandbox: Sandbox, root: Path, edits: Files, more: str = "") -> tuple[Stage, int]:
    """A pull request with these edits of main against the branch `release`."""
    config = {"platform/config.yaml": PLATFORM["platform/config.yaml"] + more}
    stage = stage_at(face, sandbox, root, {**PLATFORM, **service("a"), **config})
    sandbox.commit(REPO, "release", {"x.txt": "x\n"}, "A release", DEVELOPER, base="main")
    sandbox.commit(REPO, "topic", dict(edits), "A change", DEVELOPER, base="main")
    return stage, sandbox.open_pull(REPO, "A change", "topic", "release", DEVELOPER)


def test_a_head_that_would_change_what_is_delivered_gets_no_success_by_way_of_another_branch(
    face: str, sandbox: Sandbox, tmp_path: Path
) -> None:
    stage, there = elsewhere(face, sandbox, tmp_path, BROKEN)
    status, comment = stage.review(there)
    assert status == "pending: Not judged: only main is delivered. A pull request against main gets a verdict"
    assert comment is None
    here = sandbox.open_pull(REPO, "The same head", "topic", "main", DEVELOPER)
    assert stage.review(here)[0].startswith("failure")
    assert stage.review(there)[0].startswith("failure"), "what was found of this head stands"


def test_a_head_that_changes_nothing_of_ours_has_nothing_to_do_there(
    face: str, sandbox: Sandbox, tmp_path: Path
) -> None:
    stage, there = elsewhere(face, sandbox, tmp_path, {"notes.md": "x\n"})
    assert stage.review(there) == ("success: Nothing to do: only main is delivered", None)


def test_where_causeway_only_watches_it_blocks_nothing_there_either(
    face: str, sandbox: Sandbox, tmp_path: Path
) -> None:
    stage, there = elsewhere(face, sandbox, tmp_path, BROKEN, "mode: observe\n")
    assert stage.review(there)[0].startswith("success: Observing: ")
