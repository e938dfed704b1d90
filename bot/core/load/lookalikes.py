"""Files that are named almost like those that Causeway reads: nothing reads them, so they are told.

Only names that can hardly mean anything else, and only beside where the real file would stand: what lies deeper in a
service, as `k8s/` does, is named as its team likes.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from bot.core.problem import Problem, Severity
from bot.core.tree import Entry, Tree

MANIFEST = "platform.yaml"
RELEASES = "releases.yaml"

_CLOSE: Mapping[str, re.Pattern[str]] = {
    MANIFEST: re.compile(r"platforms?\.ya?ml", re.IGNORECASE | re.ASCII),
    RELEASES: re.compile(r"releases?\.ya?ml", re.IGNORECASE | re.ASCII),
}


def meant_as_manifest(tree: Tree, folder: str) -> str | None:
    """The first file in `folder` that was probably meant as its manifest; None where a real one stands there too."""
    listed = tree.list(folder)
    return None if MANIFEST in listed else next(_close(listed, MANIFEST), None)


def overlooked(tree: Tree, folder: str) -> tuple[Problem, ...]:
    """What is passed over in a service's folder. Warnings: what runs does not depend on it."""
    listed = tree.list(folder)
    return tuple(lookalike(folder, name, wanted, "warning") for wanted in _CLOSE for name in _close(listed, wanted))


def lookalike(folder: str, name: str, wanted: str, severity: Severity) -> Problem:
    """The file `name` in `folder` that was probably meant as `wanted`."""
    return Problem(
        f"{folder}/{name}", 1, 1, "CW0316", f"nothing reads a file called `{name}`",
        "it would be passed over without a word, and nothing would come of it",
        f"did you mean `{wanted}`? rename it, or move it to where nobody takes it for that", severity,
    )  # fmt: skip


def _close(listed: Mapping[str, Entry], wanted: str) -> Iterator[str]:
    for name in sorted(listed):
        if name != wanted and listed[name].kind != "folder" and _CLOSE[wanted].fullmatch(name):
            yield name
