"""Two open pull requests that want the same: each names the other by number, before either lands. On both forges."""

from __future__ import annotations

from pathlib import Path

import pytest

from bot.core.wake import parse_wake
from bot.sandbox import Sandbox
from tests.core.made import PLATFORM as BASE
from tests.core.made import service
from tests.world.faces import FACES, stage_at
from tests.world.stage import DEVELOPER, PLATFORM, Stage

pytestmark = pytest.mark.world
TEAMS = BASE["platform/teams.yaml"].replace("acme/payments}", "acme/payments, hosts: ['*.acme.com']}")
FILES = {**BASE, **service("a"), **service("b"), "platform/teams.yaml": TEAMS}
ROUTE = "routes: [{host: pay.acme.com, path: /}]"
MOST_RINGS = 6


@pytest.fixture(params=FACES)
def on(request: pytest.FixtureRequest, sandbox: Sandbox, tmp_path: Path) -> Stage:
    stage = stage_at(request.param, sandbox, tmp_path, FILES)
    stage.deliver()
    return stage


def look(on: Stage, number: int) -> str:
    """Reviews, answers every ring that comes of it, and gives the comment."""
    on.review(number)
    answered = 0
    while on.bell.rung:
        wake = parse_wake(on.bell.rung.pop(0))
        assert wake is not None
        on.review(wake.number)
        answered += 1
        assert answered <= MOST_RINGS, "they ring each other for ever"
    comment = on.said(number)[1]
    assert comment is not None
    return comment


def named(on: Stage, number: int) -> str:
    return f"Contested**: {on.place.dialect.reference(number)} wants "


def both_named_pay(on: Stage) -> tuple[int, int]:
    one, two = (dict(service("pay", folder=f"services/{where}/pay")) for where in ("one", "two"))
    return on.open(one, branch="one"), on.open(two, branch="two")


def test_two_services_of_one_name_are_told_on_both_pull_requests(on: Stage) -> None:
    first, second = both_named_pay(on)
    assert f"{named(on, second)}the name `pay`, too" in look(on, first)
    assert f"{named(on, first)}the name `pay`, too" in look(on, second)
    status, _ = on.said(second)
    assert status.startswith("success: Ready")
    assert status.endswith(f"contested by {on.place.dialect.reference(first)}")


def test_whoever_was_there_first_learns_of_it_by_the_look_at_the_second(on: Stage) -> None:
    first = on.open(dict(service("a", ROUTE)), branch="one")
    assert "Contested" not in look(on, first)
    second = on.open(dict(service("b", ROUTE)), branch="two")
    look(on, second)
    comment = on.said(first)[1]
    assert comment is not None
    assert f"{named(on, second)}the address `pay.acme.com` in " in comment


def test_a_collision_is_over_when_the_other_is_closed_or_goes_another_way(on: Stage) -> None:
    first, second = both_named_pay(on)
    look(on, second)
    assert "Contested" in (on.said(first)[1] or "")
    on.sandbox.close(PLATFORM, second, by=DEVELOPER)
    look(on, second)
    assert "Contested" not in (on.said(first)[1] or "")


def test_the_second_to_land_is_refused_and_says_who_holds_it(on: Stage) -> None:
    first, second = both_named_pay(on)
    look(on, second)
    on.merge(first)
    status, comment = on.review(second)
    assert status.startswith("failure: ")
    assert comment is not None
    assert "Contested" not in comment
    assert "services/one/pay" in comment


def test_an_unchanged_look_at_a_contested_plan_asks_six_times_and_writes_nothing(on: Stage) -> None:
    first, _ = both_named_pay(on)
    for _ in range(3):
        look(on, first)
    on.sandbox.requests.clear()
    look(on, first)
    asked = [one for one in on.sandbox.requests if one.path.startswith("/api/")]
    assert {one.method for one in asked} == {"GET"}
    assert len(asked) <= 6, [one.path for one in asked]


def test_what_a_worker_remembers_of_claims_is_made_again_by_another(on: Stage, tmp_path: Path) -> None:
    first, second = both_named_pay(on)
    look(on, first)
    on.place = on.worker(tmp_path / "other", on.core)
    assert named(on, first) in look(on, second)
