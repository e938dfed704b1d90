"""What the door's server sends arrives whole, however it is read."""

from __future__ import annotations

import http.client
import threading
import time
from collections.abc import Iterator

import pytest
from flask import Flask, Response

from bot.listen import Listening

pytestmark = pytest.mark.world
LARGE = bytes(range(256)) * 32 * 1024


@pytest.fixture
def port() -> Iterator[int]:
    app = Flask(__name__, static_folder=None)

    @app.get("/large")
    def large() -> Response:
        return Response(LARGE)

    @app.get("/pieces")
    def pieces() -> Response:
        return Response(LARGE[at : at + 100_000] for at in range(0, len(LARGE), 100_000))

    @app.get("/slow")
    def slow() -> Response:
        def parts() -> Iterator[bytes]:
            yield b"first"
            time.sleep(1.0)
            yield b"second"

        return Response(parts())

    listening = Listening(app, "127.0.0.1", 0)
    thread = threading.Thread(target=listening.run, daemon=True)
    thread.start()
    yield listening.port
    listening.close()
    thread.join(10)


@pytest.mark.parametrize("path", ["/large", "/pieces"])
def test_an_answer_larger_than_any_buffer_reaches_a_reader_that_takes_its_time(port: int, path: str) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    for _ in range(2):
        connection.request("GET", path)
        answer = connection.getresponse()
        time.sleep(0.3)
        assert answer.read() == LARGE
    connection.close()


def test_the_first_part_of_an_answer_leaves_before_the_last_is_made(port: int) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    connection.request("GET", "/slow")
    answer = connection.getresponse()
    begun = time.monotonic()
    assert answer.read(5) == b"first"
    assert time.monotonic() - begun < 0.9
    assert answer.read() == b"second"
    connection.close()


def test_one_connection_answers_request_after_request(port: int) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    for _ in range(50):
        connection.request("GET", "/nothing")
        answer = connection.getresponse()
        answer.read()
        assert answer.status == 404
    connection.close()
