"""A hundred thousand random accidents to real files, and odd values in the place of every leaf.

`CAUSEWAY_MUTATIONS` says how many, `CAUSEWAY_SEED` repeats a run.
"""

from __future__ import annotations

import os
import sys
from random import SystemRandom

import pytest

from bot.core.emit import emit_yaml
from bot.core.model.values import Value
from tests.core.leaves import leaves_of, value_of, with_leaf
from tests.core.mutations import Mill
from tests.core.rich import RECIPE, RICH

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


ODD: tuple[Value, ...] = (
    0, -1, 1, 65_535, 65_536, 2**31, 2**63 - 1, 0.5, 1e-9, 1e300, True, None, [], {}, "", "x" * 63, "x" * 64, "a" * 253,
    "a.b", "A", "é", "1", "0", "on", "0x1", "-", "--", "a-", "-a", "a--b", "http://a", "https://a.b/c?d=e#f",
    "http://a:99999", "http://[::1]/", "s3://x", "{service}", "{env}", "{x}", "{", "}", "{service", "{{x}}", "${",
    "${needs.db.host}", "${needs.db.nope}", "$${", "*", "*.x", "10.0.0.0/33", "::/0", "999.1.1.1/8", "0 0 * * *",
    "60 * * * *", "2099-02-31", "0000-00-00", "9999-12-31", "1s", "0s", "999999h", "100%", "1e3", "1Gi", "0Mi", "a/b/c",
    "../x", "/x", "//x", "/a/../b", "a#b#c", "#", "a@sha256:" + "0" * 64, "a:b@c",
)  # fmt: skip
"""Values at the edge of what a field can be."""


def test_an_odd_value_in_the_place_of_any_leaf_is_taken_or_refused_in_words() -> None:
    mill = Mill(0)
    for number, (path, pointer) in enumerate(leaves_of(RICH)):
        for odd in () if RECIPE in path else ODD:
            text = emit_yaml(with_leaf(value_of(path, RICH[path]), pointer, odd))
            try:
                mill.one(path, text, whole=number % 10 == 0)
            except Exception as error:
                error.add_note(f"{odd!r} at {path} {pointer}")
                raise
