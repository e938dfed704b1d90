"""`.causeway/` in the GitOps repo: the cursor and what is kept, read and written.

A file there that cannot be read, or that does not belong, stops delivery: nothing may be guessed about memory.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import TypeVar, cast

from bot.core.emit import emit_json
from bot.core.model.delivery import Actual, Cursor, Kept, KeptEntry, Reason
from bot.core.model.values import Value
from bot.core.parse import Limits, parse
from bot.core.problem import Problem, Refusal
from bot.core.tree import Oid, Tree, safe_path

CURSOR = ".causeway/cursor.json"
KEPT = ".causeway/kept.json"

T = TypeVar("T")

_SHA = re.compile(r"[0-9a-f]{40}")
_DIGEST = re.compile(r"[0-9a-f]{64}")
_REASONS = ("data", "draining", "refused", "held")
_LIMITS = Limits(size=64 * 1024 * 1024, events=4_000_000, depth=6)


def read_actual(head: Tree | None) -> Actual | Refusal:
    """The GitOps side as it stands; a cursor that is absent is None. What cannot be read, or only one file of the two
    that are always written together, is a Refusal (CW0801)."""
    cursor = _read(head, CURSOR, _cursor)
    kept = _read(head, KEPT, _kept)
    if isinstance(cursor, Refusal) or isinstance(kept, Refusal):
        return cursor if isinstance(cursor, Refusal) else cast("Refusal", kept)
    if cursor is not None and kept is None:
        return _unreadable(KEPT, "it is missing, though it is always written with the cursor")
    return Actual(head, cursor, kept or {})


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


def unknown_object() -> Refusal:
    """What is kept names an object that the repository does not have, so the head cannot be made."""
    return _unreadable(KEPT, "it names an object that this repository does not have")


def _read(head: Tree | None, path: str, meaning: Callable[[Value], T]) -> T | Refusal | None:
    """What the file means, None where there is none."""
    if head is None or head.get(path) is None:
        return None
    try:
        data = head.read(path)
    except KeyError:
        return _unreadable(path, "it is not a regular file")
    doc = parse(path, data, _LIMITS)
    if isinstance(doc, Refusal):
        return _unreadable(path, doc.problems[0].message)
    try:
        return meaning(doc.value)
    except (KeyError, TypeError, ValueError, AttributeError) as wrong:
        return _unreadable(path, str(wrong) if isinstance(wrong, ValueError) else "it does not have its form")


def _cursor(value: Value) -> Cursor:
    found = cast("Mapping[str, Value]", value)
    kit = cast("Mapping[str, Value]", found["kit"])
    renderer = kit["renderer"]
    if found["version"] != 1 or not isinstance(renderer, int) or isinstance(renderer, bool):
        raise ValueError("its version or renderer is not one that this Causeway writes")
    return Cursor(
        repository=_match(re.compile(r"[1-9][0-9]{0,18}"), found["repository"]),
        commit=Oid(_match(_SHA, found["commit"])),
        renderer=renderer,
        digest=_match(_DIGEST, kit["digest"]),
    )


def _kept(value: Value) -> Kept:
    found = cast("Mapping[str, Value]", value)
    if found["version"] != 1:
        raise ValueError("its version is not one that this Causeway writes")
    entries = cast("Mapping[str, Mapping[str, Value]]", found["kept"])
    unsafe = next((path for path in entries.keys() if not safe_path(path)), None)  # noqa: SIM118 - a list must fail
    if unsafe is not None:
        raise ValueError("it names a path that may not be written")
    return {path: _entry(entry) for path, entry in entries.items()}


def _entry(value: Mapping[str, Value]) -> KeptEntry:
    kind, reason, oid = value["kind"], value["reason"], value["id"]
    unit = value["unit"]
    if kind not in ("file", "folder") or reason not in _REASONS or not isinstance(unit, str):
        raise ValueError("an entry has an unknown kind, reason or unit")
    return KeptEntry(
        id=None if oid is None else Oid(_match(_SHA, oid)),
        kind="file" if kind == "file" else "folder",
        reason=cast("Reason", reason),
        commit=Oid(_match(_SHA, value["commit"])),
        unit=unit,
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
