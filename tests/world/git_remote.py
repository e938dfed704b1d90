"""A bare repository to talk to, filled by git's own fast-import: any history, any name, any kind of entry."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

from bot.core.tree import Oid
from bot.ports import GitRemote

File = bytes | tuple[str, str] | None
"""Content, or (mode, content or id), or removal."""


class Remote:
    """One bare repository at `file://`."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.clock = 1_700_000_000
        run(path.parent, "init", "-q", "--bare", "--initial-branch=main", str(path))

    @property
    def remote(self) -> GitRemote:
        return GitRemote(f"file://{self.path}", None)

    def commit(self, ref: str, files: Mapping[str, File], parents: Sequence[str] = (), message: str = "m\n") -> Oid:
        """A commit with `files` changed against its first parent; `ref` moves there."""
        self.clock += 60
        text = message.encode()
        out = b"commit refs/import\ncommitter T <t@example.org> %d +0000\ndata %d\n%s\n" % (self.clock, len(text), text)
        for word, parent in zip(["from", *["merge"] * len(parents)], parents, strict=False):
            out += f"{word} {parent}\n".encode()
        for path, file in files.items():
            name = path.encode()
            if file is None:
                out += b"D %s\n" % name
                continue
            mode, data = ("100644", file) if isinstance(file, bytes) else (file[0], file[1].encode())
            if mode == "160000":
                out += b"M 160000 %s %s\n" % (data, name)
            else:
                out += b"M %s inline %s\ndata %d\n%s\n" % (mode.encode(), name, len(data), data)
        run(self.path, "fast-import", "--quiet", "--force", stdin=out)
        made = self.git("rev-parse", "refs/import")
        self.git("update-ref", ref, made)
        self.git("update-ref", "-d", "refs/import")
        return Oid(made)

    def git(self, *arguments: str) -> str:
        return run(self.path, *arguments)

    def ref(self, name: str) -> str:
        return self.git("rev-parse", "--verify", name)


def run(folder: Path, *arguments: str, stdin: bytes = b"") -> str:
    """Plain git, as a person on a fresh machine has it."""
    env = {"PATH": os.environ["PATH"], "HOME": "/nonexistent", "GIT_CONFIG_NOSYSTEM": "1"}
    done = subprocess.run(["git", *arguments], cwd=folder, env=env, input=stdin, capture_output=True, check=False)
    assert done.returncode == 0, done.stderr.decode(errors="replace")
    return done.stdout.decode(errors="surrogateescape").rstrip("\n")
