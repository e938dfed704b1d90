"""Damaged deliveries, the everyday slice of what `tests/long/test_deliveries.py` does at length."""

from __future__ import annotations

from tests.damaged import held


def test_whatever_is_wrong_with_a_genuine_delivery_there_is_an_answer() -> None:
    seen = held(seed=7, count=4000)
    assert all(count > 20 for count in seen.values()), seen
