"""The doctor on the sandbox's two faces: what is wrong there is found, and nothing is changed by looking."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from jsonschema_rs import Draft202012Validator
from structlog.testing import capture_logs

from bot.cli.app import causeway
from bot.cli.published import FOLDER
from bot.cli.running import examine_at_start
from bot.configured import configured
from bot.core.doctor import examine
from bot.core.model.health import HookSeen
from bot.flows.doctor import look, look_briefly
from bot.forges.github_app import PLATFORM_RIGHTS
from bot.sandbox import Fault, Sandbox
from bot.sandbox.guards import Guard
from bot.valkey import Valkey, start_valkey
from bot.wiring import Wiring
from tests.core.made import PLATFORM, service
from tests.world.stage import GITOPS

pytestmark = pytest.mark.world
SECRET = "sixteen-characters"


@pytest.fixture(scope="module")
def valkey() -> Iterator[Valkey]:
    made = start_valkey()
    yield made
    made.stop()


class Clinic:
    """A platform repo and its GitOps repo at a forge, and settings for them."""

    def __init__(self, sandbox: Sandbox, valkey: Valkey, root: Path) -> None:
        self.sandbox, self.root = sandbox, root
        self.wiring: Wiring | None = None
        sandbox.create_user("causeway", permission="write", kind="Bot")
        self.platform = sandbox.create_repository("acme/platform", {**PLATFORM, **service("a")})
        self.gitops = sandbox.create_repository(GITOPS, {"README.md": b"What runs.\n"})
        self.forge: dict[str, Any] = {
            "name": "github",
            "kind": "github",
            "api_url": sandbox.api_url,
            "token": sandbox.token_for("causeway"),
            "webhook_secrets": [SECRET],
            "tenants": [{"repository": str(self.platform), "gitops": [str(self.gitops)]}],
        }
        self.settings: dict[str, Any] = {
            "redis_url": valkey.url, "data_dir": str(root / "data"), "marker_secret": SECRET, "forges": [self.forge],
        }  # fmt: skip

    def as_app(self, permissions: dict[str, str]) -> int:
        """From now on the bot is an App, with a webhook of its own."""
        app, key = self.sandbox.github.create_app("causeway", "acme", permissions)
        url = "http://127.0.0.1:9/webhooks/github"
        self.sandbox.github.install(app, ["acme/platform", GITOPS], webhook=(url, SECRET))
        self.sandbox.world.guards.app_hooks[app.id] = (url, SECRET)
        del self.forge["token"]
        self.forge["app"] = {"id": str(app.id), "private_key": key}
        return app.id

    def at_gitlab(self) -> None:
        self.forge |= {"name": "gitlab", "kind": "gitlab", "api_url": self.sandbox.gitlab_url}

    def guard(self, repository: int, guard: Guard) -> None:
        self.sandbox.world.guards.branches[repository, "main"] = guard

    def config(self) -> Path:
        path = self.root / "causeway.json"
        path.write_text(json.dumps(self.settings))
        return path

    def run(self, *arguments: str) -> Result:
        return CliRunner().invoke(causeway, ["doctor", *arguments], env={"CAUSEWAY_CONFIG": str(self.config())})

    def findings(self) -> dict[tuple[str, str], list[str]]:
        """(check, standing) -> what and mend of each. The core's child stays warm between two calls."""
        if self.wiring is None:
            self.wiring = Wiring(configured({"CAUSEWAY_CONFIG": str(self.config())}))
        name = self.forge["name"]
        place = self.wiring.place(name, str(self.platform))
        assert place is not None
        found: dict[tuple[str, str], list[str]] = {}
        for one in examine(look(place, self.wiring.inspecting(name))):
            found.setdefault((one.check, one.standing), []).append(f"{one.where}: {one.what} | {one.mend}")
        return found


@pytest.fixture
def clinic(sandbox: Sandbox, valkey: Valkey, tmp_path: Path) -> Iterator[Clinic]:
    made = Clinic(sandbox, valkey, tmp_path)
    yield made
    if made.wiring is not None:
        made.wiring.close()


def test_a_sound_app_is_told_so_and_operators_are_listed(clinic: Clinic) -> None:
    app = clinic.as_app(dict(PLATFORM_RIGHTS))
    clinic.guard(clinic.platform, Guard(only_pulls=True, checks={"causeway": app}))
    clinic.sandbox.hooks.hooks[min(clinic.sandbox.hooks.hooks)].url = "http://127.0.0.1:9/webhooks/github"
    found = clinic.findings()
    assert ("rights", "good") in found
    assert ("protection", "good") in found
    assert ("gitops", "good") in found
    assert ("clock", "good") in found
    assert ("operators", "look") in found
    # Nobody listens at that port: the ping was not answered.
    (said,) = found["webhook", "bad"]
    assert "was not answered last" in said
    clinic.guard(clinic.platform, Guard(only_pulls=True, checks={"causeway": None}, queue=True))
    found = clinic.findings()
    assert any("may be set by anybody" in one for one in found["protection", "bad"])
    assert ("merge queue", "good") in found


def test_rights_that_an_app_lacks_are_named_exactly(clinic: Clinic) -> None:
    clinic.as_app({**PLATFORM_RIGHTS, "checks": "read", "members": "none"})
    found = clinic.findings()
    assert (
        found["rights", "bad"]
        == [
            "acme/platform: causeway[bot] lacks checks: write, members: read | "
            "grant causeway[bot] exactly these, and no more"
        ]
        or "checks: write, members: read" in found["rights", "bad"][0]
    )


def test_a_token_is_examined_too_and_looking_changes_nothing(clinic: Clinic) -> None:
    before = {name: clinic.sandbox.head(name) for name in ("acme/platform", GITOPS)}
    clinic.sandbox.grant("acme/platform", "causeway", "admin")
    clinic.sandbox.create_webhook("acme/platform", "http://127.0.0.1:9/webhooks/github", "", ["push"])
    clinic.sandbox.wait_for_webhooks()
    ended = clinic.run()
    assert ended.exit_code == 1
    assert "MEND    webhook: acme/platform: http://127.0.0.1:9/webhooks/github does not send" in ended.stdout
    assert "pull_request, issue_comment, pull_request_review" in ended.stdout
    assert {name: clinic.sandbox.head(name) for name in before} == before
    assert clinic.sandbox.world.repositories[clinic.platform].statuses == {}
    written = [one for one in clinic.sandbox.requests if one.method != "GET" and "/git-" not in one.path]
    assert {one.path.rpartition("/")[2] for one in written} <= {"0" * 40}


def test_a_bot_that_may_only_read_is_told_what_it_lacks(clinic: Clinic) -> None:
    for name in ("acme/platform", GITOPS):
        clinic.sandbox.grant(name, "causeway", "read")
    found = clinic.findings()
    assert "contents: write" in found["rights", "bad"][0]
    assert "statuses: write" in found["rights", "bad"][0]
    assert "a push to main that changes nothing is refused" in found["gitops", "bad"][0]
    assert ("webhook", "unknown") in found


def test_a_token_that_may_not_see_teams_is_told_so_since_no_approval_would_count(clinic: Clinic) -> None:
    assert ("rights", "good") in clinic.findings()
    clinic.sandbox.faults.append(Fault("GET", r".*/orgs/acme/teams", before=404, times=9))
    (said,) = clinic.findings()["rights", "bad"]
    assert "lacks members: read" in said


def test_a_gitops_repo_that_no_setting_allows_is_found(clinic: Clinic) -> None:
    clinic.forge["tenants"][0]["gitops"] = []
    assert "the settings do not let" in clinic.findings()["gitops", "bad"][0]


def test_a_platform_repository_that_the_app_cannot_see_must_be_mended_however_good_its_rights(clinic: Clinic) -> None:
    clinic.as_app(dict(PLATFORM_RIGHTS))
    clinic.forge["tenants"][0]["repository"] = "99999"
    ended = clinic.run()
    assert ended.exit_code == 1
    assert "MEND    tenants: repository 99999: " in ended.stdout
    assert "install the App for it" in ended.stdout


def test_a_data_folder_that_cannot_be_made_ends_with_a_sentence(clinic: Clinic) -> None:
    (clinic.root / "file").write_text("")
    clinic.settings["data_dir"] = str(clinic.root / "file" / "data")
    ended = clinic.run()
    assert "must be one that this process may write" in ended.output
    assert ended.exit_code in (1, 5)
    assert not isinstance(ended.exception, OSError)


def test_gitlab_is_examined_by_the_same_checks(clinic: Clinic) -> None:
    clinic.at_gitlab()
    for name in ("acme/platform", GITOPS):
        clinic.sandbox.grant(name, "causeway", "admin")
    repo = clinic.sandbox.world.repositories[clinic.platform]
    hook = clinic.sandbox.hooks.add_gitlab(repo, "http://127.0.0.1:9/webhooks/gitlab", "", ("push", "pull_request"))
    found = clinic.findings()
    assert any("has no secret" in one for one in found["webhook", "bad"])
    assert any("does not send comments" in one for one in found["webhook", "bad"])
    assert any("Pipelines must succeed" in one for one in found["protection", "bad"])
    assert ("approvals", "bad") in found
    assert ("rights", "good") in found
    assert ("gitops", "good") in found
    hook.secret, hook.events = SECRET, ("push", "pull_request", "issue_comment")
    clinic.guard(clinic.platform, Guard(only_pulls=True, checks={"x": None}, queue=True, approvals_reset=True))
    found = clinic.findings()
    assert {check for check, standing in found if standing == "bad"} == set()
    assert ("merge queue", "good") in found


def test_at_gitlab_a_role_that_may_not_push_is_found(clinic: Clinic) -> None:
    clinic.at_gitlab()
    clinic.guard(clinic.gitops, Guard(only_pulls=True))
    assert "the bot's role may not push to main" in clinic.findings()["gitops", "bad"][0]


def test_what_the_forge_does_not_answer_is_unknown_and_never_an_exception(clinic: Clinic) -> None:
    clinic.sandbox.faults.append(Fault(path=".*/hooks", before=500, times=1000))
    clinic.sandbox.faults.append(Fault(path=f".*/{clinic.platform}/rules/.*", before=404, times=1000))
    found = clinic.findings()
    assert "GitHub answered 500" in found["webhook", "unknown"][0]
    assert "GitHub answered 404" in found["protection", "unknown"][0]
    assert ("rights", "good") in found


def test_a_brief_look_costs_few_requests(clinic: Clinic) -> None:
    wiring = Wiring(configured({"CAUSEWAY_CONFIG": str(clinic.config())}))
    try:
        place = wiring.place("github", str(clinic.platform))
        assert place is not None
        before = len(clinic.sandbox.requests)
        seen = look_briefly(place, wiring.inspecting("github"))
        assert len(clinic.sandbox.requests) - before <= 12
        assert seen.name == "acme/platform"
        assert all(isinstance(hook, HookSeen) for hook in seen.hooks)
    finally:
        wiring.close()


def test_a_worker_that_starts_logs_what_must_be_mended(clinic: Clinic) -> None:
    clinic.sandbox.grant("acme/platform", "causeway", "read")
    with capture_logs() as logs:
        examine_at_start(configured({"CAUSEWAY_CONFIG": str(clinic.config())}))
    said = {one["check"]: one for one in logs if one["event"] == "doctor"}
    assert said["rights"]["log_level"] == "warning"
    assert "contents: write" in said["rights"]["what"]
    assert said["rights"]["mend"]


def test_its_answer_for_machines_has_the_published_shape_and_no_secret(clinic: Clinic) -> None:
    ended = clinic.run("--json")
    schema = json.loads((FOLDER / "doctor.schema.json").read_text())
    answer = json.loads(ended.stdout)
    Draft202012Validator(schema).validate(answer)
    assert {"check": "queue", "standing": "good"}.items() <= answer["findings"][0].items()
    assert clinic.sandbox.token_for("causeway") not in ended.output
    assert SECRET not in ended.output
