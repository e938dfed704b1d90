"""Finding versioned folders: `<name>/v<N>/` in the shipped tree and in the platform repo's own."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from bot.core.problem import Problem
from bot.core.tree import Oid, Tree, walk

_NAME = re.compile(r"[a-z](?:[-a-z0-9]{0,38}[a-z0-9])?")
_VERSION = re.compile(r"v([1-9][0-9]{0,3})")

MOST_FILES = 200
"""In one blueprint or recipe: a folder of more is not one that a person keeps."""


@dataclass(frozen=True, slots=True)
class Folder:
    """A folder of one tree. Equal where path and content are, so that what was read of it can be remembered."""

    path: str
    id: Oid
    tree: Tree = field(compare=False, repr=False)
    shipped: bool = False


Found = Mapping[tuple[str, int], Folder]


def versions(tree: Tree, root: str, shipped: bool) -> tuple[dict[tuple[str, int], Folder], list[Problem]]:
    """Every `<name>/v<N>/` below `root`. Files beside the folders (a README) are left alone; a folder that cannot be
    one is a problem, since whoever made it expects it to work."""
    found: dict[tuple[str, int], Folder] = {}
    problems: list[Problem] = []
    for name, entry in tree.list(root).items():
        if entry.kind == "file":
            continue
        if entry.kind != "folder" or _NAME.fullmatch(name) is None:
            problems.append(_not_a_folder(f"{root}/{name}", "`<name>/v<N>/`, the name in lower case"))
            continue
        for version, folder in _numbered(tree, f"{root}/{name}", shipped, problems):
            found[name, version] = folder
    return found, problems


def numbered(tree: Tree, root: str, shipped: bool) -> tuple[dict[int, Folder], list[Problem]]:
    """Every `v<N>/` directly in `root`."""
    problems: list[Problem] = []
    return dict(_numbered(tree, root, shipped, problems)), problems


def files(folder: Folder) -> tuple[dict[str, bytes], list[Problem]]:
    """The regular files of a folder by path relative to it; anything else in it is a problem."""
    read: dict[str, bytes] = {}
    problems: list[Problem] = []
    for path, entry in walk(folder.tree, folder.path):
        if entry.kind != "file":
            problems.append(
                Problem(
                    path, 1, 1, "CW0203", f"`{path}` is a {entry.kind}, not a file",
                    "what it points to is not part of this repository's content, so a render could not be repeated",
                    "put the file itself here",
                )
            )  # fmt: skip
        elif len(read) < MOST_FILES:
            read[path[len(folder.path) + 1 :]] = folder.tree.read(path)
        else:
            problems.append(
                Problem(
                    folder.path, 1, 1, "CW0203", f"more than {MOST_FILES} files in one folder",
                    "every file of it is part of each render", "keep only what the templates use",
                )
            )  # fmt: skip
            break
    return read, problems


def _numbered(tree: Tree, root: str, shipped: bool, problems: list[Problem]) -> Iterator[tuple[int, Folder]]:
    for name, entry in tree.list(root).items():
        version = _VERSION.fullmatch(name)
        if entry.kind == "folder" and version is not None:
            yield int(version[1]), Folder(f"{root}/{name}", entry.id, tree, shipped)
        elif entry.kind != "file":
            problems.append(_not_a_folder(f"{root}/{name}", "`v1`, `v2`, …"))


def _not_a_folder(path: str, form: str) -> Problem:
    return Problem(
        path, 1, 1, "CW0203", f"`{path}` is not a version of a blueprint or recipe",
        "only folders named that way are read, so this one would do nothing", f"name it {form}",
    )  # fmt: skip
