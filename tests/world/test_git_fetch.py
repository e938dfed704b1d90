"""A fetch brings what the remote has, beside others that fetch, and over whatever a killed one left."""

from __future__ import annotations

import multiprocessing
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from bot.core.tree import Oid
from bot.git import DamagedError, Limits, Mirror
from bot.ports import GitRemote, GoneError, OutsideWorldError
from tests.world.git_remote import Remote, run

MAIN = "refs/heads/main"
PULL = "refs/pull/7/head"


def _private(mirror: Mirror) -> list[str]:
    return run(Path(mirror.path), "for-each-ref", "--format=%(refname)").splitlines()


def test_refs_come_as_the_remote_has_them_now_and_absent_ones_as_none(origin: Remote, mirror: Mirror) -> None:
    first = origin.commit(MAIN, {"a": b"1"})
    pull = origin.commit(PULL, {"a": b"2"}, [first])
    assert mirror.fetch(origin.remote, [MAIN, PULL]) == {MAIN: first, PULL: pull}
    second = origin.commit(MAIN, {"a": b"3"}, [first])
    wanted = ["refs/heads/none", MAIN, "refs/pull/99/head", MAIN]
    assert mirror.fetch(origin.remote, wanted) == {"refs/heads/none": None, MAIN: second, "refs/pull/99/head": None}
    assert mirror.fetch(origin.remote, ["refs/heads/none"]) == {"refs/heads/none": None}
    assert mirror.fetch(origin.remote, []) == {}
    assert mirror.commit(second).parents == (first,)


def test_an_empty_repository_has_no_refs_and_no_heads(origin: Remote, mirror: Mirror) -> None:
    assert mirror.fetch(origin.remote, [MAIN]) == {MAIN: None}
    assert mirror.heads(origin.remote) == {}


def test_heads_are_all_branches_and_nothing_is_fetched(origin: Remote, mirror: Mirror) -> None:
    first = origin.commit(MAIN, {"a": b"1"})
    other = origin.commit("refs/heads/feature/x", {"a": b"2"}, [first])
    origin.commit(PULL, {"a": b"3"}, [first])
    origin.git("tag", "v1", first)
    assert mirror.heads(origin.remote) == {MAIN: first, "refs/heads/feature/x": other}
    with pytest.raises(KeyError):
        mirror.commit(first)


def test_a_rewound_branch_is_followed_and_the_old_commits_stay_readable(origin: Remote, mirror: Mirror) -> None:
    first = origin.commit(MAIN, {"a": b"1"})
    second = origin.commit(MAIN, {"a": b"2"}, [first])
    mirror.fetch(origin.remote, [MAIN])
    origin.git("update-ref", MAIN, first)
    assert mirror.fetch(origin.remote, [MAIN]) == {MAIN: first}
    assert mirror.tree(second).read("a") == b"2"


@pytest.mark.parametrize("name", ["-x", "--upload-pack=id", "a;id", "$(id)", "a'b\"c", "é", "@", "x.y", "%2e%2e", "|"])
def test_a_branch_may_have_any_name_that_git_allows(origin: Remote, mirror: Mirror, name: str) -> None:
    ref = f"refs/heads/{name}"
    tip = origin.commit(ref, {"a": b"1"})
    assert mirror.fetch(origin.remote, [ref]) == {ref: tip}
    assert mirror.heads(origin.remote) == {ref: tip}
    new = mirror.write(tip, {"a": b"2"}, "m", 1)
    assert mirror.push(origin.remote, ref, new, tip) == "pushed"
    assert origin.ref(ref) == new


def test_a_branch_may_become_a_folder_of_branches(origin: Remote, mirror: Mirror) -> None:
    tip = origin.commit("refs/heads/a", {"a": b"1"})
    mirror.fetch(origin.remote, ["refs/heads/a"])
    origin.git("update-ref", "-d", "refs/heads/a")
    origin.git("update-ref", "refs/heads/a/b", tip)
    assert mirror.fetch(origin.remote, ["refs/heads/a", "refs/heads/a/b"]) == {
        "refs/heads/a": None,
        "refs/heads/a/b": tip,
    }


def test_commits_can_be_fetched_by_id_and_unknown_ids_are_none(origin: Remote, mirror: Mirror) -> None:
    first = origin.commit(MAIN, {"a": b"1"})
    lost = origin.commit("refs/heads/gone", {"a": b"2"}, [first])
    origin.git("update-ref", "-d", "refs/heads/gone")
    unknown, other = Oid("1" * 40), Oid("2" * 40)
    assert mirror.fetch(origin.remote, [unknown, lost, MAIN, other]) == {
        unknown: None,
        lost: lost,
        MAIN: first,
        other: None,
    }
    assert mirror.tree(lost).read("a") == b"2"


def test_nothing_of_the_remote_names_a_ref_of_the_mirror(origin: Remote, mirror: Mirror) -> None:
    tip = origin.commit(MAIN, {"a": b"1"})
    origin.git("tag", "v1", tip)
    for _ in range(3):
        mirror.fetch(origin.remote, [MAIN, tip])
    refs = _private(mirror)
    assert len(refs) == 2
    assert all(ref.startswith("refs/causeway/keep/r") for ref in refs)
    assert not (Path(mirror.path) / "FETCH_HEAD").exists()


def test_a_remote_that_is_not_there_is_gone_and_one_that_fails_is_the_outside_world(
    tmp_path: Path, mirror: Mirror
) -> None:
    with pytest.raises(GoneError):
        mirror.fetch(GitRemote(f"file://{tmp_path}/none.git", None), [MAIN])
    for act in (lambda r: mirror.fetch(r, [MAIN]), mirror.heads):
        with pytest.raises(OutsideWorldError) as failed:
            act(GitRemote("http://127.0.0.1:1/a.git", "Bearer s3cr3t-t0ken"))
        assert not isinstance(failed.value, GoneError | DamagedError)
        assert "s3cr3t" not in str(failed.value)


def test_a_mirror_is_bare_and_collects_nothing_by_itself(origin: Remote, mirror: Mirror) -> None:
    origin.commit(MAIN, {"a": b"1"})
    mirror.fetch(origin.remote, [MAIN])
    folder = Path(mirror.path)
    assert run(folder, "config", "core.bare") == "true"
    assert run(folder, "config", "gc.auto") == "0"
    assert not (folder / "hooks").exists()


def test_a_hook_of_the_mirror_never_runs(origin: Remote, mirror: Mirror, tmp_path: Path) -> None:
    tip = origin.commit(MAIN, {"a": b"1"})
    mirror.fetch(origin.remote, [MAIN])
    hooks = Path(mirror.path) / "hooks"
    hooks.mkdir()
    for name in ("reference-transaction", "pre-push", "post-merge", "pre-auto-gc", "post-checkout"):
        (hooks / name).write_text(f"#!/bin/sh\necho {name} >> {tmp_path}/ran\n")
        (hooks / name).chmod(0o755)
    run(Path(mirror.path), "config", "core.hooksPath", str(hooks))
    run(Path(mirror.path), "update-ref", "refs/heads/probe", tip)
    assert (tmp_path / "ran").exists(), "the hooks would run for anybody else"
    (tmp_path / "ran").unlink()
    new = mirror.write(tip, {"a": b"2"}, "m", 1)
    mirror.fetch(origin.remote, [MAIN])
    mirror.merge_tree(tip, new)
    assert mirror.push(origin.remote, MAIN, new, tip) == "pushed"
    mirror.tidy()
    assert not (tmp_path / "ran").exists()


def _fetch_many(path: str, url: str, refs: list[str], times: int) -> None:
    mirror = Mirror(Path(path))
    for _ in range(times):
        found = mirror.fetch(GitRemote(url, None), refs)
        for oid in found.values():
            assert oid is not None
            assert mirror.commit(oid).id == oid


def test_processes_that_fetch_into_one_new_mirror_at_the_same_time_all_succeed(origin: Remote, mirror: Mirror) -> None:
    first = origin.commit(MAIN, {"a": b"1"})
    refs = [MAIN]
    for n in range(4):
        origin.commit(f"refs/pull/{n}/head", {f"f{n}": b"%d" % n}, [first])
        refs.append(f"refs/pull/{n}/head")
    spawn = multiprocessing.get_context("spawn")
    tasks = [
        spawn.Process(target=_fetch_many, args=(mirror.path, origin.remote.url, refs, 4), daemon=True) for _ in range(3)
    ]
    for task in tasks:
        task.start()
    for n in range(6):
        first = origin.commit(MAIN, {"a": b"more %d" % n}, [first])
    for task in tasks:
        task.join(60)
    assert [task.exitcode for task in tasks] == [0, 0, 0]
    assert not any("/in/" in ref for ref in _private(mirror))


def _age(path: Path, seconds: float) -> None:
    then = time.time() - seconds
    os.utime(path, (then, then))


def test_lock_files_that_a_killed_process_left_are_cleared_when_they_are_old(origin: Remote, mirror: Mirror) -> None:
    first = origin.commit(MAIN, {"a": b"1"})
    mirror.fetch(origin.remote, [MAIN])
    (keep,) = _private(mirror)
    locks = [Path(mirror.path) / name for name in (f"{keep}.lock", "packed-refs.lock", "shallow.lock")]
    second = origin.commit(MAIN, {"a": b"2"}, [first])
    for lock in locks:
        lock.touch()
        _age(lock, 3600)
    assert mirror.fetch(origin.remote, [MAIN]) == {MAIN: second}
    assert run(Path(mirror.path), "rev-parse", keep) == second
    assert not any(lock.exists() for lock in locks)


def test_a_young_lock_file_is_waited_for_and_never_taken_away(origin: Remote, mirror: Mirror) -> None:
    first = origin.commit(MAIN, {"a": b"1"})
    mirror.fetch(origin.remote, [MAIN])
    (keep,) = _private(mirror)
    lock = Path(mirror.path) / f"{keep}.lock"
    lock.touch()
    second = origin.commit(MAIN, {"a": b"2"}, [first])
    holder = subprocess.Popen([sys.executable, "-c", f"import time, os; time.sleep(0.5); os.unlink({str(lock)!r})"])
    assert mirror.fetch(origin.remote, [MAIN]) == {MAIN: second}
    assert holder.wait(10) == 0


@pytest.mark.parametrize("damage", ["HEAD", "config", "empty object", "flipped pack", "no objects", "no refs"])
def test_a_corrupt_mirror_is_thrown_away_and_made_anew(origin: Remote, mirror: Mirror, damage: str) -> None:
    first = origin.commit(MAIN, {f"f{n}": b"%d" % n * 50 for n in range(300)})
    mirror.fetch(origin.remote, [MAIN])
    folder = Path(mirror.path)
    (pack,) = (folder / "objects" / "pack").glob("*.pack")
    pack.chmod(0o644)
    if damage == "HEAD":
        (folder / "HEAD").write_bytes(b"\0\0\0")
    elif damage == "config":
        (folder / "config").write_bytes(b"\0[[[")
    elif damage == "empty object":
        pack.unlink()
        pack.with_suffix(".idx").unlink()
        loose = folder / "objects" / first[:2] / first[2:]
        loose.parent.mkdir()
        loose.touch()
    elif damage == "flipped pack":
        data = pack.read_bytes()
        pack.write_bytes(data[:200] + bytes(byte ^ 255 for byte in data[200:-200]) + data[-200:])
    elif damage == "no objects":
        for file in (folder / "objects" / "pack").iterdir():
            file.unlink()
        (folder / "objects" / "pack").rmdir()
        (folder / "objects" / "info").rmdir()
        (folder / "objects").rmdir()
    else:
        (folder / "refs").rename(folder / "gone")
    second = origin.commit(MAIN, {"new": b"1"}, [first])
    other = Mirror(folder)
    assert _met(other, origin) == second
    assert {name: other.tree(second).read(name) for name in ("f7", "new")} == {"f7": b"7" * 50, "new": b"1"}
    assert mirror.tree(second).read("f299") == b"299" * 50, "one that had the old mirror open reads the new one"


def _met(mirror: Mirror, origin: Remote) -> Oid:
    """Fetches and reads as a flow does, which is run again after an error of the outside world."""
    for _ in range(2):
        try:
            tip = mirror.fetch(origin.remote, [MAIN])[MAIN]
            assert tip is not None
            for name in mirror.tree(tip).list(""):
                mirror.tree(tip).read(name)
        except DamagedError:
            continue
        return tip
    raise AssertionError("the mirror was not mended")


def test_a_fetch_that_is_killed_at_any_moment_leaves_a_usable_mirror(origin: Remote, mirror: Mirror) -> None:
    tip = origin.commit(MAIN, {f"f{n}": os.urandom(2000) for n in range(1500)})
    code = (
        "import sys; from tests.world.test_git_fetch import _fetch_many; _fetch_many(*sys.argv[1:3], [sys.argv[3]], 1)"
    )
    root = Path(__file__).parents[2]
    for turn, delay in enumerate((0.25, 0.3, 0.35, 0.4, 0.5, 0.3)):
        child = subprocess.Popen(
            [sys.executable, "-c", code, mirror.path, origin.remote.url, MAIN],
            cwd=root,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        time.sleep(delay)
        child.send_signal(signal.SIGKILL)
        child.wait(10)
        if turn % 2:  # git itself dies too; otherwise it goes on, and meets the fetch after it
            for pid, line in _command_lines():
                if mirror.path in line:
                    os.kill(int(pid), signal.SIGKILL)
        tip = origin.commit(MAIN, {"a": b"%f" % delay}, [tip])
    assert mirror.fetch(origin.remote, [MAIN]) == {MAIN: tip}
    run(Path(mirror.path), "fsck", "--connectivity-only")


def test_a_killed_start_leaves_nothing_in_the_way(origin: Remote, mirror: Mirror) -> None:
    tip = origin.commit(MAIN, {"a": b"1"})
    half = Path(mirror.path).with_name("one.git.new-0123")
    (half / "objects").mkdir(parents=True)
    Path(mirror.path).mkdir()
    (Path(mirror.path) / "objects").mkdir()
    assert mirror.fetch(origin.remote, [MAIN]) == {MAIN: tip}
    assert not half.exists()


def test_tidying_loses_nothing_pushed_or_not_and_leaves_few_files(origin: Remote, mirror: Mirror) -> None:
    tip = origin.commit(MAIN, {"a": b"0"})
    mirror.fetch(origin.remote, [MAIN])
    unpushed = [mirror.write(tip, {f"u{n}": b"%d" % n}, "m", n) for n in range(30)]
    packed = mirror.write(tip, {f"p/{n}": b"%d" % n for n in range(600)}, "m", 1)
    for n in range(5):
        tip = origin.commit(MAIN, {f"many{n}/{k}": b"%d %d" % (n, k) for k in range(150)}, [tip])
        mirror.fetch(origin.remote, [MAIN])
    folder = Path(mirror.path)
    left = folder / "refs" / "causeway" / "in" / "1000000000-dead"
    left.mkdir(parents=True)
    (left / "0").write_text(f"{tip}\n")
    half = folder / "objects" / "pack" / "tmp_pack_dead"
    half.touch()
    _age(half, 3600)
    mirror.tidy()
    mirror.tidy()
    assert len(list((folder / "objects" / "pack").glob("*.pack"))) <= 3
    assert not half.exists()
    assert not any("/in/" in ref for ref in _private(mirror))
    for reader in (mirror, Mirror(folder)):
        assert [reader.tree(commit).read(f"u{n}") for n, commit in enumerate(unpushed)] == [
            b"%d" % n for n in range(30)
        ]
        assert reader.tree(packed).read("p/599") == b"599"
        assert reader.tree(tip).read("many4/149") == b"4 149"
    assert mirror.push(origin.remote, "refs/heads/late", packed, None) == "pushed"


def test_one_stuck_command_is_stopped_with_all_it_started(origin: Remote, tmp_path: Path) -> None:
    origin.commit(MAIN, {"a": b"1"})
    mirror = Mirror(tmp_path / "m.git", Limits(clone=0.5))
    mirror.write(None, {"a": b"1"}, "m", 1)
    fifo = tmp_path / "stuck.git"
    fifo.mkdir()
    os.mkfifo(fifo / "HEAD")
    os.mkfifo(fifo / "config")
    (fifo / "objects").mkdir()
    (fifo / "refs").mkdir()
    start = time.monotonic()
    with pytest.raises(OutsideWorldError, match="did not end within"):
        mirror.fetch(GitRemote(f"file://{fifo}", None), [MAIN])
    assert time.monotonic() - start < 5
    time.sleep(0.1)
    assert not [pid for pid, line in _command_lines() if str(fifo) in line]


def _command_lines() -> list[tuple[str, str]]:
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            found.append((folder.name, (folder / "cmdline").read_text(errors="replace")))
        except OSError:
            continue
    return found
