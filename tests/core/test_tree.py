"""Ids that are computed here are the ids that git computes."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.core.tree import EMPTY_TREE, MemoryTree, blob_id, folder_id, walk

_NAME = st.text(alphabet="ab.-0é", min_size=1, max_size=3).filter(lambda name: name.strip(".") != "")
_FILES = st.dictionaries(st.lists(_NAME, min_size=1, max_size=3).map("/".join), st.binary(max_size=8), max_size=8)


def _clash(files: dict[str, bytes]) -> bool:
    return any(other.startswith(f"{path}/") for path in files for other in files)


def test_a_tree_has_the_id_that_git_gives_to_the_same_files(tmp_path: Path) -> None:
    files = {"a.txt": b"1", "a/b.txt": b"2", "a/c/d": b"\x00\xff", "a-b": b"", "ab/é": b"x", "z.": b"3"}
    for path, data in files.items():
        target = tmp_path / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(data)
    git = ["git", "-C", str(tmp_path)]
    subprocess.run([*git, "init", "-q"], check=True)
    subprocess.run([*git, "-c", "core.autocrlf=false", "add", "-A"], check=True)
    written = subprocess.run([*git, "write-tree"], check=True, capture_output=True, text=True).stdout.strip()
    assert MemoryTree(files).id == written
    listed = subprocess.run([*git, "ls-files", "-s", "-z"], check=True, capture_output=True).stdout.decode()
    blobs = {row.split("\t")[1]: row.split()[1] for row in listed.split("\0") if row}
    assert {path: entry.id for path, entry in walk(MemoryTree(files))} == blobs


def test_an_empty_tree_has_gits_well_known_id() -> None:
    assert MemoryTree({}).id == EMPTY_TREE == folder_id({})


@given(_FILES)
def test_every_file_is_found_by_path_by_listing_and_by_walking(files: dict[str, bytes]) -> None:
    if _clash(files):
        return
    tree = MemoryTree(files)
    assert {path: tree.read(path) for path, _ in walk(tree)} == files
    for path, data in files.items():
        folder, _, name = path.rpartition("/")
        entry = tree.get(path)
        assert entry is not None
        assert entry.id == blob_id(data)
        assert tree.list(folder)[name] == entry


@given(_FILES, _FILES)
def test_two_trees_share_an_id_only_if_they_hold_the_same_files(
    left: dict[str, bytes], right: dict[str, bytes]
) -> None:
    if not (_clash(left) or _clash(right)):
        assert (MemoryTree(left).id == MemoryTree(right).id) == (left == right)


def test_reading_what_is_not_a_regular_file_is_a_key_error() -> None:
    tree = MemoryTree({"a/b": b"x"})
    for path in ("a", "", "nothing", "a/b/c"):
        with pytest.raises(KeyError):
            tree.read(path)
    assert tree.get("nothing") is None
    assert dict(tree.list("nothing")) == {}
