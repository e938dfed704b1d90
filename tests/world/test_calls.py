"""What a look at an unchanged plan costs at the forge: six requests at most, none of them a write."""

from __future__ import annotations

from pathlib import Path

import pytest

from bot.sandbox import Sandbox
from tests.world.stage import PLATFORM, Stage
from tests.world.street import FILES, manifest

pytestmark = pytest.mark.world
MOST = 6


@pytest.fixture(autouse=True)
def patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """On a machine with much to do, a look that takes long asks whether it should say so."""
    monkeypatch.setattr("bot.flows.looking.SLOW_SECONDS", 1000.0)


def looked(on: Stage, number: int) -> list[tuple[str, str, int]]:
    """The requests of one review: method, path, status."""
    on.sandbox.requests.clear()
    on.review(number)
    return [(one.method, one.path, one.status) for one in on.sandbox.requests if one.path.startswith("/api/")]


def test_an_unchanged_plan_costs_at_most_six_requests(sandbox: Sandbox, tmp_path: Path) -> None:
    on = Stage(sandbox, tmp_path, FILES)
    number = on.open(manifest("checkout"))
    for _ in range(2):
        on.review(number)
    asked = looked(on, number)
    assert len(asked) <= MOST, asked
    assert {method for method, _, _ in asked} == {"GET"}
    assert {status for _, _, status in asked} == {304}, "and what did not change is free of the rate limit"


def test_a_plan_that_moved_with_its_base_but_says_the_same_writes_nothing(sandbox: Sandbox, tmp_path: Path) -> None:
    on = Stage(sandbox, tmp_path, FILES)
    number = on.open(manifest("checkout"))
    on.review(number)
    on.push({"notes.md": "Nothing of ours.\n"})
    asked = looked(on, number)
    assert len(asked) <= MOST, asked
    assert {method for method, _, _ in asked} == {"GET"}


def test_talk_among_people_costs_nothing_more(sandbox: Sandbox, tmp_path: Path) -> None:
    on = Stage(sandbox, tmp_path, FILES)
    number = on.open(manifest("checkout"))
    on.review(number)
    sandbox.create_user("bob")
    for text in ("Looks good", "> /plan\n\nquoted", "`/plan`"):
        sandbox.comment(PLATFORM, number, text, "bob")
    asked = looked(on, number)
    assert len(asked) <= MOST, asked
    assert {method for method, _, _ in asked} == {"GET"}
