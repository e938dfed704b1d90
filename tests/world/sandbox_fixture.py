"""The one world that tests above the core use: a running sandbox forge of their own, and a receiver of webhooks."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from bot.sandbox import Sandbox


@pytest.fixture
def sandbox(tmp_path: Path) -> Iterator[Sandbox]:
    """A running, empty forge; it is gone after the test."""
    with Sandbox(tmp_path / "forge") as forge:
        yield forge


@dataclass
class Mailbox:
    """What arrived: lower-case headers and exact bytes. `answer` is the status given from now on."""

    url: str
    received: list[tuple[dict[str, str], bytes]] = field(default_factory=list)
    answer: int = 202


@pytest.fixture
def mailbox() -> Iterator[Mailbox]:
    """A server that takes webhooks."""

    class Taker(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            box.received.append(({name.lower(): value for name, value in self.headers.items()}, body))
            self.send_response(box.answer)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002
            """Quiet."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Taker)
    box = Mailbox(f"http://127.0.0.1:{server.server_port}/webhooks/github")
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    yield box
    server.shutdown()
    thread.join()
    server.server_close()
