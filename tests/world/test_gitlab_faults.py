"""GitLab while things break: limits obeyed, no other host ever followed, errors in our words."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from bot.forges.ensure import UnknownOutcomeError
from bot.forges.gitlab import GitLab
from bot.forges.gitlab_calls import Calls
from bot.ports import OutsideWorldError
from bot.sandbox import Fault, Sandbox
from tests.world.gitlab_stage import READY, SECRET, A, Stage

pytestmark = pytest.mark.world


@pytest.fixture
def stage(sandbox: Sandbox) -> Iterator[Stage]:
    made = Stage(sandbox)
    yield made
    made.gitlab.close()


class Trap:
    """A server that answers everything with what it was given, and notes who asked and with which headers."""

    def __init__(self, status: int, headers: dict[str, str], body: bytes = b"[]") -> None:
        trap = self
        self.status = status
        self.asked: list[tuple[str, dict[str, str]]] = []

        class Answering(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                trap.asked.append((self.path, dict(self.headers.items())))
                self.send_response_only(trap.status)
                for name, value in {"Content-Type": "application/json", **headers}.items():
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, format: str, *args: object) -> None:  # noqa: A002
                """Quiet."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Answering)
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True)

    def __enter__(self) -> Trap:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()


def asking(url: str) -> GitLab:
    return GitLab(f"{url}/api/v4", "7", lambda: "the-token", SECRET, sleep=lambda _: None)


def test_a_short_limit_is_waited_out_and_a_long_one_is_told(stage: Stage) -> None:
    stage.forge.faults.append(Fault("GET", before=429, headers={"Retry-After": "3"}))
    assert stage.gitlab.pull(stage.number).number == stage.number
    assert 3 <= stage.slept[0] < 4
    stage.forge.faults.append(Fault("GET", before=429, headers={"Retry-After": "600"}))
    with pytest.raises(OutsideWorldError) as refused:
        stage.gitlab.pull(stage.number)
    assert refused.value.retry_after == 600


def test_while_gitlab_wants_to_be_left_alone_nothing_is_sent(stage: Stage) -> None:
    stage.forge.faults.append(Fault("GET", before=429, headers={"Retry-After": "600"}))
    with pytest.raises(OutsideWorldError):
        stage.gitlab.pull(stage.number)
    stage.calls()
    for ask in (lambda: stage.gitlab.pull(stage.number), lambda: stage.gitlab.ensure_status(stage.head, READY)):
        with pytest.raises(OutsideWorldError, match="wants no requests") as refused:
            ask()
        assert 500 < (refused.value.retry_after or 0) <= 600
    assert stage.calls() == []


def test_a_limit_that_names_only_the_time_of_its_end_or_nothing_is_obeyed_too() -> None:
    with Trap(429, {"RateLimit-Reset": "99999999999"}) as trap, pytest.raises(OutsideWorldError) as told:
        asking(trap.url).repository()
    assert (told.value.retry_after or 0) > 1_000_000
    with Trap(429, {}) as trap, pytest.raises(OutsideWorldError) as untold:
        asking(trap.url).repository()
    assert untold.value.retry_after == 60
    assert len(trap.asked) == 1, "the library's own patience is off"


def test_a_limited_write_is_told_and_not_repeated(stage: Stage) -> None:
    stage.gitlab.comment_digest(stage.number, "plan")
    stage.forge.faults.append(Fault("POST", before=429, times=9, headers={"Retry-After": "2"}))
    stage.calls()
    with pytest.raises(OutsideWorldError) as refused:
        stage.gitlab.ensure_comment(stage.number, "plan", A, "One")
    assert refused.value.retry_after == 2
    assert [method for method, _ in stage.calls()] == ["GET", "POST"]
    assert stage.bodies() == []


def test_a_redirect_is_never_followed_so_no_other_host_gets_the_token() -> None:
    with Trap(200, {}) as elsewhere, Trap(301, {"Location": f"{elsewhere.url}/api/v4/projects/7"}) as trap:
        with pytest.raises(OutsideWorldError, match="redirects elsewhere"):
            asking(trap.url).repository()
        assert elsewhere.asked == []


def test_the_next_page_is_asked_of_the_same_host_whatever_the_answer_says() -> None:
    with Trap(200, {}) as elsewhere:
        link = {"Link": f'<{elsewhere.url}/api/v4/projects/7/merge_requests?page=2>; rel="next"'}
        with Trap(200, link, b"[]") as trap, pytest.raises(OutsideWorldError):
            asking(trap.url).open_pulls()
        assert elsewhere.asked == []
        assert {path.split("?")[0] for path, _ in trap.asked} == {"/api/v4/projects/7/merge_requests"}


def test_the_token_goes_in_one_header_and_nowhere_else(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / ".netrc").write_text("machine 127.0.0.1 login eve password stolen\n")
    (tmp_path / ".netrc").chmod(0o600)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("NETRC", str(tmp_path / ".netrc"))
    with Trap(404, {}) as trap, pytest.raises(OutsideWorldError):
        asking(trap.url).repository()
    ((path, headers),) = trap.asked
    assert headers["Authorization"] == "Bearer the-token"
    assert "the-token" not in path + str({**headers, "Authorization": ""})


@pytest.mark.parametrize("body", [b"", b"<html>", b"[", b"null", b"[]", b"{}", b'{"id": "7"}', b'{"id": 7}'])
def test_an_answer_of_another_shape_is_the_outside_world(body: bytes) -> None:
    with Trap(200, {}, body) as trap:
        gitlab = asking(trap.url)
        for ask in (gitlab.repository, lambda: gitlab.pull(3), lambda: gitlab.comments(3)):
            with pytest.raises(OutsideWorldError):
                ask()


def test_a_forge_that_stays_broken_is_given_up_in_our_words(stage: Stage) -> None:
    for method in ("GET", "POST"):
        stage.forge.faults.append(Fault(method, before=502, times=1000))
    for ask in (
        lambda: stage.gitlab.pull(stage.number),
        lambda: stage.gitlab.ensure_comment(stage.number, "plan", A, "One"),
        lambda: stage.gitlab.changed_since(""),
        stage.gitlab.open_pulls,
    ):
        stage.calls()
        with pytest.raises(OutsideWorldError, match="502"):
            ask()
        assert len(stage.calls()) == 3
    stage.forge.faults[:] = [Fault("POST", before=502, times=1000)]
    with pytest.raises(UnknownOutcomeError):
        stage.gitlab.ensure_comment(stage.number, "plan", A, "One")
    assert sum(stage.slept) < 60


def test_a_forge_that_cannot_be_reached_is_the_outside_world() -> None:
    with pytest.raises(OutsideWorldError, match="did not answer"):
        asking("http://127.0.0.1:9").repository()


def test_a_limit_that_never_says_how_long_is_waited_out_longer_each_time() -> None:
    with Trap(429, {}) as trap:
        now = [0.0]
        calls = Calls(f"{trap.url}/api/v4", lambda: "the-token", lambda _: None, lambda: now[0])
        waits = [limited(calls, now) for _ in range(7)]
        assert waits == [60, 120, 240, 480, 960, 1920, 3600]
        assert len(trap.asked) == 7
        trap.status = 200
        assert calls.read("asking", lambda: calls.get("/projects/7")) == []
        trap.status = 429
        assert limited(calls, now) == 60, "it answered in between"


def limited(calls: Calls, now: list[float]) -> float:
    """How long it wants to be left alone; then that time is over."""
    with pytest.raises(OutsideWorldError) as told:
        calls.read("asking", lambda: calls.get("/projects/7"))
    now[0] += told.value.retry_after or 0
    return told.value.retry_after or 0


def test_the_end_of_a_limit_is_read_by_gitlabs_own_clock() -> None:
    headers = {"RateLimit-Reset": "1000000090", "Date": "Sun, 09 Sep 2001 01:46:40 GMT"}
    with Trap(429, headers) as trap, pytest.raises(OutsideWorldError) as told:
        asking(trap.url).repository()
    assert told.value.retry_after == 90
