"""Git trees as values: content-addressed, lazy, and computed here without git where only the id is wanted."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from hashlib import sha1
from typing import Literal, NewType, Protocol

Oid = NewType("Oid", str)
"""A git object id: 40 lower-case hexadecimal digits."""

Kind = Literal["file", "folder", "symlink", "submodule"]

NO_OID = Oid("")
"""Where there is no object to name."""

EMPTY_TREE = Oid("4b825dc642cb6eb9a060e54bf8d69288fbee4904")
_MODES: Mapping[Kind, bytes] = {"file": b"100644", "folder": b"40000", "symlink": b"120000", "submodule": b"160000"}

_PART = r"(?!\.{1,2}(?:/|\Z)|(?i:\.git|git~1)[ .]*(?:/|\Z))[^/\\\0\ud800-\udfff]+"
_SAFE = re.compile(rf"{_PART}(?:/{_PART})*")


@dataclass(frozen=True, slots=True)
class Entry:
    """One name in a folder."""

    kind: Kind
    id: Oid


class Tree(Protocol):
    """A whole directory tree that never changes. Paths are relative, `/`-separated, without `.` or `..`."""

    @property
    def id(self) -> Oid:
        """The git tree id of the root."""

    def list(self, folder: str) -> Mapping[str, Entry]:
        """The names directly in `folder` (`""` is the root), in git's order; empty where there is no such folder."""

    def rows(self, folder: str) -> bytes:
        """The folder as git stores it: `<mode> <name>NUL<20 bytes>` a row, in git's order; empty where none is."""

    def get(self, path: str) -> Entry | None:
        """What stands at `path`, without listing its folder; None where nothing does."""

    def read(self, path: str) -> bytes:
        """The bytes of a regular file; KeyError for anything else."""


def blob_id(data: bytes) -> Oid:
    """The id git gives to a file with these bytes."""
    return Oid(sha1(b"blob %d\0" % len(data) + data, usedforsecurity=False).hexdigest())


def tree_rows(entries: Mapping[str, Entry]) -> bytes:
    """A folder with these names as git stores it."""
    rows = sorted(
        (raw_of(name) + (b"/" if entry.kind == "folder" else b""), raw_of(name), entry)
        for name, entry in entries.items()
    )
    return b"".join(_MODES[entry.kind] + b" " + name + b"\0" + bytes.fromhex(entry.id) for _, name, entry in rows)


def tree_id(entries: Mapping[str, Entry]) -> Oid:
    """The id git gives to a folder with these names."""
    body = tree_rows(entries)
    return Oid(sha1(b"tree %d\0" % len(body) + body, usedforsecurity=False).hexdigest())


def folder_id(files: Mapping[str, bytes]) -> Oid:
    """The id of a folder that holds `files`, given by path relative to it."""
    return MemoryTree(files).id


def safe_path(path: str) -> bool:
    """True for a path that may be written: relative, no empty part, `.`, `..`, `.git` (in any spelling that some file
    system takes for it), NUL, backslash, and nothing that UTF-8 cannot say."""
    return _SAFE.fullmatch(path) is not None


def name_of(raw: bytes) -> str:
    """How a tree names what a repository calls `raw`. A name that is not UTF-8, or that a forged tree made `..` or gave
    a `/`, is followed by NUL and its bytes in hexadecimal: no real name holds NUL, so it equals no other, no rule lets
    it pass, and it can still be read."""
    shown = raw.decode(errors="replace")
    if shown.encode() == raw and b"/" not in raw and raw not in (b".", b".."):
        return shown
    return shown.replace("/", "\ufffd") + "\0" + raw.hex()


def raw_of(name: str) -> bytes:
    """The bytes that `name_of` was given; ValueError for a name that it never gives."""
    if "\0" in name:
        return bytes.fromhex(name.rpartition("\0")[2])
    return name.encode()


def walk(tree: Tree, folder: str = "") -> Iterator[tuple[str, Entry]]:
    """Every entry below `folder` that is not a folder itself, by full path, in git's order."""
    for name, entry in tree.list(folder).items():
        path = f"{folder}/{name}" if folder else name
        if entry.kind == "folder":
            yield from walk(tree, path)
        else:
            yield path, entry


class MemoryTree:
    """A tree made from a mapping of path to bytes; regular files only."""

    __slots__ = ("_files", "_folders", "_root", "_rows")

    def __init__(self, files: Mapping[str, bytes]) -> None:
        self._files = dict(files)
        self._rows: dict[str, bytes] = {}
        self._folders: dict[str, dict[str, Entry]] = {"": {}}
        for path in self._files:
            for parent in _parents(path):
                self._folders.setdefault(parent, {})
        for path, data in self._files.items():
            parent, _, name = path.rpartition("/")
            self._folders[parent][name] = Entry("file", blob_id(data))
        for path in sorted(self._folders, key=lambda p: -p.count("/")):
            if path:
                parent, _, name = path.rpartition("/")
                self._folders[parent][name] = Entry("folder", tree_id(self._folders[path]))
        self._root = tree_id(self._folders[""])

    @property
    def id(self) -> Oid:
        return self._root

    def rows(self, folder: str) -> bytes:
        if folder not in self._rows:
            self._rows[folder] = tree_rows(self._folders.get(folder, {}))
        return self._rows[folder]

    def list(self, folder: str) -> Mapping[str, Entry]:
        found = self._folders.get(folder, {})
        return {name: found[name] for name in sorted(found, key=lambda n: n + "/" * (found[n].kind == "folder"))}

    def get(self, path: str) -> Entry | None:
        if path == "":
            return Entry("folder", self._root)
        parent, _, name = path.rpartition("/")
        return self._folders.get(parent, {}).get(name)

    def read(self, path: str) -> bytes:
        return self._files[path]


def _parents(path: str) -> Iterable[str]:
    while "/" in path:
        path = path.rpartition("/")[0]
        yield path
    yield ""
