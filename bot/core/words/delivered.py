"""After the merge: what was written where, what is still on its way, and how it differs from what was reviewed."""

from __future__ import annotations

import re

from bot.core.model.conversation import Conversation, Delivered
from bot.core.model.plan import Plan
from bot.core.words import blocks, what
from bot.core.words.amounts import about, names, places
from bot.core.words.inline import Line, bold, joined, line, own, user
from bot.core.words.ladder import Part, Rung
from bot.core.words.problems import sentence

_CLOCK = re.compile(r"\b[0-2][0-9]:[0-5][0-9]\b", re.ASCII)


def parts(talk: Conversation) -> list[Part]:
    """What follows the first line once there is a commit; empty before."""
    if talk.delivered is None or what.nothing_written(talk):
        return []
    notes = _notes(talk.delivered)
    written = _written(talk.delivered, talk.outcome if isinstance(talk.outcome, Plan) else None)
    shown = [Part({Rung.MUST: lambda: written})]
    return [Part({Rung.MUST: lambda: notes}), *shown] if notes else shown


def _notes(done: Delivered) -> str:
    """The difference to what was reviewed comes before everything else."""
    if not done.notes:
        return ""
    head = blocks.paragraph(bold("This is not quite what was reviewed:"))
    return f"{head}\n\n{blocks.bullets([sentence(note) for note in done.notes[:20]])}"


def _written(done: Delivered, plan: Plan | None) -> str:
    if not done.environments:
        return blocks.paragraph(line("Nothing that runs in an environment changed."))
    environments = what.in_order(done.environments, plan)
    waits = {environment: _data(plan, environment) for environment in environments}
    if not any(waits.values()):
        return blocks.paragraph(line("Written to ", names(environments, 12), "."))
    # The day is in the first line already.
    clock = _CLOCK.search(done.at)
    when: Line = (own(clock[0]),) if clock else (user(done.at, 40),)
    same: dict[Line, list[str]] = {}
    for environment, words in waits.items():
        same.setdefault(words, []).append(environment)
    rows = [[places(where), when, words or (own("nothing to wait for"),)] for words, where in same.items()]
    return blocks.table([(own(""),), (own("written"),), (own("waits for"),)], rows)


def _data(plan: Plan | None, environment: str) -> Line:
    """Databases that this change creates and that take a while."""
    found = [
        line(names([f"{service.name}/{data.need}"], as_code=True), ", ", about(data.ready_in))
        for service in (plan.services if plan is not None else ())
        for there in service.environments
        if there.environment == environment
        for data in there.data
        if data.action == "create" and data.ready_in
    ]
    more = f" and {len(found) - 4:,} more" if len(found) > 4 else ""
    return line(joined(found[:4], "; "), more) if found else ()
