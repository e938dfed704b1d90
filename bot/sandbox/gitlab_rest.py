"""GitLab's face of the sandbox: the REST part that all verbs share, under `/api/v4`, over the same world.

A verb is one function and one row in its file's `ROUTES`. A path's `:project` is a numeric id or a full name with its
slashes written as `%2F`, which is why paths are taken apart here, before anybody decodes them.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal
from urllib.parse import parse_qsl, unquote, urlencode

from flask import Flask, Response, request
from werkzeug.wrappers import Response as WerkzeugResponse

from bot.sandbox.gitlab_state import GitLabState
from bot.sandbox.hooks import Hooks
from bot.sandbox.rest import user_of
from bot.sandbox.world import Json, Repository, User, World, WorldError

API = "/api/v4"
MINUTELY = 2000


@dataclass(frozen=True, slots=True)
class Ask:
    """One request by one user. `names` are the parts of the path that its route leaves open."""

    world: World
    hooks: Hooks
    state: GitLabState
    user: User
    args: Mapping[str, str]
    body: Json
    url: str
    names: Mapping[str, str]

    def number(self, name: str) -> int:
        """A part of the path that is a number; 404 where it is not."""
        text = self.names[name]
        if not text.isdigit():
            raise WorldError(404, "404 Not Found")
        return int(text)


@dataclass(frozen=True, slots=True)
class Answer:
    """Status, body and further headers. `body` None means no content."""

    status: int = 200
    body: Json | list[Json] | None = None
    headers: Mapping[str, str] = field(default_factory=dict)


Verb = Callable[..., Answer]
"""(ask, repository) below `/projects/:project`, (ask) elsewhere"""
Right = Literal["read", "write", "admin"]


@dataclass(frozen=True, slots=True)
class Route:
    """A verb and its path: `:name` stands for one part of it."""

    method: Literal["GET", "POST", "PUT", "DELETE"]
    path: str
    verb: Verb
    right: Right = "read"


def paged(ask: Ask, items: Sequence[Any], body: Callable[[Any], Json]) -> Answer:
    """One page of a list, with GitLab's headers about the others."""
    size = min(max(int(ask.args.get("per_page", "20")), 1), 100)
    page, last = max(int(ask.args.get("page", "1")), 1), max(1, -(-len(items) // size))
    following = str(page + 1) if page < last else ""
    headers = {"X-Page": page, "X-Per-Page": size, "X-Total": len(items), "X-Total-Pages": last}
    told = {name: str(value) for name, value in headers.items()} | {"X-Next-Page": following}
    if following:
        told["Link"] = f'<{ask.url}?{urlencode({**ask.args, "page": following})}>; rel="next"'
    return Answer(200, [body(item) for item in items[(page - 1) * size : page * size]], told)


def text_of(ask: Ask, name: str) -> str:
    """A text that the body must hold; else GitLab's 400."""
    found = ask.body.get(name)
    if not isinstance(found, str) or not found:
        raise WorldError(400, f"{name} is missing")
    return found


class GitLabApi:
    """Turns the tables of verbs into one rule of a Flask application."""

    def __init__(self, world: World, hooks: Hooks, state: GitLabState, routes: Sequence[Route]) -> None:
        self._world = world
        self._hooks = hooks
        self._state = state
        self._routes = [(route, route.path.strip("/").split("/")) for route in routes]

    def serve(self, app: Flask) -> None:
        """Registers everything below `/api/v4`."""
        app.add_url_rule(
            f"{API}/<path:rest>", "gitlab", self._view, methods=["GET", "POST", "PUT", "DELETE", "PATCH", "HEAD"]
        )

    def _view(self, rest: str) -> WerkzeugResponse:  # noqa: ARG002 - decoded already, so of no use
        with self._world.lock:
            try:
                return self._respond(self._answer())
            except WorldError as refused:
                body: Json = {"message": refused.message if refused.errors is None else refused.errors[0]}
                return self._respond(Answer(refused.status, body))
            except ValueError as broken:
                return self._respond(Answer(400, {"error": f"{broken}"}))

    def _answer(self) -> Answer:
        raw = str(request.environ.get("REQUEST_URI") or request.environ.get("RAW_URI") or request.full_path)
        parts = raw.partition("?")[0].partition(API + "/")[2].strip("/").split("/")
        for route, wanted in self._routes:
            names = _matched(wanted, parts)
            if route.method == request.method and names is not None:
                return self._run(route, names)
        raise WorldError(404, "404 Not Found")

    def _run(self, route: Route, names: dict[str, str]) -> Answer:
        user = self._user()
        if user is None:
            raise WorldError(401, "401 Unauthorized")
        args = {name: value for name, value in request.args.items() if isinstance(value, str)}
        ask = Ask(self._world, self._hooks, self._state, user, args, _body(), request.base_url, names)
        if "project" not in names:
            return route.verb(ask)
        repo = self._project(names["project"])
        order = ("none", "read", "write", "admin")
        has = order.index(self._world.permission(repo, user))
        if has == 0:
            raise WorldError(404, "404 Project Not Found")
        if has < order.index(route.right):
            raise WorldError(403, "403 Forbidden")
        return route.verb(ask, repo)

    def _user(self) -> User | None:
        token = request.headers.get("PRIVATE-TOKEN")
        return user_of(self._world, request) if token is None else self._world.user_of_token(token)

    def _project(self, name: str) -> Repository:
        found = self._world.repositories.get(int(name)) if name.isdigit() else self._world.repository(name)
        if found is None:
            raise WorldError(404, "404 Project Not Found")
        return found

    def _respond(self, answer: Answer) -> WerkzeugResponse:
        data = b"" if answer.body is None else json.dumps(answer.body).encode()
        tag = f'W/"{hashlib.md5(data, usedforsecurity=False).hexdigest()}"'
        headers = dict(answer.headers) | {"RateLimit-Limit": str(MINUTELY), "RateLimit-Remaining": str(MINUTELY)}
        status = answer.status
        if request.method == "GET" and status == 200:
            headers |= {"ETag": tag, "Cache-Control": "max-age=0, private, must-revalidate"}
            if request.headers.get("If-None-Match") == tag:
                status, data = 304, b""
        return Response(data, status, headers, content_type="application/json")


def _matched(wanted: Sequence[str], parts: Sequence[str]) -> dict[str, str] | None:
    if len(wanted) != len(parts):
        return None
    names = {}
    for want, part in zip(wanted, parts, strict=True):
        if want.startswith(":"):
            names[want[1:]] = unquote(part)
        elif want != part:
            return None
    return names


def _body() -> Json:
    raw = request.get_data()
    if not raw:
        return {}
    if (request.content_type or "").startswith("application/x-www-form-urlencoded"):
        return dict(parse_qsl(raw.decode()))
    try:
        found = json.loads(raw)
    except ValueError as broken:
        raise WorldError(400, "400 Bad request - the body is not JSON") from broken
    if not isinstance(found, dict):
        raise WorldError(400, "400 Bad request - the body is not an object")
    return found
