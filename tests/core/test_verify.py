"""The law, from scratch: every path that breaks it is named, and nothing else is."""

from __future__ import annotations

import pytest

from bot.core.build import Memo
from bot.core.memory import CURSOR, KEPT
from bot.core.owned import drifted, obstructed, owned
from bot.core.problem import Refusal
from bot.core.settle import base_build, refused_units
from bot.core.tree import MemoryTree, blob_id
from bot.shipped import shipped_tree
from tests.core.made import BROKEN, DB, PLATFORM, Delivery, service

FOLDER = "environments/prod/payments/a"
DEPLOYMENT = f"{FOLDER}/kubernetes/deployment-a.yaml"


def _world() -> Delivery:
    """A world in which something of every reason but `held` is kept."""
    world = Delivery()
    world.land({**PLATFORM, **service("a", DB), **service("c"), **service("b")})
    world.land({**PLATFORM, **service("a"), **service("c"), **service("b")})
    world.land({**PLATFORM, **service("a"), **service("c", BROKEN), **service("b")})
    return world


def test_the_law_holds_after_a_delivery() -> None:
    assert _world().breaches() == ()


@pytest.mark.parametrize(
    ("edits", "named"),
    [
        ({DEPLOYMENT: b"x"}, [FOLDER]),
        ({DEPLOYMENT: None}, [FOLDER]),
        ({f"{FOLDER}/extra.txt": b""}, [FOLDER]),
        ({"apps/prod/root.yaml": None}, ["apps/prod/root.yaml"]),
        ({"data/prod/a/db/terraform/main.tf.json": b"{}"}, ["data/prod/a/db"]),
        ({"environments/prod/payments/c/kubernetes/deployment-c.yaml": b"x"}, ["environments/prod/payments/c"]),
        ({KEPT: b" "}, None),
        ({"environments/prod/payments/z/provenance.json": b"{}"}, ["environments/prod/payments/z"]),
        ({"README.md": b"x", "environments/prod/payments/z/note": b"x", ".causeway/note": b"x"}, []),
    ],
)
def test_every_breach_is_named_and_nothing_foreign(edits: dict[str, bytes | None], named: list[str] | None) -> None:
    world = _world()
    world.foreign(edits)
    if named is None:
        with pytest.raises(AssertionError):
            world.breaches()
    else:
        assert [breach.path for breach in world.breaches()] == named


def test_memory_in_another_hand_is_a_breach() -> None:
    world = _world()
    world.foreign({CURSOR: world.files[CURSOR] + b"\n", KEPT: b"\n" + world.files[KEPT]})
    assert [breach.path for breach in world.breaches()] == [CURSOR, KEPT]


def test_paths_that_two_own_are_none() -> None:
    """Every owned path has one owner, and no owned path lies inside another."""
    world = _world()
    actual = world.actual
    from bot.core.kit import kit_of

    tree = world.commits[world.cursor.commit]
    kit = kit_of(tree, shipped_tree())
    assert not isinstance(kit, Refusal)
    build = base_build(tree, kit, actual.kept, world.commits.__getitem__, Memo())
    assert not isinstance(build, Refusal)
    found = owned(build, "main", actual.kept, frozenset(refused_units(actual.kept)), Memo())
    for path in found:
        parts = path.split("/")
        assert not {"/".join(parts[:size]) for size in range(1, len(parts))} & found.keys()
    outside = [path for path in world.files if not any(f == path or path.startswith(f + "/") for f in found)]
    assert sorted(outside) == [CURSOR, KEPT]
    assert drifted(world.head, found, Memo()) == ()
    assert obstructed(world.head, {}, found, found) == {}


def test_what_has_the_same_bytes_is_neither_drift_nor_in_the_way() -> None:
    from bot.core.owned import Own

    own = Own(blob_id(b"x"), "file", ("catalog", "services/a"), "services/a")
    same, other = MemoryTree({"p/q": b"x"}), MemoryTree({"p/q": b"y"})
    above = MemoryTree({"p": b"a file"})
    assert drifted(same, {"p/q": own}, Memo()) == ()
    assert drifted(other, {"p/q": own}, Memo()) == ("p/q",)
    assert obstructed(same, {}, {"p/q": own}, ["p/q"]) == {}
    assert obstructed(other, {}, {"p/q": own}, ["p/q"]) == {"p/q": own}
    assert obstructed(other, {"p/q": own}, {"p/q": own}, ["p/q"]) == {}
    assert obstructed(above, {"p/q": own}, {"p/q": own}, ["p/q"]) == {"p/q": own}
    assert obstructed(None, {}, {"p/q": own}, ["p/q"]) == {}
