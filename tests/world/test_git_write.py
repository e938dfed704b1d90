"""Commits are built without a work tree or an index, and are what git itself would have made."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Mapping
from pathlib import Path

import pygit2
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.core.model.delivery import Edit
from bot.core.tree import EMPTY_TREE, MemoryTree, Oid, blob_id, folder_id, walk
from bot.git import Mirror
from bot.git.pack import write_packs
from bot.git.writing import MANY
from tests.world.git_remote import File, Remote, run

_NAME = st.sampled_from(["a", "b", "a-b", "a.b", "a0", "é", "Z"])
_PATH = st.lists(_NAME, min_size=1, max_size=3).map("/".join)
_DATA = st.binary(max_size=5)
_FOLDER = st.dictionaries(_PATH, _DATA, max_size=4)


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Mirror:
    """One mirror for many examples: objects know nothing of each other."""
    return Mirror(tmp_path_factory.mktemp("shared") / "m.git")


def _files(mirror: Mirror, commit: Oid) -> dict[str, bytes]:
    tree = mirror.tree(commit)
    return {path: tree.read(path) for path, _ in walk(tree)}


def _clear(paths: Mapping[str, object]) -> bool:
    """True where no path is inside of another."""
    return not any(other.startswith(f"{path}/") for path in paths for other in paths)


def _model(files: Mapping[str, bytes], edits: Mapping[str, bytes | Mapping[str, bytes] | None]) -> dict[str, bytes]:
    """What edits mean, said the slow way: each takes its path's place."""
    out = {
        path: data
        for path, data in files.items()
        if not any(path == edited or path.startswith(f"{edited}/") for edited in edits)
    }
    for edited, edit in edits.items():
        if isinstance(edit, bytes):
            out[edited] = edit
        elif edit is not None:
            out |= {f"{edited}/{inner}": data for inner, data in edit.items()}
    return out


@settings(max_examples=200, deadline=None)
@given(
    files=_FOLDER.filter(_clear),
    edits=st.dictionaries(_PATH, st.one_of(_DATA, st.none(), _FOLDER.filter(_clear)), max_size=4).filter(_clear),
)
def test_random_edits_give_the_tree_that_the_files_alone_would_give(
    shared: Mirror, files: Mapping[str, bytes], edits: Mapping[str, bytes | Mapping[str, bytes] | None]
) -> None:
    expected = _model(files, edits)
    before = shared.write(None, files, "before", 1)
    assert shared.commit(before).tree == MemoryTree(files).id
    if _clear(expected):
        after = shared.write(before, edits, "after", 2)
        assert shared.commit(after).tree == MemoryTree(expected).id
        assert _files(shared, after) == expected
    else:
        with pytest.raises(ValueError, match="is not a folder"):
            shared.write(before, edits, "after", 2)


def test_git_finds_no_fault_in_what_is_written(mirror: Mirror) -> None:
    first = mirror.write(None, {"a/b": b"1", "a.b": b"2", "a-": b"3", "a0": b"4"}, "one", 1)
    second = mirror.write(first, {"a/c/d": b"5", "a.b": None}, "two", 2)
    third = mirror.write(second, {f"many/{n % 7}/{n}": b"%d" % n * n for n in range(2 * MANY)}, "three", 3)
    run(Path(mirror.path), "update-ref", "refs/heads/main", third)
    done = subprocess.run(
        ["git", "--git-dir", mirror.path, "fsck", "--strict", "--full"], capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")
    (pack,) = (Path(mirror.path) / "objects" / "pack").glob("*.idx")
    assert "non delta" in run(Path(mirror.path), "verify-pack", "-v", str(pack))


def test_the_same_arguments_give_the_same_commit_on_every_machine(tmp_path: Path) -> None:
    commits = {
        Mirror(tmp_path / name).write(None, {"b": b"2", "a": {"x": b"1"}}, "Deliver\n\nBody\n", 1_700_000_000)
        for name in ("one", "two")
    }
    assert commits == {"03eb18bcceb856685824199a2045bae96c2f322b"}


def test_a_commit_is_by_the_bot_at_the_given_time_in_utc(mirror: Mirror) -> None:
    commit = mirror.write(None, {"a": b"1"}, "Deliver checkout\n\nKit: 1", 1_700_000_000)
    assert run(Path(mirror.path), "cat-file", "commit", commit).splitlines()[1:] == [
        "author Causeway <causeway@users.noreply.invalid> 1700000000 +0000",
        "committer Causeway <causeway@users.noreply.invalid> 1700000000 +0000",
        "",
        "Deliver checkout",
        "",
        "Kit: 1",
    ]


def test_what_is_not_edited_stays_as_it_is_modes_links_and_submodules_too(origin: Remote, mirror: Mirror) -> None:
    files: dict[str, File] = {
        "d/link": ("120000", "x"),
        "d/sub": ("160000", "1" * 40),
        "d/run": ("100755", "#!"),
        "d/f": b"1",
    }
    tip = origin.commit("refs/heads/main", files)
    mirror.fetch(origin.remote, ["refs/heads/main"])
    made = mirror.write(tip, {"d/f": b"2"}, "m", 1)
    changed = run(Path(mirror.path), "diff-tree", "-r", "--name-only", tip, made)
    assert changed == "d/f"


def test_an_object_of_the_repository_is_put_where_an_edit_says(mirror: Mirror) -> None:
    first = mirror.write(None, {"keep/x": b"1", "keep/y/z": b"2", "old": b"3"}, "m", 1)
    folder = mirror.tree(first).get("keep")
    assert folder is not None
    second = mirror.write(first, {"keep": None, "new/place": folder.id, "file": blob_id(b"3")}, "m", 2)
    assert _files(mirror, second) == {"new/place/x": b"1", "new/place/y/z": b"2", "old": b"3", "file": b"3"}
    third = mirror.write(second, {"new": EMPTY_TREE}, "m", 3)
    assert _files(mirror, third) == {"old": b"3", "file": b"3"}


def test_an_id_that_is_no_file_or_folder_of_this_repository_is_refused(mirror: Mirror) -> None:
    first = mirror.write(None, {"a": b"1"}, "m", 1)
    with pytest.raises(KeyError):
        mirror.write(first, {"b": Oid("1" * 40)}, "m", 2)
    with pytest.raises(ValueError, match="neither a file nor a folder"):
        mirror.write(first, {"b": first}, "m", 2)
    with pytest.raises(ValueError, match="not a whole object id"):
        mirror.write(first, {"b": Oid("HEAD")}, "m", 2)


def test_removals_apply_first_in_whatever_order_they_are_given(mirror: Mirror) -> None:
    first = mirror.write(None, {"a": b"1", "d/x": b"2", "d/y": b"3"}, "m", 1)
    there: dict[str, Edit] = {"a": None, "a/b": b"4", "d": None, "d/z": b"5"}
    back: dict[str, Edit] = dict(reversed(there.items()))
    assert mirror.write(first, there, "m", 2) == mirror.write(first, back, "m", 2)
    assert _files(mirror, mirror.write(first, there, "m", 2)) == {"a/b": b"4", "d/z": b"5"}


def test_removing_what_is_not_there_changes_nothing(mirror: Mirror) -> None:
    first = mirror.write(None, {"a": b"1"}, "m", 1)
    second = mirror.write(first, {"b": None, "c/d": None, "a/b": None}, "m", 2)
    assert mirror.commit(second).tree == mirror.commit(first).tree


def test_folders_that_lose_everything_vanish_up_to_the_root(mirror: Mirror) -> None:
    first = mirror.write(None, {"a/b/c/d": b"1"}, "m", 1)
    assert mirror.commit(mirror.write(first, {"a/b/c/d": None}, "m", 2)).tree == EMPTY_TREE
    assert mirror.commit(mirror.write(first, {"a": {}}, "m", 2)).tree == EMPTY_TREE


@pytest.mark.parametrize(
    "edits",
    [
        {"a": b"1", "a/b": b"2"},
        {"a/b": b"2", "a": b"1"},
        {"a": {"x": b"1"}, "a/b": b"2"},
        {"a/b": b"2", "a": {"x": b"1"}},
        {"d": {"a": b"1", "a/b": b"2"}},
        {"file/below": b"1"},
        {"link/below": b"1"},
        {"sub/below": b"1"},
    ],
    ids=str,
)
def test_an_edit_never_goes_through_another_edit_a_file_a_link_or_a_submodule(
    origin: Remote, mirror: Mirror, edits: Mapping[str, Edit]
) -> None:
    files: dict[str, File] = {"file": b"1", "link": ("120000", "d"), "sub": ("160000", "1" * 40), "d/x": b""}
    tip = origin.commit("refs/heads/main", files)
    mirror.fetch(origin.remote, ["refs/heads/main"])
    with pytest.raises(ValueError, match=r"inside of|is not a folder"):
        mirror.write(tip, edits, "m", 1)


@pytest.mark.parametrize(
    "path",
    [
        *["", "/", "a/", "a//b", ".", "..", "a/../b", "a/.", ".git", ".git/hooks/x", "a/.GIT/x", ".git.", "GIT~1"],
        ".git /x",
        "a\\b",
        "a\0b",
        "a\udcff",
        "/a",
    ],
)
@pytest.mark.parametrize("inner", [False, True])
def test_a_path_that_could_leave_its_place_is_refused_and_nothing_is_written(
    mirror: Mirror, path: str, inner: bool
) -> None:
    before = mirror.write(None, {"a0": b"1"}, "m", 1)
    count = run(Path(mirror.path), "count-objects", "-v")
    edits: Mapping[str, Edit] = {"good": b"new", "folder": {path: b"x"}} if inner else {"good": b"new", path: b"x"}
    with pytest.raises(ValueError, match="not a path that may be written"):
        mirror.write(before, edits, "m", 2)
    assert run(Path(mirror.path), "count-objects", "-v") == count


def test_a_message_cannot_forge_a_header_or_be_cut_short(mirror: Mirror) -> None:
    commit = mirror.write(None, {"a": b"1"}, "subject\nparent " + "1" * 40, 1)
    assert mirror.commit(commit).parents == ()
    with pytest.raises(ValueError, match="NUL"):
        mirror.write(None, {"a": b"1"}, "x\0y", 1)


def test_a_parent_that_is_not_here_is_an_error(mirror: Mirror) -> None:
    with pytest.raises(KeyError):
        mirror.write(Oid("1" * 40), {"a": b"1"}, "m", 1)


def test_packs_larger_than_one_are_split_and_all_of_them_read(mirror: Mirror, monkeypatch: pytest.MonkeyPatch) -> None:
    mirror.write(None, {"a": b"1"}, "m", 1)
    monkeypatch.setattr("bot.git.pack.LARGEST", 10_000)
    files = {f"f{n}": bytes([n % 251]) * (n * 37) for n in range(200)}
    objects = {bytes.fromhex(blob_id(data)): (3, data) for data in files.values()}
    folder = Path(mirror.path) / "objects" / "pack"
    write_packs(folder, objects)
    assert len(list(folder.glob("*.pack"))) > 10
    repo = pygit2.Repository(mirror.path)
    assert all(repo.read(oid.hex()) == (3, data) for oid, (_, data) in objects.items())
    assert not list(folder.glob("tmp_*"))


def test_a_first_delivery_and_the_commits_after_it_are_quick(mirror: Mirror) -> None:
    files = {
        f"environments/{e}/t{s % 50}/s{s}": {f"o{k}.yaml": b"%s %d %d" % (e.encode(), s, k) * 40 for k in range(10)}
        for e in ("dev", "prod")
        for s in range(1500)
    }
    start = time.process_time()
    first = mirror.write(None, files, "m", 1)
    each_file = (time.process_time() - start) / 30_000
    assert mirror.tree(first).list("environments/prod/t7/s7").keys() == {f"o{k}.yaml" for k in range(10)}
    times = []
    for turn in range(5):
        start = time.process_time()
        first = mirror.write(first, {f"environments/prod/t7/s7/o{k}.yaml": b"%d" % turn for k in range(10)}, "m", turn)
        times.append(time.process_time() - start)
    # Promised are 28 µs (10 s for 360,000 files) and 15 ms; processor time, as others may use this machine.
    assert each_file < 56e-6
    assert min(times) < 30e-3
    assert folder_id({f"o{k}.yaml": b"4" for k in range(10)}) == mirror.tree(first).get("environments/prod/t7/s7").id  # type: ignore[union-attr] # it is there
