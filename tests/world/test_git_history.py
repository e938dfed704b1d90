"""History is asked of git's own engine, so that odd merges are answered as git answers them."""

from __future__ import annotations

import random

import pytest

from bot.core.tree import MemoryTree, Oid
from bot.git import Mirror
from bot.ports import Conflict
from tests.world.git_remote import Remote

MAIN = "refs/heads/main"


def _ids(mirror: Mirror, older: Oid, newer: Oid) -> list[Oid] | None:
    line = mirror.first_parents(older, newer)
    return None if line is None else [commit.id for commit in line]


def test_first_parents_are_the_landed_commits_oldest_first(origin: Remote, mirror: Mirror) -> None:
    a = origin.commit(MAIN, {"a": b"1"})
    side = origin.commit("refs/heads/side", {"s": b"1"}, [a])
    b = origin.commit(MAIN, {"a": b"2"}, [a])
    merge = origin.commit(MAIN, {"s": b"1"}, [b, side])
    c = origin.commit(MAIN, {"a": b"3"}, [merge])
    mirror.fetch(origin.remote, [MAIN])
    assert _ids(mirror, a, c) == [b, merge, c]
    assert _ids(mirror, b, c) == [merge, c]
    assert _ids(mirror, c, c) == []
    assert _ids(mirror, side, c) is None
    assert _ids(mirror, c, a) is None


def test_a_foxtrot_merge_takes_the_old_tip_off_the_line_though_it_stays_an_ancestor(
    origin: Remote, mirror: Mirror
) -> None:
    root = origin.commit(MAIN, {"a": b"1"})
    tip = origin.commit(MAIN, {"a": b"2"}, [root])
    mine = origin.commit("refs/heads/mine", {"m": b"1"}, [root])
    foxtrot = origin.commit(MAIN, {"a": b"2"}, [mine, tip])
    after = origin.commit(MAIN, {"z": b"1"}, [foxtrot])
    mirror.fetch(origin.remote, [MAIN])
    assert _ids(mirror, tip, after) is None
    assert mirror.is_ancestor(tip, after)
    assert _ids(mirror, root, after) == [mine, foxtrot, after]


def test_first_parents_agree_with_a_plain_walk_on_random_histories(origin: Remote, mirror: Mirror) -> None:
    seed = random.randrange(10**6)
    print(f"seed {seed}")  # noqa: T201 - shown where the test fails
    dice = random.Random(seed)
    made = [origin.commit(MAIN, {"f": b"0"})]
    parents: dict[Oid, list[Oid]] = {made[0]: []}
    for n in range(25):
        origin.clock = 1_700_000_000 + dice.randrange(-10_000, 10_000)
        chosen = dice.sample(made[-6:], k=min(len(made), dice.choice([1, 1, 2])))
        commit = origin.commit(f"refs/heads/b{n}", {"f": b"%d" % n}, chosen)
        made.append(commit)
        parents[commit] = chosen
    mirror.fetch(origin.remote, [f"refs/heads/b{n}" for n in range(25)])

    def line(older: Oid, newer: Oid) -> list[Oid] | None:
        found: list[Oid] = []
        here = newer
        while here != older:
            found.append(here)
            if not parents[here]:
                return None
            here = parents[here][0]
        return found[::-1]

    def reaches(older: Oid, newer: Oid) -> bool:
        return older == newer or any(reaches(older, parent) for parent in parents[newer])

    for _ in range(60):
        older, newer = dice.choice(made), dice.choice(made)
        assert _ids(mirror, older, newer) == line(older, newer)
        assert mirror.is_ancestor(older, newer) == reaches(older, newer)


def test_questions_about_unknown_commits_are_errors_and_no_guesses(origin: Remote, mirror: Mirror) -> None:
    tip = origin.commit(MAIN, {"a": b"1"})
    mirror.fetch(origin.remote, [MAIN])
    for older, newer in ((tip, Oid("1" * 40)), (Oid("1" * 40), tip), (tip, Oid("HEAD")), (Oid("--all"), tip)):
        with pytest.raises(KeyError):
            mirror.is_ancestor(older, newer)
        with pytest.raises(KeyError):
            mirror.first_parents(older, newer)
        with pytest.raises(KeyError):
            mirror.merge_tree(older, newer)


def test_a_merge_gives_the_tree_and_moves_nothing(origin: Remote, mirror: Mirror) -> None:
    root = origin.commit(MAIN, {"a": b"1", "dir/b": b"1\n2\n3\n4\n5\n"})
    base = origin.commit(MAIN, {"c": b"1", "dir/b": b"one\n2\n3\n4\n5\n"}, [root])
    head = origin.commit("refs/pull/7/head", {"d": b"1", "dir/b": b"1\n2\n3\n4\nfive\n"}, [root])
    mirror.fetch(origin.remote, [MAIN, "refs/pull/7/head"])
    merged = mirror.merge_tree(base, head)
    assert merged == MemoryTree({"a": b"1", "c": b"1", "d": b"1", "dir/b": b"one\n2\n3\n4\nfive\n"}).id
    assert mirror.tree(Oid(str(merged))).read("dir/b") == b"one\n2\n3\n4\nfive\n"
    assert mirror.merge_tree(base, root) == mirror.commit(base).tree


def test_a_conflict_names_its_paths_sorted(origin: Remote, mirror: Mirror) -> None:
    root = origin.commit(MAIN, {"z": b"1", "é": b"1", "dir/b": b"1", "fine": b"1"})
    base = origin.commit(MAIN, {"z": b"2", "é": b"2", "dir/b": None}, [root])
    head = origin.commit("refs/heads/x", {"z": b"3", "é": b"3", "dir/b": b"3", "fine": b"2"}, [root])
    mirror.fetch(origin.remote, [MAIN, "refs/heads/x"])
    assert mirror.merge_tree(base, head) == Conflict(("dir/b", "z", "é"))


def test_histories_without_a_common_commit_conflict_without_a_path(origin: Remote, mirror: Mirror) -> None:
    one = origin.commit(MAIN, {"a": b"1"})
    other = origin.commit("refs/heads/other", {"b": b"1"})
    mirror.fetch(origin.remote, [MAIN, "refs/heads/other"])
    assert mirror.merge_tree(one, other) == Conflict(())
    assert not mirror.is_ancestor(one, other)
