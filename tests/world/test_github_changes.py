"""Lists that move while they are read, lists that lag, and markers: the parts of the adapter that need no forge."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence

import pytest

from bot.core.tree import Oid
from bot.forges.changes import Page, changed_since
from bot.forges.ensure import Found, UnknownOutcomeError, ensure_one
from bot.forges.marker import Marker
from bot.ports import GoneError, Pull


def pull(number: int, second: int) -> Pull:
    time = f"2026-11-21T10:00:{second:02}Z"
    return Pull(number, "open", False, False, Oid("a" * 40), "main", "t", "1", "u", None, time)


def mark(second: int) -> str:
    return json.dumps({"etag": "old", "since": f"2026-11-21T10:00:{second:02}Z"})


def test_pages_are_read_until_they_are_older_than_the_mark_and_no_further() -> None:
    asked: list[tuple[int, str]] = []
    all_pages = [
        Page((pull(5, 50), pull(4, 40)), True, "new"),
        # Number 4 was pushed down by a change between the two requests.
        Page((pull(4, 40), pull(3, 30), pull(2, 20)), True, "-"),
        Page((pull(1, 10),), False, "-"),
    ]

    def pages(number: int, etag: str) -> Page:
        asked.append((number, etag))
        return all_pages[number - 1]

    changed = changed_since(mark(30), pages, lambda: ())
    assert changed.pulls is not None
    # What changed in the second of the mark is told again rather than missed.
    assert [one.number for one in changed.pulls] == [5, 4, 3]
    assert asked == [(1, "old"), (2, "")]
    assert json.loads(changed.mark) == {"etag": "new", "since": "2026-11-21T10:00:50Z"}


def test_an_empty_list_keeps_the_time_of_the_mark() -> None:
    changed = changed_since(mark(30), lambda number, etag: Page((), False, f"{number}{etag}"), lambda: ())
    assert changed.pulls == ()
    assert json.loads(changed.mark)["since"] == "2026-11-21T10:00:30Z"


class Forge:
    """Texts by age; shows them as told."""

    def __init__(self, *digests: str) -> None:
        self.texts = dict(enumerate(digests))
        self.created = 0
        self.hidden = 0
        self.fail: list[Exception] = []

    def listed(self) -> Sequence[Found]:
        if self.hidden > 0:
            self.hidden -= 1
            return []
        return [
            Found(digest, edit=lambda key=key: self._set(key), remove=lambda key=key: self._remove(key))
            for key, digest in sorted(self.texts.items())
        ]

    def create(self) -> None:
        self.created += 1
        self.texts[len(self.texts) + 10] = "new"
        self._maybe_fail()

    def _set(self, key: int) -> None:
        self.texts[key] = "new"
        self._maybe_fail()

    def _remove(self, key: int) -> None:
        del self.texts[key]
        self._maybe_fail()

    def _maybe_fail(self) -> None:
        if self.fail:
            raise self.fail.pop()

    def ensure(self) -> bool:
        return ensure_one(self.listed, self.create, "new", lambda _: None)


def test_a_list_that_lags_behind_our_own_creation_does_not_make_a_twin() -> None:
    forge = Forge()
    forge.hidden = 2
    assert forge.ensure() is True
    assert forge.created == 1


def test_a_list_that_lagged_once_leaves_a_twin_only_until_the_next_look() -> None:
    forge = Forge("new")
    forge.hidden = 1
    assert forge.ensure() is True
    assert forge.texts == {0: "new"}


@pytest.mark.parametrize("digests", [(), ("old",), ("new",), ("old", "new"), ("new", "old", "old")])
@pytest.mark.parametrize("lost", [0, 1, 2])
def test_from_any_start_and_with_lost_answers_one_is_left(digests: tuple[str, ...], lost: int) -> None:
    forge = Forge(*digests)
    forge.fail = [UnknownOutcomeError("lost") for _ in range(lost)]
    changed = forge.ensure()
    assert list(forge.texts.values()) == ["new"]
    assert changed is (digests != ("new",))
    assert forge.ensure() is False
    assert forge.created == (0 if digests else 1)


def test_nowhere_to_create_is_told_at_once() -> None:
    forge = Forge()
    forge.fail = [GoneError("no such pull request")] * 5
    with pytest.raises(GoneError):
        forge.ensure()
    assert forge.created == 1


def tampered() -> list[Callable[[str], str]]:
    return [
        lambda text: text.replace("plan", "halt"),
        lambda text: text + "\nmore",
        lambda text: text.replace(text[-40:-34], "xxxxxx"),
        lambda text: text[:0],
    ]


def test_a_marker_holds_for_its_secret_its_place_and_its_key_only() -> None:
    marker = Marker("a secret of sixteen characters", "comment:1:2")
    text = marker.sign("A plan", "plan", "ab" * 8)
    assert marker.digest(text, "plan") == "ab" * 8
    assert marker.digest(text + "\r\n", "plan") == "ab" * 8
    assert marker.digest(text, "halt") is None
    assert Marker("another secret of that length", "comment:1:2").digest(text, "plan") is None
    assert Marker("a secret of sixteen characters", "comment:1:22").digest(text, "plan") is None
    assert [marker.digest(change(text), "plan") for change in tampered()] == [None] * 4
    assert "sixteen" not in repr(marker)
