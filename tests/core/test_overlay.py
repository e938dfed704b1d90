"""A mapping that shares its base with others."""

from __future__ import annotations

from collections.abc import Mapping

from hypothesis import given
from hypothesis import strategies as st

from bot.core.overlay import Overlay
from bot.core.tree import Entry, MemoryTree, Oid, name_of, raw_of, tree_rows
from bot.core.tree_rows import differing

KEYS = st.integers(0, 40)
CHANGES = st.dictionaries(KEYS, st.none() | st.integers(1, 9), max_size=12)


@given(st.dictionaries(KEYS, st.integers(1, 9)), st.lists(CHANGES, max_size=6))
def test_an_overlay_is_the_dict_that_the_same_changes_make(
    base: dict[int, int], changes: list[dict[int, int | None]]
) -> None:
    overlay, plain = Overlay(dict(base)), dict(base)
    first, kept = overlay, dict(base)
    for change in changes:
        overlay = overlay.derive(change)
        plain.update({key: value for key, value in change.items() if value is not None})
        for key, value in change.items():
            if value is None:
                plain.pop(key, None)
    assert overlay == plain
    assert len(overlay) == len(plain)
    assert set(overlay) == set(plain)
    assert all((key in overlay) == (key in plain) for key in range(41))
    assert first == kept, "what it was derived from never changes"


def test_many_changes_are_copied_into_a_base_of_their_own() -> None:
    overlay: Overlay[int, int] = Overlay({key: key for key in range(100)})
    for key in range(2_000):
        overlay = overlay.derive({key: -1})
    assert overlay == dict.fromkeys(range(2_000), -1)


NAMES = st.text("abc-.", min_size=1, max_size=3).filter(lambda name: name not in (".", ".."))
FOLDERS: st.SearchStrategy[Mapping[str, int]] = st.dictionaries(NAMES, st.integers(0, 3), max_size=30)


@given(FOLDERS, FOLDERS, st.data())
def test_names_that_differ_between_two_folders_are_found_from_their_rows(
    one: Mapping[str, int], other: Mapping[str, int], data: st.DataObject
) -> None:
    """Also where most is shared, which is what the halving is for."""
    share = data.draw(st.booleans())
    new = {**one, **other} if share else other
    a, b = _entries(one), _entries(new)
    wanted = {raw_of(name) for name in a.keys() | b.keys() if a.get(name) != b.get(name)}
    assert differing(tree_rows(a), tree_rows(b)) == wanted


def _entries(content: Mapping[str, int]) -> dict[str, Entry]:
    # Few ids that share their ends, so that rows look alike across their borders.
    return {name: Entry("file" if kind % 2 else "folder", Oid(f"{kind:02x}" * 20)) for name, kind in content.items()}


def test_a_folder_of_ten_thousand_names_tells_one_change() -> None:
    files = {f"services/s{number}/platform.yaml": b"%d" % number for number in range(3_000)}
    old, new = MemoryTree(files), MemoryTree({**files, "services/s1500/platform.yaml": b"other"})
    found = differing(old.rows("services"), new.rows("services"))
    assert [name_of(raw) for raw in found] == ["s1500"]
