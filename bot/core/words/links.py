"""Places in files, as links where the forge has a page for them."""

from __future__ import annotations

from bot.core import text
from bot.core.model.values import Origin
from bot.core.problem import Problem
from bot.core.words.inline import Piece, link


def origin_link(origin: Origin, blob_url: str, label: str = "") -> Piece:
    """`platform.yaml:14`, to that line; or another label."""
    return link(label or f"{origin.path.rpartition('/')[2]}:{origin.line}", _url(origin.path, origin.line, blob_url))


def problem_link(problem: Problem, blob_url: str) -> Piece:
    """`services/checkout/platform.yaml:6:3`, to that line."""
    return link(place(problem), _url(problem.path, problem.line, blob_url))


def place(problem: Problem) -> str:
    """`path:line:column`, as compilers write it."""
    return f"{problem.path}:{problem.line}:{problem.column}"


def _url(path: str, line: int, blob_url: str) -> str:
    # Shipped blueprints are Causeway's own: the platform repo has no page for them.
    if not blob_url or path.startswith(("blueprints/", "schemas/")):
        return ""
    return f"{blob_url}/{text.url_path(path)}#L{line}"
