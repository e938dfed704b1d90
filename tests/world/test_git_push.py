"""A push moves a branch by compare-and-swap or not at all, and says only what it knows."""

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

from bot.core.tree import Oid
from bot.git import Limits, Mirror, require_git
from bot.git.command import environment, git, redacted
from bot.ports import GitRemote, GoneError, OutsideWorldError
from bot.sandbox import Fault, Sandbox
from tests.world.git_remote import Remote

MAIN = "refs/heads/main"
REPO = "acme/gitops"


@pytest.fixture
def forge(sandbox: Sandbox) -> Sandbox:
    sandbox.create_user("causeway", kind="Bot")
    sandbox.create_user("reader", permission="read")
    sandbox.create_user("stranger", permission="none")
    sandbox.create_repository(REPO, {"README.md": "hello\n"})
    return sandbox


def _remote(forge: Sandbox, login: str = "causeway") -> GitRemote:
    basic = b64encode(f"x-access-token:{forge.token_for(login)}".encode()).decode()
    return GitRemote(forge.clone_url(REPO), f"Basic {basic}")


def _next(forge: Sandbox, mirror: Mirror) -> tuple[Oid, Oid]:
    tip = mirror.fetch(_remote(forge), [MAIN])[MAIN]
    assert tip is not None
    return tip, mirror.write(tip, {"apps/x.yaml": b"x: 1\n"}, "Deliver x", 1_700_000_000)


# The lease


def test_a_branch_moves_when_it_is_exactly_the_leased_commit(origin: Remote, mirror: Mirror) -> None:
    tip = origin.commit(MAIN, {"a": b"1"})
    mirror.fetch(origin.remote, [MAIN])
    chain = mirror.write(mirror.write(tip, {"b": b"1"}, "one", 1), {"c": b"1"}, "two", 2)
    assert mirror.push(origin.remote, MAIN, chain, tip) == "pushed"
    assert origin.ref(MAIN) == chain
    assert mirror.push(origin.remote, MAIN, chain, tip) == "pushed", "again, after an answer was lost"


def test_a_branch_that_moved_meanwhile_is_left_alone(origin: Remote, mirror: Mirror) -> None:
    tip = origin.commit(MAIN, {"a": b"1"})
    mirror.fetch(origin.remote, [MAIN])
    new = mirror.write(tip, {"b": b"1"}, "m", 1)
    foreign = origin.commit(MAIN, {"f": b"1"}, [tip])
    assert mirror.push(origin.remote, MAIN, new, tip) == "refused"
    assert origin.ref(MAIN) == foreign


def test_a_commit_that_does_not_descend_from_the_lease_is_refused_though_the_lease_is_right(
    origin: Remote, mirror: Mirror
) -> None:
    first = origin.commit(MAIN, {"a": b"1"})
    tip = origin.commit(MAIN, {"a": b"2"}, [first])
    mirror.fetch(origin.remote, [MAIN])
    sideways = mirror.write(first, {"b": b"1"}, "m", 1)
    for new in (sideways, first, mirror.write(None, {"b": b"1"}, "m", 1)):
        assert mirror.push(origin.remote, MAIN, new, tip) == "refused"
    assert origin.ref(MAIN) == tip


def test_without_a_lease_the_branch_must_not_exist(origin: Remote, mirror: Mirror) -> None:
    new = mirror.write(None, {"a": b"1"}, "m", 1)
    assert mirror.push(origin.remote, MAIN, new, None) == "pushed"
    other = mirror.write(new, {"a": b"2"}, "m", 2)
    assert mirror.push(origin.remote, MAIN, other, None) == "refused"
    assert origin.ref(MAIN) == new


def test_a_branch_that_was_deleted_meanwhile_is_not_made_again(origin: Remote, mirror: Mirror) -> None:
    tip = origin.commit(MAIN, {"a": b"1"})
    mirror.fetch(origin.remote, [MAIN])
    new = mirror.write(tip, {"b": b"1"}, "m", 1)
    origin.git("update-ref", "-d", MAIN)
    assert mirror.push(origin.remote, MAIN, new, tip) == "refused"
    assert origin.git("for-each-ref") == ""


def test_a_push_that_the_remotes_own_rules_refuse_is_an_error_that_says_why(origin: Remote, mirror: Mirror) -> None:
    tip = origin.commit(MAIN, {"a": b"1"})
    mirror.fetch(origin.remote, [MAIN])
    hook = origin.path / "hooks" / "pre-receive"
    hook.parent.mkdir(exist_ok=True)
    hook.write_text("#!/bin/sh\necho 'main is protected: open a pull request' >&2\nexit 1\n")
    hook.chmod(0o755)
    with pytest.raises(OutsideWorldError, match="main is protected"):
        mirror.push(origin.remote, MAIN, mirror.write(tip, {"b": b"1"}, "m", 1), tip)
    assert origin.ref(MAIN) == tip


def test_only_one_of_many_pushes_from_the_same_head_wins(origin: Remote, tmp_path: Path) -> None:
    tip = origin.commit(MAIN, {"a": b"1"})
    answers: list[str] = []

    def push(n: int) -> None:
        mirror = Mirror(tmp_path / f"m{n}.git")
        mirror.fetch(origin.remote, [MAIN])
        new = mirror.write(tip, {"n": b"%d" % n}, f"m{n}", n)
        answers.append(mirror.push(origin.remote, MAIN, new, tip))

    threads = [Thread(target=push, args=(n,)) for n in range(5)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(answers) == ["pushed", *["refused"] * 4]


@pytest.mark.parametrize(
    ("ref", "new"),
    [("main", "1" * 40), ("refs/heads/a..b", "1" * 40), ("--mirror", "1" * 40), (MAIN, "HEAD"), (MAIN, "")],
)
def test_short_refs_and_names_of_commits_are_mistakes(origin: Remote, mirror: Mirror, ref: str, new: str) -> None:
    with pytest.raises(ValueError, match="not a"):
        mirror.push(origin.remote, ref, Oid(new), None)


# Over HTTP, with a token


@pytest.mark.world
def test_the_token_opens_fetch_list_and_push(forge: Sandbox, mirror: Mirror) -> None:
    tip, new = _next(forge, mirror)
    assert mirror.heads(_remote(forge)) == {MAIN: tip}
    assert mirror.push(_remote(forge), MAIN, new, tip) == "pushed"
    assert forge.head(REPO) == new
    assert forge.files(REPO) == {"README.md": b"hello\n", "apps/x.yaml": b"x: 1\n"}


@pytest.mark.world
def test_a_fetch_of_a_pull_request_is_one_conversation(forge: Sandbox, mirror: Mirror) -> None:
    _next(forge, mirror)
    forge.commit(REPO, "topic", {"a": "1"}, "m", "causeway")
    number = forge.open_pull(REPO, "t", "topic", "main", "causeway")
    forge.requests.clear()
    found = mirror.fetch(_remote(forge), [MAIN, f"refs/pull/{number}/head"])
    assert None not in found.values()
    assert [request.method for request in forge.requests] == ["GET", "POST", "POST"]


@pytest.mark.world
def test_a_wrong_token_or_a_right_that_is_missing_is_told_and_the_token_is_not(forge: Sandbox, mirror: Mirror) -> None:
    tip, new = _next(forge, mirror)
    wrong = GitRemote(forge.clone_url(REPO), "Bearer ghs_W0rd0fM0uth")
    acts: list[Callable[[], object]] = [
        lambda: mirror.fetch(wrong, [MAIN]),
        lambda: mirror.heads(wrong),
        lambda: mirror.push(wrong, MAIN, new, tip),
        lambda: mirror.push(_remote(forge, "reader"), MAIN, new, tip),
    ]
    for act in acts:
        with pytest.raises(OutsideWorldError) as failed:
            act()
        for login in ("causeway", "reader"):
            assert forge.token_for(login) not in str(failed.value)
        assert "W0rd0fM0uth" not in str(failed.value)
    with pytest.raises(GoneError):
        mirror.fetch(_remote(forge, "stranger"), [MAIN])
    assert forge.head(REPO) == tip


@pytest.mark.world
@pytest.mark.parametrize("status", [500, 502, 503, 429])
def test_a_failing_forge_makes_fetches_fail_and_later_work(forge: Sandbox, mirror: Mirror, status: int) -> None:
    forge.faults.append(Fault(path=".*/info/refs", before=status, times=2))
    acts: list[Callable[[], object]] = [
        lambda: mirror.fetch(_remote(forge), [MAIN]),
        lambda: mirror.heads(_remote(forge)),
    ]
    for act in acts:
        with pytest.raises(OutsideWorldError) as failed:
            act()
        assert not isinstance(failed.value, GoneError)
    assert mirror.fetch(_remote(forge), [MAIN]) == {MAIN: forge.head(REPO)}


@pytest.mark.world
@pytest.mark.parametrize(
    ("fault", "moved"),
    [
        (Fault(path=".*/info/refs", before=502), False),
        (Fault(path=".*/info/refs", drop="before"), False),
        (Fault(path=".*/git-receive-pack", before=502), False),
        (Fault(path=".*/git-receive-pack", drop="before"), False),
        (Fault(path=".*/git-receive-pack", after=502), True),
        (Fault(path=".*/git-receive-pack", drop="after"), True),
        (Fault(path=".*/git-receive-pack", truncate=True), True),
    ],
    ids=["502", "no answer", "push 502", "push no answer", "done but 502", "done but no answer", "done, answer cut"],
)
def test_a_lost_answer_is_unknown_and_the_same_push_again_is_right(
    forge: Sandbox, tmp_path: Path, fault: Fault, moved: bool
) -> None:
    mirror = Mirror(tmp_path / "m.git", Limits(push=2))
    tip, new = _next(forge, mirror)
    forge.faults.append(fault)
    assert mirror.push(_remote(forge), MAIN, new, tip) == "unknown"
    assert forge.head(REPO) == (new if moved else tip)
    assert mirror.push(_remote(forge), MAIN, new, tip) == "pushed"
    assert forge.head(REPO) == new


@pytest.mark.world
def test_a_fetch_that_is_cut_off_in_the_middle_fails_in_time_and_works_again(forge: Sandbox, tmp_path: Path) -> None:
    mirror = Mirror(tmp_path / "m.git", Limits(fetch=2, clone=2))
    for skip in (0, 1):
        forge.faults.append(Fault(path=".*/git-upload-pack", truncate=True, skip=skip))
        with pytest.raises(OutsideWorldError):
            mirror.fetch(_remote(forge), [MAIN])
    assert mirror.fetch(_remote(forge), [MAIN]) == {MAIN: forge.head(REPO)}


@pytest.mark.world
def test_a_push_that_takes_too_long_is_unknown(forge: Sandbox, tmp_path: Path) -> None:
    mirror = Mirror(tmp_path / "m.git", Limits(push=0.5))
    tip, new = _next(forge, mirror)
    forge.faults.append(Fault(path=".*/git-receive-pack", delay=2.0))
    assert mirror.push(_remote(forge), MAIN, new, tip) == "unknown"


# The credential


@pytest.mark.world
def test_the_token_is_in_no_command_line_file_or_url(forge: Sandbox, mirror: Mirror) -> None:
    tip, new = _next(forge, mirror)
    remote = _remote(forge)
    secrets = [forge.token_for("causeway"), str(remote.authorization).split()[1]]
    forge.faults.append(Fault(path=".*/info/refs", delay=0.6, times=2))
    seen: list[str] = []
    for act in (lambda: mirror.fetch(remote, [MAIN]), lambda: mirror.push(remote, MAIN, new, tip)):
        thread = Thread(target=act)
        thread.start()
        time.sleep(0.3)
        seen += [line for line in _command_lines() if forge.url in line]
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
