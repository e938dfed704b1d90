"""Who must still agree, and to what; and who agreed to what cannot be taken back."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Final

from bot.core.model.rights import Agreement, Ground, Missing, Requirement
from bot.core.words.amounts import count, unique
from bot.core.words.inline import Line, bold, code, joined, line, own, user

_TEAM = re.compile(r"[A-Za-z0-9][A-Za-z0-9.-]*(?:/[A-Za-z0-9][A-Za-z0-9.-]*)+")
_SHOWN = 12

_ASKED: Mapping[Ground, str] = {
    "owner": "owns",
    "new-owner": "would own",
    "platform": "answers for",
    "extra": "agrees to raw manifests in",
    "waiver": "agrees to waivers in",
    "destroy": "agrees that data is destroyed:",
    "hosts": "gives out the hosts that are taken in",
    "environment": "approves changes in",
    "stand-in": "answers for what cannot be read in",
}
"""Why a team is asked, between its name and the subject."""

_OTHERS: Final = "Approvals count for exactly this head, by people who did not write it."


def mention(row: Requirement) -> Line:
    """The team as people of this forge call it, so that it is told. A team that only the change itself names is not
    called: who opens a pull request could call anybody."""
    if row.ground == "new-owner" or not _TEAM.fullmatch(row.forge_team):
        return (code(f"@{row.forge_team}", 120),)
    return (own(f"@{row.forge_team}"),)


def teams(agreement: Agreement) -> Line:
    """`@acme/payments and @acme/platform`."""
    return joined([mention(row) for row in _first(agreement.missing)], last=" and ")


def counted(agreement: Agreement) -> Line:
    """`1 approval of @acme/payments (prod) and 1 of @acme/platform`, for a status."""
    parts: list[Line] = []
    for row in _first(agreement.missing):
        mine = [one for one in agreement.missing if one.requirement.forge_team == row.forge_team]
        lacks = max(one.lacks for one in mine)
        where = unique(one.requirement.subject for one in mine if one.requirement.ground == "environment")
        number = f"{lacks} of " if parts else f"{count(lacks, 'approval')} of "
        places = line(" (", joined([(user(name, 40),) for name in where[:4]]), ")") if where else ()
        parts.append(line(number, user(f"@{row.forge_team}", 80), places))
    return joined(parts, last=" and ")


def how(agreement: Agreement) -> Line:
    """What an approval is, and who may give it instead."""
    counts = [one.requirement for one in agreement.missing if one.requirement.ground == "environment"]
    if counts and agreement.stand_in and any(row.forge_team != agreement.stand_in for row in counts):
        return line(
            _OTHERS, " Where nobody else is in the team, ", code(f"@{agreement.stand_in}", 120), " may approve."
        )
    return line(_OTHERS)


def rows(agreement: Agreement, open_: bool) -> list[Line]:
    """One line for each approval that is missing, and who agreed to a destruction. After the merge: what it was merged
    without."""
    lead = "Needs" if open_ else "Was merged without"
    found = [_missing(one, lead) for one in agreement.missing[:_SHOWN]]
    if len(agreement.missing) > _SHOWN:
        found.append(line(f"and {len(agreement.missing) - _SHOWN:,} more"))
    return [*found, *_destroyed([row for row in agreement.given if row.ground == "destroy"])]


def _missing(one: Missing, lead: str) -> Line:
    row = one.requirement
    number = f" {count(one.lacks, 'approval')} of " if row.ground == "environment" else " the approval of "
    return line(bold(lead), number, mention(row), f", which {_ASKED[row.ground]} ", code(row.subject, 160))


def _destroyed(given: Sequence[Requirement]) -> list[Line]:
    by_subject: dict[str, list[Requirement]] = {}
    for row in given:
        by_subject.setdefault(row.subject, []).append(row)
    return [
        line(code(subject, 160), " is in ", code("platform/destroy.yaml"), " by leave of ", _named(found))
        for subject, found in list(by_subject.items())[:_SHOWN]
    ]


def _named(found: Sequence[Requirement]) -> Line:
    return joined([(code(f"@{row.forge_team}", 120),) for row in found], last=" and ")


def _first(missing: Sequence[Missing]) -> list[Requirement]:
    """Each team once, with a requirement that may call it, if there is one."""
    found: dict[str, Requirement] = {}
    for one in sorted(missing, key=lambda each: each.requirement.ground == "new-owner"):
        found.setdefault(one.requirement.forge_team, one.requirement)
    return list(found.values())
