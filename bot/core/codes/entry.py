"""What is written about a problem code."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

Files = Mapping[str, str]
"""Path in the platform repository (or, for rooms 08 and 09, in the world) -> text."""

CHECKOUT = "services/checkout/platform.yaml"


@dataclass(frozen=True, slots=True)
class Entry:
    """One code, explained. `wrong` gives the problem, `right` does not; both show only the lines that matter.

    A manifest that does not begin with `name:` stands below its four required lines. Files that are the same on both
    sides are what the example needs around it. Backticks mark code.
    """

    title: str
    """A few words, lower case."""
    what: str
    why: str
    wrong: Files
    right: Files

    @property
    def around(self) -> Files:
        """The files that both sides show; none where nothing else would be left of one side."""
        same = {path: text for path, text in self.right.items() if self.wrong.get(path) == text}
        return {} if len(same) in (len(self.wrong), len(self.right)) else same


def manifest(text: str) -> Files:
    """An example that is a piece of one service's manifest."""
    return {CHECKOUT: text}
