"""The input digest misses nothing and wastes little: every leaf of a rich platform is changed, one at a time."""

from __future__ import annotations

import sys

import pytest

from bot.core.render import RENDERERS
from tests.core.leaves import Tally, everything, leaves_of, reworded, tally
from tests.core.rich import RECIPE, RICH

SLICE = 9
"""Every nth leaf is changed in the everyday suite; `tests/long` changes all."""

MOST_NEEDLESS = 0.3
"""Share of keys that are rendered again though their bytes stay. Most come from content that is named as a whole (a
recipe's description is part of its id) and from environments and teams that templates see as a whole."""


def test_the_rich_platform_is_built_whole_and_rendered_whole() -> None:
    made = everything(RICH)
    assert {key[0] for key in made.digests} == set(RENDERERS)
    assert len(made.files) == len(made.digests)


def test_where_bytes_differ_the_digest_differs(capsys: pytest.CaptureFixture[str]) -> None:
    leaves = leaves_of(RICH)[::SLICE]
    found = tally(RICH, leaves)
    report(capsys, found)
    assert found.missed == []
    assert found.tried > len(leaves) * 0.8
    assert found.rendered > found.needless


def report(capsys: pytest.CaptureFixture[str], found: Tally) -> None:
    """The figures, on the terminal."""
    with capsys.disabled():
        sys.stdout.write(f"\n{found}\n")


@pytest.mark.parametrize("path", [path for path in RICH if not path.startswith(RECIPE)])
def test_comments_blank_lines_quotes_and_the_order_of_keys_change_no_digest(path: str) -> None:
    before = everything(RICH, render=False).digests
    for text in reworded(RICH[path]):
        assert text != RICH[path]
        assert everything({**RICH, path: text}, render=False).digests == before, text


@pytest.mark.parametrize("path", ["README.md", "platform/notes.md", "services/README.md", "services/checkout/notes.md"])
def test_files_that_nothing_reads_change_no_digest(path: str) -> None:
    assert everything({**RICH, path: "Words.\n"}, render=False).digests == everything(RICH, render=False).digests
