"""The child's side of `judging.py`: it judges one case after the other, and can be killed at any moment."""

from __future__ import annotations

import ctypes
import gc
import json
import math
import mmap
import os
import resource
import signal
import sys
from collections import OrderedDict
from typing import IO, Any, Final

from bot.core.policy.exchange import case_in, files_in, line_of, verdict_out
from bot.core.policy.judge import judge_case
from bot.core.policy.load import load_policies
from bot.core.policy.model import Place, PolicySet
from bot.core.policy.telling import tell_case
from bot.core.problem import Refusal

NOTE_BYTES: Final = 4096
"""Room for the note of what is running: its length in two bytes, then the text."""
MOST_SETS: Final = 4
"""Sets of policies that a child remembers: those of a few base tips."""
_PR_SET_PDEATHSIG: Final = 1


class Note:
    """What is running, in memory that the parent sees when this process is gone."""

    def __init__(self, memory: mmap.mmap) -> None:
        self._memory = memory

    def clear(self) -> None:
        """Nothing runs yet."""
        self._memory[:2] = b"\0\0"

    def __call__(self, policy: str, binding: str, part: str, place: Place) -> None:
        text = "\0".join((policy, binding, part, place.path, str(place.line), str(place.column))).encode()
        if len(text) <= NOTE_BYTES - 2:
            self.clear()
            self._memory[2 : 2 + len(text)] = text
            self._memory[:2] = len(text).to_bytes(2, "big")


def serve(lines: IO[bytes], answers: IO[bytes], note: Note, seconds: float) -> None:
    """A question a line, an answer a line: `["load", digest, files, shipped]`, `["judge", digest, case]` and
    `["tell", digest, case]`."""
    known: OrderedDict[str, PolicySet] = OrderedDict()
    for line in lines:
        _allow(seconds)
        verb, digest, *rest = json.loads(line)
        answers.write(line_of(_answer(verb, digest, rest, known, note)))
        answers.flush()


def _answer(verb: str, digest: str, rest: list[Any], known: OrderedDict[str, PolicySet], note: Note) -> Any:
    if verb == "load":
        made = load_policies(files_in(rest[0]), files_in(rest[1]))
        if isinstance(made, Refusal) or made.digest != digest:
            raise ValueError("these files made a set of policies elsewhere, and not here")
        known[digest] = made
        while len(known) > MOST_SETS:
            known.popitem(last=False)
        return True
    if digest not in known:
        return None
    known.move_to_end(digest)
    note.clear()
    if verb == "tell":
        return tell_case(known[digest], case_in(rest[0]), note)
    return [verdict_out(verdict) for verdict in judge_case(known[digest], case_in(rest[0]), note)]


def _allow(seconds: float) -> None:
    """Processor time for one question: ends a child that is busy in one long call and whose parent is gone."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    _, hard = resource.getrlimit(resource.RLIMIT_CPU)
    soft = math.ceil(used.ru_utime + used.ru_stime + 2 * seconds) + 5
    resource.setrlimit(resource.RLIMIT_CPU, (soft if hard == resource.RLIM_INFINITY else min(soft, hard), hard))


def _confine(memory: int, parent: int) -> None:
    _, hard = resource.getrlimit(resource.RLIMIT_DATA)
    least = memory if hard == resource.RLIM_INFINITY else min(memory, hard)
    resource.setrlimit(resource.RLIMIT_DATA, (least, least))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    prctl = getattr(ctypes.CDLL(None), "prctl", None)
    if prctl is not None:
        prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    if os.getppid() != parent:
        sys.exit("the parent is gone")


def main() -> None:
    """`python -m bot.judged <bytes> <seconds> <parent pid> <file descriptor of the note>`."""
    memory, seconds, parent, note = int(sys.argv[1]), float(sys.argv[2]), int(sys.argv[3]), int(sys.argv[4])
    _confine(memory, parent)
    gc.set_threshold(50_000, 10, 100)
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    serve(sys.stdin.buffer, answers, Note(mmap.mmap(note, NOTE_BYTES)), seconds)


if __name__ == "__main__":
    main()
