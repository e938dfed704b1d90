"""The pure core in a process of its own: without tokens, with limits of time and memory, killed when it passes them.

One long-lived child for each platform repository, so that facts stay warm. A killed child only means a cold next run.
The child's side is `isolated.py`; both read the table of verbs in `asking.py`.
"""

from __future__ import annotations

import json
import os
import select
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from pathlib import Path
from typing import IO, cast
from uuid import uuid4

import structlog
from pydantic import TypeAdapter, ValidationError

from bot.asking import VERBS, Ask
from bot.core.model.ask import (
    Chain,
    CursorAsk,
    CursorSeen,
    DeliverAsk,
    DeliveredAsk,
    DeliveredSeen,
    Draft,
    DraftAsk,
    ExplainAsk,
    Required,
    RequiredAsk,
    ReviewAsk,
    Survey,
    SurveyAsk,
    Told,
)
from bot.core.model.conversation import Said
from bot.ports import OutsideWorldError, PoisonError

log = structlog.get_logger(__name__)

PROGRAM: Sequence[str] = (sys.executable, "-P", "-m", "bot.isolated")
"""What is started. `-P`: the folder where the bot happens to run is no place to import from."""

ANSWER_BYTES = 32 * 1024 * 1024
"""The longest answer that is taken. A comment has 60 KB; a chain of fifty links with all their problems a few MB."""

TRIES = 2
"""A child that was killed from outside costs only time, so its question is asked once more. One that the question
itself kills, by memory, is not worth a third."""


class _EndedError(Exception):
    """The child is gone."""


class _GarbledError(Exception):
    """What came back is no answer to what was asked."""


class IsolatedCore:
    """Implements `ports.Core` by asking a child. Safe for one question at a time; a second thread waits.

    `memory_mib` limits what the child allocates; files that it maps, as git's packs, do not count. `opa` is the path of
    a command that it may run. `PoisonError` where a question passes a limit, ends the child twice, or is answered with
    anything but an answer.
    """

    def __init__(
        self, seconds: float, memory_mib: int, program: Sequence[str] = PROGRAM, opa: str | None = None
    ) -> None:
        self._seconds = seconds
        self._memory = memory_mib * 1024 * 1024
        self._program = program
        self._opa = opa
        self._child: subprocess.Popen[bytes] | None = None
        self._asked = 0
        self._closed = False
        self._lock = threading.Lock()

    @property
    def pid(self) -> int | None:
        """The child's process id, None while there is none."""
        child = self._child
        return None if child is None else child.pid

    def survey(self, ask: SurveyAsk) -> Survey:
        return cast(Survey, self._ask("survey", ask))

    def cursor(self, ask: CursorAsk) -> CursorSeen:
        return cast(CursorSeen, self._ask("cursor", ask))

    def required(self, ask: RequiredAsk) -> Required:
        return cast(Required, self._ask("required", ask))

    def review(self, ask: ReviewAsk) -> Said:
        return cast(Said, self._ask("review", ask))

    def explain(self, ask: ExplainAsk) -> Told:
        return cast(Told, self._ask("explain", ask))

    def draft(self, ask: DraftAsk) -> Draft:
        return cast(Draft, self._ask("draft", ask))

    def delivered(self, ask: DeliveredAsk) -> DeliveredSeen:
        return cast(DeliveredSeen, self._ask("delivered", ask))

    def deliver(self, ask: DeliverAsk) -> Chain:
        return cast(Chain, self._ask("deliver", ask))

    def close(self) -> None:
        """Ends the child at once and for good. A question that is under way, or comes later, is an
        `OutsideWorldError`: nothing is wrong with it."""
        self._closed = True
        child = self._child
        if child is not None:
            _end(child)
        with self._lock:
            self._drop()

    def _ask(self, verb: str, ask: Ask) -> object:
        into, out = VERBS[verb]
        body = json.loads(into.dump_json(ask))
        with self._lock:
            kind, value = self._answer(verb, body, out)
        if kind == "answer":
            return value
        if kind == "outside":
            raise OutsideWorldError(str(value))
        raise _poisoned(verb, f"failed: {value}")

    def _answer(self, verb: str, body: object, out: TypeAdapter[object]) -> tuple[str, object]:
        for attempt in range(1, TRIES + 1):
            try:
                kind, value = self._exchange(verb, body)
                return kind, out.validate_python(value) if kind == "answer" else value
            except ValidationError as error:
                self._drop()
                raise _poisoned(verb, "was answered in another shape than its own") from error
            except _EndedError as end:
                self._drop()
                if self._closed:
                    raise OutsideWorldError("this bot is about to stop") from end
                log.warning("the core's process ended", verb=verb, attempt=attempt)
            except TimeoutError as late:
                self._drop()
                raise _poisoned(verb, f"took longer than {self._seconds:g} s") from late
            except _GarbledError as garbled:
                self._drop()
                raise _poisoned(verb, f"was answered by something else: {garbled}") from garbled
            except BaseException:
                self._drop()  # a question without its answer in the pipe would answer the next one
                raise
        raise _poisoned(verb, "ended its process, perhaps by memory")

    def _exchange(self, verb: str, body: object) -> tuple[str, object]:
        child = self._running()
        self._asked += 1
        until = time.monotonic() + self._seconds
        assert child.stdin is not None and child.stdout is not None  # noqa: S101, PT018 - opened as pipes below
        _write(child.stdin, json.dumps([self._asked, verb, body]).encode() + b"\n", until)
        data = _read_line(child.stdout, until)
        try:
            number, kind, value = json.loads(data)
        except (ValueError, TypeError, RecursionError) as error:
            raise _GarbledError("it is not JSON of three items") from error
        if number != self._asked or kind not in ("answer", "outside", "failed"):
            raise _GarbledError("it is not for this question")
        return kind, value

    def _running(self) -> subprocess.Popen[bytes]:
        if self._closed:
            raise OutsideWorldError("this bot is about to stop")
        if self._child is None or self._child.poll() is not None:
            self._drop()
            self._child = self._start()
        return self._child

    def _start(self) -> subprocess.Popen[bytes]:
        # The environment of the parent holds tokens; the child gets none of it but where programs are. Every other
        # file descriptor is closed by Popen.
        kept = {name: os.environ[name] for name in ("PATH", "LANG", "TMPDIR") if name in os.environ}
        limits = (str(self._memory), f"{self._seconds:g}", str(os.getpid()))
        kept["PYTHONPATH"] = str(Path(__file__).resolve().parent.parent)
        child = subprocess.Popen(  # noqa: S603 - our own module, by our own interpreter
            [*self._program, *limits, *([self._opa] if self._opa else [])],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env=kept,
            cwd="/",
            bufsize=0,
            start_new_session=True,
        )
        assert child.stdin is not None  # noqa: S101 - opened as a pipe
        os.set_blocking(child.stdin.fileno(), False)
        return child

    def _drop(self) -> None:
        child, self._child = self._child, None
        if child is None:
            return
        _end(child)
        child.wait()
        for pipe in (child.stdin, child.stdout):
            if pipe is not None:
                pipe.close()


def _end(child: subprocess.Popen[bytes]) -> None:
    if child.poll() is None:
        try:
            os.killpg(child.pid, signal.SIGKILL)
        except ProcessLookupError:
            # Between the look and the signal it ended by itself.
            return


def _poisoned(verb: str, what: str) -> PoisonError:
    error_id = uuid4().hex[:12]
    log.error("the core failed", verb=verb, what=what, error_id=error_id)
    return PoisonError(f"{verb} {what}", error_id)


def _write(pipe: IO[bytes], data: bytes, until: float) -> None:
    """All of it, though the reader be slow or stopped; TimeoutError at `until`."""
    rest = memoryview(data)
    while rest:
        left = until - time.monotonic()
        if left <= 0 or not select.select([], [pipe], [], left)[1]:
            raise TimeoutError
        try:
            rest = rest[os.write(pipe.fileno(), rest[: 1 << 16]) :]
        except BlockingIOError:
            continue
        except BrokenPipeError as end:
            raise _EndedError from end


def _read_line(pipe: IO[bytes], until: float) -> bytes:
    """One line from a pipe and nothing after it; TimeoutError at `until`, `_EndedError` where the pipe ends first."""
    parts: list[bytes] = []
    size = 0
    while True:
        left = until - time.monotonic()
        if left <= 0 or not select.select([pipe], [], [], left)[0]:
            raise TimeoutError
        part = os.read(pipe.fileno(), 1 << 16)
        if not part:
            raise _EndedError
        parts.append(part)
        size += len(part)
        if size > ANSWER_BYTES:
            raise _GarbledError(f"it is longer than {ANSWER_BYTES >> 20} MiB")
        line, end, rest = part.partition(b"\n")
        if end:
            if rest:
                raise _GarbledError("more follows it")
            return b"".join([*parts[:-1], line])
