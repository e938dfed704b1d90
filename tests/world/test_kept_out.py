"""A bot that the forge refuses something: the pull request says so, and the forge is asked less and less often."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import cast

import pytest

from bot.core.wake import Wake
from bot.sandbox import Fault, Sandbox
from bot.wakeups import RqWakeups
from bot.worker import LEAST_WAIT, MOST_WAIT, Desk, perform
from tests.core.made import ENVIRONMENTS, PLATFORM, service
from tests.world.faces import stage_at
from tests.world.stage import PLATFORM as REPO
from tests.world.stage import Stage

pytestmark = pytest.mark.world
COUNTED = {"platform/environments.yaml": ENVIRONMENTS.replace("  prod:\n", "  prod:\n    approvals: 1\n")}
TEAMS = r".*/(teams|groups)/.*"


class Waits:
    """A bell that notes how long after a name is to be rung again."""

    def __init__(self) -> None:
        self.after: list[float] = []

    def ring(self, name: str, after: float = 0.0) -> bool:  # noqa: ARG002 - the port's shape
        self.after.append(after)
        return True

    def started(self, name: str) -> None:
        """Nothing is queued here."""

    @contextmanager
    def begun(self, name: str) -> Iterator[None]:  # noqa: ARG002 - the queue's shape
        yield

    @contextmanager
    def held(self, name: str) -> Iterator[object]:  # noqa: ARG002 - the queue's shape
        yield type("Hold", (), {"lost": False})


@pytest.fixture
def stage(sandbox: Sandbox, tmp_path: Path) -> Stage:
    made = stage_at("github", sandbox, tmp_path, {**PLATFORM, **service("a"), **COUNTED})
    made.deliver()
    return made


def worked(stage: Stage, number: int, times: int, desk: Desk | None = None) -> tuple[Desk, list[float]]:
    waits = Waits()
    desk = desk or Desk(lambda *_: stage.place, cast(RqWakeups, waits))
    desk.wakeups = cast(RqWakeups, waits)
    for _ in range(times):
        perform(Wake("review", "github", stage.platform_id, number=number), desk)
    return desk, waits.after


def statuses(stage: Stage, number: int) -> list[str]:
    head = stage.sandbox.pull(REPO, number).head_sha
    return [f"{one.state}: {one.description}" for one in stage.sandbox.statuses(REPO, head)]


def test_a_right_that_is_missing_is_told_where_the_verdict_would_stand(stage: Stage) -> None:
    number = stage.open(service("a", image="2.0.0"))
    stage.sandbox.faults.append(Fault("GET", TEAMS, before=401, times=1000))
    worked(stage, number, 5)
    (said,) = statuses(stage, number)
    assert said.startswith("pending: Cannot look, tries again: asking for members of acme: GitHub answered 401")


def test_a_forge_that_fails_for_a_moment_is_not_talked_about(stage: Stage) -> None:
    number = stage.open(service("a", image="2.0.0"))
    stage.sandbox.faults.append(Fault("GET", TEAMS, before=401, times=2))
    worked(stage, number, 3)
    assert [said.partition(":")[0] for said in statuses(stage, number)] == ["pending"]
    assert "Cannot look" not in statuses(stage, number)[0]


def test_a_verdict_that_stands_is_not_taken_back_because_the_forge_fails(stage: Stage) -> None:
    number = stage.open(service("a", image="2.0.0"))
    worked(stage, number, 1)
    before = statuses(stage, number)
    stage.sandbox.faults.append(Fault("GET", TEAMS, before=401, times=1000))
    worked(stage, number, 5)
    assert statuses(stage, number) == before


def test_what_fails_again_and_again_is_tried_less_and_less_often_until_it_works(stage: Stage) -> None:
    number = stage.open(service("a", image="2.0.0"))
    down = Fault("GET", r".*/pulls/.*", before=401, times=10_000)
    stage.sandbox.faults.append(down)
    desk, waits = worked(stage, number, 9)
    assert all(one < other for one, other in zip(waits, waits[2:7], strict=False))
    assert LEAST_WAIT <= waits[0] <= 2 * LEAST_WAIT
    assert MOST_WAIT <= waits[-1] <= 2 * MOST_WAIT
    stage.sandbox.faults.remove(down)
    worked(stage, number, 1, desk)
    stage.sandbox.faults.append(down)
    _, again = worked(stage, number, 1, desk)
    assert again[0] <= 2 * LEAST_WAIT
