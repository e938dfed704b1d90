"""What a pull request was when its comment was written: the same head on the bases that the comment remembers."""

from __future__ import annotations

from bot.core import words
from bot.core.model.ask import Earlier
from bot.core.tree import Oid
from bot.ports import Conflict, Git


def earlier(git: Git, head: Oid, base: Oid | None, remembered: str) -> tuple[Earlier, ...]:
    """One for each base in `remembered` (a comment's digest) that is not `base`. What git no longer has, or cannot
    merge, is left out: nothing is said then of what has changed."""
    seal = words.read_seal(remembered)
    if seal is None or base is None:
        return ()
    found = []
    for sha in sorted({seal.first_base, seal.last_base} - {base}):
        try:
            # A sha from a comment counts only where the default branch has been there.
            merged = git.merge_tree(Oid(sha), head) if git.is_ancestor(Oid(sha), base) else None
        except KeyError:
            continue
        if merged is not None and not isinstance(merged, Conflict):
            found.append(Earlier(Oid(sha), merged))
    return tuple(found)
