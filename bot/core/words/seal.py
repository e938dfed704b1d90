"""What a comment's digest remembers of what was reviewed, since nothing else does.

No plan is kept anywhere, but both sides of each are in git: two shas are enough to compute it again, and two digests to
know that it is the same one.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace

_PLAN = "[0-9a-f]{16}"
_FORM = re.compile(rf"([0-9a-f]{{32}})({_PLAN})([0-9a-f]{{40}})({_PLAN})([0-9a-f]{{40}})([0-9a-f]{{12}})")
_HEX = re.compile(r"[0-9a-f]+")


@dataclass(frozen=True, slots=True)
class Seal:
    """`content`: 32 digits of what the comment says. `first_plan` for `first_base`: when this plan was first told.
    `last_plan` for `last_base` and `head` (12 digits): what the comment told last while the pull request was open."""

    content: str
    first_plan: str
    first_base: str
    last_plan: str
    last_base: str
    head: str

    def text(self) -> str:
        """As it stands in the marker."""
        return "".join((self.content, self.first_plan, self.first_base, self.last_plan, self.last_base, self.head))


def read_seal(text: str) -> Seal | None:
    """None where a comment remembers nothing: an older one, or one that never told a plan."""
    found = _FORM.fullmatch(text)
    return Seal(*found.groups()) if found is not None else None


def sealed(content: str, known: Seal | None, told: Seal | None) -> str:
    """The digest of a comment that says `content`. `known` is what the one that stands there remembers, `told` what is
    to be remembered if this is written. The same content keeps the whole digest, so that nothing is written."""
    content = content[:32]
    if known is not None and known.content == content and (told is None or told.first_plan == known.first_plan):
        return known.text()
    kept = told or known
    return replace(kept, content=content).text() if kept is not None else content


def fits(base: str, head: str) -> bool:
    """Whether both can stand in a seal."""
    return all(_HEX.fullmatch(sha) for sha in (base, head)) and len(base) == 40 and len(head) >= 12
