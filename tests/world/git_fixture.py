"""A remote and an empty mirror of it."""

from __future__ import annotations

from pathlib import Path

import pytest

from bot.git import Mirror
from tests.world.git_remote import Remote


@pytest.fixture
def origin(tmp_path: Path) -> Remote:
    """An empty bare repository."""
    return Remote(tmp_path / "origin.git")


@pytest.fixture
def mirror(tmp_path: Path) -> Mirror:
    """A mirror that is not made yet."""
    return Mirror(tmp_path / "mirrors" / "one.git")
