"""The budget of writes at GitHub: what blocks a merge has room to the last, and nobody sleeps."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from bot.forges.github import default_pace
from bot.forges.github_pace import PER_HOUR, PER_MINUTE, Pace, Urgency
from bot.ports import OutsideWorldError


@dataclass
class Clock:
    now: float = 1000.0

    def __call__(self) -> float:
        return self.now


def spent(pace: Pace, urgency: Urgency, most: int = 10_000) -> int:
    """How many writes of this urgency go through now."""
    for count in range(most):
        try:
            pace.spend("writing", urgency)
        except OutsideWorldError:
            return count
    return most


def test_passing_words_stop_first_then_failing_ones_then_verdicts() -> None:
    pace = Pace(clock=Clock())
    assert spent(pace, "passing") == int(PER_MINUTE * 0.7)
    assert spent(pace, "failing") == int(PER_MINUTE * 0.85) - int(PER_MINUTE * 0.7)
    assert spent(pace, "required") == PER_MINUTE - int(PER_MINUTE * 0.85)


def test_no_minute_and_no_hour_ever_sees_more_than_its_budget() -> None:
    clock = Clock()
    pace, writes = Pace(clock=clock), []
    while clock.now < 1000 + 3 * 3600:
        writes += [clock.now] * spent(pace, "required")
        clock.now += 7
    for start in writes:
        assert sum(start <= at < start + 60 for at in writes) <= PER_MINUTE
        assert sum(start <= at < start + 3600 for at in writes) <= PER_HOUR
    assert len(writes) >= 3 * PER_HOUR - PER_MINUTE, "and the budget is used"


def test_who_must_wait_is_told_how_long_and_then_it_goes() -> None:
    clock = Clock()
    pace = Pace(clock=clock)
    for urgency in ("passing", "required"):
        spent(pace, urgency)
        clock.now += 20
    with pytest.raises(OutsideWorldError, match="budget") as told:
        pace.spend("writing", "required")
    assert told.value.retry_after is not None
    assert 0 < told.value.retry_after <= 60
    clock.now += told.value.retry_after + 0.001
    pace.spend("writing", "required")


def test_a_limit_that_does_not_say_how_long_is_waited_out_longer_each_time() -> None:
    clock = Clock()
    pace = Pace(clock=clock)
    waits = [pace.limited(None) for _ in range(8)]
    assert waits == [60, 120, 240, 480, 960, 1920, 3600, 3600]
    pace.answered()
    assert pace.limited(None) == 60


def test_what_github_says_is_obeyed_by_everybody_who_shares_the_pace() -> None:
    clock = Clock()
    pace = Pace(None, None, clock)
    assert pace.limited(90.0) == 90
    clock.now += 89
    with pytest.raises(OutsideWorldError) as told:
        pace.admit("reading")
    assert told.value.retry_after == pytest.approx(1)
    clock.now += 1
    pace.admit("reading")
    assert spent(pace, "passing", 1000) == 1000, "an Enterprise server has no budget of ours"


def test_only_github_com_has_its_budget() -> None:
    assert spent(default_pace("https://api.github.com"), "required") == PER_MINUTE
    assert spent(default_pace("https://github.acme.com/api/v3"), "required", 1000) == 1000
    assert spent(default_pace("https://api.github.com.evil.example"), "required", 1000) == 1000
