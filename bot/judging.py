"""Judging in a process of its own, with limits of time and memory for each case: whatever a policy does, it denies.

A child that is healthy judges case after case. One that takes too long is killed, one that dies is started anew; the
case is denied with the policy and the place of the expression that ran, and the next case goes on. The child's side is
`judged.py`. It has no token and opens nothing, and it dies with its parent.
"""

from __future__ import annotations

import json
import mmap
import os
import select
import subprocess
import sys
import threading
import time
from collections import OrderedDict, deque
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final, TypeAlias

import structlog

from bot.core.policy.exchange import case_line, case_out, content_id, files_out, line_of, verdict_in
from bot.core.policy.model import Case, Place, PolicySet, Verdict

log = structlog.get_logger(__name__)

PROGRAM: Final[Sequence[str]] = (sys.executable, "-P", "-m", "bot.judged")
LOAD_SECONDS: Final = 60.0
"""For a child to start and to compile a set of policies."""
MOST_REMEMBERED: Final = 100_000
"""Cases whose verdicts are remembered: a fleet of some thousand services on both sides of a review."""
ANSWER_BYTES: Final = 8 * 1024 * 1024
TRIES: Final = 2
"""A child that was killed from outside costs only time; one that the case itself kills is not worth a third."""
MOST_DENIED: Final = 10
"""After so many cases in a row that have no answer, the rest of a batch is denied unasked."""
AHEAD: Final = 32
"""Cases that are on their way to a child at once."""
MOST_SETS: Final = 4
"""As many sets of policies a child keeps, the latest used; `judged.py` counts alike."""
_NOTE_BYTES: Final = 4096

_Name: TypeAlias = tuple[str, str]
_Asked: TypeAlias = tuple[Case, bytes]
_Answer: TypeAlias = tuple[tuple[Verdict, ...], bool]


class _EndedError(Exception):
    """The child is gone, or what it says is no answer."""


class Judging:
    """An `Engine`. Safe for one batch at a time; a second thread waits. `seconds` and `memory_mib` are for one case."""

    def __init__(self, seconds: float = 10, memory_mib: int = 512, program: Sequence[str] = PROGRAM) -> None:
        self._seconds = seconds
        self._memory = memory_mib * 1024 * 1024
        self._program = program
        self._lock = threading.Lock()
        self._child: subprocess.Popen[bytes] | None = None
        self._owner = 0
        self._loaded: OrderedDict[str, None] = OrderedDict()
        self._remembered: OrderedDict[tuple[str, str], tuple[Verdict, ...]] = OrderedDict()
        self._note = mmap.mmap(-1, _NOTE_BYTES)
        self._note_file = -1

    @property
    def pid(self) -> int | None:
        """The child's process id, None while there is none."""
        return None if self._child is None else self._child.pid

    def __call__(self, policies: PolicySet, cases: Sequence[Case]) -> tuple[Verdict, ...]:
        if not policies.policies:
            return ()
        with self._lock:
            asked = [(case, case_line(case)) for case in cases]
            names = [(policies.digest, content_id(line)) for _, line in asked]
            found = {name: self._remembered[name] for name in names if name in self._remembered}
            missing = {name: one for name, one in zip(names, asked, strict=True) if name not in found}
            for name, (verdicts, sure) in self._judged(policies, missing):
                found[name] = verdicts
                if sure:
                    self._remembered[name] = verdicts
            while len(self._remembered) > MOST_REMEMBERED:
                self._remembered.popitem(last=False)
            return tuple(verdict for name in names for verdict in found[name])

    def tell(self, policies: PolicySet, case: Case) -> tuple[Sequence[Mapping[str, Any]], str]:
        """What the policies see of the case, as `core.policy.telling` has it; or nothing, and why."""
        with self._lock:
            try:
                pipes = _Pipes(self._ready(policies))
                pipes.say(line_of(["tell", policies.digest, case_out(case)]))
                return pipes.hear(time.monotonic() + self._seconds), ""
            except TimeoutError:
                self._drop()
                return (), f"it takes longer than {self._seconds:g} s"
            except _EndedError:
                self._drop()
                return (), "it ends the process that judges, perhaps by memory"
            except BaseException:
                self._drop()
                raise

    def close(self) -> None:
        """Ends the child; a later batch starts another."""
        with self._lock:
            self._drop()

    def _judged(self, policies: PolicySet, asked: Mapping[_Name, _Asked]) -> Iterator[tuple[_Name, _Answer]]:
        """Each case with its verdicts, and whether they are of the case alone and not of this moment."""
        rest = deque(asked.items())
        ended = denied = 0
        while rest:
            why = ""
            try:
                for answer in self._exchange(policies, [line for _, (_, line) in rest]):
                    yield rest.popleft()[0], (tuple(map(verdict_in, answer)), True)
                    ended = denied = 0
            except TimeoutError:
                why = f"it takes longer than {self._seconds:g} s"
            except _EndedError as end:
                ended += 1
                log.warning("the judge's process ended", case=rest[0][1][0].key, attempt=ended, why=str(end))
                why = "it ends the process that judges, perhaps by memory" if ended >= TRIES else ""
            except BaseException:
                self._drop()  # a question without its answer in the pipe would answer the next one
                raise
            else:
                return
            denied += bool(why)
            # Where one after the other has no answer, the next ones would only cost as much again.
            for _ in range(0 if not why else len(rest) if denied >= MOST_DENIED else 1):
                name, (case, _) = rest.popleft()
                yield name, ((self._denied(policies, case, why),), False)
                ended = 0
            self._drop()

    def _exchange(self, policies: PolicySet, lines: Sequence[bytes]) -> Iterator[list[Any]]:
        """The child's answers, in order. It works on one case while the next ones wait in its pipe."""
        child = self._ready(policies)
        head = b'["judge",' + json.dumps(policies.digest).encode() + b","
        pipes = _Pipes(child)
        sent = 0
        for answered in range(len(lines)):
            while sent < len(lines) and sent - answered < AHEAD:
                pipes.say(head + lines[sent] + b"]\n")
                sent += 1
            answer = pipes.hear(time.monotonic() + self._seconds)
            if not isinstance(answer, list):
                raise _EndedError("what it says is no answer")
            yield answer

    def _ready(self, policies: PolicySet) -> subprocess.Popen[bytes]:
        child = self._running()
        if policies.digest not in self._loaded:
            self._load(child, policies)
        self._loaded.move_to_end(policies.digest)
        return child

    def _load(self, child: subprocess.Popen[bytes], policies: PolicySet) -> None:
        pipes = _Pipes(child)
        pipes.say(line_of(["load", policies.digest, files_out(policies.files), files_out(policies.shipped)]))
        try:
            pipes.hear(time.monotonic() + LOAD_SECONDS)
        except TimeoutError as late:
            raise _EndedError("it cannot read the policies in time") from late
        self._loaded[policies.digest] = None
        while len(self._loaded) > MOST_SETS:
            self._loaded.popitem(last=False)

    def _denied(self, policies: PolicySet, case: Case, why: str) -> Verdict:
        """The refusal of a case whose judge is gone, by what it was about to do."""
        size = int.from_bytes(self._note[:2], "big")
        parts = self._note[2 : 2 + size].decode(errors="replace").split("\0") if 0 < size <= _NOTE_BYTES - 2 else []
        if len(parts) == 6 and parts[4].isdecimal() and parts[5].isdecimal():
            policy, binding, part, path = parts[:4]
            place = Place(path, int(parts[4]), int(parts[5]))
        else:
            first = policies.policies[0]
            bound = policies.bindings.get(first.name, ())
            policy, binding, part, place = first.name, bound[0].name if bound else "", "case", first.place
        message = f"the expression cannot be worked out: {why}"
        return Verdict(policy, binding, part, "deny", message, place, case.key, "error")

    def _running(self) -> subprocess.Popen[bytes]:
        if self._owner != os.getpid():
            # After a fork the child belongs to the process that was forked: its pipes are not ours to use.
            self._child, self._owner = None, os.getpid()
        if self._child is None or self._child.poll() is not None:
            self._drop()
            self._child = self._start()
        return self._child

    def _start(self) -> subprocess.Popen[bytes]:
        self._note_file = os.memfd_create("note")
        os.ftruncate(self._note_file, _NOTE_BYTES)
        self._note = mmap.mmap(self._note_file, _NOTE_BYTES)
        # No session of its own: who kills the group of the parent ends the child too.
        child = subprocess.Popen(  # noqa: S603 - our own module, by our own interpreter
            [*self._program, str(self._memory), f"{self._seconds:g}", str(os.getpid()), str(self._note_file)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env={"PYTHONPATH": str(Path(__file__).resolve().parent.parent), "PYTHONUTF8": "1"},
            pass_fds=(self._note_file,),
            cwd="/",
            bufsize=0,
        )
        assert child.stdin is not None  # noqa: S101 - opened as a pipe
        os.set_blocking(child.stdin.fileno(), False)
        return child

    def _drop(self) -> None:
        child, self._child = self._child, None
        self._loaded.clear()
        if self._note_file >= 0:
            os.close(self._note_file)
            self._note_file = -1
        if child is None:
            return
        child.kill()
        child.wait()
        for pipe in (child.stdin, child.stdout):
            if pipe is not None:
                pipe.close()


class _Pipes:
    """What is said to a child and heard of it. Saying never waits: what the pipe does not take waits here."""

    def __init__(self, child: subprocess.Popen[bytes]) -> None:
        assert child.stdin is not None and child.stdout is not None  # noqa: S101, PT018 - opened as pipes
        self._into, self._out = child.stdin.fileno(), child.stdout.fileno()
        self._unsaid = bytearray()
        self._heard = bytearray()

    def say(self, line: bytes) -> None:
        self._unsaid += line

    def hear(self, until: float) -> Any:
        """The next line that the child says; TimeoutError at `until`, `_EndedError` where it is gone or garbled."""
        while (end := self._heard.find(b"\n")) < 0:
            left = until - time.monotonic()
            if left <= 0:
                raise TimeoutError
            readable, writable, _ = select.select([self._out], [self._into] if self._unsaid else [], [], left)
            if readable:
                self._take()
            elif writable:
                self._give()
        line = bytes(self._heard[:end])
        del self._heard[: end + 1]
        try:
            return json.loads(line)
        except (ValueError, RecursionError) as error:
            raise _EndedError("what it says is no JSON") from error

    def _take(self) -> None:
        part = os.read(self._out, 1 << 16)
        self._heard += part
        if not part or len(self._heard) > ANSWER_BYTES:
            raise _EndedError("it says too much" if part else "it hung up")

    def _give(self) -> None:
        try:
            del self._unsaid[: os.write(self._into, self._unsaid[: 1 << 16])]
        except BlockingIOError:
            return
        except BrokenPipeError as end:
            raise _EndedError("it hung up") from end
