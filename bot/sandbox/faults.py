"""Faults to order, and a log of every request: in front of everything else that the sandbox serves."""

from __future__ import annotations

import json
import re
import socket
import threading
from collections import deque
from collections.abc import Callable, Iterable, Mapping, MutableSequence
from dataclasses import dataclass, field, replace
from random import Random
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
    half of the body. `stale`: a read gets the answer before its last one again, as from a replica that lags. `delay`:
    seconds to wait first. `headers` are added to the answer. `skip` requests are let through, then `times` are hit.
    """

    method: str = ".*"
    path: str = ".*"
    times: int = 1
    skip: int = 0
    before: int | None = None
    after: int | None = None
    drop: Literal["before", "after"] | None = None
    truncate: bool = False
    stale: bool = False
    delay: float = 0.0
    headers: Mapping[str, str] = field(default_factory=dict)

    def matches(self, method: str, path: str) -> bool:
        return re.fullmatch(self.method, method) is not None and re.fullmatch(self.path, path) is not None


_KINDS = (
    Fault(before=502),
    Fault(after=502),
    Fault(before=500),
    Fault(drop="before"),
    Fault(drop="after"),
    Fault(truncate=True),
    Fault(before=429, headers={"Retry-After": "1"}),
    Fault(stale=True),
)


class Weather:
    """Faults by chance, from a seed: `share` of all requests to the API meet one of every kind that forges know."""

    def __init__(self, seed: int, share: float, path: str = r"/api/.*", stale: bool = True) -> None:
        self._random = Random(seed)  # noqa: S311 - a test's dice
        self._share = share
        self._path = re.compile(path)
        self._stale = stale

    def fault(self, method: str, path: str) -> Fault | None:
        """What this request meets; None for fair weather."""
        if self._path.fullmatch(path) is None or self._random.random() >= self._share:
            return None
        kinds = _KINDS if self._stale and method == "GET" else _KINDS[:-1]
        return replace(self._random.choice(kinds))


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
        self.weather: Weather | None = None
        self._answers: dict[str, deque[_Answer]] = {}
        self._inner = inner
        self._guard = threading.Lock()

    def __call__(self, environ: WSGIEnvironment, start: StartResponse) -> Iterable[bytes]:
        method, path = environ["REQUEST_METHOD"], environ.get("SCRIPT_NAME", "") + environ.get("PATH_INFO", "")
        fault = self._next_fault(method, path)
        if fault is None and self.weather is not None:
            fault = self.weather.fault(method, path)
        if fault is None and not self._remembers(method):
            return self._inner(environ, self._logging(method, path, start))
        fault = fault or Fault()
        sleep(fault.delay)
        answer = _Answer("200 OK", [], b"")
        if fault.before is None and fault.drop != "before":
            answer = self._asked(environ, method, stale=fault.stale)
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
            answer = _failure(status)
        body = answer.body[: len(answer.body) // 2] if fault.truncate else answer.body
        replaced = {"content-length", *(name.lower() for name in fault.headers)}
        headers = [(name, value) for name, value in answer.headers if name.lower() not in replaced]
        headers += fault.headers.items()
        self._logging(method, path, start)(answer.status, [*headers, ("Content-Length", str(len(body)))])
        return [body]

    def _remembers(self, method: str) -> bool:
        """Earlier answers are kept only where a fault could ask for one."""
        stale = self.weather is not None or any(fault.stale for fault in self.faults)
        return stale and method == "GET"

    def _asked(self, environ: WSGIEnvironment, method: str, *, stale: bool) -> _Answer:
        address = f"{environ.get('PATH_INFO', '')}?{environ.get('QUERY_STRING', '')}"
        if method != "GET" or "/api/" not in address:
            return _run(self._inner, environ)
        with self._guard:
            earlier = self._answers.setdefault(address, deque(maxlen=2))
        # Without its condition, so that what is kept has a body.
        environ.pop("HTTP_IF_NONE_MATCH", None) if stale or self._remembers(method) else None
        answer = _run(self._inner, environ)
        if stale and earlier:
            return earlier[0]
        if answer.status.startswith("200"):
            earlier.append(answer)
        return answer

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


def _failure(status: int) -> _Answer:
    body = json.dumps(
        {"message": _MESSAGES.get(status, "Server Error"), "documentation_url": "https://docs.github.com/rest"}
    )
    return _Answer(f"{status} Fault", [("Content-Type", "application/json")], body.encode())
