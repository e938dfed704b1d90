"""Remarks beside lines of a merge request: threads at positions of its difference, resolved when they are answered."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial

from bot.core.model.conversation import Remark
from bot.core.text import without_quick_actions
from bot.core.tree import Oid
from bot.forges.ensure import UnknownOutcomeError
from bot.forges.gitlab_calls import Calls, Json, RefusedError
from bot.forges.marker import Marker
from bot.ports import GoneError

_HUNK = re.compile(r"@@ -(\d+)(?:,\d+)? \+(\d+)(?:,\d+)? @@")
_TRIES = 3
REMARKS = 20
"""Each is a write of its own; whoever has more to mend than this reads the comment."""


@dataclass(frozen=True, slots=True)
class Place:
    """A line that the difference shows. `old_line` is None for a line that was added."""

    old_path: str
    old_line: int | None


@dataclass(frozen=True, slots=True)
class Thread:
    """A discussion that the bot began."""

    id: str
    digest: str
    resolved: bool


def ensure_remarks(
    calls: Calls, path: str, sha: Oid, key: str, remarks: Sequence[Remark], me: Callable[[], int], marker: Marker
) -> bool:
    """Afterwards the bot's own open threads under `key` are exactly `remarks`, as far as their lines are shown; others
    are resolved. False where nothing was written. `path` is the merge request's."""
    wrote = False
    for attempt in range(1, _TRIES + 1):
        threads = calls.read("listing threads", partial(_threads, calls, path, key, me, marker))
        try:
            return _once(calls, path, sha, key, remarks, threads, marker) or wrote
        except UnknownOutcomeError:
            if attempt == _TRIES:
                raise
            wrote = True
            calls.pause(attempt)
    return wrote


def _once(
    calls: Calls, path: str, sha: Oid, key: str, remarks: Sequence[Remark], threads: Sequence[Thread], marker: Marker
) -> bool:
    wanted = {_digest(remark): remark for remark in remarks[:REMARKS]}
    wrote = False
    for thread in threads:
        first = next(one for one in threads if one.digest == thread.digest)
        resolved = thread.digest not in wanted or thread is not first
        if thread.resolved != resolved:
            _resolve(calls, path, thread, resolved)
            wrote = True
    missing = {digest: one for digest, one in wanted.items() if digest not in {thread.digest for thread in threads}}
    return (_begin(calls, path, sha, key, missing, marker) if missing else False) or wrote


def _begin(calls: Calls, path: str, sha: Oid, key: str, missing: dict[str, Remark], marker: Marker) -> bool:
    refs = calls.read("reading the merge request", partial(calls.get, path)).get("diff_refs")
    if not isinstance(refs, dict) or refs.get("head_sha") != sha:
        # The head moved: whoever looks at the new one says it there.
        return False
    shown = calls.read("reading the difference", lambda: dict(_shown(calls.all(f"{path}/diffs"))))
    wrote = False
    for digest, remark in missing.items():
        place = shown.get((remark.path, remark.line))
        if place is None:
            continue
        position: dict[str, object] = {name: refs[name] for name in ("base_sha", "start_sha", "head_sha")}
        position |= {"position_type": "text", "old_path": place.old_path, "new_path": remark.path}
        position["new_line"] = remark.line
        if place.old_line is not None:
            position["old_line"] = place.old_line
        body = without_quick_actions(marker.sign(remark.body, key, digest))
        try:
            calls.write("beginning a thread", "post", f"{path}/discussions", body=body, position=position)
        except RefusedError as refused:
            # GitLab folds some lines of a large difference away, and takes no thread there.
            if "line_code" not in refused.said and "position" not in refused.said:
                raise
            continue
        wrote = True
    return wrote


def _resolve(calls: Calls, path: str, thread: Thread, resolved: bool) -> None:
    try:
        calls.write("resolving a thread", "put", f"{path}/discussions/{thread.id}", resolved=resolved)
    except GoneError:
        # Somebody deleted it; that is as good.
        return


def _threads(calls: Calls, path: str, key: str, me: Callable[[], int], marker: Marker) -> list[Thread]:
    found = []
    for one in calls.all(f"{path}/discussions"):
        first = one["notes"][0]
        digest = marker.digest(first["body"] or "", key)
        if digest is not None and first["author"]["id"] == me() and first.get("resolvable", True):
            found.append(Thread(str(one["id"]), digest, bool(first.get("resolved", False))))
    return found


def _shown(files: Sequence[Json]) -> Iterator[tuple[tuple[str, int], Place]]:
    """Every line of the new side that the difference shows."""
    for file in files:
        old, new = 0, 0
        for text in str(file.get("diff") or "").split("\n"):
            hunk = _HUNK.match(text)
            if hunk is not None:
                old, new = int(hunk[1]), int(hunk[2])
            elif text[:1] == "+":
                yield (file["new_path"], new), Place(file["old_path"], None)
                new += 1
            elif text[:1] == " ":
                yield (file["new_path"], new), Place(file["old_path"], old)
                old, new = old + 1, new + 1
            elif text[:1] == "-":
                old += 1


def _digest(remark: Remark) -> str:
    return hashlib.sha256(f"{remark.path}\0{remark.line}\0{remark.body}".encode()).hexdigest()[:32]
