"""Every problem code: a title, what it means, why it matters, an example of wrong and right.

A code never changes meaning and is never used again. The first two digits name the room that finds it. A new code is a
row in the file of its room here; `python -m tests.core.codes_page` then writes `schemas/problems.md` anew.
"""

from __future__ import annotations

from collections.abc import Mapping

from bot.core.codes import deliveries, files, kits, meaning, neighbours, places, policies, rego, waivers
from bot.core.codes.entry import CHECKOUT, Entry, Files

__all__ = ["CHECKOUT", "CODES", "ENTRIES", "ROOMS", "Entry", "Files"]

ROOMS: Mapping[str, str] = {
    "00": "characters",
    "01": "files and their schemas",
    "02": "the kit: blueprints, recipes, templates",
    "03": "the platform's own files, and where services lie",
    "04": "what a manifest means in an environment",
    "05": "services among each other",
    "06": "what is rendered",
    "07": "what the rules refuse",
    "08": "the delivery",
    "09": "the world outside",
}
"""The first two digits of a code -> what its room is about."""

_ROWS: Mapping[str, Entry] = {
    **files.ENTRIES,
    **kits.ENTRIES,
    **places.ENTRIES,
    **meaning.ENTRIES,
    **neighbours.ENTRIES,
    **deliveries.ENTRIES,
    **policies.ENTRIES,
    **waivers.ENTRIES,
    **rego.ENTRIES,
}
ENTRIES: Mapping[str, Entry] = dict(sorted(_ROWS.items()))
"""Code -> its entry, sorted."""

CODES: Mapping[str, str] = {code: entry.title for code, entry in ENTRIES.items()}
"""Code -> its short title, sorted."""
