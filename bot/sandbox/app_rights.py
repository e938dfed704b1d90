"""What an installation token must allow for a verb: the area of each path, first match counts."""

from __future__ import annotations

import re
from typing import Literal

AREAS: tuple[tuple[str, tuple[str, ...]], ...] = (
    (r"/check-runs.*|/commits/.+/check-runs", ("checks",)),
    (r"/statuses/.*|/commits/.+/status(es)?", ("statuses",)),
    (r"/pulls.*|/commits/.+/pulls", ("pull_requests",)),
    (r"/issues.*", ("issues", "pull_requests")),
    (r"/hooks.*", ("repository_hooks",)),
    (r"/(commits|contents|git|branches|compare|activity).*", ("contents",)),
    (r"/orgs/.*", ("members",)),
    (r".*", ("metadata",)),
)
"""Path below the repository (or the API's root) -> areas, one of which must be allowed."""


def needed(method: str, path: str) -> tuple[tuple[str, ...], Literal["read", "write"]]:
    """The areas, one of which is enough, and how much of it."""
    areas = next(areas for pattern, areas in AREAS if re.fullmatch(pattern, path))
    return areas, "read" if method == "GET" else "write"
