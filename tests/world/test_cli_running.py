"""The processes that an installation runs, as it runs them: door, worker, sweep, and the word that resumes."""

from __future__ import annotations

import hashlib
import hmac
import json
import os
import signal
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest
from click.testing import CliRunner
from jsonschema import Draft202012Validator  # type: ignore[import-untyped]  # it ships no types

from bot.cli.app import causeway
from bot.cli.example import example_files
from bot.cli.published import FOLDER
from bot.core.memory import CURSOR
from bot.sandbox import Sandbox
from bot.valkey import start_valkey

pytestmark = pytest.mark.world
SECRET = "a webhook secret for tests"
PRICING = "services/pricing/platform.yaml"


@dataclass
class Installation:
    """A forge with both repositories, a queue, and the settings in a file."""

    forge: Sandbox
    settings: Path
    platform: str

    @property
    def environment(self) -> dict[str, str]:
        return {**os.environ, "CAUSEWAY_CONFIG": str(self.settings)}

    def run(self, *words: str, **more: str) -> subprocess.CompletedProcess[str]:
        """A command to its end."""
        return subprocess.run(
            [sys.executable, "-m", "bot", *words],
            env={**self.environment, **more},
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )

    def cursor(self) -> str | None:
        """The platform commit that the GitOps repo holds."""
        files = self.forge.files("acme/gitops")
        return str(json.loads(files[CURSOR])["commit"]) if CURSOR in files else None


@pytest.fixture
def installation(sandbox: Sandbox, tmp_path: Path) -> Iterator[Installation]:
    queue = start_valkey()
    sandbox.create_user("causeway", kind="Bot")
    sandbox.create_user("robin")
    gitops = sandbox.create_repository("acme/gitops", {"README.md": "What runs.\n"})
    platform = sandbox.create_repository("acme/platform", dict(example_files()))
    settings = {
        "forges": [
            {
                "name": "sandbox",
                "kind": "github",
                "api_url": sandbox.api_url,
                "token": sandbox.token_for("causeway"),
                "webhook_secrets": [SECRET],
                "tenants": [{"repository": str(platform), "gitops": [str(gitops)]}],
            }
        ],
        "redis_url": queue.url,
        "data_dir": str(tmp_path / "data"),
        "marker_secret": "a marker secret for tests",
    }
    file = tmp_path / "settings.json"
    file.write_text(json.dumps(settings))
    yield Installation(sandbox, file, str(platform))
    queue.stop()


def post(url: str, event: str, body: Mapping[str, object], secret: str) -> int:
    data = json.dumps(body).encode()
    headers = {
        "Content-Type": "application/json",
        "X-GitHub-Event": event,
        "X-Hub-Signature-256": "sha256=" + hmac.new(secret.encode(), data, hashlib.sha256).hexdigest(),
    }
    try:
        with urllib.request.urlopen(urllib.request.Request(url, data, headers), timeout=10) as answer:  # noqa: S310
            return int(answer.status)
    except urllib.error.HTTPError as refused:
        return refused.code


def test_a_sweep_and_a_worker_deliver_without_any_webhook_and_log_no_secret(installation: Installation) -> None:
    swept = installation.run("sweep", "--json")
    assert (swept.returncode, json.loads(swept.stdout)) == (0, {"rung": 1, "missed": []}), swept.stderr
    worked = installation.run("work", "--burst")
    assert worked.returncode == 0, worked.stderr
    assert installation.cursor() == installation.forge.head("acme/platform")
    events = [json.loads(line) for line in worked.stderr.splitlines()]
    assert {"done", "pushed"} <= {event["event"] for event in events}
    assert installation.forge.token_for("causeway") not in worked.stderr
    assert SECRET not in worked.stderr


def test_the_door_takes_what_is_signed_and_ends_on_a_signal(installation: Installation) -> None:
    with subprocess.Popen(
        [sys.executable, "-m", "bot", "serve", "--port", "0"],
        env=installation.environment, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
    ) as process:  # fmt: skip
        assert process.stdout is not None
        url = process.stdout.readline().split()[-1]
        with urllib.request.urlopen(f"{url}/readyz", timeout=10) as ready:  # noqa: S310
            assert ready.status == 200
        push = {"ref": "refs/heads/main", "after": "1" * 40, "deleted": False,
                "repository": {"id": int(installation.platform), "default_branch": "main"}}  # fmt: skip
        assert post(f"{url}/webhooks/sandbox", "push", push, SECRET) == 202
        assert post(f"{url}/webhooks/sandbox", "push", push, "another secret") == 401
        process.send_signal(signal.SIGTERM)
        assert process.wait(15) == 0
    assert installation.run("work", "--burst").returncode == 0
    assert installation.cursor() == installation.forge.head("acme/platform")


def test_resume_goes_on_past_the_guard_with_exactly_the_commit_it_is_given(installation: Installation) -> None:
    installation.run("sweep")
    installation.run("work", "--burst")
    forge = installation.forge
    gone = {path: None for path in forge.files("acme/platform") if path.startswith("services/")}
    sha = forge.commit("acme/platform", "main", gone, "Remove all", "robin")
    installation.run("sweep")
    installation.run("work", "--burst")
    assert installation.cursor() != sha, "the guard holds it"
    assert [issue.title for issue in forge.issues("acme/platform")] == ["Causeway: deliveries stand still"]
    done = installation.run("resume", sha)
    assert done.returncode == 0, done.stderr
    assert "delivered as" in done.stdout
    assert installation.cursor() == sha


@pytest.mark.parametrize("sha", ["abc1234", "main", "-x", "A" * 40])
def test_resume_wants_a_whole_commit_id(sha: str) -> None:
    done = CliRunner().invoke(causeway, ["resume", "--", sha])
    assert done.exit_code == 2
    assert "all 40 digits" in done.stderr


def test_resume_of_an_unknown_commit_or_platform_says_so(installation: Installation) -> None:
    done = installation.run("resume", "1" * 40)
    assert (done.returncode, "is no commit of the platform repo" in done.stderr) == (2, True)
    forge = installation.forge
    beside = forge.commit("acme/platform", "beside", {"README.md": "Not merged.\n"}, "Beside", "robin")
    done = installation.run("resume", beside)
    assert (done.returncode, "is no commit of the platform repo" in done.stderr) == (2, True)
    done = installation.run("resume", "1" * 40, "--repository", "7")
    assert done.returncode == 2
    assert f"--forge sandbox --repository {installation.platform}" in done.stderr


def test_missing_settings_end_with_2_and_name_each_one() -> None:
    environment = {name: value for name, value in os.environ.items() if not name.startswith("CAUSEWAY_")}
    for command in ("serve", "work", "sweep"):
        done = subprocess.run(
            [sys.executable, "-m", "bot", command], env=environment, capture_output=True, text=True, check=False
        )
        assert done.returncode == 2
        assert "CAUSEWAY_REDIS_URL" in done.stderr
        assert "For example" in done.stderr
        assert "Traceback" not in done.stderr


def test_a_queue_that_is_away_ends_a_sweep_with_5_and_no_address(installation: Installation) -> None:
    away = "redis://:a-password@127.0.0.1:1/0"
    done = installation.run("sweep", CAUSEWAY_REDIS_URL=away)
    assert done.returncode == 5
    assert "a-password" not in done.stderr
    assert "Traceback" not in done.stderr


def test_a_repository_that_is_away_does_not_stop_the_others(installation: Installation) -> None:
    settings = json.loads(installation.settings.read_text())
    [forge] = settings["forges"]
    gone = {"repository": "999999", "gitops": forge["tenants"][0]["gitops"]}
    installation.settings.write_text(
        json.dumps({**settings, "forges": [{**forge, "tenants": [gone, *forge["tenants"]]}]})
    )
    done = installation.run("sweep", "--json")
    value = json.loads(done.stdout)
    Draft202012Validator(json.loads((FOLDER / "sweep.schema.json").read_text())).validate(value)
    assert (done.returncode, value["rung"]) == (5, 1)
    assert [one["repository"] for one in value["missed"]] == ["sandbox-999999"]


def test_a_sweep_that_goes_on_tells_machines_a_line_a_round_and_ends_on_a_signal(installation: Installation) -> None:
    with subprocess.Popen(
        [sys.executable, "-m", "bot", "sweep", "--every", "--json"],
        env={**installation.environment, "CAUSEWAY_SWEEP_SECONDS": "5"},
        stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
    ) as process:  # fmt: skip
        assert process.stdout is not None
        rounds = [json.loads(process.stdout.readline()) for _ in range(2)]
        process.send_signal(signal.SIGTERM)
        assert process.wait(15) == 0
    schema = Draft202012Validator(json.loads((FOLDER / "sweep.schema.json").read_text()))
    for one in rounds:
        schema.validate(one)
    assert rounds[0] == {"rung": 1, "missed": []}
