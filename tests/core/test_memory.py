"""`.causeway/`: what is written is read back, and what cannot be read stops delivery."""

from __future__ import annotations

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.core.memory import CURSOR, KEPT, cursor_bytes, kept_bytes, read_actual
from bot.core.model.delivery import Cursor, Kept, KeptEntry, Reason
from bot.core.problem import Refusal
from bot.core.tree import MemoryTree, Oid, safe_path
from tests.core.made import PLATFORM, Delivery, codes, refused, service

HERE = Cursor("123", Oid("a" * 40), 1, "b" * 64)
ENTRY = KeptEntry(Oid("c" * 40), "folder", "data", Oid("d" * 40), "prod/a/db")

OIDS = st.integers(0, 2**160 - 1).map(lambda number: Oid(f"{number:040x}"))
PATHS = (
    st.lists(st.text("abz09-._é{\"'", min_size=1, max_size=8), min_size=1, max_size=5).map("/".join).filter(safe_path)
)
ENTRIES = st.builds(
    KeptEntry,
    st.none() | OIDS,
    st.sampled_from(("file", "folder")),
    st.sampled_from(("data", "draining", "refused", "held")),
    OIDS,
    st.text("abz/-é ", max_size=20),
)
CURSORS = st.builds(
    Cursor, st.integers(1, 10**18).map(str), OIDS, st.integers(1, 99), st.integers(0, 2**256 - 1).map("{:064x}".format)
)


@settings(max_examples=60, deadline=None)
@given(CURSORS, st.dictionaries(PATHS, ENTRIES, max_size=6))
def test_what_is_written_is_read_back(cursor: Cursor, kept: Kept) -> None:
    found = read_actual(MemoryTree({CURSOR: cursor_bytes(cursor), KEPT: kept_bytes(kept)}))
    assert not isinstance(found, Refusal)
    assert (found.cursor, dict(found.kept)) == (cursor, dict(kept))


@settings(max_examples=30, deadline=None)
@given(st.dictionaries(PATHS, ENTRIES, max_size=6))
def test_the_same_memory_has_one_form(kept: Kept) -> None:
    assert kept_bytes(dict(reversed(list(kept.items())))) == kept_bytes(kept)


def test_nothing_there_is_no_cursor_and_nothing_kept() -> None:
    for head in (None, MemoryTree({}), MemoryTree({"README.md": b"x"})):
        found = read_actual(head)
        assert not isinstance(found, Refusal)
        assert (found.cursor, found.kept) == (None, {})


def _edited(data: bytes, **changes: object) -> bytes:
    return json.dumps({**json.loads(data), **changes}).encode()


def _with(**changes: object) -> bytes:
    whole = json.loads(kept_bytes({"data/x": ENTRY}))
    whole["kept"]["data/x"].update(changes)
    return json.dumps(whole).encode()


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"{",
        b"null",
        b"[]",
        b"\xff\xfe",
        b"<<<<<<< HEAD\n",
        b"{}",
        _edited(cursor_bytes(HERE), version=2),
        _edited(cursor_bytes(HERE), commit="main"),
        _edited(cursor_bytes(HERE), commit="A" * 40),
        _edited(cursor_bytes(HERE), repository="acme/platform"),
        _edited(cursor_bytes(HERE), repository=123),
        _edited(cursor_bytes(HERE), kit="1"),
        _edited(cursor_bytes(HERE), kit={"renderer": "1", "digest": "b" * 64}),
        _edited(cursor_bytes(HERE), kit={"renderer": True, "digest": "b" * 64}),
        _edited(cursor_bytes(HERE), kit={"renderer": 1}),
    ],
)
def test_a_cursor_that_cannot_be_read_is_refused_and_named(data: bytes) -> None:
    found = read_actual(MemoryTree({CURSOR: data, KEPT: kept_bytes({})}))
    assert isinstance(found, Refusal)
    assert [(problem.code, problem.path) for problem in found.problems] == [("CW0801", CURSOR)]


@pytest.mark.parametrize(
    "data",
    [
        None,
        b"",
        b"{",
        b"null",
        b"[]",
        b"{}",
        _edited(kept_bytes({}), version=2),
        _edited(kept_bytes({}), kept=[]),
        _edited(kept_bytes({}), kept={"data/x": None}),
        _with(reason="because"),
        _with(kind="symlink"),
        _with(id="HEAD"),
        _with(commit=None),
        _with(unit=7),
        _edited(kept_bytes({}), kept={"../x": json.loads(_with())["kept"]["data/x"]}),
        _edited(kept_bytes({}), kept={"a/../../x": json.loads(_with())["kept"]["data/x"]}),
        _edited(kept_bytes({}), kept={".git/config": json.loads(_with())["kept"]["data/x"]}),
        _edited(kept_bytes({}), kept={"": json.loads(_with())["kept"]["data/x"]}),
    ],
)
def test_kept_that_cannot_be_read_is_refused_and_named(data: bytes | None) -> None:
    files = {CURSOR: cursor_bytes(HERE), **({KEPT: data} if data is not None else {})}
    found = read_actual(MemoryTree(files))
    assert isinstance(found, Refusal)
    assert [(problem.code, problem.path) for problem in found.problems] == [("CW0801", KEPT)]


def test_a_merge_conflict_in_the_cursor_stops_the_delivery() -> None:
    world = Delivery()
    world.land({**PLATFORM, **service("a")})
    world.foreign({CURSOR: b"<<<<<<< HEAD\n"})
    found = read_actual(world.head)
    assert isinstance(found, Refusal)
    assert codes(refused(found)) == ["CW0801"]


def test_every_reason_is_known() -> None:
    reasons: tuple[Reason, ...] = ("data", "draining", "refused", "held")
    for reason in reasons:
        entry = KeptEntry(None, "file", reason, Oid("d" * 40), "x")
        found = read_actual(MemoryTree({CURSOR: cursor_bytes(HERE), KEPT: kept_bytes({"a": entry})}))
        assert not isinstance(found, Refusal)
        assert found.kept == {"a": entry}
