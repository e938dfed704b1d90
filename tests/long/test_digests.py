"""Every leaf of the rich platform, changed in every way that the platform accepts."""

from __future__ import annotations

import pytest

from tests.core.leaves import leaves_of, tally
from tests.core.rich import RICH
from tests.core.test_digest_law import MOST_NEEDLESS, report

pytestmark = [pytest.mark.long, pytest.mark.timeout(1200)]


def test_no_change_of_any_leaf_is_missed_by_a_digest(capsys: pytest.CaptureFixture[str]) -> None:
    found = tally(RICH, leaves_of(RICH), most=4)
    report(capsys, found)
    assert found.missed == []
    assert found.tried > found.leaves * 0.9, found.refused
    assert found.needless <= found.rendered * MOST_NEEDLESS
