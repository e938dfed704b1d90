"""Cron lines: read as cron reads them, in wall-clock time."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from croniter import croniter  # type: ignore[import-untyped]  # has no stubs
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.core.cron import Cron, parse_cron, zone_of


def at(text: str, zone: str = "UTC") -> int:
    found = zone_of(zone)
    assert found is not None
    return int(datetime.fromisoformat(text).replace(tzinfo=found).timestamp())


def read(line: str) -> Cron:
    found = parse_cron(line)
    assert isinstance(found, Cron), found
    return found


@pytest.mark.parametrize(
    ("line", "now", "start"),
    [
        ("0 18 * * 5", "2026-11-21T12:00", "2026-11-20T18:00"),
        ("0 18 * * 5", "2026-11-20T18:00", "2026-11-20T18:00"),
        ("0 18 * * 5", "2026-11-20T17:59", "2026-11-13T18:00"),
        ("0 18 * * fri", "2026-11-21T12:00", "2026-11-20T18:00"),
        ("0 0 * * 0", "2026-11-21T12:00", "2026-11-15T00:00"),
        ("0 0 * * 7", "2026-11-21T12:00", "2026-11-15T00:00"),
        ("*/20 9-17 * * mon-fri", "2026-11-21T12:00", "2026-11-20T17:40"),
        ("30 8 24 dec *", "2026-11-21T12:00", "2025-12-24T08:30"),
        ("0 0 29 2 *", "2026-11-21T12:00", "2024-02-29T00:00"),
        ("0 0 13 * 5", "2026-11-21T12:00", "2026-11-20T00:00"),
        ("5/25 3 * * *", "2026-11-21T12:00", "2026-11-21T03:55"),
    ],
)
def test_the_last_start_is_found(line: str, now: str, start: str) -> None:
    found = zone_of("UTC")
    assert found is not None
    assert read(line).latest(at(now), found) == at(start)


@pytest.mark.parametrize(
    ("now", "start"),
    [
        ("2026-03-29T12:00", "2026-03-29T03:30"),  # half past two does not exist on this day
        ("2026-10-25T12:00", "2026-10-25T02:30"),  # and comes twice on this one
        ("2026-07-01T12:00", "2026-07-01T02:30"),
    ],
)
def test_the_clock_on_the_wall_decides_when_it_changes(now: str, start: str) -> None:
    berlin = zone_of("Europe/Berlin")
    assert berlin is not None
    assert read("30 2 * * *").latest(at(now, "Europe/Berlin"), berlin) == at(start, "Europe/Berlin")


BAD = (
    "|* * * *|* * * * * *|60 * * * *|* 24 * * *|* * 0 * *|* * * 13 *|* * * * 8|a * * * *|5-1 * * * *|*/0 * * * *"
    "|1,,2 * * * *|@daily|-1 * * * *|\N{FULLWIDTH DIGIT ONE} * * * *|0 0 30 2 *|0 0 31 4,6 *|mon * * * *"
)


@pytest.mark.parametrize("line", BAD.split("|"))
def test_what_is_no_cron_line_is_told_in_words(line: str) -> None:
    assert isinstance(parse_cron(line), str)


@pytest.mark.parametrize("name", ["Nowhere/City", "", "../etc/passwd", "/etc/localtime", "Europe", "\x00"])
def test_what_is_no_zone_is_none(name: str) -> None:
    assert zone_of(name) is None


def _field(low: int, high: int) -> st.SearchStrategy[str]:
    one = st.integers(low, high).map(str)
    # The other reader takes `0-0` for a whole week, and a list of everything for a star.
    span = st.integers(low, high - 1).flatmap(lambda n: st.integers(n + 1, high).map(lambda m: f"{n}-{m}"))
    step = st.integers(2, 20).map(lambda n: f"*/{n}")
    part = st.one_of(one, span)
    return st.one_of(st.just("*"), step, st.lists(part, min_size=1, max_size=3).map(",".join))


@settings(max_examples=150, deadline=None)
@given(
    st.tuples(_field(0, 59), _field(0, 23), _field(1, 28), _field(1, 12), _field(1, 5)),
    st.integers(1_700_000_000, 1_900_000_000),
)
def test_it_agrees_with_another_reader_of_cron(fields: tuple[str, ...], now: int) -> None:
    line = " ".join(fields)
    # The other one answers strictly before; ours at or before.
    moment = datetime.fromtimestamp(now, UTC) + timedelta(seconds=1)
    other = croniter(line, moment, day_or=True).get_prev(datetime)
    assert read(line).latest(now, UTC) == int(other.timestamp())
