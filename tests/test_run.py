"""The task runner: it never takes away what it did not make, and two at once wait for each other."""

from __future__ import annotations

import fcntl
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A checkout with somebody else's `.venv`, which holds nothing of the lock."""
    for name in ("run", "requirements.lock"):
        shutil.copy(ROOT / name, tmp_path / name)
    (tmp_path / ".venv" / "bin").mkdir(parents=True)
    (tmp_path / ".venv" / "mine").write_text("mine")
    return tmp_path


def setup(checkout: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(["sh", "run", "setup"], cwd=checkout, capture_output=True, text=True, timeout=60, check=False)


@pytest.mark.parametrize("python", [None, "#!/bin/sh\nexit 1\n"])
def test_a_venv_that_somebody_else_made_stays_and_a_sentence_says_what_to_do(
    checkout: Path, python: str | None
) -> None:
    if python is not None:
        (checkout / ".venv/bin/python").write_text(python)
        (checkout / ".venv/bin/python").chmod(0o755)
    before = sorted(path.name for path in checkout.rglob("*"))
    done = setup(checkout)
    assert done.returncode == 1
    assert "Remove it (rm -r .venv)" in done.stderr
    assert sorted(path.name for path in checkout.rglob("*")) == before


def test_a_second_setup_waits_for_the_first(checkout: Path) -> None:
    with (checkout / "run").open() as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        with subprocess.Popen(["sh", "run", "setup"], cwd=checkout, stderr=subprocess.PIPE, text=True) as second:
            assert second.stderr is not None
            assert "another setup is under way" in second.stderr.readline()
            assert second.poll() is None
            fcntl.flock(held, fcntl.LOCK_UN)
            assert second.wait(60) == 1
            assert "did not make" in second.stderr.read()
