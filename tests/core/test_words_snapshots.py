"""Each case's comment, status and terminal form, word for word.

To accept new words, run with CAUSEWAY_ACCEPT=1 and read the difference before it is committed.
"""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from bot.core.model.plan import Plan
from bot.core.problem import Refusal
from bot.core.words import say, terminal
from tests.cases.words.plans import CASES

FOLDER = Path(__file__).parent.parent / "cases" / "words"


def _holds(path: Path, words: str) -> None:
    if os.environ.get("CAUSEWAY_ACCEPT") == "1":
        path.parent.mkdir(exist_ok=True)
        path.write_text(words, encoding="utf-8")
    assert words == path.read_text(encoding="utf-8")


@pytest.mark.parametrize("name", CASES)
def test_a_case_is_told_as_it_was_read_and_accepted(name: str) -> None:
    talk = CASES[name]()
    said = say(talk)
    assert said.comment is not None
    _holds(FOLDER / name / "comment.md", said.comment)
    _holds(FOLDER / name / "status.txt", f"{said.state}: {said.status}\n")
    if isinstance(talk.outcome, Plan | Refusal):
        _holds(FOLDER / name / "terminal.txt", terminal(talk.outcome, 80))


def test_every_folder_of_cases_is_told() -> None:
    assert {path.name for path in FOLDER.iterdir() if path.is_dir() and path.name != "__pycache__"} == set(CASES)
