"""Whole platforms, rendered and compared with what lies beside them.

Each folder of `tests/cases/render` holds `in/` (a platform repository) and `out/` (the GitOps repository it makes).
After a change that is meant, `CAUSEWAY_REGENERATE=1 pytest tests/core/test_render_cases.py` writes `out/` anew; read
its diff before it is committed.
"""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

from tests.core.render_world import CASES, case_files, case_named


@pytest.mark.parametrize("case", CASES)
def test_a_platform_renders_to_what_lies_beside_it(case: str) -> None:
    made = case_files(case_named(case))
    out = Path(__file__).parents[1] / "cases" / "render" / case / "out"
    if os.environ.get("CAUSEWAY_REGENERATE"):
        shutil.rmtree(out, ignore_errors=True)
        for path, data in made.items():
            (out / path).parent.mkdir(parents=True, exist_ok=True)
            (out / path).write_bytes(data)
    wanted = {path.relative_to(out).as_posix(): path.read_bytes() for path in out.rglob("*") if path.is_file()}
    assert sorted(made) == sorted(wanted)
    for path, data in made.items():
        assert data.decode() == wanted[path].decode(), path
