"""Every test of the contract runs once for each face."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from bot.sandbox import Sandbox
from tests.world.contract.faces import FACES, Face


@pytest.fixture(params=sorted(FACES))
def face(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Face]:
    """A forge of its own, gone after the test."""
    with Sandbox(tmp_path / "forge") as sandbox:
        yield FACES[request.param](sandbox)
