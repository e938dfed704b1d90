"""One bot, many platform repositories: a numeric id is the key, and a webhook counts only for whom it proves."""

from __future__ import annotations

import hashlib
import hmac
import json
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from structlog.testing import capture_logs

from bot.doorway import doors_of
from bot.sandbox import Sandbox
from bot.settings import Settings
from bot.valkey import start_valkey
from bot.web import create_app
from bot.wiring import Wiring
from tests.world.test_web import Bell

pytestmark = pytest.mark.world

A_FORGE = "secret-of-the-first-forge"
B_FORGE = "secret-of-the-other-forge"
OWN = "secret-of-tenant-22-alone"
APP = "55"


def forge(name: str, secret: str, *tenants: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"name": name, "kind": "github", "token": "t", "webhook_secrets": [secret], "tenants": tenants, **more}


def settings(*forges: dict[str, Any], **more: Any) -> Settings:
    plain = {"redis_url": "redis://127.0.0.1:1/0", "data_dir": "/nowhere", "marker_secret": "sixteen-characters"}
    return Settings.model_validate({**plain, "forges": forges, **more})


def tenant(repository: str, **more: Any) -> dict[str, Any]:
    return {"repository": repository, "gitops": [], **more}


@pytest.fixture
def bell() -> Bell:
    return Bell()


@pytest.fixture
def door(bell: Bell) -> FlaskClient:
    """Two forges. The first has a tenant of its own secret, one of an installation, and one of neither."""
    first = forge("one", A_FORGE, tenant("11"), tenant("22", webhook_secrets=[OWN]), tenant("33", installation=APP))
    app: Flask = create_app(doors_of(settings(first, forge("two", B_FORGE, tenant("11")))), bell, bell.ready)
    return app.test_client()


def post(door: FlaskClient, path: str, repository: int, secret: str, **more: Any) -> int:
    body = json.dumps(
        {"ref": "refs/heads/main", "repository": {"id": repository, "default_branch": "main", **more.pop("repo", {})}}
        | more
    ).encode()
    signature = hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()
    headers = {"X-GitHub-Event": "push", "X-Hub-Signature-256": f"sha256={signature}"}
    return door.post(f"/webhooks/{path}", data=body, headers=headers, content_type="application/json").status_code


def test_a_tenants_webhook_wakes_its_own_work(door: FlaskClient, bell: Bell) -> None:
    assert post(door, "one", 11, A_FORGE) == 202
    assert post(door, "one", 22, OWN) == 202
    assert post(door, "two", 11, B_FORGE) == 202
    assert bell.rung == ["deliver-one-11", "deliver-one-22", "deliver-two-11"]


def test_a_secret_of_another_forge_proves_nothing_here(door: FlaskClient, bell: Bell) -> None:
    assert post(door, "one", 11, B_FORGE) == 401
    assert post(door, "two", 11, A_FORGE) == 401
    assert bell.rung == []


def test_another_tenants_valid_secret_is_refused(door: FlaskClient, bell: Bell) -> None:
    assert post(door, "one", 11, OWN) == 401
    assert post(door, "one", 33, OWN, installation={"id": 55}) == 401
    assert bell.rung == []


def test_where_a_tenant_has_its_own_secret_the_forges_does_not_count_for_it(door: FlaskClient, bell: Bell) -> None:
    assert post(door, "one", 22, A_FORGE) == 401
    assert bell.rung == []


def test_a_repository_that_no_tenant_is_wakes_nobody(door: FlaskClient, bell: Bell) -> None:
    assert post(door, "one", 44, A_FORGE) == 204
    assert post(door, "one", 44, OWN) == 204
    assert bell.rung == []


@pytest.mark.parametrize("sender", [{}, {"installation": {"id": 56}}])
def test_another_installation_than_the_tenants_is_refused(
    door: FlaskClient, bell: Bell, sender: dict[str, Any]
) -> None:
    assert post(door, "one", 33, A_FORGE, **sender) == 401
    assert bell.rung == []
    assert post(door, "one", 33, A_FORGE, installation={"id": 55}) == 202


@pytest.mark.parametrize("installation", [None, [], {}, {"id": "55"}, {"id": -1}, {"id": True}])
def test_an_installation_that_cannot_be_read_is_no_proof(door: FlaskClient, bell: Bell, installation: object) -> None:
    assert post(door, "one", 33, A_FORGE, installation=installation) == 400
    assert bell.rung == []


def test_a_name_in_a_webhook_counts_for_nothing(door: FlaskClient, bell: Bell) -> None:
    """Whoever claimed the name that a tenant gave up has another id; the tenant under a new name has the same."""
    assert post(door, "one", 44, A_FORGE, repo={"full_name": "acme/platform"}) == 204
    assert post(door, "one", 11, A_FORGE, repo={"full_name": "acme/renamed"}) == 202
    assert bell.rung == ["deliver-one-11"]


def test_at_gitlab_each_projects_own_secret_proves_that_project_alone(bell: Bell) -> None:
    lab = {**forge("lab", A_FORGE, tenant("11", webhook_secrets=[OWN]), tenant("22")), "kind": "gitlab"}
    client = create_app(doors_of(settings(lab)), bell, bell.ready).test_client()

    def push(project: int, secret: str) -> int:
        body = {"object_kind": "push", "ref": "refs/heads/main", "project": {"id": project, "default_branch": "main"}}
        headers = {"X-Gitlab-Event": "Push Hook", "X-Gitlab-Token": secret, "X-Gitlab-Event-UUID": "u-1"}
        return client.post("/webhooks/lab", json=body, headers=headers).status_code

    assert (push(11, OWN), push(22, A_FORGE)) == (202, 202)
    assert (push(11, A_FORGE), push(22, OWN), push(33, A_FORGE)) == (401, 401, 204)
    assert bell.rung == ["deliver-lab-11", "deliver-lab-22"]
    with capture_logs() as logs:
        push(11, OWN)
    assert (logs[0]["kind"], logs[0]["delivery"]) == ("Push Hook", "u-1")


def wired(sandbox: Sandbox, tmp_path: Path, url: str, platform: int, gitops: int) -> Wiring:
    one = forge("github", A_FORGE, tenant(str(platform), gitops=[str(gitops)]), token=sandbox.token_for("causeway"))
    one["api_url"] = sandbox.api_url
    return Wiring(settings(one, redis_url=url, data_dir=tmp_path))


def test_a_renamed_repository_goes_on_and_who_claims_its_old_name_gets_nothing(
    sandbox: Sandbox, tmp_path: Path
) -> None:
    sandbox.create_user("causeway", permission="admin", kind="Bot")
    platform = sandbox.create_repository("acme/platform", {"a": b"ours\n"})
    gitops = sandbox.create_repository("acme/gitops", {"a": b"ours\n"})
    valkey = start_valkey()
    wiring = wired(sandbox, tmp_path, valkey.url, platform, gitops)
    try:
        sandbox.rename_repository("acme/platform", "acme/moved")
        sandbox.rename_repository("acme/gitops", "acme/runs")
        thief, other = (
            sandbox.create_repository(name, {"a": b"not ours\n"}) for name in ("acme/platform", "acme/gitops")
        )
        place = wiring.place("github", str(platform))
        assert place is not None
        assert place.forge.repository().full_name == "acme/moved"
        ref = "refs/heads/main"
        assert place.git.fetch(place.forge.remote(), [ref])[ref] == sandbox.head("acme/moved")
        assert wiring.place("github", str(thief)) is None
        # config.yaml names a repository; only one that an allowed id bears now is written to.
        assert place.gitops("acme/gitops") is None, other
        found = place.gitops("acme/runs")
        assert found is not None
        assert found.forge.repository().id == str(gitops)
    finally:
        wiring.close()
        valkey.stop()


def test_one_forge_knows_nothing_of_anothers_tenants(tmp_path: Path) -> None:
    wiring = Wiring(
        settings(forge("one", A_FORGE, tenant("11")), forge("two", B_FORGE, tenant("22")), data_dir=tmp_path)
    )
    try:
        assert wiring.place("one", "22") is None
        assert wiring.place("two", "11") is None
        assert wiring.place("three", "11") is None
    finally:
        wiring.interrupt()
