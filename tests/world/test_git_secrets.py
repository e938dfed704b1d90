"""A token reaches one host and nothing else; git knows and speaks only what it is given."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import time
from base64 import b64encode
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import pytest

from bot.git import Mirror, require_git
from bot.git.command import environment, git, redacted
from bot.ports import GitRemote, OutsideWorldError
from bot.sandbox import Fault, Sandbox
from tests.world.git_fixture import next_commit, remote_of

MAIN = "refs/heads/main"


@pytest.mark.world
def test_the_token_is_in_no_command_line_file_or_url(git_forge: Sandbox, mirror: Mirror) -> None:
    tip, new = next_commit(git_forge, mirror)
    remote = remote_of(git_forge)
    secrets = [git_forge.token_for("causeway"), str(remote.authorization).split()[1]]
    git_forge.faults.append(Fault(path=".*/info/refs", delay=0.6, times=2))
    seen: list[str] = []
    for act in (lambda: mirror.fetch(remote, [MAIN]), lambda: mirror.push(remote, MAIN, new, tip)):
        thread = Thread(target=act)
        thread.start()
        time.sleep(0.3)
        seen += [line for line in _command_lines() if git_forge.url in line]
        thread.join()
    assert any("git-remote-http" in line or "remote-http" in line for line in seen)
    assert any("push" in line for line in seen)
    assert not any(secret in line for line in seen for secret in secrets)
    files = [path for path in Path(mirror.path).parent.rglob("*") if path.is_file()]
    assert files
    assert not any(secret.encode() in path.read_bytes() for path in files for secret in secrets)


def _command_lines() -> list[str]:
    found = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            found.append(path.read_bytes().replace(b"\0", b" ").decode(errors="replace"))
        except OSError:
            continue
    return found


class _Elsewhere:
    """Two hosts: one that redirects to the other, which notes what it is sent."""

    def __init__(self) -> None:
        self.sent: list[str | None] = []
        other = self

        class Thief(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                other.sent.append(self.headers.get("Authorization"))
                self.send_error(404)

            def log_message(self, format: str, *args: object) -> None:  # noqa: A002
                """Quiet."""

        class Redirector(Thief):
            def do_GET(self) -> None:
                self.send_response(302)
                self.send_header("Location", f"http://127.0.0.1:{other.thief.server_port}{self.path}")
                self.send_header("Content-Length", "0")
                self.end_headers()

        self.thief = ThreadingHTTPServer(("127.0.0.1", 0), Thief)
        self.redirector = ThreadingHTTPServer(("127.0.0.1", 0), Redirector)
        for server in (self.thief, self.redirector):
            Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()

    def stop(self) -> None:
        for server in (self.thief, self.redirector):
            server.shutdown()
            server.server_close()


@pytest.fixture
def elsewhere() -> Iterator[_Elsewhere]:
    hosts = _Elsewhere()
    yield hosts
    hosts.stop()


def test_a_redirect_is_not_followed_with_the_token(mirror: Mirror, elsewhere: _Elsewhere) -> None:
    remote = GitRemote(f"http://127.0.0.1:{elsewhere.redirector.server_port}/a.git", "Bearer s3cr3t-t0ken")
    acts: list[Callable[[], object]] = [lambda: mirror.fetch(remote, [MAIN]), lambda: mirror.heads(remote)]
    for act in acts:
        with pytest.raises(OutsideWorldError):
            act()
    assert elsewhere.sent == []


def test_a_token_is_bound_to_its_host_and_error_texts_never_hold_any_form_of_it() -> None:
    basic = b64encode(b"x-access-token:ghs_abcdef").decode()
    remote = GitRemote("https://example.org:8443/acme/a.git", f"Basic {basic}")
    env = environment(remote)
    keys = {env[f"GIT_CONFIG_KEY_{n}"]: env[f"GIT_CONFIG_VALUE_{n}"] for n in range(int(env["GIT_CONFIG_COUNT"]))}
    assert keys["http.https://example.org:8443/.extraHeader"] == f"Authorization: Basic {basic}"
    said = f"fatal: Authorization: Basic {basic}\nremote: ghs_abcdef and {basic}\nhttps://u:p@example.org\x1b[31m\n"
    shown = redacted(said.encode(), remote)
    assert all(secret not in shown for secret in ("ghs_abcdef", basic, "u:p", "\x1b"))
    assert "remote:" in shown


def test_git_knows_nothing_of_this_machines_own_configuration(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / ".gitconfig").write_text('[url "https://evil.example/"]\n\tinsteadOf = https://example.org/\n')
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", str(tmp_path / ".gitconfig"))
    monkeypatch.setenv("GIT_SSH_COMMAND", "touch ran")
    monkeypatch.setenv("GIT_DIR", str(tmp_path))
    listed = git(["config", "--list", "--show-scope"], limit=10).out.decode()
    assert {line.split("\t")[0] for line in listed.splitlines()} == {"command"}
    assert not {name for name in environment(None) if name in ("GIT_DIR", "GIT_SSH_COMMAND", "XDG_CONFIG_HOME")}


@pytest.mark.parametrize("url", ["ext::sh -c 'touch ran'", "ssh://127.0.0.1/a.git", "git://127.0.0.1/a.git"])
def test_no_other_protocol_is_spoken_even_where_a_url_gets_through(tmp_path: Path, url: str) -> None:
    ran = git(["ls-remote", "--", url], limit=10)
    assert ran.code != 0
    assert "not allowed" in ran.err
    assert not (tmp_path / "ran").exists()


@pytest.mark.parametrize(("said", "found"), [("git version 2.30.2", "2.30.2"), ("nonsense", "nonsense")])
def test_a_git_that_is_too_old_is_refused_with_what_to_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, said: str, found: str
) -> None:
    (tmp_path / "git").write_text(f"#!/bin/sh\necho {json.dumps(said)}\n")
    (tmp_path / "git").chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}{os.pathsep}{os.environ['PATH']}")
    require_git.cache_clear()
    try:
        with pytest.raises(OutsideWorldError, match=f"git 2.38 or newer is needed.*{found}.*Install a newer git"):
            Mirror(tmp_path / "m.git").write(None, {"a": b"1"}, "m", 1)
    finally:
        require_git.cache_clear()


def test_a_machine_without_git_is_told_so(tmp_path: Path) -> None:
    assert shutil.which("git")
    code = "from bot.git import require_git; require_git()"
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=Path(__file__).parents[2],
        env={"PATH": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert "there is no git command; install git 2.38 or newer" in done.stderr
