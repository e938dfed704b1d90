"""Problems stand at their lines: annotations where a forge has check runs, suggestions, threads at GitLab."""

from __future__ import annotations

from pathlib import Path

import pytest

from bot.sandbox import Sandbox
from tests.core.made import PLATFORM as BASE
from tests.core.made import service
from tests.world.faces import APP, FACES, beside, checks, stage_at
from tests.world.stage import DEVELOPER, PLATFORM, Stage

pytestmark = pytest.mark.world
FILE = "services/a/platform.yaml"
SLIPS = service("a", 'port: "8080"', "deployTo: [dev]  # one is enough", "replica: 3")
"""Two slips with one way to mend them, and one that only its author can mend."""


def at(face: str, sandbox: Sandbox, root: Path) -> Stage:
    return stage_at(face, sandbox, root, {**BASE, **service("b")})


@pytest.mark.parametrize("face", FACES)
def test_a_line_that_can_only_have_meant_one_thing_gets_a_suggestion(
    face: str, sandbox: Sandbox, tmp_path: Path
) -> None:
    on = at(face, sandbox, tmp_path)
    number = on.open(dict(SLIPS))
    on.review(number)
    told = {(one.path, one.line): one.body for one in beside(on, number)}
    assert "```suggestion\nport: 8080\n```" in told[FILE, 5]
    assert "```suggestion\ndeploy_to: [dev]  # one is enough\n```" in told[FILE, 6]
    # GitLab has no annotations: there a thread names what a person must mend.
    assert ((FILE, 7) in told) == (face == "gitlab")
    assert "suggestion" not in told.get((FILE, 7), "")


@pytest.mark.parametrize("face", FACES)
def test_what_is_mended_goes_from_its_line_and_a_second_look_writes_nothing(
    face: str, sandbox: Sandbox, tmp_path: Path
) -> None:
    on = at(face, sandbox, tmp_path)
    number = on.open(dict(SLIPS), branch="topic")
    on.review(number)
    sandbox.requests.clear()
    on.review(number)
    assert {one.method for one in sandbox.requests if one.path.startswith("/api/")} == {"GET"}
    mended = {path: text.encode() for path, text in service("a", "port: 8080", "deploy_to: [dev]").items()}
    sandbox.commit(PLATFORM, "topic", mended, "Mend", DEVELOPER)
    assert on.review(number)[0].startswith("success: ")
    assert beside(on, number) == []


def test_an_apps_check_has_its_problems_at_their_lines_and_a_page_that_says_who_must_act(
    sandbox: Sandbox, tmp_path: Path
) -> None:
    on = at(APP, sandbox, tmp_path)
    number = on.open(dict(SLIPS))
    (run,) = checks(on, number)
    assert (run.status, run.conclusion) == ("completed", "failure")
    assert [(one["path"], one["start_line"], one["annotation_level"]) for one in run.annotations] == [
        (FILE, 5, "failure"),
        (FILE, 6, "failure"),
        (FILE, 7, "failure"),
    ]
    assert run.annotations[2]["title"].startswith("CW0104: unknown field replica")
    assert "did you mean" in run.annotations[2]["message"].lower()
    assert (run.summary or "").startswith("**3 problems in 1 file**\n\nMend these and push")
    assert len(checks(on, number)) == 1


def test_where_causeway_only_watches_no_annotation_is_a_failure(sandbox: Sandbox, tmp_path: Path) -> None:
    observing = {**BASE, "platform/config.yaml": BASE["platform/config.yaml"] + "mode: observe\n", **service("b")}
    on = stage_at(APP, sandbox, tmp_path, observing)
    number = on.open(dict(SLIPS))
    (run,) = checks(on, number)
    assert run.conclusion == "success"
    assert {one["annotation_level"] for one in run.annotations} == {"warning"}


@pytest.mark.parametrize("face", FACES)
def test_a_file_that_the_base_has_changed_too_gets_nothing_at_lines_that_may_be_others(
    face: str, sandbox: Sandbox, tmp_path: Path
) -> None:
    on = stage_at(face, sandbox, tmp_path, {**BASE, **service("a", *["# a line"] * 9, "tier: 2")})
    text = service("a", *["# a line"] * 9, "tier: 2", "replica: 3")[FILE]
    number = on.open({FILE: text})
    on.push({FILE: service("a", *["# a line"] * 9, "tier: 2")[FILE].replace("name: a\n", "name: a\n# new\n# two\n")})
    status, comment = on.review(number)
    assert status.startswith("failure: ")
    assert comment is not None
    assert f"{FILE}:17" in comment
    assert beside(on, number) == []
