"""Many more histories on real git than the everyday suite has: `CAUSEWAY_EXAMPLES` says how many (200)."""

from __future__ import annotations

import os

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.world.histories import ACTS, Act, hold_to_the_law

pytestmark = [pytest.mark.long, pytest.mark.timeout(7200)]

EXAMPLES = int(os.environ.get("CAUSEWAY_EXAMPLES", "200"))


@settings(max_examples=EXAMPLES, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.lists(ACTS, min_size=4, max_size=14))
def test_the_law_holds_after_long_histories(acts: list[Act]) -> None:
    hold_to_the_law(acts)
