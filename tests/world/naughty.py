"""A child whose core does what a question names in its `mirror`: a program for the tests of isolation."""

from __future__ import annotations

import json
import os
import resource
import signal
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path

from bot.core.model.ask import Survey, SurveyAsk, TargetSeen
from bot.git.transport import DamagedError
from bot.isolated import run
from bot.thinking import Thinking

ANSWERS = os.dup(1)
GATHERED: list[bytearray] = []


class Naughty(Thinking):
    """Obeys, and tells its process id and what the deed told."""

    def survey(self, ask: SurveyAsk) -> Survey:
        deed, _, rest = ask.mirror.partition(":")
        told = DEEDS[deed](rest) if deed in DEEDS else ""
        return Survey((TargetSeen(str(os.getpid()), told, ""),), False, ())


def loop(_: str) -> str:
    while True:
        pass


def sleep(seconds: str) -> str:
    time.sleep(float(seconds))
    return ""


def eat(mib: str) -> str:
    return str(len(bytearray(int(mib) << 20)))


def gather(mib: str) -> str:
    GATHERED.append(bytearray(int(mib) << 20))
    return ""


def die(_: str) -> str:
    os.kill(os.getpid(), signal.SIGKILL)
    return ""


def die_once(mark: str) -> str:
    if not Path(mark).exists():
        Path(mark).touch()
        die("")
    return ""


def say(text: str) -> str:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()
    return ""


def raw(text: str) -> str:
    os.write(ANSWERS, text.encode())
    return ""


def damaged(_: str) -> str:
    raise DamagedError("the mirror cannot be read")


def fail(text: str) -> str:
    raise ValueError(f"it is wrong:\n{text}")


def world(_: str) -> str:
    return json.dumps(
        {
            "environ": dict(os.environ),
            "argv": sys.argv,
            "fds": open_files(),
            "core": resource.getrlimit(resource.RLIMIT_CORE),
            "cwd": str(Path.cwd()),
            "path": sys.path,
        }
    )


def open_files() -> list[str]:
    """What each descriptor above stderr leads to."""
    there = (Path(f"/proc/self/fd/{fd}") for fd in range(3, 1024))
    return [str(fd.readlink()) for fd in there if fd.is_symlink()]


DEEDS: Mapping[str, Callable[[str], str]] = {
    "loop": loop,
    "sleep": sleep,
    "eat": eat,
    "gather": gather,
    "die": die,
    "die once": die_once,
    "say": say,
    "raw": raw,
    "huge": lambda mib: "x" * (int(mib) << 20),
    "damaged": damaged,
    "fail": fail,
    "world": world,
}


if __name__ == "__main__":
    run(int(sys.argv[1]), float(sys.argv[2]), int(sys.argv[3]), Naughty)
