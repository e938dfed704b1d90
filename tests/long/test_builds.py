"""Many more histories than the everyday suite has: `CAUSEWAY_EXAMPLES` says how many (2,000)."""

from __future__ import annotations

import os

import pytest
from hypothesis import HealthCheck, given, settings

from tests.core.fleets import Chance, histories
from tests.core.test_digest_law_build import hold_to_the_law

pytestmark = [pytest.mark.long, pytest.mark.timeout(3600)]

EXAMPLES = int(os.environ.get("CAUSEWAY_EXAMPLES", "2000"))


@settings(max_examples=EXAMPLES, deadline=None, suppress_health_check=list(HealthCheck))
@given(histories(most=8))
def test_long_histories_build_the_same_warm_and_cold(history: list[Chance]) -> None:
    hold_to_the_law(history)
