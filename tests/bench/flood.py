"""Many signed webhooks at once, over connections that stay open, as a forge's own proxy keeps them."""

from __future__ import annotations

import hashlib
import hmac
import json
import selectors
import socket
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

_CONNECTIONS = 16
_BYTES = 25_000
_PULLS = 20


@dataclass(frozen=True, slots=True)
class Flood:
    """What came of it: acknowledged a second, for each second; the slowest of a hundred in ms; MB of the door."""

    rates: Sequence[float]
    p99: float
    grown: float


def flood(url: str, secret: str, repository: str, pid: int, seconds: float) -> Flood:
    """Posts for so long, each connection its next request as soon as the last is answered. Every answer must be 202."""
    parts = urlsplit(url)
    requests = [_request(parts.netloc, parts.path, secret, repository, number) for number in range(1, _PULLS + 1)]
    before = _resident(pid)
    waits: list[float] = []
    ends: list[float] = []
    with selectors.DefaultSelector() as ready:
        lines = [_Line(parts.hostname, parts.port, requests, at) for at in range(_CONNECTIONS)]
        for line in lines:
            ready.register(line.socket, selectors.EVENT_READ, line)
            line.ask()
        begun = time.perf_counter()
        while time.perf_counter() - begun < seconds:
            for key, _ in ready.select(1.0):
                waited = key.data.hear()
                if waited is not None:
                    waits.append(waited * 1000)
                    ends.append(time.perf_counter() - begun)
                    key.data.ask()
        for line in lines:
            line.socket.close()
    rates = [float(sum(start <= end < start + 1 for end in ends)) for start in range(int(seconds))]
    return Flood(rates, sorted(waits)[len(waits) * 99 // 100], _resident(pid) - before)


class _Line:
    """One connection, with at most one request on its way."""

    def __init__(self, host: str | None, port: int | None, requests: Sequence[bytes], at: int) -> None:
        self.socket = socket.create_connection((str(host), int(port or 80)))
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._requests, self._at, self._since, self._heard = requests, at, 0.0, b""

    def ask(self) -> None:
        self._at, self._heard, self._since = self._at + 1, b"", time.perf_counter()
        self.socket.sendall(self._requests[self._at % len(self._requests)])

    def hear(self) -> float | None:
        """Seconds since the request, once its answer is whole. RuntimeError for any answer but 202."""
        self._heard += self.socket.recv(65536)
        head, end, body = self._heard.partition(b"\r\n\r\n")
        if not head.startswith(b"HTTP/1.1 202 "):
            raise RuntimeError(f"a delivery was answered {head[:200]!r}")
        length = int(head.lower().partition(b"content-length:")[2].split(b"\r\n")[0] or 0)
        return time.perf_counter() - self._since if end and len(body) >= length else None


def _request(host: str, path: str, secret: str, repository: str, number: int) -> bytes:
    said = {"action": "synchronize", "repository": {"id": int(repository)}, "pull_request": {"number": number}}
    body = json.dumps({**said, "more": "x" * (_BYTES - len(json.dumps(said)) - 12)}).encode()
    sign = hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()
    head = (
        f"POST {path} HTTP/1.1\r\nHost: {host}\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n"
        f"X-GitHub-Event: pull_request\r\nX-GitHub-Delivery: 72d3162e-cc78-11e3-81ab-{number:012}\r\n"
        f"X-Hub-Signature-256: sha256={sign}\r\n\r\n"
    )
    return head.encode() + body


def _resident(pid: int) -> float:
    return int(Path(f"/proc/{pid}/status").read_text().partition("VmRSS:")[2].split()[0]) / 1024
