"""The waivers of the services that a change touches, and whether they count."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal

from bot.core.build import Build
from bot.core.model.plan import WaiverTold
from bot.core.rules.finding import Judges, changed_units
from bot.core.rules.fleet import name_of
from bot.core.rules.judge import Judged
from bot.core.rules.waivers import waivers_in


def waivers_of(before: Build | None, after: Build, judges: Judges, judged: Judged) -> Iterator[WaiverTold]:
    """Each waiver of each changed service, by folder and in the manifest's order."""
    used = {(one.finding.unit, one.verdict.policy) for one in judged.policies}
    for folder in changed_units(before, after, judges):
        had = waivers_in(before, folder)
        for one in waivers_in(after, folder):
            stood = any(one.same(old) for old in had)
            state: Literal["counts", "waits", "over", "idle"]
            if one.until < judges.today:
                state = "over"
            elif not stood and not judges.excused:
                state = "waits"
            else:
                state = "counts" if (folder, one.policy) in used else "idle"
            yield WaiverTold(folder, name_of(after, folder), one.policy, one.reason, one.until, state)
