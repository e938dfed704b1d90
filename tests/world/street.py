"""The whole bot as an installation has it: a sandbox forge with webhooks, the door, a Valkey, workers and a sweep."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from pydantic import SecretStr

from bot.core.build import Memo
from bot.core.memory import read_actual
from bot.core.problem import Refusal
from bot.core.tree import Oid
from bot.core.verify import Breach, verify
from bot.flows.names import CONTEXT
from bot.flows.sweep import Marks, sweep_all
from bot.git import Mirror
from bot.listen import Listening
from bot.sandbox import Sandbox
from bot.settings import ForgeSettings, Settings, TenantSettings
from bot.shipped import shipped_tree
from bot.valkey import Valkey
from bot.web import Door, create_app
from bot.wiring import Wiring
from bot.worker import Desk, work

PLATFORM, GITOPS, BOT, DEVELOPER = "acme/platform", "acme/gitops", "causeway-bot", "dana"
SECRET = "a webhook secret for tests"
MARKER = "a marker secret for tests"

HELLO = "name: hello\nowner: payments\ntype: web\nimage: ghcr.io/acme/hello:1.0.0\n"
FILES: Mapping[str, str] = {
    "platform/config.yaml": "platform_team: platform\ngitops: {repo: acme/gitops, branch: main}\n",
    "platform/teams.yaml": "teams:\n  platform: {forge_team: acme/platform, cost_centre: CC-1}\n"
    "  payments: {forge_team: acme/payments, cost_centre: CC-42}\n",
    "platform/environments.yaml": """environments:
  dev:
    kind: development
    default: true
    cluster: {name: eu-dev, argocd: argocd}
    domain: dev.acme.io
    features: {gateway: true, external_secrets: false, prometheus_operator: false, keda: false, cert_manager: false}
    gateway: {internal: {name: internal, namespace: gateways}}
""",
    "platform/recipes.yaml": "recipes: []\n",
    "services/hello/platform.yaml": HELLO,
}


def manifest(name: str, tag: str = "1.0.0") -> dict[str, str]:
    """The files of one small service."""
    text = f"name: {name}\nowner: payments\ntype: web\nimage: ghcr.io/acme/{name}:{tag}\n"
    return {f"services/{name}/platform.yaml": text}


class Street:
    """Everything on 127.0.0.1. The bot has not looked at anything yet."""

    def __init__(self, sandbox: Sandbox, root: Path, valkey: Valkey, files: Mapping[str, str] = FILES) -> None:
        self.sandbox, self.root, self.valkey = sandbox, root, valkey
        sandbox.create_user(BOT, permission="write", kind="Bot")
        sandbox.create_user(DEVELOPER, permission="admin")
        for team in ("acme/platform", "acme/payments"):
            sandbox.join(team, DEVELOPER)
        self.platform = str(sandbox.create_repository(PLATFORM, {k: v.encode() for k, v in files.items()}))
        self.gitops = str(sandbox.create_repository(GITOPS, {"README.md": b"What runs.\n"}))
        for name in (PLATFORM, GITOPS):
            sandbox.grant(name, BOT, "admin")
        self.settings = Settings(
            forges=(
                ForgeSettings(
                    name="github",
                    kind="github",
                    api_url=sandbox.api_url,
                    token=SecretStr(sandbox.token_for(BOT)),
                    webhook_secrets=(SecretStr(SECRET),),
                    tenants=(TenantSettings(repository=self.platform, gitops=(self.gitops,)),),
                ),
            ),
            redis_url=valkey.url,
            data_dir=root / "data",
            marker_secret=SecretStr(MARKER),
        )

    # The bot's parts

    @contextmanager
    def wired(self) -> Iterator[Wiring]:
        """A process's world, in this process."""
        wiring = Wiring(self.settings)
        try:
            yield wiring
        finally:
            wiring.close()

    @contextmanager
    def door(self) -> Iterator[str]:
        """The door with its server; gives the webhook's URL."""
        with self.wired() as wiring:
            app = create_app({"github": Door("github", (SECRET,))}, wiring.wakeups, wiring.wakeups.reasons_not_ready)
            listening = Listening(app, "127.0.0.1", 0)
            thread = threading.Thread(target=listening.run, daemon=True)
            thread.start()
            try:
                yield f"http://127.0.0.1:{listening.port}/webhooks/github"
            finally:
                listening.close()
                thread.join(10)

    @contextmanager
    def worker(self) -> Iterator[Wiring]:
        """A worker in a thread."""
        stop = threading.Event()
        with self.wired() as wiring:
            desk = Desk(wiring.place, wiring.wakeups, wiring.interrupt)
            thread = threading.Thread(target=work, args=(desk, self.settings.redis_url, stop), daemon=True)
            thread.start()
            try:
                yield wiring
            finally:
                stop.set()
                thread.join(10)

    def process(self, arguments: Sequence[str] = ()) -> subprocess.Popen[bytes]:
        """A worker in a process of its own, to be killed; or what else these arguments of the interpreter start."""
        config = self.root / "settings.json"
        plain = self.settings.model_dump(mode="json")
        plain |= {"marker_secret": MARKER}
        plain["forges"][0] |= {"token": self.sandbox.token_for(BOT), "webhook_secrets": [SECRET]}
        config.write_text(json.dumps(plain))
        program = (
            "import threading\nfrom bot import logs\nfrom bot.wiring import Wiring, read_settings\n"
            "from bot.worker import Desk, work\nlogs.configure(json=True)\ns = read_settings()\nw = Wiring(s)\n"
            "work(Desk(w.place, w.wakeups, w.interrupt), s.redis_url, threading.Event())\n"
        )
        with (self.root / "worker.log").open("ab") as log:
            return subprocess.Popen(
                [sys.executable, *(arguments or ("-c", program))],
                env={"CAUSEWAY_CONFIG": str(config), "PATH": "/usr/bin:/bin"},
                cwd=Path(__file__).parents[2],
                stderr=log,
                stdout=log,
            )

    def sweep(self, marks: dict[str, Marks] | None = None) -> int:
        """One round, by default of a sweep that just started; how many names it rang."""
        with self.wired() as wiring:
            return sweep_all(wiring.places(), wiring.wakeups, {} if marks is None else marks)

    def drain(self) -> None:
        """A worker that ends when nothing is left to do, not even later."""
        with self.wired() as wiring:
            desk = Desk(wiring.place, wiring.wakeups, wiring.interrupt)
            work(desk, self.settings.redis_url, threading.Event(), burst=True)

    # What people do

    def open(self, edits: Mapping[str, str | None], title: str = "A change") -> int:
        """A pull request with these edits on the newest default branch."""
        branch = f"change-{time.monotonic_ns()}"
        data = {path: None if text is None else text.encode() for path, text in edits.items()}
        self.sandbox.commit(PLATFORM, branch, data, title, DEVELOPER, base="main")
        return self.sandbox.open_pull(PLATFORM, title, branch, "main", DEVELOPER)

    def merge(self, number: int) -> str:
        """Lands it; the bot is told by webhook alone, if at all."""
        return self.sandbox.merge(PLATFORM, number, by=DEVELOPER)

    # What there is to see

    def status(self, number: int) -> str:
        """`state: description` of the bot's status on a pull request's head; empty without one."""
        head = self.sandbox.pull(PLATFORM, number).head_sha
        found = self.sandbox.newest_statuses(PLATFORM, head).get(CONTEXT)
        return f"{found.state}: {found.description}" if found is not None else ""

    def comments(self, number: int) -> list[str]:
        """The bot's comments on a pull request."""
        return [one.body for one in self.sandbox.comments(PLATFORM, number) if one.user.login == BOT]

    def delivered(self, name: str) -> bool:
        """True where the service's folder is in the GitOps repo."""
        return any(path.startswith(f"environments/dev/payments/{name}/") for path in self.sandbox.files(GITOPS))

    def breaches(self) -> tuple[Breach, ...]:
        """The law, from scratch."""
        git, platform = (Mirror(Path(self.sandbox.git_dir(name))) for name in (GITOPS, PLATFORM))
        actual = read_actual(git.tree(Oid(str(self.sandbox.head(GITOPS)))))
        assert not isinstance(actual, Refusal), actual
        assert actual.cursor is not None
        assert actual.cursor.commit == self.sandbox.head(PLATFORM), "the newest commit is delivered"
        found = verify(platform.tree(actual.cursor.commit), actual, shipped_tree(), "main", platform.tree, Memo())
        assert not isinstance(found, Refusal), found
        return found


def until(true: Callable[[], object], seconds: float = 20.0) -> bool:
    """Waits for it; False where it did not come."""
    end = time.monotonic() + seconds
    while not true() and time.monotonic() < end:
        time.sleep(0.01)
    return bool(true())
