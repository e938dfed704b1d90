"""Cases, verdicts and files as JSON carries them to a judge in another process, and a digest of a case."""

from __future__ import annotations

import hashlib
import json
from base64 import b64decode, b64encode
from collections.abc import Mapping
from dataclasses import astuple
from typing import Any

from bot.core.policy.model import Case, Place, Verdict


def line_of(value: Any) -> bytes:
    """Plain data as one line of JSON; a map of any class is written as one."""
    return json.dumps(value, separators=(",", ":"), default=dict).encode() + b"\n"


def case_out(case: Case) -> list[Any]:
    """The case as plain data."""
    return [case.key, case.object, case.old, case.namespace, case.resource, case.unit, case.environment]


def case_in(value: list[Any]) -> Case:
    """The case again."""
    return Case(*value)


def case_line(case: Case) -> bytes:
    """All that the case is, as one line of JSON that is the same for equal cases."""
    return json.dumps(case_out(case), sort_keys=True, separators=(",", ":"), default=dict).encode()


def content_id(line: bytes) -> str:
    """A digest of a line."""
    return hashlib.sha256(line).hexdigest()


def case_id(case: Case) -> str:
    """A digest of all that the case is."""
    return content_id(case_line(case))


def verdict_out(verdict: Verdict) -> list[Any]:
    """The verdict as plain data."""
    return [
        verdict.policy, verdict.binding, verdict.validation, verdict.effect, verdict.message, astuple(verdict.place),
        verdict.case, verdict.kind, verdict.pointers, dict(verdict.audit),
    ]  # fmt: skip


def verdict_in(value: list[Any]) -> Verdict:
    """The verdict again."""
    policy, binding, validation, effect, message, place, case, kind, pointers, audit = value
    return Verdict(
        policy, binding, validation, effect, message, Place(*place), case, kind, tuple(map(tuple, pointers)), audit
    )


def files_out(files: Mapping[str, bytes]) -> dict[str, str]:
    """Files as plain data."""
    return {path: b64encode(data).decode() for path, data in files.items()}


def files_in(value: Mapping[str, str]) -> dict[str, bytes]:
    """The files again."""
    return {path: b64decode(data) for path, data in value.items()}
