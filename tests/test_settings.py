"""The installation's settings: what is refused, in words an operator can act on, and that no secret shows."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from bot.core.wake import FORGE_NAME
from bot.settings import AppSettings, ForgeSettings, Settings, TenantSettings

SECRET = "sixteen-characters"
TOKEN = "token-nobody-may-see"
OWN = "secret-of-one-tenant"
PEM = "-----BEGIN RSA PRIVATE KEY-----\nx\n-----END RSA PRIVATE KEY-----"


def tenant(**more: Any) -> dict[str, Any]:
    return {"repository": "12", "gitops": ["13"], **more}


def forge(**more: Any) -> dict[str, Any]:
    tenants = [{"repository": "12", "gitops": ["13"]}]
    return {"name": "github", "kind": "github", "token": TOKEN, "webhook_secrets": [SECRET], "tenants": tenants, **more}


def settings(**more: Any) -> dict[str, Any]:
    return {
        "forges": [forge()],
        "redis_url": "unix:///run/valkey.sock",
        "data_dir": "/var/lib/causeway",
        "marker_secret": SECRET,
        **more,
    }


def test_good_settings_are_read_and_frozen() -> None:
    read = Settings.model_validate(settings())
    assert read.data_dir == Path("/var/lib/causeway")
    assert read.forges[0].webhook_secrets[0].get_secret_value() == SECRET
    assert read.body_limit_mib == 25
    with pytest.raises(ValidationError, match="frozen"):
        read.sweep_seconds = 1


def test_no_secret_shows_in_repr_text_or_json() -> None:
    read = Settings.model_validate(settings())
    for shown in (repr(read), str(read), read.model_dump_json(), repr(read.forges[0])):
        assert SECRET not in shown
        assert TOKEN not in shown


@pytest.mark.parametrize(
    ("more", "told"),
    [
        ({"webhook_secrets": []}, "has no webhook secret, so anyone could wake the bot"),
        ({"webhook_secrets": ["short-secret"]}, "shorter than 16 characters"),
        ({"webhook_secrets": [SECRET, ""]}, "shorter than 16 characters"),
        ({"kind": "gitea"}, "github"),
        ({"name": "Git-Hub"}, "pattern"),
        ({"api_url": "https://user:word@api.github.com"}, "pattern"),
        ({"api_url": "file:///etc/passwd"}, "pattern"),
        ({"tenants": [{"repository": "acme/platform", "gitops": []}]}, "pattern"),
        ({"tenants": [{"repository": "12", "gitops": ["acme/gitops"]}]}, "numeric repository ids"),
        ({"webhook_secret": "a word that nobody reads"}, "Extra inputs"),
        ({"token": None}, "exactly one of token and app"),
        ({"app": {"id": "7", "private_key": PEM}}, "exactly one of token and app"),
        ({"token": None, "app": {"id": "7", "private_key": "nonsense"}}, "BEGIN and END lines"),
        ({"token": None, "app": {"id": "my app", "private_key": PEM}}, "pattern"),
        ({"kind": "gitlab", "token": None, "app": {"id": "7", "private_key": PEM}}, "which has no Apps"),
        ({"kind": "gitlab", "tenants": [tenant(installation="5")]}, "without installations"),
        ({"tenants": [tenant(), tenant()]}, "one repository twice"),
        ({"tenants": [tenant(webhook_secrets=[SECRET])]}, "one webhook secret in two places"),
        ({"tenants": [tenant(webhook_secrets=["short-secret"])]}, "shorter than 16 characters"),
        (
            {"tenants": [tenant(webhook_secrets=[OWN]), tenant(repository="14")], "webhook_secrets": []},
            "no webhook secr",
        ),
    ],
)
def test_a_forge_that_cannot_be_trusted_is_refused_with_the_reason(more: dict[str, Any], told: str) -> None:
    with pytest.raises(ValidationError, match=told) as refused:
        Settings.model_validate(settings(forges=[forge(**more)]))
    for secret in (SECRET, TOKEN, OWN, PEM, "short-secret", "user:word", "a word that nobody reads"):
        assert secret not in str(refused.value)


def test_a_forge_needs_no_secret_of_its_own_where_each_tenant_has_one() -> None:
    read = Settings.model_validate(
        settings(forges=[forge(webhook_secrets=[], tenants=[tenant(webhook_secrets=[OWN])])])
    )
    assert read.forges[0].tenants[0].webhook_secrets[0].get_secret_value() == OWN


def test_two_forges_cannot_share_a_path() -> None:
    with pytest.raises(ValidationError, match="same name"):
        Settings.model_validate(settings(forges=[forge(), forge()]))


def test_a_forge_name_is_one_that_wake_names_can_hold() -> None:
    pattern = ForgeSettings.model_json_schema()["properties"]["name"]["pattern"]
    assert pattern == f"^{FORGE_NAME.pattern}$"


@pytest.mark.parametrize("model", [Settings, ForgeSettings, AppSettings, TenantSettings])
def test_every_setting_says_what_it_means(model: type[Settings]) -> None:
    for name, field in model.model_fields.items():
        assert field.description, name
        simple = field.annotation not in (tuple[ForgeSettings, ...], tuple[TenantSettings, ...])
        assert field.examples or not simple, name
    json.dumps(model.model_json_schema())
