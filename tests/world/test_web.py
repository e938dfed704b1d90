"""The door, over real HTTP: what it lets in, what it turns away, and that nothing but a name goes on."""

from __future__ import annotations

import hashlib
import hmac
import http.client
import json
import re
import socket
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import pytest
from structlog.testing import capture_logs
from werkzeug.test import EnvironBuilder, run_wsgi_app

from bot.listen import Listening
from bot.ports import OutsideWorldError
from bot.sandbox import Sandbox
from bot.valkey import start_valkey
from bot.wakeups import QUEUES, RqWakeups
from bot.web import Door, create_app, metrics_app

pytestmark = pytest.mark.world
SECRET = "a secret of sixteen characters"
LIMIT = 200_000


class Bell:
    """Remembers rings; away where told."""

    def __init__(self) -> None:
        self.rung: list[str] = []
        self.away = False

    def ring(self, name: str, after: float = 0.0) -> bool:
        if self.away:
            raise OutsideWorldError("the queue cannot be reached (ConnectionError)")
        assert after == 0.0
        self.rung.append(name)
        return True

    def ready(self) -> list[str]:
        return ["the queue cannot be reached"] if self.away else []


@contextmanager
def served(bell: Bell | RqWakeups, seconds: int = 30) -> Iterator[int]:
    ready = bell.ready if isinstance(bell, Bell) else bell.reasons_not_ready
    doors = {"github": Door("github", (SECRET,)), "acme": Door("github", ("another secret, long",))}
    listening = Listening(
        create_app(doors, bell, ready, LIMIT), "127.0.0.1", 0, body_limit=LIMIT, request_seconds=seconds
    )
    thread = threading.Thread(target=listening.run)
    thread.start()
    try:
        yield listening.port
    finally:
        listening.close()
        thread.join(10)
        assert not thread.is_alive()


@pytest.fixture
def bell() -> Bell:
    return Bell()


@pytest.fixture
def port(bell: Bell) -> Iterator[int]:
    with served(bell) as number:
        yield number


def pull(number: int = 3, **more: object) -> bytes:
    return json.dumps(
        {"action": "opened", "repository": {"id": 12}, "pull_request": {"number": number}, **more}
    ).encode()


def headers(body: bytes, kind: str = "pull_request", secret: str = SECRET) -> dict[str, str]:
    return {
        "Content-Type": "application/json",
        "X-GitHub-Event": kind,
        "X-GitHub-Delivery": "72d3162e-cc78-11e3-81ab-4c9367dc0958",
        "X-Hub-Signature-256": "sha256=" + hmac.new(secret.encode(), body, hashlib.sha256).hexdigest(),
    }


def ask(
    port: int, method: str, path: str, body: bytes | None = None, sent: dict[str, str] | None = None
) -> tuple[int, bytes]:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    try:
        connection.request(method, path, body, sent or {})
        answer = connection.getresponse()
        return answer.status, answer.read()
    finally:
        connection.close()


def post(port: int, body: bytes, sent: dict[str, str], forge: str = "github") -> tuple[int, bytes]:
    return ask(port, "POST", f"/webhooks/{forge}", body, sent)


def test_a_genuine_webhook_rings_its_name_and_says_so(port: int, bell: Bell) -> None:
    body = pull()
    status, answer = post(port, body, headers(body))
    assert (status, json.loads(answer)) == (202, {"wake": "review-github-12-3"})
    assert bell.rung == ["review-github-12-3"]


def test_each_forge_has_its_own_path_and_secret(port: int, bell: Bell) -> None:
    body = pull()
    assert post(port, body, headers(body), forge="acme")[0] == 401
    assert post(port, body, headers(body, secret="another secret, long"), forge="acme")[0] == 202
    assert post(port, body, headers(body), forge="elsewhere")[0] == 404
    assert bell.rung == ["review-acme-12-3"]


def test_a_webhook_that_concerns_nobody_is_204_without_a_body(port: int, bell: Bell) -> None:
    assert post(port, b"{}", headers(b"{}", "ping")) == (204, b"")
    assert bell.rung == []


def test_forged_unsigned_and_unreadable_webhooks_ring_nothing(port: int, bell: Bell) -> None:
    body = pull()
    unsigned = {name: value for name, value in headers(body).items() if name != "X-Hub-Signature-256"}
    assert post(port, body, unsigned)[0] == 401
    assert post(port, body, headers(body, secret="not the secret at all"))[0] == 401
    sha1 = unsigned | {"X-Hub-Signature": "sha1=" + hmac.new(SECRET.encode(), body, hashlib.sha1).hexdigest()}
    assert post(port, body, sha1)[0] == 401
    deep = b"[" * 100_000
    assert post(port, deep, headers(deep))[0] == 400
    assert bell.rung == []
    assert ask(port, "GET", "/webhooks/github")[0] == 405


def test_a_body_over_the_limit_is_413_whether_its_length_is_told_or_not(port: int, bell: Bell) -> None:
    body = pull(title="x" * LIMIT)
    assert post(port, body, headers(body))[0] == 413
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    chunks = (body[start : start + 50_000] for start in range(0, len(body), 50_000))
    try:
        connection.request("POST", "/webhooks/github", chunks, headers(body), encode_chunked=True)
        assert connection.getresponse().status == 413
    except (BrokenPipeError, ConnectionResetError):
        # The door answers and hangs up without hearing the rest; who is still sending may meet that first.
        assert ask(port, "GET", "/healthz")[0] == 200
    finally:
        connection.close()
    assert bell.rung == []


def test_a_huge_length_is_refused_before_the_body_is_sent(port: int) -> None:
    with socket.create_connection(("127.0.0.1", port), timeout=10) as connection:
        connection.sendall(b"POST /webhooks/github HTTP/1.1\r\nHost: x\r\nContent-Length: 99999999999\r\n\r\n")
        assert connection.recv(100).startswith(b"HTTP/1.1 413")


def test_the_application_itself_holds_the_limit_under_any_server(bell: Bell) -> None:
    app = create_app({"github": Door("github", (SECRET,))}, bell, bell.ready, LIMIT)
    exact = pull(title="")
    exact = pull(title="x" * (LIMIT - len(exact)))
    assert len(exact) == LIMIT
    assert app.test_client().post("/webhooks/github", data=exact, headers=headers(exact)).status_code == 202
    over = pull(title="x" * LIMIT)
    assert app.test_client().post("/webhooks/github", data=over, headers=headers(over)).status_code == 413
    streamed = EnvironBuilder(path="/webhooks/github", method="POST", headers=headers(over)).get_environ()
    streamed.pop("CONTENT_LENGTH", None)
    streamed |= {"wsgi.input": _Endless(), "wsgi.input_terminated": True}
    assert run_wsgi_app(app, streamed)[1].startswith("413")


class _Endless:
    def read(self, size: int = -1) -> bytes:
        assert size > 0
        return b"x" * size

    def readinto(self, target: bytearray) -> int:
        target[:] = b"x" * len(target)
        return len(target)


def test_a_chunked_body_within_the_limit_is_read_whole(port: int, bell: Bell) -> None:
    body = pull(title="x" * 100_000)
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    connection.request("POST", "/webhooks/github", iter([body[:9], body[9:]]), headers(body), encode_chunked=True)
    assert connection.getresponse().status == 202
    connection.close()
    assert bell.rung == ["review-github-12-3"]


def seconds_until_hung_up(connection: socket.socket) -> float:
    started = time.monotonic()
    while time.monotonic() - started < 8:
        try:
            connection.sendall(b"x")
            if connection.recv(100) == b"":
                break
        except TimeoutError:
            continue
        except ConnectionError:
            break
    return time.monotonic() - started


def test_a_client_that_trickles_is_hung_up_on_and_others_are_served(bell: Bell) -> None:
    with served(bell, seconds=1) as port:
        with socket.create_connection(("127.0.0.1", port), timeout=10) as slow:
            slow.sendall(b"POST /webhooks/github HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\n")
            slow.settimeout(0.1)
            assert seconds_until_hung_up(slow) < 6
        assert ask(port, "GET", "/healthz")[0] == 200


def test_when_the_queue_is_away_the_forge_is_told(port: int, bell: Bell) -> None:
    bell.away = True
    body = pull()
    status, answer = post(port, body, headers(body))
    assert status == 503
    assert b"queue" in answer
    assert ask(port, "GET", "/healthz")[0] == 200
    status, answer = ask(port, "GET", "/readyz")
    assert (status, json.loads(answer)) == (503, {"ready": False, "reasons": ["the queue cannot be reached"]})
    bell.away = False
    assert ask(port, "GET", "/readyz")[0] == 200


def test_what_is_counted_is_told_by_an_application_of_its_own_and_not_at_the_door(bell: Bell) -> None:
    app = create_app({"github": Door("github", (SECRET,))}, bell, bell.ready)
    body = pull()
    app.test_client().post("/webhooks/github", data=body, headers=headers(body))
    app.test_client().post("/webhooks/github", data=body)
    assert app.test_client().get("/metrics").status_code == 404
    text = metrics_app(app).test_client().get("/metrics").text
    assert re.search(r'causeway_deliveries_total\{forge="github",outcome="rung"\} 1\.0', text)
    assert re.search(r'causeway_deliveries_total\{forge="github",outcome="denied"\} 1\.0', text)


def test_nothing_of_the_payload_or_of_hostile_headers_is_logged(bell: Bell) -> None:
    app = create_app({"github": Door("github", (SECRET,))}, bell, bell.ready)
    body = pull(title="the title nobody logs")
    with capture_logs() as logs:
        app.test_client().post("/webhooks/github", data=body, headers=headers(body))
        hostile = {"X-GitHub-Event": "\x1b[31mred", "X-GitHub-Delivery": "a b"}
        app.test_client().post("/webhooks/github", data=body, headers=hostile)
    assert logs == [
        {
            "event": "delivery",
            "forge": "github",
            "kind": "pull_request",
            "delivery": "72d3162e-cc78-11e3-81ab-4c9367dc0958",
            "outcome": "rung",
            "log_level": "info",
        },
        {
            "event": "delivery",
            "forge": "github",
            "kind": "-",
            "delivery": "-",
            "outcome": "denied",
            "log_level": "info",
        },
    ]


@pytest.mark.parametrize(
    "door", [Door("github", ()), Door("github", ("",)), Door("github", (SECRET, "")), Door("gitea", (SECRET,))]
)
def test_a_door_that_lets_anyone_in_does_not_open(door: Door, bell: Bell) -> None:
    with pytest.raises(ValueError, match=r"webhook secret|kinds are"):
        create_app({"github": door}, bell, bell.ready)
    with pytest.raises(ValueError, match="no forge can be named"):
        create_app({"Git/Hub": Door("github", (SECRET,))}, bell, bell.ready)
    assert SECRET not in repr(door)


def test_the_same_delivery_twenty_times_at_once_queues_one_job() -> None:
    valkey = start_valkey()
    wakeups = RqWakeups(valkey.url)
    try:
        with served(wakeups) as port, ThreadPoolExecutor(20) as pool:
            body = pull()
            answers = set(pool.map(lambda _: post(port, body, headers(body)), range(20)))
        assert answers == {(202, b'{"wake":"review-github-12-3"}\n')}
        assert sum(wakeups.waiting()[name] for name in QUEUES) == 1
    finally:
        wakeups.close()
        valkey.stop()


def test_closing_answers_what_has_arrived() -> None:
    body = pull()

    class Slow(Bell):
        def ring(self, name: str, after: float = 0.0) -> bool:
            time.sleep(0.4)
            return super().ring(name, after)

    slow = Slow()
    with ThreadPoolExecutor(1) as pool:
        with served(slow) as port:
            answer = pool.submit(post, port, body, headers(body))
            time.sleep(0.2)
        assert answer.result()[0] == 202
    assert slow.rung == ["review-github-12-3"]


def test_what_a_forge_really_posts_wakes_whom_it_concerns(bell: Bell, port: int, sandbox: Sandbox) -> None:
    sandbox.create_user("ada")
    repository = sandbox.create_repository("acme/platform", {"README.md": "hello\n"})
    sandbox.create_webhook("acme/platform", f"http://127.0.0.1:{port}/webhooks/github", SECRET)
    sandbox.commit("acme/platform", "topic", {"a.txt": "1\n"}, "Add a", "ada")
    number = sandbox.open_pull("acme/platform", "Add a", "topic", "main", "ada")
    sandbox.comment("acme/platform", number, "hello", "ada")
    sandbox.merge("acme/platform", number, "merge", "ada")
    assert sandbox.wait_for_webhooks()
    review, deliver = f"review-github-{repository}-{number}", f"deliver-github-{repository}"
    assert sorted(bell.rung) == [deliver, review, review, review]
