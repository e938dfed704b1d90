"""What Causeway ships as data: schemas and blueprints, as one tree. In a wheel they lie inside the package."""

from __future__ import annotations

from functools import cache
from pathlib import Path

from bot.core.tree import MemoryTree, Tree

_PARTS = ("schemas", "blueprints")


@cache
def shipped_tree() -> Tree:
    """Read once a process: a bot goes on with what it started with."""
    package = Path(__file__).resolve().parent
    inside = package / "shipped"
    root = inside if inside.is_dir() else package.parent
    files = {
        path.relative_to(root).as_posix(): path.read_bytes()
        for part in _PARTS
        for path in sorted((root / part).rglob("*"))
        if path.is_file()
    }
    if not files:
        raise FileNotFoundError(f"schemas and blueprints are not beside {package}: the installation is not whole")
    return MemoryTree(files)
