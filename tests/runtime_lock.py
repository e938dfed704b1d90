"""The lock of the container image: what `requirements.lock` holds, less what only tests and linters need.

`python -m tests.runtime_lock` writes it, from the packages that are installed here.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable
from importlib.metadata import requires
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[1]
WHOLE = ROOT / "requirements.lock"
LOCK = ROOT / "deploy" / "requirements.lock"


def text() -> str:
    """The lock's content, in the order of the whole one."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    wanted = _closure(project["dependencies"])
    # An entry is a line at the margin with its hashes below.
    entries = re.findall(r"^\S.*\n(?:^ .*\n)*", WHOLE.read_text(encoding="utf-8"), re.MULTILINE)
    return "".join(one for one in entries if canonicalize_name(re.split(r"[=\s]", one, maxsplit=1)[0]) in wanted)


def _closure(named: Iterable[str]) -> frozenset[str]:
    seen: set[tuple[str, frozenset[str]]] = set()
    waiting = [Requirement(one) for one in named]
    while waiting:
        one = waiting.pop()
        key = (canonicalize_name(one.name), frozenset(one.extras))
        if key not in seen:
            seen.add(key)
            waiting += _of(*key)
    return frozenset(name for name, _ in seen)


def _of(name: str, extras: frozenset[str]) -> list[Requirement]:
    """What the package needs here. Its answer holds for Linux, where containers run."""
    found = [Requirement(text) for text in requires(name) or ()]
    return [
        one
        for one in found
        if one.marker is None or any(one.marker.evaluate({"extra": extra}) for extra in ("", *extras))
    ]


def main() -> None:
    """Writes the file."""
    LOCK.write_text(text(), encoding="utf-8")


if __name__ == "__main__":
    main()
