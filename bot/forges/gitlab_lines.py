"""Remarks beside lines of a merge request: threads at positions of its difference, resolved when they are answered."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
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
class Ours:
    """How the bot knows its own: by author and keyed marker, both. Who it is costs a request, so it is asked late."""

    whoami: Callable[[], int]
    marker: Marker

    def digest(self, note: Json, key: str) -> str | None:
        """What the note was signed with; None where it is not ours."""
        digest = self.marker.digest(note["body"] or "", key)
        return digest if digest is not None and note["author"]["id"] == self.whoami() else None


@dataclass(frozen=True, slots=True)
class Thread:
    """A discussion that the bot began."""

    id: str
    digest: str
    resolved: bool


def stand(notes: Sequence[Json], key: str, remarks: Sequence[Remark], unplaced: frozenset[str], ours: Ours) -> bool:
    """Whether the open ones among `notes` beside lines are exactly `remarks`, but for those that have no place."""
    said = [digest for one in notes if not one.get("resolved") and (digest := ours.digest(one, key)) is not None]
    return sorted(said) == sorted(_wanted(remarks).keys() - unplaced)


def ensure_remarks(
    calls: Calls, path: str, sha: Oid, key: str, remarks: Sequence[Remark], ours: Ours
) -> tuple[bool, frozenset[str]]:
    """Afterwards the bot's own open threads under `key` are exactly `remarks`, as far as their lines are shown; others
    are resolved. Whether anything was written, and which remarks have no place. `path` is the merge request's."""
    wrote = False
    for attempt in range(1, _TRIES + 1):
        threads = calls.read("listing threads", partial(_threads, calls, path, key, ours))
        try:
            wrote = _settle(calls, path, remarks, threads) or wrote
            held = {thread.digest for thread in threads}
            missing = {digest: one for digest, one in _wanted(remarks).items() if digest not in held}
            began, unplaced = _begin(calls, path, sha, key, missing, ours.marker) if missing else (False, frozenset())
        except UnknownOutcomeError:
            if attempt == _TRIES:
                raise
            wrote = True
            calls.pause(attempt)
        else:
            return began or wrote, unplaced
    return wrote, frozenset()


def _wanted(remarks: Sequence[Remark]) -> dict[str, Remark]:
    return {_digest(remark): remark for remark in remarks[:REMARKS]}


def _settle(calls: Calls, path: str, remarks: Sequence[Remark], threads: Sequence[Thread]) -> bool:
    """Opens what is meant again, resolves the rest and all but the first of twins."""
    wanted, wrote = _wanted(remarks), False
    for thread in threads:
        first = next(one for one in threads if one.digest == thread.digest)
        resolved = thread.digest not in wanted or thread is not first
        if thread.resolved != resolved:
            _resolve(calls, path, thread, resolved)
            wrote = True
    return wrote


def _begin(
    calls: Calls, path: str, sha: Oid, key: str, missing: Mapping[str, Remark], marker: Marker
) -> tuple[bool, frozenset[str]]:
    refs = calls.read("reading the merge request", partial(calls.get, path)).get("diff_refs")
    if not isinstance(refs, dict) or refs.get("head_sha") != sha:
        # The head moved: whoever looks at the new one says it there.
        return False, frozenset()
    shown = calls.read("reading the difference", lambda: dict(_shown(calls.all(f"{path}/diffs"))))
    unplaced = set()
    for digest, remark in missing.items():
        place = shown.get((remark.path, remark.line))
        if place is None or not _said(calls, path, refs, remark, place, marker.sign(remark.body, key, digest)):
            unplaced.add(digest)
    return len(unplaced) < len(missing), frozenset(unplaced)


def _said(calls: Calls, path: str, refs: Json, remark: Remark, place: Place, text: str) -> bool:
    """False where GitLab takes no thread there after all: it folds parts of a large difference away."""
    position: dict[str, object] = {name: refs[name] for name in ("base_sha", "start_sha", "head_sha")}
    position |= {"position_type": "text", "old_path": place.old_path, "new_path": remark.path}
    position |= {"new_line": remark.line} | ({} if place.old_line is None else {"old_line": place.old_line})
    try:
        body = without_quick_actions(text)
        calls.write("beginning a thread", "post", f"{path}/discussions", body=body, position=position)
    except RefusedError as refused:
        if "line_code" not in refused.said and "position" not in refused.said:
            raise
        return False
    return True


def _resolve(calls: Calls, path: str, thread: Thread, resolved: bool) -> None:
    try:
        calls.write("resolving a thread", "put", f"{path}/discussions/{thread.id}", resolved=resolved)
    except GoneError:
        # Somebody deleted it; that is as good.
        return


def _threads(calls: Calls, path: str, key: str, ours: Ours) -> list[Thread]:
    found = []
    for one in calls.all(f"{path}/discussions"):
        first = one["notes"][0]
        digest = ours.digest(first, key)
        if digest is not None and first.get("resolvable", True):
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
