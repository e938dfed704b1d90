"""Where the log of a running process goes."""

from __future__ import annotations

import sys
from typing import TextIO

import structlog


def log_to_stderr() -> None:
    """One JSON object a line on stderr; for a person at a terminal, readable lines."""
    log_to(sys.stderr, readable=sys.stderr.isatty())


def log_to(file: TextIO, readable: bool = False) -> None:
    """The log of this process goes to `file` from now on."""
    shape = structlog.dev.ConsoleRenderer() if readable else structlog.processors.JSONRenderer()
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,
            shape,
        ],
        logger_factory=structlog.PrintLoggerFactory(file),
        cache_logger_on_first_use=False,
    )
