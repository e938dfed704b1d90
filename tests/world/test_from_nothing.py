"""From nothing to a bot: what `causeway setup` writes is enough to review a pull request and to deliver it."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from click.testing import CliRunner

from bot.cli.app import causeway
from bot.configured import configured
from bot.doorway import application
from bot.listen import Listening
from bot.sandbox import Sandbox
from bot.settings import Settings
from bot.valkey import start_valkey
from bot.wiring import Wiring
from bot.worker import Desk, work
from tests.core.made import PLATFORM, service
from tests.world.test_setup import REPOS, free_port, in_background, person

pytestmark = pytest.mark.world


@contextmanager
def bot(settings: Settings, port: int) -> Iterator[None]:
    """Door and worker, in threads with a wiring of their own."""
    stop, door, worker = threading.Event(), Wiring(settings), Wiring(settings)
    listening = Listening(application(settings, door.wakeups), "127.0.0.1", port)
    desk = Desk(worker.place, worker.wakeups, worker.interrupt)
    threads = [
        threading.Thread(target=listening.run, daemon=True),
        threading.Thread(target=work, args=(desk, settings.redis_url, stop), daemon=True),
    ]
    for thread in threads:
        thread.start()
    try:
        yield
    finally:
        stop.set()
        listening.close()
        for thread in threads:
            thread.join(15)
        door.close()
        worker.close()


def until(what: str, seconds: float, is_so: Callable[[], object]) -> None:
    end = time.monotonic() + seconds
    while not is_so():
        assert time.monotonic() < end, what
        time.sleep(0.05)


def set_up(forge: Sandbox, face: str, arguments: list[str], folder: Path) -> None:
    """The command, and at GitHub the person who clicks."""
    port = free_port()
    if face == "github":
        clicking = in_background(lambda: person(forge, port, []))
        ended = CliRunner().invoke(causeway, ["setup", "github", *arguments, "--org", "acme", "--port", str(port)])
        clicking.join(15)
    else:
        (folder / "token").write_text(forge.token_for("causeway"))
        ended = CliRunner().invoke(causeway, ["setup", "gitlab", *arguments, "--token-file", str(folder / "token")])
    assert ended.exit_code == 0, ended.output


@pytest.mark.parametrize("face", ["github", "gitlab"])
def test_what_setup_writes_reviews_and_delivers(
    sandbox: Sandbox, tmp_path: Path, face: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bot.cli.setup._POLL_SECONDS", 0.05)
    for login in ("acme", "causeway", "dana"):
        sandbox.create_user(login, permission="admin", kind="Bot" if login == "causeway" else "User")
    sandbox.create_repository(REPOS[0], {**PLATFORM, **service("a")})
    sandbox.create_repository(REPOS[1], {"README.md": b"What runs.\n"})
    for team in ("payments", "platform"):
        sandbox.join(f"acme/{team}", "dana")
    valkey, port, config = start_valkey(tmp_path / "queue"), free_port(), tmp_path / "causeway.json"
    arguments = ["--url", f"http://127.0.0.1:{port}", "--platform", REPOS[0], "--gitops", REPOS[1]]
    arguments += ["--config", str(config), "--redis-url", valkey.url]
    arguments += ["--api-url", sandbox.api_url if face == "github" else sandbox.gitlab_url]
    try:
        set_up(sandbox, face, arguments, tmp_path)
        settings = configured({"CAUSEWAY_CONFIG": str(config), "CAUSEWAY_DATA_DIR": str(tmp_path / "data")})
        with bot(settings, port):
            sandbox.commit(REPOS[0], "topic", dict(service("b")), "Add b", "dana")
            number = sandbox.open_pull(REPOS[0], "Add b", "topic", "main", "dana")
            until("a comment on the pull request", 30, lambda: sandbox.comments(REPOS[0], number))
            (comment,) = sandbox.comments(REPOS[0], number)
            assert "**b** is new" in comment.body
            head = sandbox.pull(REPOS[0], number).head_sha
            if face == "github":
                assert comment.user.login == "causeway[bot]"
                assert [one.name for one in sandbox.github.checks(REPOS[0], head)] == ["causeway"]
            else:
                assert "causeway" in sandbox.newest_statuses(REPOS[0], head)
            before = sandbox.head(REPOS[1])
            sandbox.merge(REPOS[0], number, by="dana")
            until("a GitOps commit", 30, lambda: sandbox.head(REPOS[1]) != before)
            assert any("/b/" in path for path in sandbox.files(REPOS[1]))
            assert sandbox.wait_for_webhooks()
            assert {one.status for one in sandbox.deliveries} <= {0, 202, 204}
    finally:
        valkey.stop()
