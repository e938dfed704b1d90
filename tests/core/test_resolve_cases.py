"""Cases as folders: a platform repo beside what it must resolve to."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from bot.core.load import load_unit, unit_folders
from bot.core.problem import Problem, Refusal
from bot.core.resolve import environments_of, resolve
from tests.core.language_world import CASES, kit_for, platform_for, repo

NAMES = sorted(path.name for path in CASES.iterdir() if path.is_dir() and not path.name.startswith("_"))


@pytest.mark.parametrize("name", NAMES)
def test_a_repo_resolves_to_exactly_what_its_case_says(name: str) -> None:
    """A case holds `platform/` (laid over `_platform/`), `services/`, and `expected.json` (effective manifests by
    folder and environment) or `problems.txt`, or both. With UPDATE_CASES=1 in the environment the outcome is written
    instead of compared; read the difference before it is committed."""
    case = CASES / name
    values, problems = _outcome(case)
    outcome = {
        "expected.json": json.dumps(values, indent=2, ensure_ascii=False) + "\n" if values else "",
        "problems.txt": "\n".join(_shown(problem) for problem in problems),
    }
    for file, text in outcome.items():
        if os.environ.get("UPDATE_CASES") == "1":
            (case / file).write_text(text) if text else (case / file).unlink(missing_ok=True)
        expected = (case / file).read_text() if (case / file).exists() else ""
        assert text == expected


def _outcome(case: Path) -> tuple[dict[str, object], list[Problem]]:
    paths = [path for path in case.rglob("*.yaml") if path.is_file()]
    tree = repo({str(path.relative_to(case)): path.read_text() for path in paths})
    kit, platform = kit_for(tree), platform_for(tree)
    values: dict[str, object] = {}
    problems: list[Problem] = []
    for folder in sorted(unit_folders(tree)):
        unit = load_unit(tree, folder, kit)
        if isinstance(unit, Refusal):
            problems += unit.problems
            continue
        for environment in environments_of(unit, platform):
            found = resolve(unit, environment, platform, kit)
            if isinstance(found, Refusal):
                problems += [problem for problem in found.problems if problem not in problems]
            else:
                values[f"{folder} in {environment}"] = {"waiting": found[0].waiting, **found[0].value}
    return values, sorted(problems)


def _shown(problem: Problem) -> str:
    head = f"{problem.path}:{problem.line}:{problem.column} {problem.code} {problem.message}"
    return f"{head}\n  why: {problem.why}\n  fix: {problem.fix}\n"
