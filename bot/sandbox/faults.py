"""Faults to order, and a log of every request: in front of everything else that the sandbox serves."""

from __future__ import annotations

import json
import re
import socket
import threading
from collections.abc import Callable, Iterable, Mapping, MutableSequence
from dataclasses import dataclass, field
from time import sleep
from typing import TYPE_CHECKING, Literal, NamedTuple

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

_MESSAGES = {
    403: "You have exceeded a secondary rate limit. Please wait a few minutes before you try again.",
    404: "Not Found",
    429: "API rate limit exceeded",
    502: "Server Error",
}
_QUIET = re.compile(r"/pulse|/style\.css|/refresh\.js|/favicon\.ico")


@dataclass(slots=True, eq=False)
class Fault:
    """What goes wrong with requests whose method and path match (whole, as regular expressions; the path as asked,
    `/api/v3/repos/…` or `/<owner>/<name>.git/…`, without its query).

    `before`: answers this status, and nothing happens. `after`: it happens, then this status is answered. `drop`: the
    connection closes without an answer, before or after the effect. `truncate`: the effect and the right status, with
    half of the body. `delay`: seconds to wait first. `skip` requests are let through, then `times` are hit.
    """

    method: str = ".*"
    path: str = ".*"
    times: int = 1
    skip: int = 0
    before: int | None = None
    after: int | None = None
    drop: Literal["before", "after"] | None = None
    truncate: bool = False
    delay: float = 0.0
    headers: Mapping[str, str] = field(default_factory=dict)

    def matches(self, method: str, path: str) -> bool:
        return re.fullmatch(self.method, method) is not None and re.fullmatch(self.path, path) is not None


class Request(NamedTuple):
    """One line of the log. `status` is what the asker saw; 0 where the connection was dropped."""

    method: str
    path: str
    status: int


class Front:
    """A WSGI application around another. `faults` may be appended to at any time; spent ones are removed."""

    def __init__(self, inner: WSGIApplication) -> None:
        self.faults: MutableSequence[Fault] = []
        self.requests: list[Request] = []
        self._inner = inner
        self._guard = threading.Lock()

    def __call__(self, environ: WSGIEnvironment, start: StartResponse) -> Iterable[bytes]:
        method, path = environ["REQUEST_METHOD"], environ.get("SCRIPT_NAME", "") + environ.get("PATH_INFO", "")
        fault = self._next_fault(method, path)
        if fault is None:
            return self._inner(environ, self._logging(method, path, start))
        sleep(fault.delay)
        answer = _Answer("200 OK", [], b"")
        if fault.before is None and fault.drop != "before":
            answer = _run(self._inner, environ)
        else:
            # An answer before the body was read would reach the asker as a broken connection.
            environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
        if fault.drop is not None:
            self.requests.append(Request(method, path, 0))
            connection: socket.socket = environ["werkzeug.socket"]
            connection.shutdown(socket.SHUT_RDWR)
            return []
        status = fault.before or fault.after
        if status is not None:
            answer = _failure(status, fault.headers)
        body = answer.body[: len(answer.body) // 2] if fault.truncate else answer.body
        headers = [(name, value) for name, value in answer.headers if name.lower() != "content-length"]
        self._logging(method, path, start)(answer.status, [*headers, ("Content-Length", str(len(body)))])
        return [body]

    def _next_fault(self, method: str, path: str) -> Fault | None:
        with self._guard:
            for fault in list(self.faults):
                if not fault.matches(method, path):
                    continue
                if fault.skip > 0:
                    fault.skip -= 1
                    continue
                fault.times -= 1
                if fault.times <= 0:
                    self.faults.remove(fault)
                return fault
        return None

    def _logging(self, method: str, path: str, start: StartResponse) -> StartResponse:
        def begin(status: str, headers: list[tuple[str, str]], exc_info: object = None, /) -> Callable[[bytes], object]:
            if not _QUIET.fullmatch(path):
                self.requests.append(Request(method, path, int(status.split(" ", 1)[0])))
            return start(status, headers) if exc_info is None else start(status, headers, exc_info)  # type: ignore[arg-type]

        return begin


@dataclass(frozen=True, slots=True)
class _Answer:
    status: str
    headers: list[tuple[str, str]]
    body: bytes


def _run(inner: WSGIApplication, environ: WSGIEnvironment) -> _Answer:
    """The whole effect, and the answer that would have been given."""
    begun: list[tuple[str, list[tuple[str, str]]]] = []

    def begin(status: str, headers: list[tuple[str, str]], _exc_info: object = None, /) -> Callable[[bytes], object]:
        begun.append((status, headers))
        return lambda _data: None

    body = b"".join(inner(environ, begin))
    status, headers = begun[-1]
    return _Answer(status, headers, body)


def _failure(status: int, headers: Mapping[str, str]) -> _Answer:
    body = json.dumps(
        {"message": _MESSAGES.get(status, "Server Error"), "documentation_url": "https://docs.github.com/rest"}
    )
    return _Answer(f"{status} Fault", [("Content-Type", "application/json"), *headers.items()], body.encode())
