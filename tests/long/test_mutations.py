"""A hundred thousand random accidents to real files.

`CAUSEWAY_MUTATIONS` says how many, `CAUSEWAY_SEED` repeats a run.
"""

from __future__ import annotations

import os
import sys
from random import SystemRandom

import pytest

from tests.core.mutations import Mill

pytestmark = [pytest.mark.long, pytest.mark.timeout(7200)]

COUNT = int(os.environ.get("CAUSEWAY_MUTATIONS", "100000"))


def test_no_accident_crashes_or_hangs(capsys: pytest.CaptureFixture[str]) -> None:
    seed = int(os.environ.get("CAUSEWAY_SEED") or SystemRandom().getrandbits(32))
    with capsys.disabled():
        sys.stdout.write(f"\nCAUSEWAY_SEED={seed}\n")
    found = Mill(seed).run(COUNT)
    with capsys.disabled():
        sys.stdout.write(f"{found}\n")
    assert found.counts.total() == COUNT
