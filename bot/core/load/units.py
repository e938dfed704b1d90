"""Finding units below `services/`, and reading one."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import cast

from bot.core.kit import Kit
from bot.core.load.literals import literals
from bot.core.load.lookalikes import MANIFEST, RELEASES, lookalike, meant_as_manifest
from bot.core.load.reading import problem_at, read
from bot.core.model.unit import Unit
from bot.core.model.values import Doc, Value
from bot.core.parse import parse
from bot.core.problem import Problem, Refusal
from bot.core.tree import Oid, Tree

ROOT = "services"

_FOLDER = re.compile(r"[a-z0-9][a-z0-9._-]{0,62}")


def unit_folders(tree: Tree, below: str = ROOT) -> Mapping[str, Oid]:
    """Every folder below `below`, at any depth, that is a unit (`is_unit`), with its git tree id. Folders inside such a
    folder are listed too; reading one of them says what is wrong."""
    return dict(_units(tree, below, inside=below != ROOT and is_unit(tree, below)))


def is_unit(tree: Tree, folder: str) -> bool:
    """It holds a platform.yaml; or, unless it lies inside another unit, a file that was probably meant as one: that is
    a service too, with a problem."""
    if tree.get(f"{folder}/{MANIFEST}") is not None:
        return True
    if meant_as_manifest(tree, folder) is None:
        return False
    parts = folder.split("/")
    return not any(is_unit(tree, "/".join(parts[:depth])) for depth in range(2, len(parts)))


def _units(tree: Tree, folder: str, inside: bool) -> Iterator[tuple[str, Oid]]:
    for name, entry in tree.list(folder).items():
        if entry.kind == "folder":
            path = f"{folder}/{name}"
            real = tree.get(f"{path}/{MANIFEST}") is not None
            unit = real or (not inside and meant_as_manifest(tree, path) is not None)
            if unit:
                yield path, entry.id
            yield from _units(tree, path, inside or unit)


def load_unit(tree: Tree, folder: str, kit: Kit) -> Unit | Refusal:
    """The service in `folder`, its platform.yaml and releases.yaml read and checked. The refusal carries all problems
    of the folder."""
    problems: list[Problem] = list(_misplaced(tree, folder))
    manifest = read(tree, f"{folder}/{MANIFEST}", kit.schemas["platform"])
    releases = read(tree, f"{folder}/{RELEASES}", kit.schemas["releases"])
    for found in (manifest, releases):
        if isinstance(found, Refusal):
            problems += found.problems
    if manifest is None:
        meant = meant_as_manifest(tree, folder)
        problems.append(_no_manifest(folder) if meant is None else lookalike(folder, meant, MANIFEST, "error"))
    if isinstance(manifest, Doc):
        problems += _misnamed(manifest, folder)
    if problems or not isinstance(manifest, Doc) or isinstance(releases, Refusal):
        return Refusal(tuple(sorted([*problems, *_secrets(tree, folder)])))
    value = cast(Mapping[str, Value], manifest.value)
    entry = tree.get(folder)
    return Unit(
        folder=folder,
        id=entry.id if entry is not None else Oid(""),
        name=str(value["name"]),
        owner=str(value["owner"]),
        type=str(value["type"]),
        manifest=manifest,
        releases=releases,
    )


def _secrets(tree: Tree, folder: str) -> Iterator[Problem]:
    """In a manifest that is refused no rule looks for secrets; but what it holds is in git all the same."""
    path = f"{folder}/{MANIFEST}"
    entry = tree.get(path)
    doc = parse(path, tree.read(path)) if entry is not None and entry.kind == "file" else None
    if isinstance(doc, Doc):
        yield from (problem for _, _, problem in literals(doc))


def _misplaced(tree: Tree, folder: str) -> Iterator[Problem]:
    path = f"{folder}/{MANIFEST}"
    parts = folder.split("/")
    for depth in range(2, len(parts)):
        outer = "/".join(parts[:depth])
        if tree.get(f"{outer}/{MANIFEST}") is not None:
            yield Problem(
                path, 1, 1, "CW0314", f"`{folder}` lies inside the service `{outer}`",
                "one folder is one service, so that its owner and history are clear",
                f"move it beside `{outer}`",
            )  # fmt: skip
    for part in parts[1:-1]:
        if _FOLDER.fullmatch(part) is None:
            yield Problem(
                path, 1, 1, "CW0315", f"the folder `{part}` is not named in lower case",
                "two names that differ only in case are one folder on many machines",
                "use lower-case letters, digits, `.`, `_` and `-`",
            )  # fmt: skip


def _misnamed(manifest: Doc, folder: str) -> Iterator[Problem]:
    name = cast(Mapping[str, Value], manifest.value).get("name")
    last = folder.rpartition("/")[2]
    if isinstance(name, str) and name != last:
        yield problem_at(
            manifest, ("name",), "CW0313", f"the service is called `{name}`, its folder `{last}`",
            "people and links find a service by its folder", f"rename the folder to `{name}`, or write `name: {last}`",
        )  # fmt: skip


def _no_manifest(folder: str) -> Problem:
    return Problem(
        f"{folder}/{MANIFEST}", 1, 1, "CW0301", f"`{folder}` has no {MANIFEST}",
        "it says what the service is", "write name, owner, type and image",
    )  # fmt: skip
