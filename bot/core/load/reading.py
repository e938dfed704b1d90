"""Reading one file of a tree: there, a regular file, YAML, and as its schema says."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches

from bot.core.check import Schema, check
from bot.core.model.values import Doc, Pointer
from bot.core.parse import parse
from bot.core.problem import Problem, Refusal
from bot.core.tree import Tree


def read(tree: Tree, path: str, schema: Schema) -> Doc | Refusal | None:
    """The checked file at `path`; None where nothing stands there."""
    entry = tree.get(path)
    if entry is None:
        return None
    if entry.kind != "file":
        problem = Problem(
            path, 1, 1, "CW0302", f"`{path}` is a {entry.kind}, not a file",
            "only what lies in this repository itself can be reviewed and rendered again",
            "put the file itself here",
        )  # fmt: skip
        return Refusal((problem,))
    doc = parse(path, tree.read(path))
    if isinstance(doc, Refusal):
        return doc
    problems = check(doc, schema)
    return Refusal(problems) if problems else doc


def problem_at(
    doc: Doc, pointer: Pointer, code: str, message: str, why: str, fix: str, *, key: bool = False
) -> Problem:
    """A problem at a place of a parsed file."""
    place = doc.at(pointer, key=key)
    return Problem(doc.path, place.line, place.column, code, message, why, fix)


def did_you_mean(name: str, known: Iterable[str], otherwise: str) -> str:
    """A fix for a name that does not exist: the closest that does, or `otherwise` and what there is."""
    names = sorted(known)
    close = get_close_matches(name, names, n=1, cutoff=0.6)
    if close:
        return f"did you mean `{close[0]}`?"
    shown = ", ".join(f"`{known}`" for known in names[:8]) + (", …" if len(names) > 8 else "")
    return f"{otherwise}; there is: {shown}" if shown else otherwise
