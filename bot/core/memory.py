"""`.causeway/` in the GitOps repo: the cursor and what is kept, read and written.

A file there that cannot be read, or that does not belong, stops delivery: nothing may be guessed about memory.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import cast

from bot.core.emit import emit_json
from bot.core.model.delivery import Actual, Cursor, Kept, KeptEntry, Reason
from bot.core.model.values import Value
from bot.core.parse import Limits, parse
from bot.core.problem import Problem, Refusal
from bot.core.tree import Oid, Tree

CURSOR = ".causeway/cursor.json"
KEPT = ".causeway/kept.json"

_SHA = re.compile(r"[0-9a-f]{40}")
_DIGEST = re.compile(r"[0-9a-f]{64}")
_REASONS = ("data", "draining", "refused", "held")
_LIMITS = Limits(size=64 * 1024 * 1024, events=4_000_000, depth=6)


def read_actual(head: Tree | None) -> Actual | Refusal:
    """The GitOps side as it stands; a cursor that is absent is None, one that cannot be read is a Refusal (CW0801)."""
    if head is None:
        return Actual(None, None, {})
    cursor = _read(head, CURSOR)
    kept = _read(head, KEPT)
    if isinstance(cursor, Refusal) or isinstance(kept, Refusal):
        return cursor if isinstance(cursor, Refusal) else cast("Refusal", kept)
    try:
        return Actual(head, _cursor(cursor), _kept(kept))
    except (KeyError, TypeError, ValueError, AttributeError) as wrong:
        return _unreadable(CURSOR if cursor is None or not _is_cursor(cursor) else KEPT, str(wrong))


def cursor_bytes(cursor: Cursor) -> bytes:
    """The file's content for a cursor; one form only."""
    return emit_json(
        {
            "version": 1,
            "repository": cursor.repository,
            "commit": cursor.commit,
            "kit": {"renderer": cursor.renderer, "digest": cursor.digest},
        }
    )


def kept_bytes(kept: Kept) -> bytes:
    """The file's content for what is kept, sorted by path."""
    entries = {
        path: {
            "id": entry.id,
            "kind": entry.kind,
            "reason": entry.reason,
            "commit": entry.commit,
            "unit": entry.unit,
        }
        for path, entry in sorted(kept.items())
    }
    return emit_json({"version": 1, "kept": entries})


def _read(head: Tree, path: str) -> Value | Refusal:
    if head.get(path) is None:
        return None
    try:
        data = head.read(path)
    except KeyError:
        return _unreadable(path, "it is not a regular file")
    doc = parse(path, data, _LIMITS)
    return _unreadable(path, doc.problems[0].message) if isinstance(doc, Refusal) else doc.value


def _is_cursor(value: Value) -> bool:
    try:
        return _cursor(value) is not None
    except (KeyError, TypeError, ValueError, AttributeError):
        return False


def _cursor(value: Value) -> Cursor | None:
    if value is None:
        return None
    found = cast("Mapping[str, Value]", value)
    kit = cast("Mapping[str, Value]", found["kit"])
    if found["version"] != 1 or not isinstance(kit["renderer"], int):
        raise ValueError("its version or renderer is not one that this Causeway writes")
    return Cursor(
        repository=_match(re.compile(r"[1-9][0-9]{0,18}"), found["repository"]),
        commit=Oid(_match(_SHA, found["commit"])),
        renderer=kit["renderer"],
        digest=_match(_DIGEST, kit["digest"]),
    )


def _kept(value: Value) -> Kept:
    if value is None:
        return {}
    found = cast("Mapping[str, Value]", value)
    if found["version"] != 1:
        raise ValueError("its version is not one that this Causeway writes")
    return {path: _entry(entry) for path, entry in cast("Mapping[str, Mapping[str, Value]]", found["kept"]).items()}


def _entry(value: Mapping[str, Value]) -> KeptEntry:
    kind, reason, oid = value["kind"], value["reason"], value["id"]
    if kind not in ("file", "folder") or reason not in _REASONS:
        raise ValueError("an entry has an unknown kind or reason")
    return KeptEntry(
        id=None if oid is None else Oid(_match(_SHA, oid)),
        kind="file" if kind == "file" else "folder",
        reason=cast("Reason", reason),
        commit=Oid(_match(_SHA, value["commit"])),
        unit=str(value["unit"]),
    )


def _match(pattern: re.Pattern[str], value: Value) -> str:
    if not isinstance(value, str) or pattern.fullmatch(value) is None:
        raise ValueError("a value in it does not have its form")
    return value


def _unreadable(path: str, what: str) -> Refusal:
    return Refusal(
        (
            Problem(
                path,
                1,
                1,
                "CW0801",
                f"{path} in the GitOps repo cannot be read: {what}",
                "Causeway knows from this file what it wrote and what it keeps; without it every change could destroy.",
                f"Restore {path} from the GitOps repo's history (`git checkout <good commit> -- {path}`) and push.",
            ),
        )
    )
