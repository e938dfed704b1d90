"""A webhook's body, read with distrust: bounded before it is parsed, every field checked as it is taken."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic_core import from_json

MOST_VALUES = 2_000_000
"""The largest real payloads (pushes of thousands of commits) stay below; `[[],[],…` of 25 MiB would cost gigabytes."""


class UnreadableError(Exception):
    """The body, or a field that the forge promises, is missing or has another type. The text says which."""


def read_object(body: bytes) -> Mapping[str, Any]:
    """The JSON object in `body`; UnreadableError for anything else."""
    if body.count(b",") + body.count(b"[") + body.count(b"{") > MOST_VALUES:
        raise UnreadableError(f"the body holds more than {MOST_VALUES} values")
    try:
        # Rust's reader: it stops at a depth of 200 whatever the interpreter's own stack allows.
        payload = from_json(body, allow_inf_nan=False)
    except ValueError as err:
        raise UnreadableError(f"the body is not JSON that can be read ({err})") from err
    if not isinstance(payload, dict):
        raise UnreadableError("the body is not a JSON object")
    return payload


def object_at(parent: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    """An object that must be there."""
    found = parent.get(key)
    if not isinstance(found, dict):
        raise UnreadableError(f"{key} is not an object")
    return found


def word_at(parent: Mapping[str, Any], key: str) -> str:
    """A text that must be there and not be empty."""
    found = parent.get(key)
    if not isinstance(found, str) or not found:
        raise UnreadableError(f"{key} is not a word")
    return found


def number_at(parent: Mapping[str, Any], key: str, below: int) -> int:
    """A whole number from 1 that must be there."""
    found = parent.get(key)
    if type(found) is not int or not 0 < found < below:
        raise UnreadableError(f"{key} is not a positive number")
    return found
