"""What a running process says: one event a line on stderr, whatever text is in it, and no secret."""

from __future__ import annotations

import logging
import re
import sys
from base64 import b64encode
from collections.abc import Mapping, MutableMapping
from functools import lru_cache
from typing import Any, TextIO

import structlog

from bot.core.text import log_field

LONGEST = 20_000
"""Characters of one field; a traceback of a deep recursion is longer, and its ends say enough."""

_LEAST = 6
"""Shorter texts are no secrets, and hiding them would blot out ordinary words."""

_WORD = 40
"""Characters of a text that is remembered with its redacted form."""

_SHAPES = (
    # Tokens by the prefixes that forges give them, credentials in headers, users in URLs, private keys.
    (re.compile(r"\b(?:gh[a-z]_|github_pat_|glpat-|xox[a-z]-)[\w-]{10,}"), "***"),
    (re.compile(r"(?i)\b(bearer|basic|token)[ :=]+[\w.~+/=-]{8,}"), r"\1 ***"),
    (re.compile(r"(?i)(authorization|x-hub-signature-256)([\"']?\s*[:=]\s*)[^\r\n,}]+"), r"\1\2***"),
    (re.compile(r"//[^/@\s]+@"), "//***@"),
    (re.compile(r"-----BEGIN [A-Z ]+-----.*?(?:-----END [A-Z ]+-----|\Z)", re.DOTALL), "***"),
)
_hidden: set[str] = set()


def configure(json: bool, file: TextIO | None = None) -> None:
    """The log of this process goes to `file` (stderr) from now on: JSON objects for machines, or `time level event
    key="value"` for people. Either way a line break in a value is written `\\n`, so text from outside starts no line.
    The libraries' own warnings come the same way.
    """
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,
            _without_secrets,
            structlog.processors.JSONRenderer() if json else _line,
        ],
        # One write a line: where several processes share a file, lines stay whole.
        logger_factory=structlog.WriteLoggerFactory(file or sys.stderr),
        cache_logger_on_first_use=False,
    )
    logging.basicConfig(handlers=[_Bridge()], level=logging.WARNING, force=True)


def hide(*secrets: str) -> None:
    """These texts, and their form in git's credential header, never stand in the log of this process."""
    for secret in secrets:
        if len(secret) >= _LEAST:
            _hidden.update((secret, b64encode(f"x-access-token:{secret}".encode()).decode()))
    _word.cache_clear()


def redacted(text: str) -> str:
    """The text without anything hidden, and without what looks like a credential."""
    for secret in sorted(_hidden, key=len, reverse=True):
        text = text.replace(secret, "***")
    for shape, instead in _SHAPES:
        text = shape.sub(instead, text)
    if len(text) > LONGEST:
        half = LONGEST // 2
        text = f"{text[:half]} … {len(text) - LONGEST} characters … {text[-half:]}"
    return text


@lru_cache(maxsize=1024)
def _word(text: str) -> str:
    """The same for a short text: names of events, forges and outcomes come thousands of times a second."""
    return redacted(text)


def _without_secrets(_logger: Any, _name: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    return {key: _clean(value) for key, value in event.items()}


def _clean(value: object) -> object:
    if value is None or isinstance(value, (bool, int, float)):
        return value
    if isinstance(value, Mapping):
        return {redacted(str(key)): _clean(item) for key, item in value.items()}
    if isinstance(value, (list, tuple, set, frozenset)):
        return [_clean(item) for item in value]
    text = value if isinstance(value, str) else repr(value)
    return _word(text) if len(text) <= _WORD else redacted(text)


def _line(_logger: Any, _name: str, event: MutableMapping[str, Any]) -> str:
    told = [str(event.pop(key, "")) for key in ("timestamp", "level", "event")]
    fields = [f'{key}="{log_field(str(value))}"' for key, value in sorted(event.items())]
    return " ".join([*(log_field(word) for word in told), *fields])


class _Bridge(logging.Handler):
    """The libraries' records as events."""

    def emit(self, record: logging.LogRecord) -> None:
        log = structlog.get_logger(record.name)
        log.log(record.levelno, record.getMessage(), logger=record.name, exc_info=record.exc_info)
