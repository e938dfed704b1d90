"""The real server under the door: waitress, bounded in threads, connections, bytes and patience."""

from __future__ import annotations

import logging
import socket
import threading
import time
from collections.abc import Callable
from typing import Any

from flask import Flask

# waitress ships no types.
from waitress import wasyncore  # type: ignore[import-untyped]
from waitress.channel import HTTPChannel  # type: ignore[import-untyped]
from waitress.server import create_server  # type: ignore[import-untyped]

from bot.web import BODY_LIMIT

_REQUEST_SECONDS = 30
"""Forges give up after ten."""

_FAREWELL_SECONDS = 5.0


# It warns whenever a request waits for a thread at all, which under load is thousands of lines a second.
logging.getLogger("waitress.queue").setLevel(logging.ERROR)


_LEFT_BYTES = 64 * 1024
"""So much of an answer may be unsent while the thread that answers is still at it, without help from the loop."""


class _Channel(HTTPChannel):  # type: ignore[misc]  # waitress ships no types
    """A connection whose whole request must arrive in time, and which is left alone while it is answered.

    waitress counts every received byte as life, so a client that sends one byte now and then keeps its connection for
    ever; enough of them and nobody else gets in. Here the clock runs from a request's first byte to its last.
    """

    last_activity: float
    total_outbufs_len: int

    def writable(self) -> bool:
        # waitress looks at every connection that has something to send, also while the thread that answers is still
        # at it: under load seventeen rounds of the loop for each request, and a third of all work.
        if self.requests and self.total_outbufs_len < _LEFT_BYTES:
            return bool(self.will_close)
        return bool(super().writable())

    def handle_read(self) -> None:
        unfinished, since = self.request is not None, self.last_activity
        super().handle_read()
        if unfinished and self.request is not None:
            self.last_activity = since


def _for_ever() -> bool:
    return True


class Listening:
    """A server that has its port (`port` 0 asks for a free one) and serves while `run` runs. `bound` is a socket that
    listens already; it stays open when `run` ends."""

    def __init__(
        self,
        app: Flask,
        host: str = "",
        port: int = 0,
        *,
        bound: socket.socket | None = None,
        threads: int = 4,
        body_limit: int = BODY_LIMIT,
        request_seconds: int = _REQUEST_SECONDS,
    ) -> None:
        # Bound here, so that port 0 and a name with several addresses still give exactly one socket.
        self._socket = bound.dup() if bound is not None else _bound(host, port)
        self.port: int = self._socket.getsockname()[1]
        self._closing = threading.Event()
        self._channels: dict[int, Any] = {}
        self._server = create_server(
            app,
            map=self._channels,
            sockets=[self._socket],
            threads=threads,
            connection_limit=1000,
            channel_timeout=request_seconds,
            cleanup_interval=max(1, request_seconds // 3),
            max_request_body_size=body_limit,
            max_request_header_size=32 * 1024,
            recv_bytes=64 * 1024,
            ident=None,
        )
        self._server.channel_class = _Channel

    def run(self, lives: Callable[[], bool] = _for_ever) -> None:
        """Serves until `close` is called or `lives`, which is asked once a second or more often, says no; then lets the
        requests that have arrived end, for five seconds at most."""
        try:
            while not self._closing.is_set() and lives():
                self._turn(1.0)
            self._server.accepting = False
            until = time.monotonic() + _FAREWELL_SECONDS
            while self._busy() and time.monotonic() < until:
                self._turn(0.1)
        finally:
            self._server.task_dispatcher.shutdown()
            wasyncore.close_all(self._channels)
            self._socket.close()

    def close(self) -> None:
        """Ends `run`; from any thread or signal handler."""
        self._closing.set()
        self._server.pull_trigger()

    def _turn(self, seconds: float) -> None:
        wasyncore.loop(timeout=seconds, use_poll=True, map=self._channels, count=1)

    def _busy(self) -> bool:
        return any(channel.requests or channel.total_outbufs_len for channel in self._server.active_channels.values())


def _bound(host: str, port: int) -> socket.socket:
    return socket.create_server((host, port), family=socket.AF_INET6 if ":" in host else socket.AF_INET)


def serve(app: Flask, host: str, port: int) -> None:
    """Blocks for the life of the process."""
    Listening(app, host, port).run()
