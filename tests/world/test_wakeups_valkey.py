"""The bundled queue: private, without a port, and never left behind."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest
import redis

from bot.ports import OutsideWorldError
from bot.valkey import start_valkey

pytestmark = pytest.mark.world


def alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


def test_it_answers_on_a_private_socket_only_and_leaves_nothing() -> None:
    server = start_valkey()
    try:
        client = redis.Redis.from_url(server.url)
        client.set("a", "1")
        assert client.get("a") == b"1"
        assert client.config_get("port") == {"port": "0"}
        assert client.config_get("save") == {"save": ""}
        client.close()
        assert server.folder.stat().st_mode & 0o077 == 0
        assert (server.folder / "valkey.sock").stat().st_mode & 0o077 == 0
    finally:
        server.stop()
    assert not server.folder.exists()
    assert not alive(server.process.pid)
    server.stop()


def test_two_at_once_do_not_meet(tmp_path: Path) -> None:
    servers = [start_valkey(tmp_path / name) for name in ("a", "b")]
    try:
        first, second = (redis.Redis.from_url(server.url) for server in servers)
        first.set("only", "here")
        assert second.get("only") is None
    finally:
        for server in servers:
            server.stop()
    assert (tmp_path / "a").exists()


@pytest.mark.skipif(sys.platform != "linux", reason="the death signal is Linux's")
def test_it_dies_with_a_process_that_is_killed(tmp_path: Path) -> None:
    program = (
        "import sys, time; from pathlib import Path; from bot.valkey import start_valkey; "
        "print(start_valkey(Path(sys.argv[1])).process.pid, flush=True); time.sleep(60)"
    )
    with subprocess.Popen(
        [sys.executable, "-c", program, str(tmp_path / "q")], stdout=subprocess.PIPE, text=True
    ) as parent:
        assert parent.stdout is not None
        pid = int(parent.stdout.readline())
        assert alive(pid)
        os.kill(parent.pid, signal.SIGKILL)
    until = time.monotonic() + 5
    while alive(pid) and time.monotonic() < until:
        time.sleep(0.02)
    assert not alive(pid)


def test_it_refuses_to_start_in_a_thread_that_may_end_before_it() -> None:
    said: list[str] = []

    def elsewhere() -> None:
        with pytest.raises(RuntimeError) as refused:
            start_valkey()
        said.append(str(refused.value))

    thread = threading.Thread(target=elsewhere)
    thread.start()
    thread.join()
    assert "main thread" in said[0]


def test_a_path_too_long_for_a_socket_is_refused_in_words(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="too long for a socket"):
        start_valkey(tmp_path / ("x" * 100))


def test_a_server_that_cannot_start_says_why(tmp_path: Path) -> None:
    (tmp_path / "valkey.sock").mkdir()
    with pytest.raises(OutsideWorldError, match="did not start"):
        start_valkey(tmp_path)
