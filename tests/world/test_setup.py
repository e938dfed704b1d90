"""`causeway setup`: from nothing to settings that work, at both faces of the sandbox."""

from __future__ import annotations

import html
import http.client
import json
import re
import socket
import stat
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import urlencode, urlsplit

import pytest
from click.testing import CliRunner, Result

from bot.cli.app import causeway
from bot.cli.setup_page import ManifestPage
from bot.configured import configured
from bot.forges.github_app import PLATFORM_RIGHTS
from bot.forges.github_setup import exchange, page_of
from bot.ports import OutsideWorldError
from bot.sandbox import Sandbox
from tests.reference import needs
from tests.world.test_sandbox_openapi import Said, template_of, wrong

pytestmark = pytest.mark.world
URL = "https://causeway.acme.com"
REPOS = ("acme/platform", "acme/gitops")


@pytest.fixture
def forge(sandbox: Sandbox) -> Sandbox:
    sandbox.create_user("acme", permission="admin")
    sandbox.create_user("causeway", permission="admin", kind="Bot")
    for name in REPOS:
        sandbox.create_repository(name, {"README.md": b"x\n"})
    return sandbox


def ask(method: str, url: str, form: dict[str, str] | None = None, host: str = "") -> tuple[int, str, str]:
    """Status, text and Location."""
    there = urlsplit(url)
    connection = http.client.HTTPConnection(there.hostname or "", there.port, timeout=10)
    headers = {"Content-Type": "application/x-www-form-urlencoded"} | ({"Host": host} if host else {})
    connection.request(method, f"{there.path or '/'}?{there.query}", urlencode(form or {}), headers)
    answer = connection.getresponse()
    text = answer.read().decode()
    connection.close()
    return answer.status, text, answer.getheader("Location", "")


def form_of(page: str) -> tuple[str, dict[str, str]]:
    action = re.search(r'<form method="post" action="([^"]+)"', page)
    manifest = re.search(r'name="manifest" value="([^"]+)"', page)
    assert action is not None
    assert manifest is not None
    return html.unescape(action[1]), {"manifest": html.unescape(manifest[1])}


def run(*arguments: str) -> Result:
    return CliRunner().invoke(causeway, ["setup", *arguments])


def in_background(act: Callable[[], None]) -> threading.Thread:
    thread = threading.Thread(target=act, daemon=True)
    thread.start()
    return thread


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as bound:
        return int(bound.getsockname()[1])


def person(forge: Sandbox, port: int, manifests: list[dict[str, Any]]) -> None:
    """Opens the page, lets GitHub make the App, comes back, and installs it."""
    until = time.monotonic() + 10
    while True:
        try:
            status, page, _ = ask("GET", f"http://127.0.0.1:{port}/")
            break
        except OSError:
            assert time.monotonic() < until
            time.sleep(0.05)
    assert status == 200
    action, form = form_of(page)
    manifests.append(json.loads(form["manifest"]))
    status, _, back = ask("POST", action, form)
    assert status == 302
    assert ask("GET", back)[0] == 200
    while not forge.world.apps.apps:
        assert time.monotonic() < until
        time.sleep(0.02)
    app = next(iter(forge.world.apps.apps.values()))
    forge.github.install(app, REPOS, webhook=forge.world.guards.app_hooks[app.id])


def test_an_app_is_made_installed_and_written_down(
    forge: Sandbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bot.cli.setup._POLL_SECONDS", 0.05)
    config, port, manifests = tmp_path / "new" / "causeway.json", free_port(), list[dict[str, Any]]()
    clicking = in_background(lambda: person(forge, port, manifests))
    ended = run(
        "github", "--url", URL, "--org", "acme", "--platform", REPOS[0], "--gitops", REPOS[1], "--config", str(config),
        "--api-url", forge.api_url, "--port", str(port),
    )  # fmt: skip
    clicking.join(10)
    assert ended.exit_code == 0, ended.output
    assert stat.S_IMODE(config.stat().st_mode) == 0o600
    settings = configured({"CAUSEWAY_CONFIG": str(config)})
    (found,) = settings.forges
    app = next(iter(forge.world.apps.apps.values()))
    installation = next(iter(forge.world.apps.installations.values()))
    assert found.app is not None
    assert found.app.id == str(app.id)
    (tenant,) = found.tenants
    ids = [str(forge.world.repository(name).id) for name in REPOS]
    assert (tenant.repository, list(tenant.gitops), tenant.installation) == (ids[0], ids[1:], str(installation.id))
    (manifest,) = manifests
    assert manifest["default_permissions"] == {**PLATFORM_RIGHTS, "merge_queues": "read"}
    assert manifest["hook_attributes"] == {"url": f"{URL}/webhooks/github", "active": True}
    assert {"push", "pull_request", "issue_comment", "pull_request_review", "merge_group"} == set(
        manifest["default_events"]
    )
    assert manifest["public"] is False
    assert found.webhook_secrets[0].get_secret_value() == forge.world.guards.app_hooks[app.id][1]
    for secret in settings.secrets():
        assert secret not in ended.output
    # Again, for another platform repository of the same App: no second App, the first tenant stays.
    again = run(
        "github", "--url", URL, "--platform", REPOS[1], "--gitops", REPOS[0], "--config", str(config),
        "--api-url", forge.api_url,
    )  # fmt: skip
    assert again.exit_code == 0, again.output
    assert len(forge.world.apps.apps) == 1
    assert [one.repository for one in configured({"CAUSEWAY_CONFIG": str(config)}).forges[0].tenants] == ids


def test_the_page_takes_a_code_only_with_its_own_state_and_only_from_this_machine() -> None:
    page = ManifestPage("https://github.com/settings/apps/new", "github.com", lambda back: {"redirect_url": back})
    with page.served(0) as address:
        port = address.rpartition(":")[2]
        assert ask("GET", f"{address}/created?code=abc")[0] == 403
        assert ask("GET", f"{address}/created?code=abc&state=guess")[0] == 403
        assert ask("GET", f"{address}/", host=f"evil.example:{port}")[0] == 403
        assert not page.wait(0)
        status, text, _ = ask("GET", f"{address}/")
        action, form = form_of(text)
        assert (status, json.loads(form["manifest"])["redirect_url"]) == (200, f"{address}/created")
        state = action.partition("state=")[2]
        assert len(state) >= 32
        assert ask("GET", f"{address}/created?state={state}")[0] == 403
        assert ask("GET", f"{address}/created?code=abc&state={state}")[0] == 200
        assert page.wait(0)
        assert page.code == "abc"


def test_no_text_of_the_settings_becomes_markup_of_the_page() -> None:
    hostile = '"><script>alert(1)</script>'
    page = ManifestPage(f"https://github.com/{hostile}", hostile, lambda back: {"name": hostile, "back": back})
    with page.served(0) as address:
        assert "<script>" not in ask("GET", f"{address}/")[1]


def test_a_code_is_good_once_and_what_is_none_is_never_sent(forge: Sandbox) -> None:
    form = {"manifest": json.dumps({"url": "https://x", "redirect_url": "http://127.0.0.1:1/created", "name": "x"})}
    back = ask("POST", f"{forge.url}/settings/apps/new?state=s", form)[2]
    code = back.partition("code=")[2].partition("&")[0]
    made = exchange(forge.api_url, code)
    assert made.slug == "x"
    assert made.private_key not in repr(made)
    assert made.webhook_secret not in repr(made)
    with pytest.raises(OutsideWorldError, match="answered 404"):
        exchange(forge.api_url, code)
    before = len(forge.requests)
    with pytest.raises(OutsideWorldError, match="not a code"):
        exchange(forge.api_url, "../../user")
    assert len(forge.requests) == before


@needs("github-openapi")
def test_the_sandbox_exchanges_a_code_as_github_does(forge: Sandbox) -> None:
    form = {"manifest": json.dumps({"url": "https://x", "redirect_url": "http://127.0.0.1:1/created", "name": "x"})}
    back = ask("POST", f"{forge.url}/organizations/acme/settings/apps/new?state=s", form)[2]
    path = f"/app-manifests/{back.partition('code=')[2].partition('&')[0]}/conversions"
    for expected in (201, 404):
        status, text, _ = ask("POST", forge.api_url + path)
        said = Said("POST", path, status, json.loads(text))
        assert status == expected
        assert wrong(said, template_of(path)) == []


@pytest.mark.parametrize(
    ("api_url", "org", "page"),
    [
        ("https://api.github.com", "", "https://github.com/settings/apps/new"),
        ("https://api.github.com", "acme", "https://github.com/organizations/acme/settings/apps/new"),
        ("https://git.acme.com/api/v3", "a/../b", "https://git.acme.com/organizations/a%2F..%2Fb/settings/apps/new"),
    ],
)
def test_the_manifest_goes_to_the_page_of_this_github(api_url: str, org: str, page: str) -> None:
    assert page_of(api_url, org) == page


def gitlab(forge: Sandbox, config: Path, token: Path, *more: str) -> Result:
    return run(
        "gitlab", "--url", URL, "--platform", REPOS[0], "--gitops", REPOS[1], "--config", str(config),
        "--api-url", forge.gitlab_url, "--token-file", str(token), *more,
    )  # fmt: skip


def test_a_gitlab_project_gets_one_signed_webhook_and_the_settings_its_secret(forge: Sandbox, tmp_path: Path) -> None:
    token, config = tmp_path / "token", tmp_path / "causeway.json"
    token.write_text(forge.token_for("causeway") + "\n")
    for _ in range(2):
        ended = gitlab(forge, config, token)
        assert ended.exit_code == 0, ended.output
        (hook,) = forge.hooks.hooks.values()
        assert hook.url == f"{URL}/webhooks/gitlab"
        assert {"push", "pull_request", "issue_comment"} <= set(hook.events)
        (found,) = configured({"CAUSEWAY_CONFIG": str(config)}).forges
        (tenant,) = found.tenants
        assert [secret.get_secret_value() for secret in tenant.webhook_secrets] == [hook.signing]
        ids = [str(forge.world.repository(name).id) for name in REPOS]
        assert (tenant.repository, list(tenant.gitops)) == (ids[0], ids[1:])
        for secret in (hook.secret, hook.signing, forge.token_for("causeway")):
            assert secret not in ended.output
    assert stat.S_IMODE(config.stat().st_mode) == 0o600


def test_at_gitlab_a_token_without_the_rights_writes_nothing_and_says_what_it_lacks(
    forge: Sandbox, tmp_path: Path
) -> None:
    token, config = tmp_path / "token", tmp_path / "causeway.json"
    token.write_text(forge.token_for("causeway"))
    forge.grant(REPOS[1], "causeway", "read")
    ended = gitlab(forge, config, token)
    assert ended.exit_code == 5
    assert "lacks in acme/gitops: role: Developer" in ended.output
    assert not config.exists()
    assert not forge.hooks.hooks


def test_at_gitlab_what_the_token_may_not_see_or_do_is_told_with_what_it_needs(forge: Sandbox, tmp_path: Path) -> None:
    token, config = tmp_path / "token", tmp_path / "causeway.json"
    token.write_text("glpat-nobodys")
    assert "role Maintainer" in gitlab(forge, config, token).output
    forge.create_user("stranger", permission="none", kind="Bot")
    token.write_text(forge.token_for("stranger"))
    assert "which group or projects the token is of" in gitlab(forge, config, token).output
    forge.create_user("writer", permission="write", kind="Bot")
    token.write_text(forge.token_for("writer"))
    ended = gitlab(forge, config, token)
    assert (ended.exit_code, config.exists()) == (5, False)
    assert "role Maintainer" in ended.output


def test_two_forges_share_one_file(forge: Sandbox, tmp_path: Path) -> None:
    token, config = tmp_path / "token", tmp_path / "causeway.json"
    token.write_text(forge.token_for("causeway"))
    assert gitlab(forge, config, token).exit_code == 0
    assert gitlab(forge, config, token, "--name", "inner").exit_code == 0
    assert [one.name for one in configured({"CAUSEWAY_CONFIG": str(config)}).forges] == ["gitlab", "inner"]


@pytest.mark.parametrize("text", ["{", "[]", '{"forges": 1}'])
def test_what_is_there_and_holds_no_settings_is_never_overwritten(forge: Sandbox, tmp_path: Path, text: str) -> None:
    token, config = tmp_path / "token", tmp_path / "causeway.json"
    token.write_text(forge.token_for("causeway"))
    config.write_text(text)
    ended = gitlab(forge, config, token)
    assert ended.exit_code == 2
    assert config.read_text() == text


def test_an_address_that_is_none_is_refused_before_anything_is_done(forge: Sandbox) -> None:
    ended = run("gitlab", "--url", "causeway.acme.com", "--platform", "a/b", "--gitops", "a/c")
    assert ended.exit_code == 2
    assert "https://causeway.acme.com" in ended.output
    assert forge.requests == []
