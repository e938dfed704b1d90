"""Environments that take only what came by pull request: a direct push goes round every review."""

from __future__ import annotations

from collections.abc import Iterator

from bot.core.build import Build
from bot.core.model.delivery import Kept
from bot.core.problem import Problem
from bot.core.rules.finding import Finding, Judges
from bot.core.rules.moving import moves, written

UNREVIEWED = "CW0754"
"""Set aside by `causeway resume`."""


def unreviewed(before: Build | None, after: Build, judges: Judges, kept: Kept) -> Iterator[Finding]:  # noqa: ARG001 - the shape of a rule
    """Units that a change without pull request moves in such an environment; the whole change where it moves them by
    the platform's own files.

    A unit that is held back already stays so until a pull request touches it: why it was refused is not remembered.
    """
    closed = {name for name, found in judges.platform.environments.items() if found.value["require_pull_request"]}
    if before is None or not closed or judges.evidence.resumed is not None:
        return
    for folder in sorted(judges.held.keys() & after.units.keys()):
        there = closed & after.units[folder].environments.keys()
        if there and written(before, folder) == written(after, folder):
            yield _finding(folder, min(there))
    if judges.evidence.reviewed:
        return
    found = moves(before, after)
    for name in sorted(closed):
        for folder in sorted(found.own.get(name, ())):
            yield _finding(folder, name)
        if name in found.others and found.platform:
            yield Finding("unreviewed", f"platform {name}", None, _problem("platform/environments.yaml", name))


def _finding(folder: str, name: str) -> Finding:
    return Finding("unreviewed", f"{folder} {name}", folder, _problem(f"{folder}/platform.yaml", name))


def _problem(path: str, name: str) -> Problem:
    return Problem(
        path,
        1,
        1,
        UNREVIEWED,
        f"this was pushed to the default branch without a pull request, and {name} takes only what was reviewed",
        "A direct push goes round the plan, the policies and the people who approve; what ran before stays.",
        "Open a pull request that touches this file, or reverts the push, and merge it.",
    )
