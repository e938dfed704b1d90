"""Damaged deliveries, the everyday slice of what `tests/long/test_deliveries.py` does at length."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import pytest

from tests import damaged, damaged_gitlab


@pytest.mark.parametrize("held", [damaged.held, damaged_gitlab.held], ids=["github", "gitlab"])
def test_whatever_is_wrong_with_a_genuine_delivery_there_is_an_answer(
    held: Callable[[int, int], Mapping[str, int]],
) -> None:
    seen = held(7, 4000)
    assert all(count > 20 for count in seen.values()), seen
