"""The REST part that all verbs share: who asks, pages, errors in GitHub's shape, ETags, rate limit headers.

Every verb of a repository answers under `/repos/{owner}/{repo}` and under `/repositories/{id}`. A verb is one function
and one row in its file's `ROUTES`.
"""

from __future__ import annotations

import base64
import hashlib
import json
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Literal
from urllib.parse import urlencode

from flask import Flask, Request, Response, redirect, request
from werkzeug.wrappers import Response as WerkzeugResponse

from bot.sandbox.app_rights import needed
from bot.sandbox.apps import App, Grant, RefusedJwtError
from bot.sandbox.hooks import Hooks
from bot.sandbox.urls import API
from bot.sandbox.world import Json, Repository, User, World, WorldError

DOCUMENTATION = "https://docs.github.com/rest"
HOURLY = 5000


@dataclass(frozen=True, slots=True)
class Ask:
    """One request by one user. `body` is empty where none was sent."""

    world: World
    hooks: Hooks
    user: User
    args: Mapping[str, str]
    body: Json
    url: str
    """The address without its query."""
    grant: Grant | None = None
    """What the token allows, where it is an App's."""
    app: App | None = None
    """Who signed, where a JWT was shown."""


@dataclass(frozen=True, slots=True)
class Answer:
    """Status, body and further headers. `body` None means no content."""

    status: int = 200
    body: Json | list[Json] | None = None
    headers: Mapping[str, str] = field(default_factory=dict)


RepoVerb = Callable[..., Answer]
"""(ask, repository, **names from the path)"""
Right = Literal["read", "write", "admin"]


@dataclass(frozen=True, slots=True)
class Route:
    """A verb below a repository (`RepoVerb`), or below the API's root, where `verb` takes no repository."""

    method: Literal["GET", "POST", "PUT", "PATCH", "DELETE"]
    path: str
    verb: RepoVerb
    right: Right = "read"
    proof: Literal["user", "app"] = "user"
    """Who may ask: whoever holds a token, or an App by its JWT."""


def field_of(ask: Ask, name: str, resource: str) -> str:
    """A text that the body must hold; else GitHub's 422."""
    value = ask.body.get(name)
    if not isinstance(value, str) or not value:
        raise WorldError(422, "Validation Failed", [{"resource": resource, "field": name, "code": "missing_field"}])
    return value


def paged(ask: Ask, items: Sequence[Any], body: Callable[[Any], Json]) -> Answer:
    """One page of a list, with GitHub's `Link` header where there are more."""
    size = min(max(_number(ask, "per_page", 30), 1), 100)
    page, last = max(_number(ask, "page", 1), 1), max(1, -(-len(items) // size))
    pages = {"first": 1, "prev": page - 1} if page > 1 else {}
    pages |= {"next": page + 1, "last": last} if page < last else {}
    links = ", ".join(f'<{ask.url}?{urlencode({**ask.args, "page": n})}>; rel="{rel}"' for rel, n in pages.items())
    chosen = [body(item) for item in items[(page - 1) * size : page * size]]
    return Answer(200, chosen, {"Link": links} if links else {})


def _number(ask: Ask, name: str, default: int) -> int:
    text = ask.args.get(name, "")
    return int(text) if text.isdigit() else default


class Api:
    """Turns the tables of verbs into a Flask application's rules."""

    def __init__(self, world: World, hooks: Hooks) -> None:
        self._world = world
        self._hooks = hooks
        self._used: dict[tuple[int, int], int] = {}

    def serve(self, app: Flask, repo_routes: Sequence[Route], root_routes: Sequence[Route]) -> None:
        """Registers every verb, and a 404 in GitHub's shape for the rest of the API."""
        for route in root_routes:
            self._rule(app, API + route.path, route, lambda route, names: self._root(route, names))
        for route in repo_routes:
            for prefix in ("/repos/<owner>/<name>", "/repositories/<int:repo_id>"):
                self._rule(app, API + prefix + route.path, route, lambda route, names: self._repo(route, names))
        app.add_url_rule(
            f"{API}/<path:rest>", "api-404", self._unknown, methods=["GET", "POST", "PUT", "PATCH", "DELETE"]
        )

    def _rule(
        self, app: Flask, path: str, route: Route, run: Callable[[Route, dict[str, Any]], WerkzeugResponse]
    ) -> None:
        def view(**names: Any) -> WerkzeugResponse:
            return self._guarded(lambda: run(route, names))

        app.add_url_rule(path, f"{route.method} {path}", view, methods=[route.method], provide_automatic_options=False)

    def _guarded(self, run: Callable[[], WerkzeugResponse]) -> WerkzeugResponse:
        with self._world.lock:
            try:
                return run()
            except WorldError as refused:
                body: Json = {"message": refused.message, "documentation_url": DOCUMENTATION}
                body |= {"status": str(refused.status)}
                if refused.errors is not None:
                    body["errors"] = refused.errors
                return self._respond(Answer(refused.status, body), None)

    def _unknown(self, rest: str) -> WerkzeugResponse:  # noqa: ARG002
        return self._guarded(lambda: self._refuse(404, "Not Found"))

    def _refuse(self, status: int, message: str) -> WerkzeugResponse:
        raise WorldError(status, message)

    def _root(self, route: Route, names: dict[str, Any]) -> WerkzeugResponse:
        ask = self._ask(route)
        if ask.grant is not None:
            self._allow_app(ask.grant, route)
        return self._respond(route.verb(ask, **names), ask)

    def _repo(self, route: Route, names: dict[str, Any]) -> WerkzeugResponse:
        ask = self._ask(route)
        repo_id, owner, name = (names.pop(key, None) for key in ("repo_id", "owner", "name"))
        if repo_id is None:
            former = self._world.former_names.get(f"{owner}/{name}".lower())
            if former is not None:
                return self._moved(former, f"{owner}/{name}")
            repo = self._world.repository(f"{owner}/{name}")
        else:
            found = self._world.repositories.get(repo_id)
            if found is None:
                raise WorldError(404, "Not Found")
            repo = found
        if ask.grant is not None:
            if repo.id not in ask.grant.repositories:
                raise WorldError(404, "Not Found")
            self._allow_app(ask.grant, route)
        elif ask.app is None:
            self._allow(ask, repo, route.right)
        return self._respond(route.verb(ask, repo, **names), ask)

    def _moved(self, repo_id: int, old_name: str) -> WerkzeugResponse:
        rest = request.full_path.rstrip("?").partition(f"/repos/{old_name}")[2]
        code = 301 if request.method == "GET" else 307
        return redirect(f"{self._world.urls.api}/repositories/{repo_id}{rest}", code)

    def _allow(self, ask: Ask, repo: Repository, right: Right) -> None:
        order = ("none", "read", "write", "admin")
        has = order.index(self._world.permission(repo, ask.user))
        if has == 0:
            raise WorldError(404, "Not Found")
        if has < order.index(right):
            raise WorldError(403, "Resource not accessible by personal access token")

    def _allow_app(self, grant: Grant, route: Route) -> None:
        areas, level = needed(route.method, route.path)
        if route.path == "/user" or not any(grant.allows(area, level) for area in areas):
            raise WorldError(403, "Resource not accessible by integration")

    def _signer(self) -> tuple[App, User]:
        """The App whose JWT was shown. Its requests are counted as its bot's."""
        try:
            app = self._world.apps.of_jwt(_token(request), datetime.now(UTC))
        except RefusedJwtError as refused:
            raise WorldError(401, str(refused)) from refused
        return app, self._world.user(f"{app.slug}[bot]")

    def _ask(self, route: Route) -> Ask:
        app, user = self._signer() if route.proof == "app" else (None, user_of(self._world, request))
        if user is None:
            raise WorldError(
                401, "Bad credentials" if request.headers.get("Authorization") else "Requires authentication"
            )
        grant = None if app is not None else grant_of(self._world, request)
        body: Any = {}
        if raw := request.get_data():
            try:
                body = json.loads(raw)
            except ValueError as broken:
                raise WorldError(400, "Problems parsing JSON") from broken
            if not isinstance(body, dict):
                raise WorldError(400, "Body should be a JSON object")
        return Ask(self._world, self._hooks, user, request.args.to_dict(), body, request.base_url, grant, app)

    def _respond(self, answer: Answer, ask: Ask | None) -> WerkzeugResponse:
        data = b"" if answer.body is None else json.dumps(answer.body).encode()
        tag = f'W/"{hashlib.sha256(data).hexdigest()}"'
        headers = dict(answer.headers) | {"X-GitHub-Media-Type": "github.v3; format=json"}
        status = answer.status
        if request.method == "GET" and status == 200:
            headers |= {"ETag": tag, "Cache-Control": "private, max-age=60, s-maxage=60"}
            if tag in (part.strip() for part in request.headers.get("If-None-Match", "").split(",")):
                status, data = 304, b""
        if ask is not None:
            headers |= rate_headers(self._count(ask.user, free=status == 304))
        return Response(data, status, headers, content_type="application/json; charset=utf-8")

    def _count(self, user: User, *, free: bool) -> int:
        key = (user.id, int(time.time()) // 3600)
        self._used[key] = self._used.get(key, 0) + (0 if free else 1)
        return self._used[key]


def rate_headers(used: int) -> dict[str, str]:
    """GitHub's counters. A conditional request that changed nothing is free."""
    reset = (int(time.time()) // 3600 + 1) * 3600
    numbers = {"Limit": HOURLY, "Remaining": max(0, HOURLY - used), "Reset": reset, "Used": used}
    return {f"X-RateLimit-{name}": str(n) for name, n in numbers.items()} | {"X-RateLimit-Resource": "core"}


def grant_of(world: World, asked: Request) -> Grant | None:
    """What an App's token allows; None for a person's."""
    return world.apps.grant(_token(asked), datetime.now(UTC))


def _token(asked: Request) -> str:
    """The token, however it was shown: a password counts as one."""
    scheme, _, value = asked.headers.get("Authorization", "").partition(" ")
    if scheme.lower() != "basic":
        return value.strip()
    try:
        return base64.b64decode(value, validate=True).decode().partition(":")[2]
    except ValueError:
        return ""


def user_of(world: World, asked: Request) -> User | None:
    """Who asks: `token X`, `Bearer X`, or Basic with the token as password."""
    scheme, _, value = asked.headers.get("Authorization", "").partition(" ")
    if scheme.lower() in ("token", "bearer"):
        return world.user_of_token(value.strip())
    if scheme.lower() == "basic":
        try:
            name, _, password = base64.b64decode(value, validate=True).decode().partition(":")
        except ValueError:
            return None
        return world.user_of_token(password) or world.user_of_token(name)
    return None
