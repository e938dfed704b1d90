"""The shipped kit and small platform repositories, for tests of the language."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from pathlib import Path

from bot.core.kit import Kit, kit_of
from bot.core.load import load_platform, load_unit
from bot.core.model.platform import Platform
from bot.core.model.unit import Effective, Facts, Origins, Unit
from bot.core.problem import Problem, Refusal
from bot.core.resolve import environments_of, resolve
from bot.core.tree import MemoryTree

ROOT = Path(__file__).parents[2]
CASES = Path(__file__).parents[1] / "cases" / "resolve"
Files = Mapping[str, str]

MINIMAL = "name: checkout\nowner: payments\ntype: web\nimage: ghcr.io/acme/checkout:1.4.2\n"


@cache
def shipped() -> MemoryTree:
    """What the wheel carries: schemas and blueprints."""
    return folder(ROOT, "schemas", "blueprints")


def folder(root: Path, *below: str) -> MemoryTree:
    """Files below `root` as a tree."""
    starts = [root / name for name in below] if below else [root]
    paths = [path for start in starts for path in start.rglob("*") if path.is_file()]
    return MemoryTree({str(path.relative_to(root)): path.read_bytes() for path in paths})


@cache
def _platform_files() -> tuple[tuple[str, str], ...]:
    root = CASES / "_platform"
    return tuple((str(path.relative_to(root)), path.read_text()) for path in sorted(root.rglob("*.yaml")))


def repo(files: Files | None = None, *, without: tuple[str, ...] = ()) -> MemoryTree:
    """The platform of the cases with `files` laid on top."""
    content = {**dict(_platform_files()), **(files or {})}
    return MemoryTree({path: text.encode() for path, text in content.items() if path not in without})


def kit_for(tree: MemoryTree) -> Kit:
    found = kit_of(tree, shipped())
    assert isinstance(found, Kit), found
    return found


def platform_for(tree: MemoryTree) -> Platform:
    found = load_platform(tree, kit_for(tree))
    assert isinstance(found, Platform), found
    return found


def unit_in(tree: MemoryTree, path: str = "services/checkout") -> Unit:
    found = load_unit(tree, path, kit_for(tree))
    assert isinstance(found, Unit), found
    return found


def resolved(tree: MemoryTree, environment: str, path: str = "services/checkout") -> tuple[Effective, Origins]:
    found = resolve(unit_in(tree, path), environment, platform_for(tree), kit_for(tree))
    assert not isinstance(found, Refusal), found
    return found


def manifest(text: str, environment: str = "prod", **more: str) -> tuple[Effective, Origins]:
    """One service `checkout` with this manifest, resolved."""
    files = {"services/checkout/platform.yaml": text, **{f"services/checkout/{k}.yaml": v for k, v in more.items()}}
    return resolved(repo(files), environment)


def problems(files: Files, path: str = "services/checkout") -> list[Problem]:
    """Every problem of one unit, as a build gathers them."""
    tree = repo(files)
    kit, platform = kit_for(tree), platform_for(tree)
    unit = load_unit(tree, path, kit)
    if isinstance(unit, Refusal):
        return list(unit.problems)
    found: list[Problem] = []
    for name in environments_of(unit, platform):
        outcome = resolve(unit, name, platform, kit)
        found += [p for p in outcome.problems if p not in found] if isinstance(outcome, Refusal) else []
    return sorted(found)


def codes(text: str, **more: str) -> list[str]:
    """Problem codes of a manifest, in the order of the file."""
    files = {"services/checkout/platform.yaml": text, **{f"services/checkout/{k}.yaml": v for k, v in more.items()}}
    return [problem.code for problem in problems(files)]


def fact(folder: str, environment: str = "prod", **fields: object) -> Facts:
    """Facts of a service named like its folder, with some fields changed."""
    name = folder.rpartition("/")[2]
    usual: dict[str, object] = {
        "unit": (folder, environment), "name": name, "owner": "payments", "type": "web", "target": "main",
        "namespace": f"{fields.get('name', name)}-{environment}", "ports": {"http": 8080}, "hosts": (),
        "uses": (), "callers": (), "data": (), "waiting": False, "cost": "0", "cluster": f"eu-{environment}",
    }  # fmt: skip
    return Facts(**{**usual, **fields})  # type: ignore[arg-type]  # the fields are those of the test at hand
