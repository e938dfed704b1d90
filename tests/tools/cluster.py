"""The cluster's own policy evaluator, built from `tests/oracle` with Go, as a program that answers JSON lines."""

from __future__ import annotations

import functools
import hashlib
import json
import os
import shutil
import subprocess
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

SOURCE = Path(__file__).parent.parent / "oracle"
BUILD_SECONDS = 1500
"""A first build compiles the API server's libraries; later ones come from Go's cache."""
_AT_ONCE = 500


@functools.cache
def program() -> Path:
    """The built program, once for each version of its source; skips with the reason where it cannot be built."""
    if shutil.which("go") is None:
        pytest.skip("go is not on PATH, so the cluster's evaluator cannot be built")
    source = b"".join(path.read_bytes() for path in sorted(SOURCE.iterdir()) if path.is_file())
    folder = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "causeway-oracle"
    made = folder / hashlib.sha256(source).hexdigest()[:16]
    if not made.exists():
        folder.mkdir(parents=True, exist_ok=True)
        draft = made.with_suffix(f".{os.getpid()}")
        done = subprocess.run(
            ["go", "build", "-mod=readonly", "-o", str(draft), "."],
            cwd=SOURCE,
            capture_output=True,
            text=True,
            timeout=BUILD_SECONDS,
            check=False,
        )
        if done.returncode != 0:
            told = f"the cluster's evaluator could not be built: {done.stderr.strip()[-300:]}"
            # What the machine lacks is no fault of ours; a program that does not compile is.
            lacking = any(word in done.stderr for word in ("dial tcp", "no such host", "toolchain", "requires go"))
            pytest.skip(told) if lacking else pytest.fail(told)
        draft.replace(made)
    return made


def ask(questions: Iterable[Mapping[str, Any]]) -> Iterator[dict[str, Any]]:
    """One answer for each question, in order; the shapes are those of `tests/oracle/main.go`."""
    waiting = list(questions)
    for start in range(0, len(waiting), _AT_ONCE):
        batch = waiting[start : start + _AT_ONCE]
        lines = "".join(json.dumps(one) + "\n" for one in batch)
        done = subprocess.run([str(program())], input=lines, capture_output=True, text=True, timeout=600, check=True)
        answers = [json.loads(line) for line in done.stdout.splitlines()]
        assert len(answers) == len(batch), done.stderr[-500:]
        yield from answers
