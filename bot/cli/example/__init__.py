"""The example platform repo beside this file, as data: what `init` writes and the demo shows."""

from __future__ import annotations

import re
from pathlib import Path

_HERE = Path(__file__).resolve().parent
_PARTS = ("README.md", "platform", "services")
_TARGET = b"gitops: {repo: acme/gitops, branch: main}"
_REPOSITORY = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*(/[A-Za-z0-9][A-Za-z0-9._-]*)+")


def example_files(gitops: str = "acme/gitops", url: str | None = None) -> dict[str, bytes]:
    """Path -> bytes. `gitops` is the repository that config.yaml names, `url` where Argo CD finds it. ValueError for
    what cannot be a repository's name."""
    if _REPOSITORY.fullmatch(gitops) is None:
        raise ValueError(f"{gitops!r} is not a repository's name; write OWNER/NAME, for example acme/gitops")
    files = {
        path.relative_to(_HERE).as_posix(): path.read_bytes()
        for part in _PARTS
        for path in ([_HERE / part] if (_HERE / part).is_file() else sorted((_HERE / part).rglob("*")))
        if path.is_file()
    }
    config = "platform/config.yaml"
    named = f"gitops: {{repo: {gitops}, branch: main" + (f', url: "{url}"' if url else "") + "}"
    files[config] = files[config].replace(_TARGET, named.encode())
    return files
