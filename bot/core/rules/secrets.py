"""Secrets written into a manifest: git would keep them for ever."""

from __future__ import annotations

from collections.abc import Iterator

from bot.core.build import Build
from bot.core.load import literals
from bot.core.model.delivery import Kept
from bot.core.rules.finding import Finding, Judges, changed_units


def literal_secrets(before: Build | None, after: Build, judges: Judges, kept: Kept) -> Iterator[Finding]:  # noqa: ARG001 - the shape of a rule
    """What looks like a secret in a manifest. One that cannot be compiled was looked through when that was found."""
    for folder in changed_units(before, after, judges):
        unit = after.units[folder].unit
        if unit is not None:
            for pointer, what, problem in literals(unit.manifest):
                yield Finding("literal-secrets", f"{folder} {what} {pointer}", folder, problem)
