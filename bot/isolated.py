"""The child's side of `isolation.py`: reads questions from stdin, answers them, and can be killed at any moment."""

from __future__ import annotations

import gc
import json
import math
import os
import resource
import sys
import threading
import time
from collections.abc import Callable, Mapping
from typing import IO, cast

import structlog

from bot import logs
from bot.asking import VERBS
from bot.core.parse import assert_c_parser
from bot.git.names import is_sha
from bot.opa import judges
from bot.ports import OutsideWorldError
from bot.thinking import Thinking

log = structlog.get_logger(__name__)

_WATCH_SECONDS = 0.3


def serve(lines: IO[bytes], answers: IO[bytes], thinking: Thinking, seconds: float) -> None:
    """A question a line, an answer a line, until the pipe ends or memory does."""
    verbs: Mapping[str, Callable[[object], object]] = {
        "survey": cast("Callable[[object], object]", thinking.survey),
        "cursor": cast("Callable[[object], object]", thinking.cursor),
        "required": cast("Callable[[object], object]", thinking.required),
        "review": cast("Callable[[object], object]", thinking.review),
        "explain": cast("Callable[[object], object]", thinking.explain),
        "draft": cast("Callable[[object], object]", thinking.draft),
        "delivered": cast("Callable[[object], object]", thinking.delivered),
        "deliver": cast("Callable[[object], object]", thinking.deliver),
    }
    for line in lines:
        _allow(seconds)
        number, verb, body = json.loads(line)
        into, out = VERBS[verb]
        try:
            said = [number, "answer", json.loads(out.dump_json(verbs[verb](into.validate_python(body))))]
        except OutsideWorldError as outside:
            said = [number, "outside", str(outside)]
        except MemoryError:
            # What was remembered may be the reason. The parent asks a fresh child, which tells the two apart.
            log.warning("out of memory", verb=verb)
            return
        except Exception as error:
            lacking = _lacking(error)
            if lacking is None:
                # Whatever it is, the parent must hear it and say it.
                log.exception("the core failed", verb=verb)
                said = [number, "failed", f"{type(error).__name__}: {error}"[:1000]]
            else:
                said = [number, "outside", f"the mirror lacks {lacking}: it was made anew since it was fetched"]
        answers.write(json.dumps(said).encode() + b"\n")
        answers.flush()


def _lacking(error: Exception) -> str | None:
    """The object id that a mirror was asked for in vain. Another process threw a damaged mirror away between the fetch
    and the question; the next fetch brings everything back."""
    asked = error.args[0] if isinstance(error, KeyError) and error.args else None
    return asked if isinstance(asked, str) and is_sha(asked) else None


def run(memory: int, seconds: float, parent: int, thinking: Callable[[], Thinking] = Thinking) -> None:
    """The whole life of a child: at most so many bytes of memory, so many seconds a question, and not without its
    parent. Logs go to stderr, one event a line."""
    logs.configure(json=False)
    assert_c_parser()
    _confine(memory, parent)
    # Nothing that prints may write between the answers.
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    serve(sys.stdin.buffer, answers, thinking(), seconds)


def _confine(memory: int, parent: int) -> None:
    # Not RLIMIT_AS: libgit2 maps whole packs and their indexes, which are the kernel's to drop, and a mirror of some GB
    # would look damaged. RLIMIT_DATA counts what is allocated.
    resource.setrlimit(resource.RLIMIT_DATA, (memory, memory))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    threading.Thread(target=_watch, args=(parent,), daemon=True).start()


def _allow(seconds: float) -> None:
    """Processor time for one question. The parent's clock is stricter; this one also ends a child whose parent is gone
    while one long call of C code lets no other thread run."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    _, hard = resource.getrlimit(resource.RLIMIT_CPU)
    resource.setrlimit(resource.RLIMIT_CPU, (math.ceil(used.ru_utime + used.ru_stime + 2 * seconds) + 5, hard))


def _watch(parent: int) -> None:
    # A parent that was killed leaves a child that might write objects for nobody.
    while os.getppid() == parent:
        time.sleep(_WATCH_SECONDS)
    os._exit(1)


def look_for_rings_rarely() -> None:
    """A fleet is millions of small values that live on: looking for rings among them all, as often as by default, cost
    a fifth of a cold build."""
    gc.set_threshold(50_000, 10, 100)


def main() -> None:
    """`python -m bot.isolated <bytes> <seconds> <parent pid> [<opa>]`."""
    look_for_rings_rarely()
    opa = sys.argv[4] if len(sys.argv) > 4 else None
    run(int(sys.argv[1]), float(sys.argv[2]), int(sys.argv[3]), lambda: Thinking(judges(opa)))


if __name__ == "__main__":
    main()
