"""Who can write to the queue can make the bot look at a name, and nothing else."""

from __future__ import annotations

import http.server
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from redis import Redis
from rq import Callback, Queue
from rq.serializers import JSONSerializer
from rq.webhook import Webhook

from bot.flows.place import Place
from bot.valkey import start_valkey
from bot.wakeups import JOB, QUEUES, RqWakeups
from bot.worker import Desk, work

pytestmark = pytest.mark.world
NAME = "review-github-1-7"


class Queued:
    """A queue as an outsider writes to it, and the places that the worker asked for."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.redis = Redis.from_url(url)
        self.queue = Queue(QUEUES[0], connection=self.redis, serializer=JSONSerializer)
        self.asked: list[tuple[str, str]] = []

    def place(self, forge: str, repository: str) -> Place | None:
        self.asked.append((forge, repository))
        return None

    def work(self) -> None:
        """Everything that is queued, by the real worker."""
        wakeups, stop = RqWakeups(self.url), threading.Event()
        try:
            work(Desk(self.place, wakeups), self.url, stop, burst=True)
        finally:
            stop.set()
            wakeups.close()


@pytest.fixture
def queued() -> Iterator[Queued]:
    server = start_valkey()
    made = Queued(server.url)
    yield made
    made.redis.close()
    server.stop()


def test_a_wake_is_worked_on(queued: Queued) -> None:
    RqWakeups(queued.url).ring(NAME)
    queued.work()
    assert queued.asked == [("github", "1")]


def test_a_job_that_names_another_function_never_runs_it(queued: Queued, tmp_path: Path) -> None:
    target = tmp_path / "made"
    queued.queue.enqueue_call("os.mkdir", args=(str(target),))
    queued.queue.enqueue_call("os.system", args=(f"touch {target}",))
    RqWakeups(queued.url).ring(NAME)
    queued.work()
    assert not target.exists()
    assert queued.asked == [("github", "1")], "and the worker goes on"


def test_a_job_with_anything_but_one_name_is_refused(queued: Queued) -> None:
    for arguments in ((), (NAME, NAME), (7,), ([NAME],)):
        queued.queue.enqueue_call(JOB, args=arguments)
    queued.queue.enqueue_call(JOB, kwargs={"name": NAME})
    queued.work()
    assert queued.asked == []


def test_callbacks_of_a_job_are_never_imported_or_called(queued: Queued, monkeypatch: pytest.MonkeyPatch) -> None:
    called: list[object] = []
    monkeypatch.setattr("bot.worker.say_failed", lambda *given: called.append(given))
    trap = Callback("bot.worker.say_failed")
    queued.queue.enqueue_call(JOB, args=(NAME,), on_success=trap, on_failure=trap, on_stopped=trap)
    queued.queue.enqueue_call("os.getpid", on_success=trap, on_failure=trap, on_stopped=trap)
    queued.work()
    assert queued.asked == [("github", "1")]
    assert called == []


def test_a_job_posts_its_outcome_nowhere(queued: Queued) -> None:
    heard: list[str] = []

    class Ear(http.server.BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            heard.append(self.path)
            self.send_response(204)
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002
            """Quiet."""

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Ear) as server:
        threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
        url = f"http://127.0.0.1:{server.server_port}/outcome"
        queued.queue.enqueue_call(JOB, args=(NAME,), webhooks=[Webhook(url, "finished", method="POST")])
        queued.work()
        server.shutdown()
    assert queued.asked == [("github", "1")]
    assert heard == []
