"""The demo's small world on 127.0.0.1: a forge, two repositories, a queue, and the bot itself, ended together."""

from __future__ import annotations

import base64
import secrets
import shutil
import tempfile
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import structlog

from bot import logs
from bot.cli.example import example_files
from bot.doorway import application
from bot.flows.sweep import Marks, sweep_all
from bot.git import require_git
from bot.listen import Listening
from bot.sandbox import Sandbox
from bot.settings import ForgeSettings, Settings, TenantSettings
from bot.valkey import start_valkey
from bot.wiring import Wiring
from bot.worker import Desk, work

PLATFORM, GITOPS = "acme/platform", "acme/gitops"
BOT, DEVELOPER = "causeway", "robin"
TEAMS = ("acme/payments", "acme/platform", "acme/shop")
"""As the example's teams.yaml names them."""
Kind = Literal["github", "gitlab"]
LOG = "causeway.log"
"""In the demo's folder."""
_README = "# What runs\n\nCauseway writes here what the platform repo says. Argo CD and Terraform read it.\n"
_END_SECONDS = 10.0

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class DemoWorld:
    """A running demo."""

    forge: Sandbox
    folder: Path
    door: str
    """URL that webhooks go to."""


@contextmanager
def demo_world(folder: Path | None = None, port: int = 0, kind: Kind = "github") -> Iterator[DemoWorld]:
    """Everything runs while the block does; afterwards no process, thread or temporary folder of it is left.

    Only from the main thread: the bundled queue dies with the thread that started it. `folder` (a temporary one by
    default, which is removed) holds repositories and the log. `port` is the forge's; 0 is a free one.
    """
    require_git()
    with ExitStack() as ends:
        home = _home(folder, ends)
        logs.configure(json=False, file=ends.enter_context((home / LOG).open("a", encoding="utf-8", buffering=1)))
        ends.callback(structlog.reset_defaults)
        queue = start_valkey(home / "queue")
        ends.callback(queue.stop)
        forge = Sandbox(home / "forge", port)
        forge.start()
        ends.callback(forge.stop)
        forge.create_user(BOT, kind="Bot")
        forge.create_user(DEVELOPER)
        for team in TEAMS:
            # Who writes a change of their own team's service need ask nobody.
            forge.join(team, DEVELOPER)
            forge.join(team, forge.viewer.login)
        platform = forge.create_repository(PLATFORM, dict(example_files(GITOPS, forge.clone_url(GITOPS))))
        gitops = forge.create_repository(GITOPS, {"README.md": _README})
        secret = _signing_token() if kind == "gitlab" else secrets.token_hex(32)
        settings = _settings(forge, kind, queue.url, home, secret, str(platform), str(gitops))
        door = _run_bot(settings, ends)
        if kind == "gitlab":
            forge.create_gitlab_webhook(PLATFORM, door, signing=secret)
        else:
            forge.create_webhook(PLATFORM, door, secret)
        yield DemoWorld(forge, home, door)


def _home(folder: Path | None, ends: ExitStack) -> Path:
    if folder is not None:
        folder.mkdir(parents=True, exist_ok=True)
        return folder.resolve()
    # Short, since the queue's socket lies in it and Linux allows 107 bytes for its path.
    made = Path(tempfile.mkdtemp(prefix="causeway-demo-")).resolve()
    ends.callback(shutil.rmtree, made, ignore_errors=True)
    return made


def _signing_token() -> str:
    """As GitLab makes them: 32 bytes behind a prefix."""
    return "whsec_" + base64.b64encode(secrets.token_bytes(32)).decode()


def _settings(
    forge: Sandbox, kind: Kind, redis_url: str, home: Path, secret: str, platform: str, gitops: str
) -> Settings:
    return Settings(
        forges=(
            ForgeSettings(
                name="sandbox",
                kind=kind,
                api_url=forge.gitlab_url if kind == "gitlab" else forge.api_url,
                token=forge.token_for(BOT),  # type: ignore[arg-type]  # pydantic makes the secrets
                webhook_secrets=(secret,),  # type: ignore[arg-type]
                tenants=(TenantSettings(repository=platform, gitops=(gitops,)),),
            ),
        ),
        redis_url=redis_url,
        data_dir=home / "data",
        marker_secret=secrets.token_hex(32),  # type: ignore[arg-type]
        sweep_seconds=10,
    )


def _run_bot(settings: Settings, ends: ExitStack) -> str:
    """Door, worker and sweep, each in a thread with a wiring of its own: a mirror belongs to one thread."""
    stop = threading.Event()

    def worker(wiring: Wiring) -> None:
        work(Desk(wiring.place, wiring.wakeups, wiring.interrupt), settings.redis_url, stop)

    def sweeper(wiring: Wiring) -> None:
        marks: dict[str, Marks] = {}
        while True:
            sweep_all(wiring.places(), wiring.wakeups, marks, wiring.wakeups.emptied)
            if stop.wait(settings.sweep_seconds):
                return

    wiring = Wiring(settings)
    ends.callback(wiring.close)
    listening = Listening(application(settings, wiring.wakeups), "127.0.0.1", 0)
    threads = [threading.Thread(target=listening.run, name="door", daemon=True)]
    for name, run in (("worker", worker), ("sweep", sweeper)):
        own = Wiring(settings)
        ends.callback(own.close)
        threads.append(threading.Thread(target=run, args=(own,), name=name, daemon=True))

    def end() -> None:
        stop.set()
        listening.close()
        for thread in threads:
            thread.join(_END_SECONDS)

    ends.callback(end)
    for thread in threads:
        thread.start()
    return f"http://127.0.0.1:{listening.port}/webhooks/{settings.forges[0].name}"
