"""What changed since the last look, by one conditional request where nothing did."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime

from bot.ports import Changed, Pull

TIME = "%Y-%m-%dT%H:%M:%SZ"
"""Times as adapters tell them: whole seconds, UTC; as text they sort as they pass."""


@dataclass(frozen=True, slots=True)
class Page:
    """One page of all pull requests, most recently changed first."""

    pulls: tuple[Pull, ...]
    more: bool
    etag: str


Pages = Callable[[int, str], Page | None]
"""(page from 1, etag or empty) -> the page, None where the etag still holds."""


def changed_since(mark: str, pages: Pages, open_pulls: Callable[[], tuple[Pull, ...]]) -> Changed:
    """Every pull request that changed since `mark` was made, most recently changed first. A mark that is empty or not
    ours gives a first look: all that is open, and of the closed ones those among the latest page."""
    etag, since = _read(mark)
    page = pages(1, etag)
    if page is None:
        return Changed(None, mark)
    # Taken from the first page before the others are read: what changes meanwhile is found next time.
    following = _write(page.etag, max([since, *(pull.updated_at for pull in page.pulls)]))
    found = {pull.number: pull for pull in page.pulls}
    if not since:
        found |= {pull.number: pull for pull in open_pulls()}
    number = 2
    # What changed in the very second of the mark counts as after it.
    while since and page is not None and page.more and page.pulls and page.pulls[-1].updated_at >= since:
        page = pages(number, "")
        number += 1
        for pull in page.pulls if page is not None else ():
            # What changes while pages are read moves down and is met twice; the first meeting was as good.
            found.setdefault(pull.number, pull)
    pulls = (pull for pull in found.values() if pull.updated_at >= since)
    return Changed(tuple(sorted(pulls, key=lambda one: (one.updated_at, one.number), reverse=True)), following)


def _write(etag: str, since: str) -> str:
    return json.dumps({"etag": etag, "since": since})


def _read(mark: str) -> tuple[str, str]:
    try:
        read = json.loads(mark)
        datetime.strptime(read["since"], TIME).replace(tzinfo=UTC)
        return str(read["etag"]), str(read["since"])
    except (ValueError, TypeError, KeyError):
        return "", ""
