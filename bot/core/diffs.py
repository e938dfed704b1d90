"""Unified diffs of rendered files, for the folds of a plan."""

from __future__ import annotations

from collections.abc import Mapping
from difflib import unified_diff

from bot.core.build import Build, Memo, difference, fill
from bot.core.build.fill import Each
from bot.core.model.render import Inputs, Key, Rendered
from bot.core.problem import Refusal
from bot.core.settle import unit_of

MOST_BYTES = 200_000
"""Of all diffs together. A comment holds far less; a plan of the whole fleet must not cost its diffs."""

_SKIP = ("provenance.json",)


def diffs(
    before: Build | None,
    after: Build,
    memo: Memo,
    without: frozenset[str] = frozenset(),
    each: Each[Inputs, Rendered | Refusal] = map,
    most: int = MOST_BYTES,
) -> Mapping[str, str]:
    """By output path, for every file that differs, in order of paths, until `most` bytes are used up.

    Nothing of the units in `without`: what is refused is not written, and may hold a secret that must not spread.
    """
    keys = sorted(key for key in difference(before, after).keys if unit_of(key) not in without)
    found: dict[str, str] = {}
    size = 0
    for key in keys:
        was = _files(before, key, memo, each)
        now = _files(after, key, memo, each)
        for path in sorted(was.keys() | now.keys()):
            if was.get(path) != now.get(path) and not path.endswith(_SKIP):
                found[path] = _diff(was.get(path, b""), now.get(path, b""))
                size += len(found[path])
        if size > most:
            break
    return found


def _files(build: Build | None, key: Key, memo: Memo, each: Each[Inputs, Rendered | Refusal]) -> Mapping[str, bytes]:
    if build is None or key not in build.digests:
        return {}
    done = fill(build, [key], memo, each)[key]
    return {} if isinstance(done, Refusal) else done.files


def _diff(was: bytes, now: bytes) -> str:
    lines = unified_diff(was.decode().splitlines(), now.decode().splitlines(), lineterm="", n=2)
    return "\n".join(line for line in lines if not line.startswith(("---", "+++")))
