"""The only file that reads a mirror's objects: commits and trees as values, by pygit2, without the network.

It may be used by another process than the one that fetches: a reader that misses an object looks again at what is on
disk, so objects written by others are found.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TypeVar, cast

import pygit2

from bot.core.tree import Entry, Kind, Oid, name_of
from bot.git.names import is_sha
from bot.git.transport import DamagedError
from bot.ports import Commit, OutsideWorldError

DAMAGED = "causeway-damaged"
"""A file in a mirror that says: whoever fetches next makes it anew."""

_KINDS: Mapping[int, Kind] = {0o040000: "folder", 0o120000: "symlink", 0o160000: "submodule"}
_PLAIN = re.compile(r"(?!\.{1,2}(?:/|\Z))[^/\ud800-\udfff]+(?:/(?!\.{1,2}(?:/|\Z))[^/\ud800-\udfff]+)*")
_Object = pygit2.Commit | pygit2.Tree | pygit2.Blob | pygit2.Tag
_Found = TypeVar("_Found")

# libgit2 forgets every tree above 4 KiB; a folder of 5,000 services would be parsed again for each of them.
pygit2.settings.cache_object_limit(pygit2.enums.ObjectType.TREE, 2**20)
# A clone that another user owns (a checkout mounted into a container) may be read: objects alone are, and libgit2 runs
# no program that a repository's configuration names.
pygit2.settings.owner_validation = False
# As for the git command: nothing of the machine's own configuration.
for _level in (
    pygit2.enums.ConfigLevel.GLOBAL,
    pygit2.enums.ConfigLevel.XDG,
    pygit2.enums.ConfigLevel.SYSTEM,
    pygit2.enums.ConfigLevel.PROGRAMDATA,
):
    pygit2.settings.search_path[_level] = ""


_WIDE = 64 * 1024
_WIDE_KEPT = 4
"""Trees of more bytes than that are kept unpacked, the newest few."""


class Store:
    """The objects of one mirror. KeyError for what it does not have, `DamagedError` for what it cannot read; the damage
    is noted in the mirror, too."""

    __slots__ = ("_folder", "_inode", "_repo", "_wide")

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._wide: dict[Oid, bytes] = {}
        self._open()

    def _open(self) -> None:
        try:
            self._inode = self._folder.stat().st_ino
            self._repo = pygit2.Repository(str(self._folder), pygit2.enums.RepositoryOpenFlag.BARE)
        except (pygit2.GitError, FileNotFoundError) as error:
            raise DamagedError(f"{self._folder} is no git repository: {error}") from error

    def blob(self, oid: Oid) -> bytes:
        """The content of a file; KeyError for anything else."""
        return self._raw(oid, pygit2.GIT_OBJECT_BLOB)

    def rows(self, oid: Oid) -> bytes:
        """The content of a tree object as git stores it; KeyError for anything else."""
        found = self._wide.get(oid)
        if found is None:
            found = self._raw(oid, pygit2.GIT_OBJECT_TREE)
            if len(found) > _WIDE:
                # The folder of all services: unpacking it took milliseconds, for each pull request on the same base.
                self._wide = {**dict(list(self._wide.items())[1 - _WIDE_KEPT :]), oid: found}
        return found

    def _raw(self, oid: Oid, kind: int) -> bytes:
        found, data = self.read(lambda: self._repo.read(oid))
        if found != kind:
            raise KeyError(oid)
        return data

    def has(self, oid: Oid) -> bool:
        """True where the object is here."""
        return self.read(lambda: oid in self._repo)

    def kind(self, oid: Oid) -> Kind | None:
        """`file` for a blob, `folder` for a tree, None for any other object. KeyError where there is none."""
        kinds: Mapping[int, Kind] = {pygit2.GIT_OBJECT_BLOB: "file", pygit2.GIT_OBJECT_TREE: "folder"}
        # Its head alone: a first delivery names tens of thousands of folders.
        return kinds.get(self.read(lambda: int(self._repo.odb.read_header(oid)[0])))

    def commit(self, oid: Oid) -> Commit:
        """KeyError where `oid` is no commit of this mirror."""
        found = self._object(oid)
        if not isinstance(found, pygit2.Commit):
            raise KeyError(oid)
        return Commit(
            id=Oid(str(found.id)),
            tree=Oid(str(found.tree_id)),
            parents=tuple(Oid(str(parent)) for parent in found.parent_ids),
            time=found.commit_time,
            author_name=found.author.raw_name.decode(errors="replace"),
            message=found.raw_message.decode(errors="replace"),
        )

    def tree(self, oid: Oid) -> PygitTree:
        """The tree of a commit or tree id; KeyError for anything else."""
        found = self._object(oid)
        if isinstance(found, pygit2.Commit):
            return PygitTree(self, self.inside(lambda: self.root(Oid(str(found.tree_id)))))
        if isinstance(found, pygit2.Tree):
            return PygitTree(self, found)
        raise KeyError(oid)

    def write(self, kind: int, data: bytes) -> None:
        """Adds a loose object. `OutsideWorldError` where the disk refuses it."""
        try:
            self._repo.odb.write(kind, data)
        except (pygit2.GitError, OSError) as error:
            raise OutsideWorldError(f"the mirror {self._folder} cannot be written: {error}") from error

    def root(self, oid: Oid) -> pygit2.Tree:
        """A tree object; KeyError for anything else."""
        found = self._object(oid)
        if not isinstance(found, pygit2.Tree):
            raise KeyError(oid)
        return found

    def _object(self, oid: Oid) -> _Object:
        if not is_sha(oid):
            raise KeyError(oid)
        try:
            return self.read(lambda: cast(_Object, self._repo[oid]))
        except KeyError:
            if not self._replaced():
                raise
            self._open()
            return self.read(lambda: cast(_Object, self._repo[oid]))

    def inside(self, read: Callable[[], _Found]) -> _Found:
        """What `read` gives from inside of an object that is here: a part that is missing then is damage."""
        try:
            return read()
        except KeyError as missing:
            raise self._damaged(f"it lacks the object {missing}") from missing

    def read(self, read: Callable[[], _Found]) -> _Found:
        """What `read` gives; KeyError where it asks for what is not here, damage where libgit2 fails."""
        try:
            return read()
        except KeyError:
            raise
        except (pygit2.GitError, OSError) as error:
            raise self._damaged(str(error)) from error

    def _damaged(self, why: str) -> DamagedError:
        # Without the note only this reader would know. Where it cannot be written, the error still tells its reader.
        try:
            if not self._replaced():
                (self._folder / DAMAGED).touch()
        except OSError as error:
            why = f"{why}; {error}"
        return DamagedError(f"the mirror {self._folder} cannot be read and is made anew by the next fetch: {why}")

    def _replaced(self) -> bool:
        """True where another process threw the mirror away and made it anew since it was opened here."""
        try:
            return self._folder.stat().st_ino != self._inode
        except FileNotFoundError:
            return True


class PygitTree:
    """A tree of a mirror as `core.tree.Tree`: lazy, and the same for ever. Names that are not UTF-8 are given as
    `core.tree.name_of` says, which no valid path equals. Executable files are files."""

    __slots__ = ("_root", "_store")

    def __init__(self, store: Store, root: pygit2.Tree) -> None:
        self._store = store
        self._root = root

    @property
    def id(self) -> Oid:
        return Oid(str(self._root.id))

    def list(self, folder: str) -> Mapping[str, Entry]:
        entry = self.get(folder)
        if entry is None or entry.kind != "folder":
            return {}
        return self._store.inside(lambda: self._rows(self._store.root(entry.id)))

    def rows(self, folder: str) -> bytes:
        entry = self.get(folder)
        return self._store.rows(entry.id) if entry is not None and entry.kind == "folder" else b""

    def get(self, path: str) -> Entry | None:
        if path == "":
            return Entry("folder", self.id)
        if "\0" in path:
            return self._odd(path)
        if not _PLAIN.fullmatch(path):
            return None
        try:
            return self._store.read(lambda: _entry(self._root[path]))
        except KeyError:
            return None

    def read(self, path: str) -> bytes:
        found = self.get(path)
        if found is None or found.kind != "file":
            raise KeyError(path)
        return self._store.inside(lambda: self._store.blob(found.id))

    def _odd(self, path: str) -> Entry | None:
        # A forged name may hold `/`, so such a path cannot be given to libgit2 whole. Rare, so it may be slow.
        folder, _, name = path.rpartition("/")
        return self.list(folder).get(name)

    def _rows(self, tree: pygit2.Tree) -> Mapping[str, Entry]:
        return {name_of(item.raw_name or b""): _entry(item) for item in tree}


def _entry(item: pygit2.Object) -> Entry:
    return Entry(_KINDS.get(item.filemode or 0, "file"), Oid(str(item.id)))
