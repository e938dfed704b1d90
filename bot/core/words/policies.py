"""What is said of policies beside their findings: waivers, and what a change of the platform's side means for all."""

from __future__ import annotations

from collections.abc import Sequence

from bot.core.model.plan import Fleet, FleetRow, Plan, WaiverTold
from bot.core.problem import Problem
from bot.core.words import blocks
from bot.core.words.amounts import count, names
from bot.core.words.inline import Line, bold, code, line, own, user
from bot.core.words.ladder import Part, Rung
from bot.core.words.problems import alike, told_once

_STATES = {
    "counts": (" until ", ""),
    "waits": (" until ", ", once the platform team approves"),
    "over": (" ended on ", ""),
    "idle": (" until ", "; nothing needs it"),
}
NAMED = 40
"""Services that one row of a fold names."""


def waivers(plan: Plan) -> list[Line]:
    """One line an exception, with its end."""
    return [_waiver(one) for one in plan.waivers]


def _waiver(one: WaiverTold) -> Line:
    before, after = _STATES[one.state]
    return line(
        bold("Waiver"), ": ", user(one.service, 60), " need not keep policy ", code(one.policy, 80), before,
        user(one.until, 10), after, ": ", user(one.reason, 300),
    )  # fmt: skip


def advice(found: Sequence[Problem], blob_url: str) -> str:
    """A fold: what policies that only warn would like better."""
    same = alike(found)
    summary = line(
        bold("Advice"), ": ", own(f"policies would like {count(len(same), 'thing')} better; nothing waits for it")
    )
    return blocks.fold(summary, blocks.bullets([told_once(ones, blob_url) for ones in same]))


def fleet(plan: Plan) -> list[Part]:
    """A fold: which services newly fail, pass or change."""
    found = plan.fleet
    if found is None or not (found.fails or found.passes or found.changes or found.policies):
        return []
    summary = line(bold("All services"), ": ", own(_summary(found)))
    rows = [*_rows(found.fails, "fails" if not found.policies else "would fail"), *_rows(found.passes, "passes now")]
    if found.changes:
        rows.append(line(own(f"{len(found.changes):,} change: "), names(found.changes, NAMED)))
    if found.judged < found.services:
        rows.append(line(own(f"Looked at {found.judged:,} of {found.services:,} services, in the order of folders.")))
    if found.policies:
        rows.append(line("Nothing is refused by this: what stands already only warns when its service changes next."))
    return [
        Part(
            {
                Rung.NEED: lambda: blocks.paragraph(summary),
                Rung.COUNTS: lambda: blocks.fold(summary, blocks.bullets(rows)),
            }
        )
    ]


def _summary(found: Fleet) -> str:
    numbers = [
        (sum(len(row.services) for row in found.fails), "would newly fail" if found.policies else "newly fail"),
        (sum(len(row.services) for row in found.passes), "newly pass"),
        (len(found.changes), "change"),
    ]
    said = [f"{number:,} {what}" for number, what in numbers if number]
    start = "these policies as merged: " if found.policies else ""
    return start + (", ".join(said) if said else "none newly fails or passes")


def _rows(rows: Sequence[FleetRow], verb: str) -> list[Line]:
    return [
        line(
            *((code(row.what, 80), ": ") if row.what else ()), own(f"{count(len(row.services), 'service')} {verb}: "),
            names(row.services, NAMED),
        )
        for row in rows
    ]  # fmt: skip
