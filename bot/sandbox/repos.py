"""Bare git repositories: everything that moves or reads a commit goes through here.

Merges are git's own (`merge-tree`, the same engine as `git merge`), without a work tree. Trees are written with
libgit2, which needs no process per commit.
"""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal

import pygit2

ZERO = "0" * 40
_SEPARATOR = "\x1f"

EntryKind = Literal["file", "dir", "symlink", "submodule"]
ChangeKind = Literal["added", "removed", "modified", "renamed"]
_KINDS: Mapping[int, EntryKind] = {0o040000: "dir", 0o120000: "symlink", 0o160000: "submodule"}
_CHANGES: Mapping[str, ChangeKind] = {"A": "added", "D": "removed", "R": "renamed"}


class GitError(Exception):
    """Git refused; the text is what it said."""


class ConflictError(Exception):
    """Two sides changed the same thing. `paths` are the files that conflict."""

    def __init__(self, paths: Sequence[str]) -> None:
        super().__init__(", ".join(paths))
        self.paths = tuple(paths)


@dataclass(frozen=True, slots=True)
class Who:
    """Author or committer of a commit."""

    name: str
    email: str


@dataclass(frozen=True, slots=True)
class CommitView:
    """A commit as git tells it. Dates are ISO 8601 in UTC."""

    sha: str
    tree: str
    parents: tuple[str, ...]
    author: Who
    author_date: str
    committer: Who
    committer_date: str
    message: str


@dataclass(frozen=True, slots=True)
class FileChange:
    """One file of a difference. `patch` is None for a binary file."""

    path: str
    old_path: str
    status: ChangeKind
    blob: str
    additions: int
    deletions: int
    patch: str | None


@dataclass(frozen=True, slots=True)
class TreeEntry:
    """A name in a folder. `size` is 0 for folders."""

    path: str
    kind: EntryKind
    sha: str
    size: int


def environment() -> dict[str, str]:
    """What git may see of this machine: nothing of the user's or the system's settings."""
    return {
        "PATH": os.environ.get("PATH", os.defpath),
        "HOME": os.devnull,
        "LC_ALL": "C",
        "GIT_CONFIG_NOSYSTEM": "1",
        "GIT_CONFIG_GLOBAL": os.devnull,
        "GIT_TERMINAL_PROMPT": "0",
    }


class GitFolder:
    """One bare repository on disk. Opened anew for each question, so moves by other processes are always seen."""

    def __init__(self, path: Path) -> None:
        self.path = path

    @classmethod
    def create(cls, path: Path, default_branch: str) -> GitFolder:
        """A new empty one, which takes pushes over HTTP and keeps `refs/pull/*` to itself."""
        made = cls(path)
        pygit2.init_repository(str(path), bare=True, initial_head=default_branch)
        config = pygit2.Repository(str(path)).config
        config["http.receivepack"] = "true"
        config["http.getanyfile"] = "false"
        config["receive.hideRefs"] = "refs/pull"
        config["uploadpack.allowAnySHA1InWant"] = "true"
        config["uploadpack.allowFilter"] = "true"
        config["core.hooksPath"] = os.devnull
        config["gc.auto"] = "0"
        return made

    def run(self, *args: str, given: str | None = None, who: tuple[Who, Who] | None = None) -> str:
        """The output of a git command here. Raises GitError with git's own words."""
        done = self._process(args, given, who)
        if done.returncode != 0:
            raise GitError(done.stderr.strip() or f"git {args[0]} answered {done.returncode}")
        return done.stdout

    def _process(
        self, args: Sequence[str], given: str | None, who: tuple[Who, Who] | None
    ) -> subprocess.CompletedProcess[str]:
        env = environment()
        if who is not None:
            author, committer = who
            env |= {"GIT_AUTHOR_NAME": author.name, "GIT_AUTHOR_EMAIL": author.email}
            env |= {"GIT_COMMITTER_NAME": committer.name, "GIT_COMMITTER_EMAIL": committer.email}
        return subprocess.run(  # noqa: S603
            ["git", f"--git-dir={self.path}", *args],  # noqa: S607
            input=given or "",
            capture_output=True,
            text=True,
            encoding="utf-8",
            errors="replace",
            env=env,
            check=False,
        )

    def _open(self) -> pygit2.Repository:
        return pygit2.Repository(str(self.path))

    def heads(self) -> dict[str, str]:
        """Every branch and its commit."""
        lines = self.run("for-each-ref", "--format=%(refname) %(objectname)", "refs/heads").splitlines()
        pairs = (line.rsplit(" ", 1) for line in lines)
        return {name.removeprefix("refs/heads/"): sha for name, sha in pairs}

    def resolve(self, name: str) -> str | None:
        """The commit that a branch, tag or (short) sha names; None for anything else."""
        if not name or name.startswith("-"):
            return None
        for spec in (f"refs/heads/{name}", f"refs/tags/{name}", name):
            done = self._process(("rev-parse", "--verify", "--quiet", f"{spec}^{{commit}}"), None, None)
            if done.returncode == 0:
                return done.stdout.strip()
        return None

    def has_commit(self, sha: str) -> bool:
        """True where this full sha is a commit here."""
        found = self._open().get(sha) if len(sha) == 40 else None
        return isinstance(found, pygit2.Commit)

    def valid_branch(self, name: str) -> bool:
        """True where git accepts this as the name of a branch."""
        return self._process(("check-ref-format", "--branch", name), None, None).returncode == 0

    def move(self, ref: str, new: str, old: str | None) -> bool:
        """Sets a full ref, only if it is `old` now (None: does not exist). False where it was not."""
        if new == ZERO:
            return self._process(("update-ref", "-d", ref, old or ""), None, None).returncode == 0
        return self._process(("update-ref", ref, new, old or ZERO), None, None).returncode == 0

    def force(self, ref: str, new: str) -> None:
        """Sets a full ref whatever it was."""
        self.run("update-ref", ref, new)

    def take(self, other: GitFolder, sha: str) -> None:
        """Brings a commit of another repository here, with its history; no ref moves."""
        if not self.has_commit(sha):
            self.run("fetch", "--quiet", "--no-tags", "--no-write-fetch-head", str(other.path), sha)

    def write_tree(self, start: str | None, edits: Mapping[str, bytes | None]) -> str:
        """The tree of commit `start` with files written, or removed where None."""
        repo = self._open()
        index = pygit2.Index()
        if start is not None:
            index.read_tree(repo[start].peel(pygit2.Tree))
        for path, data in edits.items():
            if data is None:
                index.remove(path)
            else:
                index.add(pygit2.IndexEntry(path, repo.create_blob(data), pygit2.enums.FileMode.BLOB))
        return str(index.write_tree(repo))

    def write_commit(self, tree: str, parents: Sequence[str], message: str, who: tuple[Who, Who]) -> str:
        """A commit object; no ref moves."""
        flags = [part for parent in parents for part in ("-p", parent)]
        return self.run("commit-tree", tree, *flags, given=message, who=who).strip()

    def three_way(self, ancestor: str, ours: str, theirs: str) -> str:
        """The tree that holds what changed from `ancestor` to either side (all three are commits). May conflict.

        `merge-tree` takes the ancestor from history, so the three trees are given a history of their own.
        """
        nobody = Who("sandbox", "sandbox@sandbox.example")
        trees = [self.commit(sha).tree for sha in (ancestor, ours, theirs)]
        root = self.write_commit(trees[0], (), "ancestor", (nobody, nobody))
        sides = [self.write_commit(tree, (root,), "side", (nobody, nobody)) for tree in trees[1:]]
        return self._merge_tree(*sides)

    def merged_tree(self, base: str, head: str) -> str:
        """The tree that merging commit `head` into commit `base` makes. May conflict."""
        return self._merge_tree(base, head)

    def _merge_tree(self, ours: str, theirs: str) -> str:
        done = self._process(
            ("merge-tree", "--write-tree", "--name-only", "--no-messages", "-z", ours, theirs), None, None
        )
        parts = done.stdout.split("\0")
        if done.returncode == 1:
            raise ConflictError(sorted({path for path in parts[1:] if path}))
        if done.returncode != 0:
            raise GitError(done.stderr.strip())
        return parts[0].strip()

    def merge_base(self, one: str, other: str) -> str | None:
        """The best common ancestor; None for unrelated histories."""
        found = self._open().merge_base(one, other)
        return None if found is None else str(found)

    def is_ancestor(self, older: str, newer: str) -> bool:
        """True where `older` is `newer` or reachable from it."""
        return older == newer or self._open().descendant_of(newer, older)

    def commit(self, sha: str) -> CommitView:
        """One commit; GitError where there is none."""
        return next(self.log(sha, most=1))

    def log(self, tip: str, *, without: str | None = None, most: int = 100, path: str = "") -> Iterator[CommitView]:
        """Commits reachable from `tip` and not from `without`, newest first."""
        fields = ("%H", "%T", "%P", "%an", "%ae", "%aI", "%cn", "%ce", "%cI", "%B")
        args = ["log", "-z", f"--max-count={most}", "--date-order", f"--format={_SEPARATOR.join(fields)}", tip]
        text = self.run(*args, *([f"^{without}"] if without else []), "--", *([path] if path else []))
        for record in text.split("\0"):
            if record:
                sha, tree, parents, an, ae, ad, cn, ce, cd, message = record.split(_SEPARATOR, len(fields) - 1)
                yield CommitView(
                    sha, tree, tuple(parents.split()), Who(an, ae), _utc(ad), Who(cn, ce), _utc(cd), message.strip("\n")
                )

    def changes(self, old: str | None, new: str) -> list[FileChange]:
        """What differs between two commits' trees; everything is added where `old` is None."""
        repo = self._open()
        after = repo[new].peel(pygit2.Tree)
        diff = after.diff_to_tree(swap=True) if old is None else repo[old].peel(pygit2.Tree).diff_to_tree(after)
        diff.find_similar()
        return [_change(patch) for patch in diff if patch is not None]

    def folder(self, commit: str, path: str) -> list[TreeEntry] | None:
        """What is directly in a folder, folders first; None where there is no such folder."""
        repo = self._open()
        tree: pygit2.Object = repo[commit].peel(pygit2.Tree)
        if path:
            try:
                tree = tree[path] if isinstance(tree, pygit2.Tree) else tree
            except KeyError:
                return None
        if not isinstance(tree, pygit2.Tree):
            return None
        entries = [_entry(f"{path}/{item.name}" if path else item.name or "", item) for item in tree]
        return sorted(entries, key=lambda entry: (entry.kind != "dir", entry.path))

    def file(self, commit: str, path: str) -> tuple[str, bytes] | None:
        """Blob id and bytes of a file; None where there is none."""
        try:
            found = self._open()[commit].peel(pygit2.Tree)[path]
        except KeyError:
            return None
        return (str(found.id), found.data) if isinstance(found, pygit2.Blob) else None

    def paths(self, commit: str) -> list[str]:
        """Every file's path, in git's order."""
        return [path for path in self.run("ls-tree", "-r", "-z", "--name-only", commit).split("\0") if path]

    def files(self, commit: str) -> dict[str, bytes]:
        """Every file of a commit."""
        found = {}
        for path in self.paths(commit):
            file = self.file(commit, path)
            if file is not None:
                found[path] = file[1]
        return found


def _utc(date: str) -> str:
    return datetime.fromisoformat(date).astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _entry(path: str, item: pygit2.Object) -> TreeEntry:
    return TreeEntry(
        path,
        _KINDS.get(int(item.filemode or 0), "file"),
        str(item.id),
        item.size if isinstance(item, pygit2.Blob) else 0,
    )


def _change(patch: pygit2.Patch) -> FileChange:
    delta = patch.delta
    status = _CHANGES.get(delta.status_char(), "modified")
    _, additions, deletions = patch.line_stats
    text = None if delta.is_binary else "".join(_hunk(hunk) for hunk in patch.hunks).rstrip("\n")
    blob = delta.old_file.id if status == "removed" else delta.new_file.id
    return FileChange(delta.new_file.path, delta.old_file.path, status, str(blob), additions, deletions, text)


def _hunk(hunk: pygit2.DiffHunk) -> str:
    return hunk.header.rstrip("\n") + "\n" + "".join(_line(line) for line in hunk.lines)


def _line(line: pygit2.DiffLine) -> str:
    # libgit2 gives the "no newline" note its own origins and writes the text itself.
    if line.origin in "<>=":
        return line.content.lstrip("\n").rstrip("\n") + "\n"
    return line.origin + line.content.rstrip("\n") + "\n"
