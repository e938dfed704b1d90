"""A hundred thousand damaged deliveries: each has an answer."""

from __future__ import annotations

import os

import pytest

from tests.damaged import held

SEED = int(os.environ.get("CAUSEWAY_SEED", "20261121"))


@pytest.mark.long
def test_whatever_is_wrong_with_a_genuine_delivery_there_is_an_answer() -> None:
    print(f"CAUSEWAY_SEED={SEED}")  # noqa: T201 - brings a failure back
    seen = held(SEED, 100_000)
    assert all(count > 1000 for count in seen.values()), seen
