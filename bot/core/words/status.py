"""The status: one line of plain text, at most 140 characters."""

from __future__ import annotations

from bot.core.words import blocks
from bot.core.words.inline import bold, clip, line, plain
from bot.core.words.verdict import Verdict

LIMIT = 140
LOOKING = "Looking at what this would change"
"""The pending status of a look that takes longer than a moment."""
ASK_THE_DOCTOR = "Nothing is wrong with this change. Whoever runs Causeway finds what it lacks with `causeway doctor`."
"""Behind the status of a head that could not be looked at."""


def cannot_look(why: str) -> str:
    """The pending status of a head that no look could be brought to an end for."""
    return clip(f"Cannot look, tries again: {why}", LIMIT)


def status(found: Verdict) -> str:
    """`Ready: 1 service, 3 environments, +$222 a month`."""
    words = " ".join(plain(found.short).split())
    return clip(words[:1].upper() + words[1:], LIMIT)


def summary(found: Verdict) -> str:
    """Markdown for the page behind a status: the first line, who unblocks, and where the rest is told."""
    rest = line("The whole plan is the comment on the pull request; each problem stands at its line.")
    said = [blocks.paragraph(bold(found.first)), blocks.paragraph(found.unblock), blocks.paragraph(rest)]
    return "\n\n".join(part for part in said if part)
