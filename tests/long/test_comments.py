"""A hundred thousand hostile comments."""

from __future__ import annotations

import random

import pytest

from tests.core.comment_fuzz import hostile
from tests.core.test_command import holds

pytestmark = pytest.mark.long


@pytest.mark.timeout(1_800)
def test_a_hundred_thousand_hostile_comments_hold_only_commands_that_a_reader_would_see() -> None:
    seed = random.SystemRandom().randrange(1 << 32)
    print(f"seed {seed}")  # noqa: T201 - to bring a failure back
    draw = random.Random(seed)
    assert sum(holds(hostile(draw)) for _ in range(100_000)) > 5_000
