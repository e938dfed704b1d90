"""A hundred thousand damaged deliveries: each has an answer."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping

import pytest

from tests import damaged, damaged_gitlab

SEED = int(os.environ.get("CAUSEWAY_SEED", "20261121"))


@pytest.mark.long
@pytest.mark.parametrize("held", [damaged.held, damaged_gitlab.held], ids=["github", "gitlab"])
def test_whatever_is_wrong_with_a_genuine_delivery_there_is_an_answer(
    held: Callable[[int, int], Mapping[str, int]],
) -> None:
    print(f"CAUSEWAY_SEED={SEED}")  # noqa: T201 - brings a failure back
    seen = held(SEED, 100_000)
    assert all(count > 1000 for count in seen.values()), seen
