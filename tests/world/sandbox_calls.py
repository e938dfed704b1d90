"""Calls that show every newer verb of the sandbox: reviews, teams, checks, Apps."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from bot.sandbox import Sandbox

Ask = Callable[..., Any]
"""(method, path, body, login) -> the answer's body."""


def review_calls(ask: Ask, repo: str, number: int, forge: Sandbox) -> None:
    """Reviews, comments beside lines, and memberships, in good and in bad."""
    own, head = f"{repo}/pulls/{number}", forge.pull(repo.removeprefix("/repos/"), number).head_sha
    ask("POST", f"{own}/reviews", {"event": "APPROVE"})
    ask("POST", f"{own}/reviews", {"event": "NOD"}, "causeway")
    ask("POST", f"{own}/reviews", {"event": "COMMENT", "body": "Hm", "commit_id": "0" * 40}, "causeway")
    given = ask("POST", f"{own}/reviews", {"event": "APPROVE", "commit_id": head}, "causeway")
    ask("GET", f"{own}/reviews")
    ask("PUT", f"{own}/reviews/{given['id']}/dismissals", {"message": "Changed my mind"})
    ask("PUT", f"{own}/reviews/1/dismissals", {"message": "No such review"})
    beside = {"body": "Better so", "commit_id": head, "path": "new/file.txt", "line": 1, "side": "RIGHT"}
    made = ask("POST", f"{own}/comments", beside)
    ask("POST", f"{own}/comments", beside | {"line": 99})
    ask("POST", f"{own}/comments", beside | {"line": None})
    ask("GET", f"{own}/comments")
    ask("PATCH", f"{repo}/pulls/comments/{made['id']}", {"body": "Better still"})
    ask("DELETE", f"{repo}/pulls/comments/{made['id']}", None, "reader")
    ask("DELETE", f"{repo}/pulls/comments/{made['id']}")
    ask("DELETE", f"{repo}/pulls/comments/{made['id']}")
    forge.join("acme/payments", "reader", "pending")
    for who in ("reader", "causeway", "nobody"):
        ask("GET", f"/orgs/acme/teams/payments/memberships/{who}")
    ask("GET", "/orgs/acme/teams/none/memberships/reader")
