"""Git over smart HTTP, by git's own CGI. Nothing is served to anybody without a token."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from tempfile import TemporaryFile
from typing import IO

from flask import Flask, Request, Response, request

from bot.sandbox.apps import Grant
from bot.sandbox.moves import settle
from bot.sandbox.repos import environment
from bot.sandbox.rest import grant_of, user_of
from bot.sandbox.world import Permission, Repository, User, World, WorldError

_CHUNK = 65_536
_SERVICES = ("git-upload-pack", "git-receive-pack")


def serve_git(app: Flask, world: World) -> None:
    """Registers `/<owner>/<name>.git/…`."""

    def view(owner: str, name: str, rest: str) -> Response:
        return _answer(world, f"{owner}/{name}", rest)

    app.add_url_rule("/<owner>/<path:name>.git/<path:rest>", "git", view, methods=["GET", "POST"])


def _answer(world: World, full_name: str, rest: str) -> Response:
    user = user_of(world, request)
    if user is None:
        return _text(401, "A token is needed.", {"WWW-Authenticate": 'Basic realm="sandbox"'})
    with world.lock:
        try:
            repo = _repository(world, full_name)
        except WorldError:
            return _text(404, "Repository not found.")
        grant = grant_of(world, request)
        may, protected = world.permission(repo, user), sorted(repo.protected)
        if grant is not None:
            may = _granted(grant, repo)
    service = request.args.get("service", "") if rest == "info/refs" else rest
    if may == "none" or service not in _SERVICES:
        return _text(404, "Repository not found.")
    if service == "git-receive-pack" and may not in ("write", "admin"):
        return _text(403, f"Permission to {full_name}.git denied to {user.login}.")
    env = _cgi(request, world, repo, rest, user, [] if may == "admin" else protected)
    if rest == "git-receive-pack":
        return _receive(world, repo, user, env)
    return _run(env)


def _granted(grant: Grant, repo: Repository) -> Permission:
    """An App's token reads and writes git as its right to contents says."""
    if repo.id not in grant.repositories or not grant.allows("contents", "read"):
        return "none"
    return "write" if grant.allows("contents", "write") else "read"


def _repository(world: World, full_name: str) -> Repository:
    former = world.former_names.get(full_name.lower())
    return world.repositories[former] if former is not None else world.repository(full_name)


def _text(status: int, text: str, headers: dict[str, str] | None = None) -> Response:
    return Response(text + "\n", status, headers, content_type="text/plain; charset=utf-8")


def _cgi(asked: Request, world: World, repo: Repository, rest: str, user: User, protected: list[str]) -> dict[str, str]:
    env = environment() | {
        "GIT_PROJECT_ROOT": str(world.root),
        "GIT_HTTP_EXPORT_ALL": "1",
        "GATEWAY_INTERFACE": "CGI/1.1",
        "REQUEST_METHOD": asked.method,
        "PATH_INFO": f"/{repo.git.path.name}/{rest}",
        "QUERY_STRING": asked.query_string.decode("ascii", "replace"),
        "CONTENT_TYPE": asked.headers.get("Content-Type", ""),
        "REMOTE_USER": user.login,
        "REMOTE_ADDR": asked.remote_addr or "",
        "SERVER_PROTOCOL": "HTTP/1.1",
    }
    for header, name in (("Content-Encoding", "HTTP_CONTENT_ENCODING"), ("Git-Protocol", "HTTP_GIT_PROTOCOL")):
        if value := asked.headers.get(header):
            env[name] = value
    # A hidden ref can neither be seen nor moved by a push: protection without a hook.
    env["GIT_CONFIG_COUNT"] = str(len(protected))
    for index, branch in enumerate(protected):
        env |= {f"GIT_CONFIG_KEY_{index}": "receive.hideRefs", f"GIT_CONFIG_VALUE_{index}": f"refs/heads/{branch}"}
    return env


def _receive(world: World, repo: Repository, user: User, env: dict[str, str]) -> Response:
    """A push is answered only when its webhooks are queued and its pull requests have moved."""
    answer = _run(env)
    answer.set_data(answer.get_data())
    with world.lock:
        settle(world, repo, user)
    return answer


def _run(env: dict[str, str]) -> Response:
    with TemporaryFile() as body:
        while chunk := request.stream.read(_CHUNK):
            body.write(chunk)
        env["CONTENT_LENGTH"] = str(body.tell())
        body.seek(0)
        process = subprocess.Popen(
            ["git", "http-backend"],  # noqa: S607
            stdin=body,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env=env,
            cwd=os.sep,
        )
    output = process.stdout
    if output is None:
        raise RuntimeError("git http-backend has no output")
    status, headers = _headers(output)
    return Response(_stream(output, process), status, headers, direct_passthrough=False)


def _headers(output: IO[bytes]) -> tuple[int, list[tuple[str, str]]]:
    status, headers = 200, []
    while line := output.readline().rstrip(b"\r\n"):
        name, _, value = line.decode("latin-1").partition(":")
        if name.lower() == "status":
            status = int(value.split()[0])
        else:
            headers.append((name, value.strip()))
    return status, headers


def _stream(output: IO[bytes], process: subprocess.Popen[bytes]) -> Iterator[bytes]:
    try:
        while chunk := output.read(_CHUNK):
            yield chunk
    finally:
        output.close()
        process.wait()
