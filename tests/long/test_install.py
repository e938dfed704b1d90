"""The container's steps in a plain folder: locked wheels in a fresh environment, then every part starts from them."""

from __future__ import annotations

import json
import shutil
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest

from bot.valkey import start_valkey

pytestmark = [pytest.mark.long, pytest.mark.timeout(900)]
ROOT = Path(__file__).parents[2]
COPIED = ("bot", "schemas", "blueprints", "deploy/gunicorn.conf.py", "deploy/requirements.lock")


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What the image holds: `app` and `venv`, and in both nothing that can be written."""
    home = tmp_path_factory.mktemp("image")
    for name in COPIED:
        source, target = ROOT / name, home / "app" / name
        target.parent.mkdir(parents=True, exist_ok=True)
        if source.is_dir():
            shutil.copytree(source, target, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(source, target)
    python = home / "venv" / "bin" / "python"
    subprocess.run([sys.executable, "-m", "venv", str(home / "venv")], check=True, timeout=300)
    install = ["-m", "pip", "install", "--no-cache-dir", "--disable-pip-version-check", "--no-input", "--quiet"]
    lock = str(home / "app" / "deploy" / "requirements.lock")
    done = subprocess.run(
        [python, *install, "--require-hashes", "--only-binary", ":all:", "--requirement", lock],
        capture_output=True, text=True, timeout=600, check=False,
    )  # fmt: skip
    if "Failed to establish a new connection" in done.stderr:
        pytest.skip("the package index cannot be reached")
    assert done.returncode == 0, done.stderr
    subprocess.run([python, "-m", "pip", "uninstall", "--yes", "--quiet", "pip"], check=True, timeout=100)
    subprocess.run([python, "-m", "compileall", "-q", str(home / "app" / "bot")], check=True, timeout=200)
    return home


def environment(home: Path, config: Path, **more: str) -> dict[str, str]:
    """The image's, and nothing of this machine's."""
    paths = f"{home / 'venv' / 'bin'}:/usr/local/bin:/usr/bin:/bin"
    plain = {"PATH": paths, "PYTHONPATH": str(home / "app"), "PYTHONDONTWRITEBYTECODE": "1"}
    return {**plain, "CAUSEWAY_CONFIG": str(config), **more}


def settings(folder: Path, redis_url: str) -> Path:
    forge = {"name": "github", "kind": "github", "token": "t", "webhook_secrets": ["sixteen-characters"], "tenants": []}
    values = {"redis_url": redis_url, "data_dir": str(folder), "marker_secret": "sixteen-characters", "forges": [forge]}
    config = folder / "causeway.json"
    config.write_text(json.dumps(values))
    return config


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as bound:
        return int(bound.getsockname()[1])


def status(url: str) -> int:
    try:
        with urllib.request.urlopen(url, timeout=5) as answer:  # noqa: S310 - an address of this machine
            return int(answer.status)
    except urllib.error.HTTPError as answer:
        return answer.code
    except OSError:
        return 0


@contextmanager
def running(arguments: list[str], env: dict[str, str], cwd: Path) -> Iterator[subprocess.Popen[bytes]]:
    process = subprocess.Popen(arguments, env=env, cwd=cwd, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    try:
        yield process
    finally:
        process.terminate()
        process.wait(30)


def test_the_door_starts_under_gunicorn_answers_its_probes_and_ends_in_peace(installed: Path, tmp_path: Path) -> None:
    valkey, port, metrics = start_valkey(tmp_path / "queue"), free_port(), free_port()
    config = settings(tmp_path, valkey.url)
    more = {"BIND": f"127.0.0.1:{port}", "CAUSEWAY_METRICS_LISTEN": f"127.0.0.1:{metrics}"}
    gunicorn = [str(installed / "venv/bin/gunicorn"), "--config", "deploy/gunicorn.conf.py", "bot.prefork:make_app()"]
    before = set(installed.rglob("*"))
    with running(gunicorn, environment(installed, config, **more), installed / "app") as process:
        until = time.monotonic() + 30
        while status(f"http://127.0.0.1:{port}/healthz") != 200:
            assert process.poll() is None
            assert time.monotonic() < until
            time.sleep(0.1)
        assert status(f"http://127.0.0.1:{port}/readyz") == 200
        assert status(f"http://127.0.0.1:{port}/metrics") == 404
        assert status(f"http://127.0.0.1:{metrics}/metrics") == 200
        with ExitStack() as trickling:
            for _ in range(50):
                slow = trickling.enter_context(socket.create_connection(("127.0.0.1", port), timeout=5))
                slow.sendall(b"POST /webhooks/github HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\n{")
            assert status(f"http://127.0.0.1:{port}/readyz") == 200, "senders that trickle keep others out"
        valkey.stop()
        assert status(f"http://127.0.0.1:{port}/readyz") == 503
        assert status(f"http://127.0.0.1:{port}/healthz") == 200
    assert process.returncode == 0
    assert set(installed.rglob("*")) == before, "it writes beside its own files"


def test_every_command_starts_without_what_only_tests_need(installed: Path, tmp_path: Path) -> None:
    config = settings(tmp_path, "redis://127.0.0.1:1/0")
    for command in ("serve", "work", "sweep", "doctor", "setup", "plan"):
        done = subprocess.run(
            [str(installed / "venv/bin/python3"), "-m", "bot", command, "--help"],
            env=environment(installed, config), cwd=tmp_path, capture_output=True, text=True, timeout=60, check=False,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr


def test_wrong_settings_end_gunicorn_with_a_sentence(installed: Path, tmp_path: Path) -> None:
    config = settings(tmp_path, "ftp://nowhere")
    done = subprocess.run(
        [str(installed / "venv/bin/gunicorn"), "--config", "deploy/gunicorn.conf.py", "bot.prefork:make_app()"],
        env=environment(installed, config, BIND=f"127.0.0.1:{free_port()}"), cwd=installed / "app",
        capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert done.returncode != 0
    assert "CAUSEWAY_REDIS_URL (redis_url)" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_worker_ends_when_it_is_asked_to(installed: Path, tmp_path: Path) -> None:
    valkey = start_valkey(tmp_path / "queue")
    config = settings(tmp_path, valkey.url)
    try:
        python = str(installed / "venv/bin/python3")
        with running([python, "-m", "bot", "work"], environment(installed, config), installed / "app") as process:
            time.sleep(3)
            assert process.poll() is None
        assert process.returncode == 0
    finally:
        valkey.stop()
