"""The pure core in a process of its own: without tokens, with limits of time and memory, killed when it passes them.

One long-lived child for each platform repository, so that facts stay warm. A killed child only means a cold next run.
"""

from __future__ import annotations

import json
import os
import resource
import select
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping
from typing import IO, cast
from uuid import uuid4

import structlog
from pydantic import TypeAdapter

from bot.core.model.ask import (
    Chain,
    CursorAsk,
    CursorSeen,
    DeliverAsk,
    DeliveredAsk,
    DeliveredSeen,
    ReviewAsk,
    Survey,
    SurveyAsk,
)
from bot.core.model.conversation import Said
from bot.core.parse import assert_c_parser
from bot.ports import OutsideWorldError, PoisonError
from bot.thinking import Thinking

log = structlog.get_logger(__name__)

_Ask = SurveyAsk | CursorAsk | ReviewAsk | DeliveredAsk | DeliverAsk

# One row a verb: what goes in, what comes out. Both sides of the pipe read this table.
_VERBS: Mapping[str, tuple[TypeAdapter[object], TypeAdapter[object]]] = {
    "survey": (TypeAdapter(SurveyAsk), TypeAdapter(Survey)),
    "cursor": (TypeAdapter(CursorAsk), TypeAdapter(CursorSeen)),
    "review": (TypeAdapter(ReviewAsk), TypeAdapter(Said)),
    "delivered": (TypeAdapter(DeliveredAsk), TypeAdapter(DeliveredSeen)),
    "deliver": (TypeAdapter(DeliverAsk), TypeAdapter(Chain)),
}


class IsolatedCore:
    """Implements `ports.Core` by asking a child. Safe for one question at a time; a second thread waits."""

    def __init__(self, seconds: int, memory_mib: int) -> None:
        self._seconds = seconds
        self._memory = memory_mib * 1024 * 1024
        self._child: subprocess.Popen[bytes] | None = None
        self._lock = threading.Lock()

    def survey(self, ask: SurveyAsk) -> Survey:
        return cast(Survey, self._ask("survey", ask))

    def cursor(self, ask: CursorAsk) -> CursorSeen:
        return cast(CursorSeen, self._ask("cursor", ask))

    def review(self, ask: ReviewAsk) -> Said:
        return cast(Said, self._ask("review", ask))

    def delivered(self, ask: DeliveredAsk) -> DeliveredSeen:
        return cast(DeliveredSeen, self._ask("delivered", ask))

    def deliver(self, ask: DeliverAsk) -> Chain:
        return cast(Chain, self._ask("deliver", ask))

    def close(self) -> None:
        """Ends the child."""
        with self._lock:
            self._kill()

    def _ask(self, verb: str, ask: _Ask) -> object:
        into, out = _VERBS[verb]
        line = json.dumps([verb, json.loads(into.dump_json(ask))]).encode() + b"\n"
        with self._lock:
            answer = self._exchange(line, verb)
        if answer[0] == "answer":
            return out.validate_python(answer[1])
        if answer[0] == "outside":
            raise OutsideWorldError(str(answer[1]))
        raise self._poisoned(f"{verb} failed: {answer[1]}", verb)

    def _exchange(self, line: bytes, verb: str) -> list[object]:
        child = self._child
        if child is None or child.poll() is not None:
            self._kill()
            child = self._child = self._start()
        try:
            assert child.stdin is not None and child.stdout is not None  # noqa: S101, PT018 - opened as pipes below
            child.stdin.write(line)
            child.stdin.flush()
            data = _read_line(child.stdout, time.monotonic() + self._seconds)
        except (BrokenPipeError, EOFError) as end:
            self._kill()
            raise self._poisoned(f"{verb} ended its process, perhaps by memory", verb) from end
        except TimeoutError as late:
            self._kill()
            raise self._poisoned(f"{verb} took longer than {self._seconds} s", verb) from late
        except BaseException:
            self._kill()  # a question without its answer in the pipe would answer the next one
            raise
        return cast("list[object]", json.loads(data))

    def _start(self) -> subprocess.Popen[bytes]:
        # The environment of the parent holds tokens; the child gets none of it but where programs are.
        kept = {name: os.environ[name] for name in ("PATH", "HOME", "LANG", "TMPDIR") if name in os.environ}
        kept["PYTHONHASHSEED"] = "random"
        return subprocess.Popen(  # noqa: S603 - our own module, by our own interpreter
            [sys.executable, "-m", "bot.isolation", str(self._memory), str(os.getpid())],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env=kept,
            start_new_session=True,
        )

    def _kill(self) -> None:
        child, self._child = self._child, None
        if child is None:
            return
        if child.poll() is None:
            os.killpg(child.pid, signal.SIGKILL)
        child.wait()
        for pipe in (child.stdin, child.stdout):
            if pipe is not None:
                _close(pipe)

    @staticmethod
    def _poisoned(what: str, verb: str) -> PoisonError:
        error_id = uuid4().hex[:12]
        log.error("the core failed", verb=verb, what=what, error_id=error_id)
        return PoisonError(what, error_id)


def _close(pipe: IO[bytes]) -> None:
    try:
        pipe.close()
    except BrokenPipeError:
        # Closing flushes what the dead child never read.
        return


def _read_line(pipe: IO[bytes], until: float) -> bytes:
    """One line from a pipe, without buffering past it; TimeoutError at `until`, EOFError where it ends."""
    parts: list[bytes] = []
    while True:
        left = until - time.monotonic()
        if left <= 0 or not select.select([pipe], [], [], left)[0]:
            raise TimeoutError
        part = os.read(pipe.fileno(), 1 << 16)
        if not part:
            raise EOFError
        parts.append(part)
        if part.endswith(b"\n"):
            return b"".join(parts)


def serve(lines: IO[bytes], answers: IO[bytes], thinking: Thinking) -> None:
    """The child's loop: a question a line, an answer a line, until the pipe ends."""
    verbs: Mapping[str, Callable[[object], object]] = {
        "survey": cast("Callable[[object], object]", thinking.survey),
        "cursor": cast("Callable[[object], object]", thinking.cursor),
        "review": cast("Callable[[object], object]", thinking.review),
        "delivered": cast("Callable[[object], object]", thinking.delivered),
        "deliver": cast("Callable[[object], object]", thinking.deliver),
    }
    for line in lines:
        verb, body = json.loads(line)
        into, out = _VERBS[verb]
        try:
            said = ["answer", json.loads(out.dump_json(verbs[verb](into.validate_python(body))))]
        except OutsideWorldError as outside:
            said = ["outside", str(outside)]
        except Exception as error:  # noqa: BLE001 - whatever it is, the parent must hear it and say it
            log.exception("the core failed", verb=verb)
            said = ["failed", f"{type(error).__name__}: {error}"]
        answers.write(json.dumps(said).encode() + b"\n")
        answers.flush()


def _confine(memory: int, parent: int) -> None:
    resource.setrlimit(resource.RLIMIT_AS, (memory, memory))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    threading.Thread(target=_watch, args=(parent,), daemon=True).start()


def _watch(parent: int) -> None:
    # A parent that was killed leaves a child that might write objects for nobody.
    while os.getppid() == parent:
        time.sleep(0.5)
    os._exit(1)


def main() -> None:
    """`python -m bot.isolation <bytes> <parent pid>`: reads questions from stdin, answers on stdout, logs to stderr."""
    structlog.configure(logger_factory=structlog.PrintLoggerFactory(sys.stderr))
    assert_c_parser()
    _confine(int(sys.argv[1]), int(sys.argv[2]))
    serve(sys.stdin.buffer, sys.stdout.buffer, Thinking())


if __name__ == "__main__":
    main()
