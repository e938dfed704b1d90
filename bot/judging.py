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
from collections import OrderedDict
from collections.abc import Sequence
from pathlib import Path
from typing import IO, Any, Final

import structlog

from bot.core.policy.exchange import case_id, case_out, files_out, line_of, verdict_in
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
_NOTE_BYTES: Final = 4096


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
        self._loaded: set[str] = set()
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
            return tuple(verdict for case in cases for verdict in self._case(policies, case))

    def close(self) -> None:
        """Ends the child; a later batch starts another."""
        with self._lock:
            self._drop()

    def _case(self, policies: PolicySet, case: Case) -> tuple[Verdict, ...]:
        name = (policies.digest, case_id(case))
        found = self._remembered.get(name)
        if found is not None:
            self._remembered.move_to_end(name)
            return found
        found, sure = self._asked(policies, case)
        if sure:
            self._remembered[name] = found
            if len(self._remembered) > MOST_REMEMBERED:
                self._remembered.popitem(last=False)
        return found

    def _asked(self, policies: PolicySet, case: Case) -> tuple[tuple[Verdict, ...], bool]:
        """The verdicts, and whether they are of the case alone and not of this moment."""
        for attempt in range(1, TRIES + 1):
            try:
                return self._exchange(policies, case), True
            except TimeoutError:
                denied = self._denied(policies, case, f"it takes longer than {self._seconds:g} s")
                self._drop()
                return (denied,), False
            except _EndedError as end:
                log.warning("the judge's process ended", case=case.key, attempt=attempt, why=str(end))
                denied = self._denied(policies, case, "it ends the process that judges, perhaps by memory")
                self._drop()
            except BaseException:
                self._drop()  # a question without its answer in the pipe would answer the next one
                raise
        return (denied,), False

    def _exchange(self, policies: PolicySet, case: Case) -> tuple[Verdict, ...]:
        child = self._running()
        if policies.digest not in self._loaded:
            self._load(child, policies)
        self._note[:2] = b"\0\0"
        question = ["judge", policies.digest, case_out(case)]
        answer = _ask(child, question, time.monotonic() + self._seconds)
        if answer is None:
            self._load(child, policies)
            answer = _ask(child, question, time.monotonic() + self._seconds)
        if not isinstance(answer, list):
            raise _EndedError("what it says is no answer")
        return tuple(map(verdict_in, answer))

    def _load(self, child: subprocess.Popen[bytes], policies: PolicySet) -> None:
        files = [files_out(policies.files), files_out(policies.shipped)]
        try:
            _ask(child, ["load", policies.digest, *files], time.monotonic() + LOAD_SECONDS)
        except TimeoutError as late:
            raise _EndedError("it cannot read the policies in time") from late
        self._loaded.add(policies.digest)

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


def _ask(child: subprocess.Popen[bytes], question: list[Any], until: float) -> Any:
    assert child.stdin is not None and child.stdout is not None  # noqa: S101, PT018 - opened as pipes
    _write(child.stdin, line_of(question), until)
    try:
        return json.loads(_read_line(child.stdout, until))
    except (ValueError, RecursionError) as error:
        raise _EndedError("what it says is no JSON") from error


def _write(pipe: IO[bytes], data: bytes, until: float) -> None:
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
            raise _EndedError("it hung up") from end


def _read_line(pipe: IO[bytes], until: float) -> bytes:
    parts: list[bytes] = []
    while not parts or not parts[-1].endswith(b"\n"):
        left = until - time.monotonic()
        if left <= 0 or not select.select([pipe], [], [], left)[0]:
            raise TimeoutError
        part = os.read(pipe.fileno(), 1 << 16)
        parts.append(part)
        if not part or sum(map(len, parts)) > ANSWER_BYTES:
            raise _EndedError("it hung up" if not part else "it says too much")
    return b"".join(parts)
