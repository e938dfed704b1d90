"""A mirror's trees are read as values, whatever somebody put into them."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

import pygit2
import pytest

from bot.core.tree import Entry, MemoryTree, Oid, blob_id, walk
from bot.git import DamagedError, Mirror, open_tree
from tests.world.git_remote import File, Remote

FILES = {"a.txt": b"one", "a/b.txt": b"two", "a-b/c": b"", "services/checkout/platform.yaml": b"name: checkout\n"}


def _main(origin: Remote, mirror: Mirror) -> Oid:
    found = mirror.fetch(origin.remote, ["refs/heads/main"])["refs/heads/main"]
    assert found is not None
    return found


def _raw_tree(mirror: Mirror, rows: list[tuple[bytes, bytes, Oid]]) -> Oid:
    """A tree object that no honest git would write."""
    repo = pygit2.Repository(mirror.path)
    body = b"".join(mode + b" " + name + b"\0" + bytes.fromhex(oid) for mode, name, oid in rows)
    return Oid(str(repo.odb.write(pygit2.GIT_OBJECT_TREE, body)))


def test_a_tree_says_the_same_as_the_files_that_were_committed(origin: Remote, mirror: Mirror) -> None:
    origin.commit("refs/heads/main", FILES)
    tree = mirror.tree(_main(origin, mirror))
    model = MemoryTree(FILES)
    assert tree.id == model.id
    assert list(walk(tree)) == list(walk(model))
    for folder in ("", "a", "a-b", "services", "services/checkout", "nowhere", "a.txt", "a.txt/b"):
        assert list(tree.list(folder).items()) == list(model.list(folder).items())
    assert {path: tree.read(path) for path, _ in walk(tree)} == FILES
    assert tree.get("") == Entry("folder", model.id)
    assert tree.get("a/b.txt") == Entry("file", blob_id(b"two"))


@pytest.mark.parametrize(
    "path", ["a", "none", "a/", "/a.txt", "a//b.txt", "a/../a.txt", "./a.txt", "a.txt/x", "a.txt/", "a\0", "", "\udcff"]
)
def test_what_is_no_file_cannot_be_read(origin: Remote, mirror: Mirror, path: str) -> None:
    origin.commit("refs/heads/main", FILES)
    with pytest.raises(KeyError):
        mirror.tree(_main(origin, mirror)).read(path)


def test_links_and_submodules_are_told_and_never_followed(origin: Remote, mirror: Mirror) -> None:
    files: dict[str, File] = {
        "link": ("120000", "a"),
        "out": ("120000", "/etc"),
        "sub": ("160000", "1" * 40),
        "a/x": b"x",
        "run": ("100755", "#!/bin/sh"),
    }
    origin.commit("refs/heads/main", files)
    tree = mirror.tree(_main(origin, mirror))
    assert {name: entry.kind for name, entry in tree.list("").items()} == {
        "a": "folder",
        "link": "symlink",
        "out": "symlink",
        "run": "file",
        "sub": "submodule",
    }
    assert tree.get("sub") == Entry("submodule", Oid("1" * 40))
    assert tree.read("run") == b"#!/bin/sh"
    for path in ("link", "link/x", "out/passwd", "sub", "sub/x"):
        assert not tree.list(path)
        with pytest.raises(KeyError):
            tree.read(path)


def test_a_name_that_is_not_utf_8_is_listed_readable_and_equal_to_no_valid_path(mirror: Mirror) -> None:
    blob = Oid(str(pygit2.Repository(_made(mirror)).create_blob(b"hi")))
    inner = _raw_tree(mirror, [(b"100644", b"x\xff", blob)])
    tree = mirror.tree(_raw_tree(mirror, [(b"100644", b"caf\xe9", blob), (b"40000", b"d\xff", inner)]))
    assert list(tree.list("")) == ["caf\ufffd\x00636166e9", "d\ufffd\x0064ff"]
    paths = [path for path, _ in walk(tree)]
    assert [tree.read(path) for path in paths] == [b"hi", b"hi"]
    for guess in ("caf\ufffd", "caf\udce9", "caf\xe9", "d\ufffd/x\ufffd", "d\udcff/x\udcff"):
        assert tree.get(guess) is None


def test_forged_names_never_come_out_as_paths(mirror: Mirror) -> None:
    blob = Oid(str(pygit2.Repository(_made(mirror)).create_blob(b"hi")))
    names = [b".", b"..", b"../../etc/passwd", b"a/b", b"/abs"]
    tree = mirror.tree(_raw_tree(mirror, [(b"100644", name, blob) for name in names]))
    shown = [path for path, _ in walk(tree)]
    assert len(shown) == len(names)
    for path in shown:
        assert "\0" in path
        assert not path.startswith("/")
        assert tree.read(path) == b"hi"
    for name in names:
        assert tree.get(name.decode()) is None


def test_only_commits_and_trees_have_a_tree(origin: Remote, mirror: Mirror) -> None:
    tip = origin.commit("refs/heads/main", FILES)
    _main(origin, mirror)
    root = mirror.commit(tip).tree
    assert mirror.tree(root).id == mirror.tree(tip).id == root
    for absent in (blob_id(b"one"), Oid("1" * 40), Oid("main"), Oid("refs/heads/main"), Oid(tip[:10])):
        with pytest.raises(KeyError):
            mirror.tree(absent)
        with pytest.raises(KeyError):
            mirror.commit(absent)


def test_a_commit_is_read_as_it_was_made(origin: Remote, mirror: Mirror) -> None:
    first = origin.commit("refs/heads/main", FILES)
    second = origin.commit("refs/heads/main", {"a.txt": None}, [first], "Remove a\n\nBecause é.\n")
    _main(origin, mirror)
    commit = mirror.commit(second)
    assert commit.parents == (first,)
    assert (commit.message, commit.author_name, commit.time) == ("Remove a\n\nBecause é.\n", "T", origin.clock)
    assert commit.tree == origin.ref("main^{tree}")


def test_another_process_reads_a_tree_by_path_and_id_alone(origin: Remote, mirror: Mirror) -> None:
    tip = origin.commit("refs/heads/main", FILES)
    _main(origin, mirror)
    code = "import sys; from bot.git import open_tree; print(open_tree(*sys.argv[1:]).read('a/b.txt').decode())"
    root = Path(__file__).parents[2]
    done = subprocess.run(
        [sys.executable, "-c", code, mirror.path, tip], cwd=root, capture_output=True, text=True, check=True
    )
    assert done.stdout == "two\n"


def test_a_reader_sees_what_others_write_later_loose_or_packed(origin: Remote, mirror: Mirror) -> None:
    first = origin.commit("refs/heads/main", FILES)
    _main(origin, mirror)
    reader = open_tree(mirror.path, first)
    other = Mirror(Path(mirror.path))
    loose = mirror.write(first, {"new": b"loose"}, "m", 1)
    packed = other.write(first, {f"many/{n}": b"%d" % n for n in range(1000)}, "m", 1)
    assert other.tree(loose).read("new") == b"loose"
    assert mirror.tree(packed).read("many/999") == b"999"
    second = origin.commit("refs/heads/main", {"later": b"fetched"}, [first])
    assert _main(origin, other) == second
    assert mirror.tree(second).read("later") == b"fetched"
    assert reader.read("a.txt") == b"one"


def test_an_object_that_is_missing_inside_is_damage_and_the_next_fetch_mends_it(origin: Remote, mirror: Mirror) -> None:
    tip = origin.commit("refs/heads/main", FILES)
    _main(origin, mirror)
    gone = Path(mirror.path) / "objects" / blob_id(b"two")[:2] / blob_id(b"two")[2:]
    gone.unlink()
    with pytest.raises(DamagedError):
        open_tree(mirror.path, tip).read("a/b.txt")
    assert _main(origin, mirror) == tip
    assert mirror.tree(tip).read("a/b.txt") == b"two"


def test_a_name_in_a_large_folder_is_found_without_reading_the_folder_again(mirror: Mirror) -> None:
    tip = mirror.write(None, {f"services/s{n:05d}/platform.yaml": b"%d" % n for n in range(5000)}, "m", 1)
    tree = mirror.tree(tip)
    start = time.process_time()
    for n in range(5000):
        assert tree.get(f"services/s{n:05d}/platform.yaml") is not None
    assert time.process_time() - start < 1.5


def _made(mirror: Mirror) -> str:
    mirror.write(None, {"x": b"x"}, "m", 1)
    return mirror.path
