"""Calls that show every newer verb of the sandbox: reviews, teams, checks, Apps."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import jwt

from bot.forges.github_app import PLATFORM_RIGHTS
from bot.sandbox import Sandbox
from bot.sandbox.guards import Guard

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
    forge.join("acme/payments", "causeway")
    ask("GET", "/orgs/acme/teams/payments/members")
    ask("GET", "/orgs/acme/teams/none/members")
    ask("GET", "/orgs/acme/teams")


def commit_calls(ask: Ask, repo: str, head: str) -> None:
    """Comparisons and pushes."""
    ask("GET", f"{repo}/compare/main...{head}")
    ask("GET", f"{repo}/compare/main...none")
    ask("GET", f"{repo}/activity?ref=refs/heads/main")


def app_calls(ask: Ask, repo: str, head: str, forge: Sandbox) -> None:
    """An App, its token, its check runs. `login` may be a token as well."""
    name = repo.removeprefix("/repos/")
    app, key = forge.github.create_app("causeway-app", "acme", PLATFORM_RIGHTS)
    there = forge.github.install(app, [name])
    now = int(time.time())
    proof = jwt.encode({"iat": now - 60, "exp": now + 300, "iss": str(app.id)}, key, algorithm="RS256")
    for path in ("/app", "/app/installations", f"/app/installations/{there.id}", f"{repo}/installation"):
        ask("GET", path, None, proof)
    ask("GET", "/app/installations/1", None, proof)
    forge.world.guards.app_hooks[app.id] = ("http://127.0.0.1:9/none", "secret")
    forge.world.guards.branches[forge.world.repository(name).id, "main"] = Guard(
        True, {"causeway": app.id, "x": None}, True
    )
    for path in ("/app/hook/config", "/app/hook/deliveries", f"{repo}/rules/branches/main"):
        ask("GET", path, None, "reader" if "rules" in path else proof)
    ask("GET", "/app", None, "causeway")
    tokens, own = f"/app/installations/{there.id}/access_tokens", forge.world.repository(name).id
    ask("POST", tokens, {"repository_ids": [1]}, proof)
    ask("POST", tokens, {"permissions": {"administration": "write"}}, proof)
    token = ask("POST", tokens, {"repository_ids": [own], "permissions": dict(PLATFORM_RIGHTS)}, proof)["token"]
    ask("GET", "/user", None, token)
    ask("POST", f"{repo}/hooks", {"config": {"url": "http://127.0.0.1:9/"}}, token)
    noted = {"path": "a", "start_line": 1, "end_line": 1, "annotation_level": "failure", "message": "Wrong"}
    output = {"title": "One problem", "summary": "One problem", "annotations": [noted]}
    run = ask("POST", f"{repo}/check-runs", {"name": "causeway", "head_sha": head, "status": "in_progress"}, token)
    on = f"{repo}/check-runs/{run['id']}"
    ask("PATCH", on, {"conclusion": "failure", "output": output}, token)
    ask("PATCH", on, {"output": output | {"annotations": [noted] * 51}}, token)
    ask("POST", f"{repo}/check-runs", {"name": "causeway", "head_sha": head})
    ask("GET", on)
    ask("GET", f"{on}/annotations")
    ask("POST", f"{on}/rerequest")
    ask("GET", f"{repo}/commits/{head}/check-runs")
    forge.github.suspend(there)
    ask("POST", tokens, {}, proof)
    ask("GET", on, None, token)
