"""Names of work: one for each event, read back exactly, and nothing else is one."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.core.event import Event
from bot.core.wake import Wake, parse_wake, wake_of

forges = st.from_regex(r"[a-z][a-z0-9]{0,30}", fullmatch=True)
repositories = st.integers(1, 10**19 - 1).map(str)
wakes = st.one_of(
    st.builds(Wake, st.just("review"), forges, repositories, number=st.integers(1, 10**10 - 1)),
    st.builds(Wake, st.just("deliver"), forges, repositories),
    st.builds(Wake, st.just("queue"), forges, repositories, sha=st.from_regex(r"[0-9a-f]{40}", fullmatch=True)),
)


@given(wakes)
def test_a_name_is_read_back_as_the_wake_it_was_made_of(wake: Wake) -> None:
    assert parse_wake(str(wake)) == wake
    assert re.fullmatch(r"[A-Za-z0-9_-]+", str(wake))


@given(wakes, wakes)
def test_two_wakes_never_share_a_name(one: Wake, other: Wake) -> None:
    assert (str(one) == str(other)) == (one == other)


@pytest.mark.parametrize(
    ("event", "name"),
    [
        (Event("pull", "7", number=3), "review-github-7-3"),
        (Event("push", "7"), "deliver-github-7"),
        (Event("queue", "7", sha="ab" * 20), "queue-github-7-" + "ab" * 20),
    ],
)
def test_each_event_wakes_one_name(event: Event, name: str) -> None:
    assert str(wake_of(event, "github")) == name


@pytest.mark.parametrize(
    "name",
    [
        "",
        "review-github-7",
        "review-github-7-0",
        "review-github-07-3",
        "review-git-hub-7-3",
        "deliver-github-7-3",
        "deliver-github-7\n",
        "queue-github-7-abc",
        "sweep-github-7",
        "review-github-\u0667-3",
        "REVIEW-github-7-3",
    ],
)
def test_what_is_no_name_is_none(name: str) -> None:
    assert parse_wake(name) is None
