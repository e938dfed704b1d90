"""Which policies judge: those of a platform tree, and the shipped pack at its pin."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import lru_cache

from bot.core.kit import Kit
from bot.core.policy.load import load_policies
from bot.core.policy.model import PolicySet
from bot.core.problem import Problem, Refusal
from bot.core.tree import Oid, Tree, walk

FOLDER = "platform/policies"
CASES = "cases"
"""Folders of this name hold examples for tests; nothing in them judges."""


@dataclass(frozen=True, slots=True)
class _Asked:
    """Equal where all that is read is."""

    folder: Oid
    kit: str
    tree: Tree = field(compare=False, repr=False)
    pack: Kit = field(compare=False, repr=False)


def policies_of(tree: Tree, kit: Kit) -> PolicySet | Refusal:
    """The policies below `platform/policies` with the pack of `kit`. A Refusal names everything that is wrong in them:
    a set that is only partly read would let pass what the rest of it refuses."""
    entry = tree.get(FOLDER)
    return _loaded(_Asked(entry.id if entry is not None else Oid(""), kit.digest, tree, kit))


def same_policies(before: Tree | None, after: Tree, before_kit: Kit, kit: Kit) -> bool:
    """True where both trees are judged by the same files."""
    return before is not None and before_kit.policies == kit.policies and before.get(FOLDER) == after.get(FOLDER)


@lru_cache(maxsize=8)
def _loaded(asked: _Asked) -> PolicySet | Refusal:
    files: dict[str, bytes] = {}
    problems: list[Problem] = []
    for path, entry in walk(asked.tree, FOLDER) if asked.folder else ():
        if CASES in path.split("/")[:-1]:
            continue
        if entry.kind == "file":
            files[path] = asked.tree.read(path)
        else:
            problems.append(_no_file(path, entry.kind))
    found = load_policies(files, asked.pack.policies)
    if problems:
        return Refusal(tuple(sorted((*problems, *(found.problems if isinstance(found, Refusal) else ())))))
    return found


def _no_file(path: str, kind: str) -> Problem:
    return Problem(
        path, 1, 1, "CW0203", f"`{path}` is a {kind}, not a file",
        "what it points to is not part of this repository's content, so nobody could tell what judged",
        "put the file itself here",
    )  # fmt: skip
