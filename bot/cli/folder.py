"""What a command reads: a folder as it stands, and a commit of the same folder to compare it with."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from bot.cli.desk import USAGE, Stop
from bot.core.propose import concerns
from bot.core.tree import Oid, Tree
from bot.disk import DiskTree
from bot.git import open_tree
from bot.git.command import Ran, git


@dataclass(frozen=True, slots=True)
class Compared:
    """A folder, what it is compared with (None: nothing), and that choice in words."""

    tree: Tree
    base: Tree | None
    base_commit: Oid | None
    base_ref: str
    """The name under which the base was found, empty where there is none."""
    words: str


@dataclass(frozen=True, slots=True)
class Clone:
    """A git repository on this disk. `prefix` is where in it the folder stands, empty for its root."""

    git_dir: Path
    prefix: str

    def commit(self, ref: str) -> Oid | None:
        """The commit that a name stands for, None where there is none."""
        ran = _git(self.git_dir, "rev-parse", "--verify", "--quiet", "--end-of-options", f"{ref}^{{commit}}")
        return Oid(ran.out.decode().strip()) if ran.code == 0 else None

    def tree(self, commit: Oid) -> Tree | None:
        """The folder at a commit; None where it was not there yet."""
        ran = _git(self.git_dir, "rev-parse", "--verify", "--quiet", f"{commit}:{self.prefix}")
        return open_tree(str(self.git_dir), Oid(ran.out.decode().strip())) if ran.code == 0 else None


def disk(folder: Path) -> DiskTree:
    """The folder as it stands; it must look like a platform repo."""
    tree = DiskTree(folder)
    if tree.get("platform") is None:
        raise Stop(
            f"{folder} has no platform/ folder, so it is not a platform repo. Name its root, or make one: "
            f"causeway init {folder}",
            USAGE,
        )
    return tree


def clone_of(folder: Path) -> Clone | None:
    """The git repository that `folder` belongs to, None where it belongs to none. A bare one counts."""
    for root in (folder.resolve(), *folder.resolve().parents):
        found = root if (root / "HEAD").is_file() and (root / "objects").is_dir() else _dot_git(root)
        if found is not None:
            prefix = folder.resolve().relative_to(root).as_posix()
            return Clone(found, "" if prefix == "." else prefix)
    return None


def compared(folder: Path, base: str | None) -> Compared:
    """`folder` against the commit `base`; without one against HEAD where something of ours differs from it, else
    against HEAD's first parent, so that a clean clone shows its last change."""
    tree = disk(folder)
    clone = clone_of(folder)
    if base is not None:
        commit = clone.commit(base) if clone is not None else None
        if clone is None or commit is None:
            raise Stop(f"{base} names no commit of the git repository at {folder}", USAGE)
        return Compared(tree, clone.tree(commit), commit, base, f"compared with {base} ({commit[:7]})")
    head = clone.commit("HEAD") if clone is not None else None
    if clone is None or head is None:
        return Compared(tree, None, None, "", "compared with nothing: there is no commit yet")
    now = clone.tree(head)
    if now is None or concerns(now, tree):
        return Compared(tree, now, head, "HEAD", f"compared with HEAD ({head[:7]}): what is not committed yet")
    parent = clone.commit("HEAD^")
    if parent is None:
        return Compared(tree, None, None, "", "compared with nothing: HEAD is the first commit")
    found = clone.tree(parent)
    return Compared(tree, found, parent, "HEAD^", f"compared with HEAD^ ({parent[:7]}): the last commit's change")


def _dot_git(root: Path) -> Path | None:
    """`.git` of a clone; where it is a file (a worktree or submodule), what it points to."""
    path = root / ".git"
    if path.is_dir():
        return path
    if not path.is_file():
        return None
    ran = git(["-C", str(root), "rev-parse", "--path-format=absolute", "--git-dir"], limit=20)
    return Path(ran.out.decode().strip()) if ran.code == 0 else None


def _git(git_dir: Path, *arguments: str) -> Ran:
    return git(arguments, folder=git_dir, limit=60)
