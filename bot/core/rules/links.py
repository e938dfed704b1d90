"""What the linker found: a claim that another holds, a call to something that is not there or does not allow it."""

from __future__ import annotations

from collections.abc import Iterator

from bot.core.build import Build
from bot.core.model.delivery import Kept
from bot.core.rules.finding import Finding, Judges, changed_units


def broken_links(before: Build | None, after: Build, judges: Judges, kept: Kept) -> Iterator[Finding]:  # noqa: ARG001 - the shape of a rule
    """Every problem of the linker whose words are not on the other side too, or whose unit differs."""
    other = before.linked.problems if before is not None else {}
    changed = set(changed_units(before, after, judges))
    for folder in sorted(after.linked.problems):
        known = set(other.get(folder, ())) if folder not in changed else ()
        for problem in after.linked.problems[folder]:
            if problem not in known:
                yield Finding("links", f"{folder} {problem.code} {problem.message}", folder, problem)
