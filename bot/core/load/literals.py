"""Values in a manifest that look like secrets, found in its text as it was parsed, whether or not it means anything."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from bot.core.model.values import Doc, Pointer, Value
from bot.core.problem import Problem

_SHAPES: tuple[tuple[str, re.Pattern[str]], ...] = (
    ("an AWS access key", re.compile(r"\b(?:AKIA|ASIA)[0-9A-Z]{16}\b")),
    ("a GitHub token", re.compile(r"\b(?:gh[pousr]_[0-9A-Za-z]{36,}|github_pat_[0-9A-Za-z_]{50,})")),
    ("a GitLab token", re.compile(r"\bglpat-[0-9A-Za-z_-]{20,}")),
    ("a Slack token", re.compile(r"\bxox[abprs]-[0-9A-Za-z-]{10,}")),
    ("a Stripe key", re.compile(r"\b[sr]k_live_[0-9A-Za-z]{16,}")),
    ("a private key", re.compile(r"-----BEGIN [A-Z ]*PRIVATE KEY-----")),
    ("a JSON web token", re.compile(r"\beyJ[0-9A-Za-z_-]{10,}\.eyJ[0-9A-Za-z_-]{10,}\.[0-9A-Za-z_-]{10,}")),
    ("a password in a URL", re.compile(r"[a-z][a-z0-9+.-]*://[^/\s:@$]+:(?!\$)[^/\s@]{3,}@", re.IGNORECASE)),
)
_NAME = re.compile(r"(?:^|_)(?:PASSWORD|PASSWD|SECRET|TOKEN|API_?KEY|PRIVATE_?KEY|ACCESS_?KEY)$", re.IGNORECASE)


def literals(doc: Doc) -> Iterator[tuple[Pointer, str, Problem]]:
    """Values of known shapes anywhere, and variables whose name says that they hold a secret: where, what it looks
    like, and the problem (CW0702)."""
    for pointer, what in _found(doc.value, ()):
        yield pointer, what, _problem(doc, pointer, what)


def _found(value: Value, pointer: Pointer) -> Iterator[tuple[Pointer, str]]:
    if isinstance(value, str):
        yield from ((pointer, what) for what, shape in _SHAPES if shape.search(value))
        if (
            len(pointer) >= 2
            and pointer[-2] == "env"
            and value
            and "${" not in value
            and _NAME.search(str(pointer[-1]))
        ):
            yield pointer, "a secret by its name"
    elif isinstance(value, Mapping):
        for key, item in value.items():
            yield from _found(item, (*pointer, key))
    elif isinstance(value, list | tuple):
        for index, item in enumerate(value):
            yield from _found(item, (*pointer, index))


def _problem(doc: Doc, pointer: Pointer, what: str) -> Problem:
    at = doc.at(pointer)
    name = str(pointer[-1]) if pointer else "value"
    return Problem(
        doc.path,
        at.line,
        at.column,
        "CW0702",
        f"`{name}` looks like {what}",
        "Everyone who can read this repository, now or later, could use it; a commit cannot be taken back.",
        f"List `{name}` under `secrets:` and put its value into the secret store; change it first if it is real.",
    )
