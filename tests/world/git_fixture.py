"""A remote and an empty mirror of it."""

from __future__ import annotations

from pathlib import Path

import pytest

from bot.core.tree import Tree
from bot.disk import DiskTree
from bot.git import Mirror
from bot.git.store import PygitTree
from bot.ports import Git
from tests.world.git_remote import Remote

# The type checker holds the adapters to their ports here.
_PORTS: tuple[type[Git], type[Tree], type[Tree]] = (Mirror, PygitTree, DiskTree)


@pytest.fixture
def origin(tmp_path: Path) -> Remote:
    """An empty bare repository."""
    return Remote(tmp_path / "origin.git")


@pytest.fixture
def mirror(tmp_path: Path) -> Mirror:
    """A mirror that is not made yet."""
    return Mirror(tmp_path / "mirrors" / "one.git")
