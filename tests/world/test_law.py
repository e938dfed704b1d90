"""The law, after anything that people do to a default branch, on real git."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, Phase, example, given, settings
from hypothesis import strategies as st

from tests.world.histories import ACTS, Act, hold_to_the_law

pytestmark = [pytest.mark.world, pytest.mark.timeout(600)]


@settings(
    max_examples=5, deadline=None, suppress_health_check=list(HealthCheck), phases=[Phase.explicit, Phase.generate]
)
@given(st.lists(ACTS, min_size=4, max_size=7))
@example([Act("land", 4), Act("deliver", 0), Act("revert", 0), Act("deliver", 0), Act("revert", 1), Act("deliver", 0)])
@example([Act("land", 1), Act("foxtrot", 5), Act("deliver", 0), Act("force", 1), Act("foreign", 1)])
def test_the_law_holds_after_any_history(acts: list[Act]) -> None:
    hold_to_the_law(acts)
