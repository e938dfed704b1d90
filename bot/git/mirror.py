"""One bare repository on this disk that mirrors one at a forge, and everything that flows ask of git.

It is a cache: whatever is in it can be fetched or computed again, so a mirror that cannot be read is thrown away and
made anew. Nothing has a work tree, no hook runs, and nothing is collected while a commit waits to be pushed.
"""

from __future__ import annotations

import shutil
import time as clock
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TypeVar
from uuid import uuid4

from bot.core.model.delivery import Edit
from bot.core.tree import Oid, Tree
from bot.git import transport, writing
from bot.git.command import Limits, Ran, git, require_git
from bot.git.locks import STALE, clear_stale_locks, held
from bot.git.names import full_ref, is_sha, remote_base, sha
from bot.git.store import DAMAGED, PygitTree, Store
from bot.git.transport import DamagedError
from bot.ports import Commit, Conflict, GitRemote, OutsideWorldError, Pushed

_Answer = TypeVar("_Answer")

# Written into the mirror as well, for the person who runs git in it by hand.
_CONFIG = "[gc]\n\tauto = 0\n[maintenance]\n\tauto = false\n[core]\n\thooksPath = /dev/null\n"


class Mirror:
    """`bot.ports.Git` over the bare repository `path`, which is made on first use. Several processes may use one path.

    ValueError for refs, ids, paths and URLs that are not what they should be: those are mistakes of the caller.
    """

    def __init__(self, path: Path, limits: Limits | None = None) -> None:
        self._path = path.absolute()
        self._limits = limits or Limits()
        self._lock = self._path.with_name(f"{self._path.name}.lock")
        self._opened: Store | None = None

    @property
    def path(self) -> str:
        return str(self._path)

    def fetch(self, remote: GitRemote, refs: Sequence[str]) -> Mapping[str, Oid | None]:
        names = tuple(dict.fromkeys(name if is_sha(name) else full_ref(name) for name in refs))
        remote_base(remote.url)
        if not names:
            return {}
        return self._mended(lambda: transport.fetch(self._path, remote, names, self._limits))

    def heads(self, remote: GitRemote) -> Mapping[str, Oid]:
        remote_base(remote.url)
        require_git()
        return transport.heads(remote, self._limits)

    def tree(self, oid: Oid) -> Tree:
        return self._store().tree(oid)

    def commit(self, oid: Oid) -> Commit:
        return self._store().commit(oid)

    def merge_tree(self, base: Oid, head: Oid) -> Oid | Conflict:
        """As the port says; a `Conflict` without paths where the two have no history in common."""
        self._known(base, head)
        ran = self._local(["merge-tree", "--write-tree", "-z", "--name-only", "--no-messages", base, head])
        first, *paths = ran.out.decode(errors="replace").split("\0")
        if ran.code == 0 and is_sha(first):
            return Oid(first)
        if ran.code == 1 and is_sha(first):
            return Conflict(tuple(sorted({path for path in paths if path})))
        if "unrelated histories" in ran.err:
            return Conflict(())
        raise self._failed("merge-tree", ran)

    def first_parents(self, older: Oid, newer: Oid) -> tuple[Commit, ...] | None:
        """KeyError where one of them is not in the mirror."""
        self._known(older, newer)
        if older == newer:
            return ()
        ran = self._local(["rev-list", "--first-parent", "--reverse", newer, f"^{older}"])
        if ran.code != 0:
            raise self._failed("rev-list", ran)
        # Git leaves out all that `older` reaches, also by a second parent (a foxtrot merge): what is left proves that
        # `older` is on the line only if it is the first parent of the oldest.
        line = tuple(self.commit(Oid(oid)) for oid in ran.out.decode().split())
        return line if line and line[0].parents[:1] == (older,) else None

    def is_ancestor(self, older: Oid, newer: Oid) -> bool:
        """KeyError where one of them is not in the mirror."""
        self._known(older, newer)
        ran = self._local(["merge-base", "--is-ancestor", older, newer])
        if ran.code not in (0, 1):
            raise self._failed("merge-base", ran)
        return ran.code == 0

    def write(self, parent: Oid | None, edits: Mapping[str, Edit], message: str, time: int) -> Oid:
        """As `bot.git.writing.write` says. The same arguments give the same id on every machine."""
        return writing.write(self._store(), self._path, parent, edits, message, time)

    def packing(self) -> writing.Packing:
        """Takes files and folders that a later commit will name by id."""
        return writing.Packing(self._store(), self._path)

    def has(self, oid: Oid) -> bool:
        """True where the object is here."""
        return self._store().has(oid)

    def push(self, remote: GitRemote, ref: str, new: Oid, lease: Oid | None) -> Pushed:
        """As the port says; also `refused` where `new` does not descend from `lease`. `OutsideWorldError` where the
        remote's own rules refuse the push or its credential: looking again would not help."""
        remote_base(remote.url)
        full_ref(ref)
        self.commit(sha(new))
        if lease is not None and not self.is_ancestor(sha(lease), new):
            return "refused"
        return transport.push(self._path, remote, ref, new, lease, self._limits)

    def tidy(self) -> None:
        """Packs what many fetches and commits left in small pieces, and removes what killed processes left. Loses no
        object, pushed or not; safe beside readers and writers. Cheap where there is little to do: call it now and then.
        """
        with self._shared():
            clear_stale_locks(self._path)
            self._sweep_up()
            for arguments in (["pack-refs", "--all"], ["repack", "--geometric=2", "-d", "-q"]):
                ran = git(arguments, folder=self._path, limit=self._limits.clone)
                if ran.code != 0:
                    raise self._failed(arguments[0], ran)

    def _mended(self, act: Callable[[], _Answer]) -> _Answer:
        """Runs `act`; where the mirror turns out to be damaged, once more on a new one."""
        seen: int | None = None
        try:
            with self._shared():
                seen = self._path.stat().st_ino
                return act()
        except DamagedError:
            with held(self._lock, alone=True, limit=self._limits.clone):
                if self._path.stat().st_ino == seen:  # else another process has made it anew by now
                    self._make()
        with self._shared():
            return act()

    @contextmanager
    def _shared(self) -> Iterator[None]:
        """While it is held, the mirror is there and nobody throws it away."""
        self._ready()
        with held(self._lock, alone=False, limit=self._limits.clone):
            yield

    def _store(self) -> Store:
        if self._opened is None:
            self._ready()
            self._opened = Store(self._path)
        return self._opened

    def _ready(self) -> None:
        require_git()
        if self._usable():
            return
        with held(self._lock_file(), alone=True, limit=self._limits.clone):
            if not self._usable():
                self._make()

    def _usable(self) -> bool:
        return (self._path / "HEAD").exists() and not (self._path / DAMAGED).exists()

    def _lock_file(self) -> Path:
        try:
            self._lock.parent.mkdir(parents=True, exist_ok=True)
        except OSError as refused:
            why = f"{refused.strerror}; the folder must be one that this process may write"
            raise OutsideWorldError(f"no mirror can be made at {self._path}: {why}") from refused
        return self._lock

    def _make(self) -> None:
        # Made aside and moved in, so that a process that is killed here leaves the old mirror, none, or a whole one.
        for word in ("new", "old"):
            for left in self._path.parent.glob(f"{self._path.name}.{word}-*"):
                shutil.rmtree(left, ignore_errors=True)
        new, old = (self._path.with_name(f"{self._path.name}.{word}-{uuid4().hex}") for word in ("new", "old"))
        ran = git(["init", "--bare", "--quiet", "--template=", "--initial-branch=main", str(new)], limit=60)
        if ran.code != 0:
            raise OutsideWorldError(f"no mirror can be made at {self._path}: {ran.why}")
        with (new / "config").open("a") as config:
            config.write(_CONFIG)
        if self._path.exists():
            self._path.rename(old)
        new.rename(self._path)
        shutil.rmtree(old, ignore_errors=True)
        self._opened = None

    def _sweep_up(self) -> None:
        end = clock.time() - STALE
        pack = self._path / "objects" / "pack"
        for left in [*pack.glob("tmp_*"), *pack.glob(".tmp-*")]:
            if left.stat().st_mtime < end:
                left.unlink(missing_ok=True)
        transport.forget_fetches(self._path, end, self._limits)

    def _local(self, arguments: Sequence[str]) -> Ran:
        return git(arguments, folder=self._path, limit=self._limits.local)

    def _known(self, *oids: Oid) -> None:
        for oid in oids:
            self.commit(oid)

    def _failed(self, what: str, ran: Ran) -> OutsideWorldError:
        error = transport.failure(what, ran)
        if isinstance(error, DamagedError):
            (self._path / DAMAGED).touch()
        return error


def open_tree(path: str, oid: Oid) -> PygitTree:
    """The tree of a commit or tree id in the mirror at `path` (`Git.path`), for a process that only reads. Needs no
    git command and no network. KeyError where it is not there, `DamagedError` where the mirror cannot be read."""
    return Store(Path(path)).tree(oid)
