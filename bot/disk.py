"""Plain folders: one read as a tree (`causeway check DIR`, without git), one written (`causeway render -o OUT`)."""

from __future__ import annotations

import os
import shutil
import stat
from collections.abc import Mapping
from pathlib import Path
from uuid import uuid4

from bot.core.tree import Entry, Oid, blob_id, name_of, raw_of, safe_path, tree_id, tree_rows
from bot.ports import OutsideWorldError

LISTING = ".causeway-render"
"""In a folder that `write_out` wrote: the paths it wrote, one a line."""

_PART = ".causeway-part-"


class DiskTree:
    """A folder as `core.tree.Tree`, as it stands when each name is first asked for: an answer, once given, stays.

    Symbolic links are entries of that kind and are never followed, below the root; `.git` is left out wherever it
    stands, and so is what git could not hold: sockets, devices, folders without files. Ids are git's own, but every
    regular file counts as not executable. `OutsideWorldError` for what may not be read, or changed since its id was
    given.
    """

    __slots__ = ("_entries", "_folders", "_root")

    def __init__(self, root: Path) -> None:
        """NotADirectoryError where `root` is no folder."""
        self._root = os.fsencode(root.resolve())
        if not root.is_dir():
            raise NotADirectoryError(f"{root} is not a folder")
        self._folders: dict[str, Mapping[str, Entry]] = {}
        self._entries: dict[str, Entry | None] = {}

    @property
    def id(self) -> Oid:
        return tree_id(self.list(""))

    def list(self, folder: str) -> Mapping[str, Entry]:
        if folder not in self._folders:
            real = folder == "" or (_plain(folder) and self._mode(folder) == stat.S_IFDIR)
            self._folders[folder] = self._scanned(folder) if real else {}
        return dict(self._folders[folder])

    def rows(self, folder: str) -> bytes:
        return tree_rows(self.list(folder))

    def get(self, path: str) -> Entry | None:
        if path == "":
            return Entry("folder", self.id)
        if not _plain(path):
            return None
        if path not in self._entries:
            self._entries[path] = self._entry(path, self._mode(path))
        return self._entries[path]

    def read(self, path: str) -> bytes:
        entry = self.get(path)
        if entry is None or entry.kind != "file":
            raise KeyError(path)
        data = self._bytes(path)
        if blob_id(data) != entry.id:
            raise OutsideWorldError(f"{path} was changed while it was being read; run the command again")
        return data

    def _scanned(self, folder: str) -> Mapping[str, Entry]:
        try:
            names = [name_of(raw) for raw in os.listdir(self._at(folder))]  # noqa: PTH208 - names as bytes
        except OSError as error:
            raise OutsideWorldError(f"{folder or '.'} cannot be read: {error.strerror}") from error
        found: dict[str, Entry] = {}
        for name in names:
            entry = self.get(f"{folder}/{name}" if folder else name)
            if entry is not None:
                found[name] = entry
        return dict(sorted(found.items(), key=lambda row: raw_of(row[0]) + b"/" * (row[1].kind == "folder")))

    def _entry(self, path: str, mode: int) -> Entry | None:
        if mode == stat.S_IFREG:
            return Entry("file", blob_id(self._bytes(path)))
        if mode == stat.S_IFLNK:
            return Entry("symlink", blob_id(os.readlink(self._at(path))))  # noqa: PTH115 - as bytes
        if mode == stat.S_IFDIR and (names := self.list(path)):
            return Entry("folder", tree_id(names))
        return None

    def _mode(self, path: str) -> int:
        """The kind of file at `path`, 0 for nothing or for something behind a link."""
        parts = path.split("/")
        for depth in range(1, len(parts) + 1):
            try:
                found = stat.S_IFMT(os.lstat(self._at("/".join(parts[:depth]))).st_mode)
            except (FileNotFoundError, NotADirectoryError):
                return 0
            except OSError as error:
                raise OutsideWorldError(f"{path} cannot be read: {error.strerror}") from error
            if depth < len(parts) and found != stat.S_IFDIR:
                return 0
        return found

    def _bytes(self, path: str) -> bytes:
        try:
            with open(os.open(self._at(path), os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC), "rb") as file:  # noqa: PTH123
                return file.read()
        except OSError as error:
            raise OutsideWorldError(f"{path} cannot be read: {error.strerror}") from error

    def _at(self, path: str) -> bytes:
        return b"/".join([self._root, *map(raw_of, path.split("/"))]) if path else self._root


def _plain(path: str) -> bool:
    try:
        parts = [raw_of(part) for part in path.split("/")]
    except ValueError:
        return False
    return all(
        part not in (b"", b".", b"..", b".git") and b"/" not in part and b"\0" not in part and name_of(part) == name
        for part, name in zip(parts, path.split("/"), strict=True)
    )


def write_out(folder: Path, files: Mapping[str, bytes], replace: bool = False) -> None:
    """Makes `folder` hold exactly `files` (by relative path) and a listing of them, `LISTING`.

    FileExistsError, and nothing written, where something stands there that an earlier call did not write, unless
    `replace` says that it may go; a git repository never goes. Each file appears whole; when a call is cut short, the
    next one still knows what is ours. ValueError for a path that may not be written.
    """
    for path in files:
        if not safe_path(path) or "\n" in path or path == LISTING:
            raise ValueError(f"not a path that may be written: {path[:200]!r}")
    folder = folder.resolve()
    if folder.exists() and not folder.is_dir():
        raise FileExistsError(f"{folder} is a file, not a folder; name another")
    folder.mkdir(parents=True, exist_ok=True)
    if (folder / ".git").exists():
        raise FileExistsError(f"{folder} is a git repository, which a render would empty; name a folder of its own")
    ours = _listed(folder)
    foreign, broken = _foreign(folder, ours)
    if foreign and not replace:
        shown = ", ".join(foreign[:3]) + (f" and {len(foreign) - 3} more" if len(foreign) > 3 else "")
        raise FileExistsError(
            f"{folder} holds files that no render wrote ({shown}); name another folder, or say that they may go"
        )
    _remove(folder, foreign + broken)
    _put(folder / LISTING, "".join(f"{path}\n" for path in sorted(ours | files.keys())).encode())
    _remove(folder, sorted(ours - files.keys()))
    for path, data in files.items():
        target = folder / path
        target.parent.mkdir(parents=True, exist_ok=True)
        if target.is_dir():
            shutil.rmtree(target)
        _put(target, data)
    _put(folder / LISTING, "".join(f"{path}\n" for path in sorted(files)).encode())


def _listed(folder: Path) -> frozenset[str]:
    listing = folder / LISTING
    if listing.is_symlink() or not listing.is_file():
        return frozenset()
    return frozenset(line for line in listing.read_text("utf-8", "replace").split("\n") if safe_path(line))


def _foreign(folder: Path, ours: frozenset[str]) -> tuple[list[str], list[str]]:
    """What stands in `folder` and is not ours, by relative path, and what calls that were cut short left in the middle
    of a file. Links to folders are not followed."""
    foreign: list[str] = []
    broken: list[str] = []
    for place, folders, names in os.walk(folder):
        links = [name for name in folders if Path(place, name).is_symlink()]
        for name in [*links, *names]:
            path = Path(place, name).relative_to(folder).as_posix()
            if name.startswith(_PART):
                broken.append(path)
            elif path != LISTING and (path not in ours or name in links):
                foreign.append(path)
    return sorted(foreign), sorted(broken)


def _remove(folder: Path, paths: list[str]) -> None:
    """Removes files, and the folders that they leave empty."""
    for path in paths:
        target = folder / path
        target.unlink(missing_ok=True)
        for parent in target.parents:
            if parent == folder or not parent.is_dir() or any(parent.iterdir()):
                break
            parent.rmdir()


def _put(target: Path, data: bytes) -> None:
    part = target.with_name(f"{_PART}{uuid4().hex}")
    try:
        part.write_bytes(data)
        part.replace(target)
    finally:
        part.unlink(missing_ok=True)
