"""Plain folders are read like repositories and written without harm to what is not ours."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Mapping
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.core.tree import Entry, MemoryTree, blob_id, walk
from bot.disk import LISTING, DiskTree, write_out
from bot.ports import OutsideWorldError

FILES = {"a.txt": b"one", "a/b.txt": b"two", "a-b/c": b"", "services/checkout/platform.yaml": b"name: checkout\n"}
_PATHS = st.lists(st.sampled_from(["a", "b", "a-b", "a.b", "é"]), min_size=1, max_size=3).map("/".join)
_FILES = st.dictionaries(_PATHS, st.binary(max_size=4), max_size=6).filter(
    lambda files: not any(other.startswith(f"{path}/") for path in files for other in files)
)


def _fill(folder: Path, files: Mapping[str, bytes]) -> None:
    for path, data in files.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_bytes(data)


def _found(folder: Path) -> dict[str, bytes]:
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file() and path.name != LISTING
    }


@settings(max_examples=50, deadline=None)
@given(files=_FILES)
def test_a_folder_says_the_same_as_its_files_do(files: Mapping[str, bytes]) -> None:
    with TemporaryDirectory() as name:
        _fill(Path(name), files)
        tree, model = DiskTree(Path(name)), MemoryTree(files)
        assert tree.id == model.id
        assert list(walk(tree)) == list(walk(model))
        assert {path: tree.read(path) for path, _ in walk(tree)} == files
        for path in [*files, "", "a", "a/b", "none", "a/b/none"]:
            assert tree.get(path) == model.get(path)
            assert list(tree.list(path).items()) == list(model.list(path).items())


def test_the_id_is_the_one_that_git_gives(tmp_path: Path) -> None:
    _fill(tmp_path, FILES)
    (tmp_path / "link").symlink_to("a/b.txt")
    os.mkfifo(tmp_path / "fifo")
    (tmp_path / "empty" / "inner").mkdir(parents=True)
    expected = DiskTree(tmp_path).id
    for command in (["init", "-q"], ["add", "."]):
        subprocess.run(["git", *command], cwd=tmp_path, check=True)
    done = subprocess.run(["git", "write-tree"], cwd=tmp_path, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == expected
    assert DiskTree(tmp_path).id == expected, "a .git folder is no part of the tree"


def test_links_are_told_and_never_followed(tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("s3cr3t")
    (tmp_path / "outside").mkdir()
    (tmp_path / "outside" / "f").write_text("s3cr3t")
    root = tmp_path / "root"
    _fill(root, {"a/b": b"1"})
    (root / "file").symlink_to(tmp_path / "secret")
    (root / "folder").symlink_to(tmp_path / "outside")
    (root / "a" / "loop").symlink_to("..")
    tree = DiskTree(root)
    assert tree.get("file") == Entry("symlink", blob_id(os.fsencode(tmp_path / "secret")))
    assert [path for path, _ in walk(tree)] == ["a/b", "a/loop", "file", "folder"]
    for path in ("file", "folder", "folder/f", "a/loop", "a/loop/a/b"):
        assert not tree.list(path)
        with pytest.raises(KeyError):
            tree.read(path)


@pytest.mark.parametrize(
    "path",
    ["..", "../x", "a/../../x", "/etc/passwd", "a//b", "./a", "a/.", ".git/config", "a\0", "\udcff", "a/", "\0zz"],
)
def test_no_path_leaves_the_folder(tmp_path: Path, path: str) -> None:
    (tmp_path / "x").write_text("outside")
    _fill(tmp_path / "root", {"a/b": b"1", ".git/config": b"2"})
    tree = DiskTree(tmp_path / "root")
    assert tree.get(path) is None
    assert not tree.list(path)
    with pytest.raises(KeyError):
        tree.read(path)


def test_a_name_that_is_not_utf_8_is_listed_as_no_valid_path_is(tmp_path: Path) -> None:
    (Path(os.fsdecode(os.fsencode(tmp_path) + b"/caf\xe9"))).write_bytes(b"hi")
    tree = DiskTree(tmp_path)
    (name,) = tree.list("")
    assert name == "caf\ufffd\x00636166e9"
    assert tree.read(name) == b"hi"
    assert tree.get("caf\ufffd") is None


def test_a_file_that_changes_while_it_is_read_is_noticed(tmp_path: Path) -> None:
    _fill(tmp_path, {"a": b"1"})
    tree = DiskTree(tmp_path)
    before = tree.id
    (tmp_path / "a").write_bytes(b"2")
    assert tree.id == before
    with pytest.raises(OutsideWorldError, match="a was changed while it was being read"):
        tree.read("a")


def test_what_is_no_folder_cannot_be_a_tree(tmp_path: Path) -> None:
    (tmp_path / "f").touch()
    for path in (tmp_path / "f", tmp_path / "none"):
        with pytest.raises(NotADirectoryError, match="is not a folder"):
            DiskTree(path)


@settings(max_examples=50, deadline=None)
@given(first=_FILES, second=_FILES)
def test_a_folder_holds_exactly_the_newest_render(first: Mapping[str, bytes], second: Mapping[str, bytes]) -> None:
    with TemporaryDirectory() as name:
        out = Path(name) / "deep" / "out"
        for files in (first, second):
            write_out(out, files)
            assert _found(out) == files
            assert not [path for path in out.rglob("*") if path.is_dir() and not any(path.iterdir())]


def test_a_folder_with_foreign_files_is_refused_untouched_unless_they_may_go(tmp_path: Path) -> None:
    _fill(tmp_path, {"notes.txt": b"mine", "x/y": b"mine"})
    (tmp_path / "x" / "link").symlink_to("/")
    before = _found(tmp_path)
    with pytest.raises(FileExistsError, match=r"holds files that no render wrote \(notes.txt, x/link, x/y\)"):
        write_out(tmp_path, FILES)
    assert _found(tmp_path) == before
    write_out(tmp_path, FILES, replace=True)
    assert _found(tmp_path) == FILES
    (tmp_path / "a" / "added by hand").touch()
    with pytest.raises(FileExistsError, match="added by hand"):
        write_out(tmp_path, FILES)


def test_a_git_repository_is_never_emptied(tmp_path: Path) -> None:
    (tmp_path / ".git").mkdir()
    for replace in (False, True):
        with pytest.raises(FileExistsError, match="is a git repository"):
            write_out(tmp_path, FILES, replace)


def test_a_link_inside_the_folder_leads_no_write_outside(tmp_path: Path) -> None:
    out, outside = tmp_path / "out", tmp_path / "outside"
    write_out(out, {"apps/x": b"1"})
    outside.mkdir()
    (out / "apps" / "x").unlink()
    (out / "apps").rmdir()
    (out / "apps").symlink_to(outside)
    with pytest.raises(FileExistsError, match="apps"):
        write_out(out, {"apps/x": b"2"})
    write_out(out, {"apps/x": b"2"}, replace=True)
    assert _found(out) == {"apps/x": b"2"}
    assert not list(outside.iterdir())


@pytest.mark.parametrize("path", ["../x", "/x", "a/../x", ".git/config", "a\nb", "", LISTING])
def test_an_unsafe_path_is_refused_before_anything_is_written(tmp_path: Path, path: str) -> None:
    with pytest.raises(ValueError, match="not a path that may be written"):
        write_out(tmp_path / "out", {"fine": b"1", path: b"2"})
    assert not (tmp_path / "out").exists()


def test_a_render_that_was_cut_short_is_mended_by_the_next(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_out(tmp_path, {"a": b"1", "old/x": b"1"})
    real, calls = Path.replace, []

    def failing(self: Path, target: Path) -> Path:
        calls.append(target)
        if len(calls) == 3:
            raise OSError(28, "No space left on device")
        return real(self, target)

    monkeypatch.setattr(Path, "replace", failing)
    with pytest.raises(OSError, match="No space left"):
        write_out(tmp_path, {"a": b"2", "b": b"2", "c": b"2"})
    monkeypatch.undo()
    (tmp_path / ".causeway-part-left-by-a-kill").touch()
    write_out(tmp_path, {"d": b"3"})
    assert _found(tmp_path) == {"d": b"3"}
