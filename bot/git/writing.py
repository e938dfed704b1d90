"""A commit from a parent and edits: only the folders on the way to an edit are read and built anew.

Trees are built from git's own rows and not by an index: an index costs every path of the repository, this costs the
names of the folders that change.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from hashlib import sha1
from pathlib import Path

from bot.core.model.delivery import Edit
from bot.core.model.render import Item
from bot.core.tree import EMPTY_TREE, Oid, safe_path
from bot.git.names import sha
from bot.git.pack import write_packs
from bot.git.store import Store
from bot.ports import OutsideWorldError

BOT = b"Causeway <causeway@users.noreply.invalid>"
MANY = 400
"""From this number of objects on, one pack is cheaper than loose files."""

_PACKED_AT_ONCE = 64 * 1024 * 1024
"""Bytes of content that wait in memory for a pack."""

_COMMIT, _TREE, _BLOB = 1, 2, 3
_FILE, _FOLDER = b"100644", b"40000"
_NOTHING = bytes.fromhex(EMPTY_TREE)


@dataclass(slots=True)
class _Folder:
    """What is to become of one folder. `fresh`: nothing that stood there stays; `whole`: one edit says all of it."""

    fresh: bool = False
    whole: bool = False
    names: dict[bytes, _Folder | bytes | Oid | None] = field(default_factory=dict)


def write(store: Store, mirror: Path, parent: Oid | None, edits: Mapping[str, Edit], message: str, time: int) -> Oid:
    """The commit on `parent` (None: the first of all) with `edits` applied; objects only, no ref moves.

    Removals apply first, so `{"a": None, "a/b": b"…"}` turns a file into a folder. Folders that lose everything vanish.
    ValueError, and nothing written, for an unsafe path, an edit inside another edit, a path through something that is
    not a folder, or a message with NUL. KeyError for an id that is not here; ValueError where it is no file or folder.
    """
    if "\0" in message:
        raise ValueError("a commit message holds no NUL")
    top = _Folder()
    for path, edit in edits.items():
        if not safe_path(path):
            raise ValueError(f"not a path that may be written: {path[:200]!r}")
        _place(top, path, edit)
    building = _Building(store)
    standing = store.commit(parent).tree if parent is not None else None
    root = building.folder(top, standing, "") or building.add(_TREE, b"")
    who = b"%s %d +0000" % (BOT, time)
    lines = [b"tree " + root.hex().encode()]
    lines += [b"parent " + parent.encode()] if parent is not None else []
    lines += [b"author " + who, b"committer " + who, b"", message.rstrip("\n").encode() + b"\n"]
    commit = building.add(_COMMIT, b"\n".join(lines))
    building.store(mirror)
    return Oid(commit.hex())


class Packing:
    """Files and whole folders that a later commit will name by id. They come into the mirror in packs, each of which
    holds all that is in its folders."""

    def __init__(self, store: Store, mirror: Path) -> None:
        self._building = _Building(store)
        self._mirror = mirror
        self._size = 0

    def add(self, files: Mapping[str, bytes], items: Iterable[Item]) -> None:
        """`items` are files and folders of `files`, by path and id. ValueError where an id is not that of the bytes."""
        for item in items:
            if item.kind == "file":
                made = self._building.add(_BLOB, files[item.path])
            else:
                inside = f"{item.path}/"
                inner = {path[len(inside) :]: data for path, data in files.items() if path.startswith(inside)}
                made = self._building.folder(_whole(item.path, inner), None, "") or b""
            if made.hex() != item.id:
                raise ValueError(f"{item.path} is not {item.id}")
        self._size += sum(map(len, files.values()))
        if self._size > _PACKED_AT_ONCE:
            self.end()

    def end(self) -> None:
        """What was added is in the mirror. `OutsideWorldError` where the disk refuses."""
        self._building.store(self._mirror)
        self._size = 0


def _place(top: _Folder, path: str, edit: Edit) -> None:
    """Puts one edit into the tree of edits, whatever the order in which they come."""
    *parents, name = path.encode().split(b"/")
    here = top
    for part in parents:
        if part not in here.names:
            here.names[part] = _Folder()
        elif here.names[part] is None:
            here.names[part] = _Folder(fresh=True)
        below = here.names[part]
        if not isinstance(below, _Folder) or below.whole:
            raise ValueError(f"{path!r} is inside of another edit")
        here = below
    other = here.names.get(name)
    if isinstance(other, _Folder) and edit is None and not other.fresh:
        other.fresh = True
    elif other is not None:
        raise ValueError(f"there are other edits inside of {path!r}")
    elif isinstance(edit, Mapping):
        here.names[name] = _whole(path, edit)
    else:
        here.names[name] = edit


def _whole(path: str, files: Mapping[str, bytes]) -> _Folder:
    folder = _Folder(fresh=True)
    for inner, data in files.items():
        if not safe_path(inner):
            raise ValueError(f"not a path that may be written in {path!r}: {inner[:200]!r}")
        _place(folder, inner, data)
    folder.whole = True
    return folder


class _Building:
    """The objects of one commit to be, bottom up. Nothing reaches the disk before all of them are known."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._new: dict[bytes, tuple[int, bytes]] = {}

    def folder(self, plan: _Folder, standing: Oid | None, path: str) -> bytes | None:
        """The raw id of the folder that `plan` makes of `standing`, None where nothing is left in it."""
        rows = {} if standing is None or plan.fresh else self._rows(standing)
        for name, wish in plan.names.items():
            row = self._row(name, wish, rows.get(name), path)
            if row is None:
                rows.pop(name, None)
            else:
                rows[name] = row
        if not rows:
            return None
        ordered = sorted(rows.items(), key=_git_order)
        return self.add(_TREE, b"".join([b"%s %s\0%s" % (mode, name, oid) for name, (mode, oid) in ordered]))

    def _row(
        self, name: bytes, wish: _Folder | bytes | Oid | None, old: tuple[bytes, bytes] | None, path: str
    ) -> tuple[bytes, bytes] | None:
        if wish is None:
            return None
        if isinstance(wish, bytes):
            return _FILE, self.add(_BLOB, wish)
        if isinstance(wish, str):
            return self._existing(sha(wish))
        inner = f"{path}/{name.decode()}" if path else name.decode()
        if old is None or wish.fresh or old[0] == _FOLDER:
            made = self.folder(wish, Oid(old[1].hex()) if old is not None and not wish.fresh else None, inner)
            return None if made is None else (_FOLDER, made)
        if self.folder(wish, None, inner) is not None:
            raise ValueError(f"{inner!r} is not a folder; remove it in the same commit to write inside")
        return old

    def _existing(self, oid: Oid) -> tuple[bytes, bytes] | None:
        if oid == EMPTY_TREE:
            return None
        kind = self._store.kind(oid)
        if kind is None:
            raise ValueError(f"{oid} is neither a file nor a folder")
        return (_FOLDER if kind == "folder" else _FILE), bytes.fromhex(oid)

    def _rows(self, standing: Oid) -> dict[bytes, tuple[bytes, bytes]]:
        data = self._store.inside(lambda: self._store.rows(standing))
        rows: dict[bytes, tuple[bytes, bytes]] = {}
        at = 0
        while at < len(data):
            end = data.index(b"\0", at)
            mode, _, name = data[at:end].partition(b" ")
            at = end + 21
            # Very old repositories hold modes with a leading zero.
            rows[name] = mode.lstrip(b"0"), data[end + 1 : at]
        return rows

    def add(self, kind: int, data: bytes) -> bytes:
        """Remembers an object; its raw id."""
        head = b"%s %d\0" % ({_COMMIT: b"commit", _TREE: b"tree", _BLOB: b"blob"}[kind], len(data))
        digest = sha1(head, usedforsecurity=False)
        digest.update(data)
        oid = digest.digest()
        self._new[oid] = (kind, data)
        return oid

    def store(self, mirror: Path) -> None:
        """Writes what was added. `OutsideWorldError` where the disk refuses."""
        if len(self._new) < MANY:
            for kind, data in self._new.values():
                self._store.write(kind, data)
        else:
            try:
                write_packs(mirror / "objects" / "pack", self._new)
            except OSError as error:
                raise OutsideWorldError(f"the mirror {mirror} cannot be written: {error}") from error
        self._new = {}


def _git_order(row: tuple[bytes, tuple[bytes, bytes]]) -> bytes:
    name, (mode, _) = row
    return name + b"/" if mode == _FOLDER else name
