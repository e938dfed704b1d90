"""Two thousand random accidents to real files; `pytest -m long tests/long/test_mutations.py` has a hundred thousand."""

from __future__ import annotations

from tests.core.mutations import Mill

COUNT = 2_000
SEED = 1
"""Fixed, so that the everyday suite fails for its change and not by chance; the long one takes a new seed each time."""


def test_a_damaged_file_gives_a_result_or_problems_at_places_that_it_has() -> None:
    found = Mill(SEED).run(COUNT)
    assert found.counts.total() == COUNT
    assert min(found.counts[what] for what in ("whole", "unit refused", "platform refused")) > COUNT / 50
    assert len(found.codes) > 25
