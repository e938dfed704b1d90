"""What ran lately, read from the GitOps repo's own history of cursors when a rule asks for it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence

from bot.core.memory import read_actual
from bot.core.problem import Refusal
from bot.core.settle import refused_units
from bot.core.tree import Oid, Tree
from bot.ports import Git

RAN_SECONDS = 30 * 24 * 3600
"""A version that ran within this time may come back past newer rules."""

MOST_COMMITS = 5_000
"""GitOps commits looked at; a repo with more in 30 days forgives a little less."""


class Ran(Mapping[str, frozenset[Oid]]):
    """Unit folder -> its git tree ids that were delivered within `RAN_SECONDS` before `now` and not refused then.

    Lazy: only a unit with a new finding is ever asked for, so most reviews read no history.
    """

    def __init__(self, platform: Git, lines: Sequence[tuple[Git, Oid]], now: int) -> None:
        self._platform = platform
        self._lines = lines
        self._since = now - RAN_SECONDS
        self._delivered: list[tuple[Tree, frozenset[str]]] | None = None

    def __getitem__(self, folder: str) -> frozenset[Oid]:
        found = set()
        for tree, refused in self._history():
            entry = tree.get(folder)
            if entry is not None and folder not in refused:
                found.add(entry.id)
        if not found:
            raise KeyError(folder)
        return frozenset(found)

    def __iter__(self) -> Iterator[str]:
        raise TypeError("what ran is asked for by name")

    def __len__(self) -> int:
        return len(self._history())

    def _history(self) -> list[tuple[Tree, frozenset[str]]]:
        if self._delivered is None:
            self._delivered = [item for git, tip in self._lines for item in self._of(git, tip)]
        return self._delivered

    def _of(self, git: Git, tip: Oid) -> Iterator[tuple[Tree, frozenset[str]]]:
        oid: Oid | None = tip
        for _ in range(MOST_COMMITS):
            commit = git.commit(oid) if oid is not None else None
            if commit is None or commit.time < self._since:
                return
            actual = read_actual(git.tree(commit.id))
            if not isinstance(actual, Refusal) and actual.cursor is not None:
                tree = self._tree(actual.cursor.commit)
                if tree is not None:
                    yield tree, frozenset(refused_units(actual.kept))
            oid = commit.parents[0] if commit.parents else None

    def _tree(self, commit: Oid) -> Tree | None:
        try:
            return self._platform.tree(commit)
        except KeyError:
            # A force-push took it out of history, and perhaps out of the mirror: it forgives nothing then.
            return None


def oldest(line: Sequence[Oid], reached: Callable[[Oid], bool]) -> Oid | None:
    """The last of `line`, newest first, that has reached; found by doubling, for what is asked for is mostly new."""
    if not line or not reached(line[0]):
        return None
    good, step_size = 0, 1
    while good + step_size < len(line) and reached(line[good + step_size]):
        good, step_size = good + step_size, step_size * 2
    bad = min(good + step_size, len(line))
    while bad - good > 1:
        middle = (good + bad) // 2
        good, bad = (middle, bad) if reached(line[middle]) else (good, middle)
    return line[good]


def environments_between(before: Tree | None, after: Tree) -> tuple[str, ...]:
    """Environments whose owned paths differ between two GitOps trees."""
    found: set[str] = set()
    for top in ("environments", "apps", "data"):
        old = before.list(top) if before is not None else {}
        new = after.list(top)
        found |= {env for env in old.keys() | new.keys() if old.get(env) != new.get(env)}
    return tuple(sorted(found))
