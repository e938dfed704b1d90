"""Threads beside lines at GitLab: at positions that it takes, resolved when answered, opened again when still meant."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from bot.core.model.conversation import Remark
from bot.forges.gitlab_lines import REMARKS
from bot.sandbox import Sandbox, gitlab_notes
from tests.world.gitlab_stage import NAME, Stage

pytestmark = pytest.mark.world
LONG = "".join(f"line {number}\n" for number in range(1, 41))


@pytest.fixture
def stage(sandbox: Sandbox) -> Iterator[Stage]:
    made = Stage(sandbox)
    yield made
    made.gitlab.close()


def threads(stage: Stage) -> list[tuple[str, int, bool]]:
    held = stage.forge.world.repository(NAME).review_comments.values()
    return [(one.path, one.original_line, one.resolved) for one in held]


def test_lines_that_are_new_old_or_moved_are_all_taken_at_their_place(stage: Stage) -> None:
    stage.forge.commit(NAME, "main", {"long.txt": LONG}, "Long", "ada")
    changed = LONG.replace("line 1\n", "line 0\nline 1\n").replace("line 20\n", "").replace("line 30\n", "line XXX\n")
    stage.forge.commit(NAME, "moved", {"long.txt": changed}, "Change", "ada")
    stage.number = stage.forge.open_pull(NAME, "Change", "moved", "main", "ada")
    numbers = {text: at for at, text in enumerate(changed.splitlines(), 1)}
    shown = [numbers[text] for text in ("line 0", "line 2", "line 19", "line 21", "line XXX", "line 33")]
    hidden = [numbers["line 10"], numbers["line 40"]]
    remarks = [Remark("long.txt", line, f"Remark {line}") for line in (*shown, *hidden)]
    assert stage.gitlab.ensure_remarks(stage.number, stage.head, "fix", remarks) is True
    assert threads(stage) == [("long.txt", line, False) for line in shown]
    assert not [one for one in stage.forge.requests if one.status == 400]


def test_a_thread_is_resolved_when_answered_and_opened_again_when_it_is_meant_again(stage: Stage) -> None:
    remark = Remark("a.txt", 1, "Write 2.")
    for wanted, resolved in (([remark], False), ([], True), ([remark], False)):
        assert stage.gitlab.ensure_remarks(stage.number, stage.head, "fix", wanted) is True
        assert stage.gitlab.ensure_remarks(stage.number, stage.head, "fix", wanted) is False
        assert threads(stage) == [("a.txt", 1, resolved)]


def test_what_the_notes_show_to_stand_costs_no_request_and_is_believed_once(stage: Stage) -> None:
    remarks = [Remark("a.txt", 1, "Write 2."), Remark("a.txt", 99, "No such line.")]
    stage.gitlab.ensure_remarks(stage.number, stage.head, "fix", remarks)
    for wanted in (remarks, remarks[::-1]):
        stage.gitlab.comment_digest(stage.number, "plan")
        stage.calls()
        assert stage.gitlab.ensure_remarks(stage.number, stage.head, "fix", wanted) is False
        assert stage.calls() == []
    assert stage.gitlab.ensure_remarks(stage.number, stage.head, "fix", remarks) is False
    assert stage.calls()
    stage.gitlab.comment_digest(stage.number, "plan")
    assert stage.gitlab.ensure_remarks(stage.number, stage.head, "fix", remarks[1:]) is True
    assert threads(stage) == [("a.txt", 1, True)]


def test_a_head_that_moved_gets_no_remark_that_was_meant_for_another(stage: Stage) -> None:
    old = stage.head
    stage.forge.commit(NAME, "topic", {"a.txt": "2\n"}, "More", "ada")
    assert stage.gitlab.ensure_remarks(stage.number, old, "fix", [Remark("a.txt", 1, "Write 2.")]) is False
    assert threads(stage) == []


def test_a_line_that_gitlab_does_not_take_after_all_is_left_out(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    # As of a difference so large that GitLab folds a part of it away.
    monkeypatch.setattr(gitlab_notes, "_lines", lambda *_: iter([("a.txt", None, 2)]))
    remarks = [Remark("a.txt", line, f"Remark {line}") for line in (1, 2)]
    assert stage.gitlab.ensure_remarks(stage.number, stage.head, "fix", remarks) is True
    assert threads(stage) == [("a.txt", 2, False)]


def test_quick_actions_in_remarks_and_suggestions_stay_words(stage: Stage) -> None:
    body = "/close\n```suggestion:-0+0\n/merge\n```"
    assert stage.gitlab.ensure_remarks(stage.number, stage.head, "fix", [Remark("a.txt", 1, body)]) is True
    assert stage.forge.gitlab.commands == []


def test_no_more_remarks_are_written_than_a_person_reads(stage: Stage) -> None:
    stage.forge.commit(NAME, "topic", {"b.txt": LONG}, "Long", "ada")
    remarks = [Remark("b.txt", line, f"Remark {line}") for line in range(1, 41)]
    assert stage.gitlab.ensure_remarks(stage.number, stage.head, "fix", remarks) is True
    assert len(threads(stage)) == REMARKS
    assert stage.gitlab.ensure_remarks(stage.number, stage.head, "fix", remarks) is False
