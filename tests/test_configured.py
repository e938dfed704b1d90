"""From a file, variables and files of secrets to settings; what is wrong stops the start, by name."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from structlog.testing import capture_logs

from bot import logs
from bot.cli.app import causeway
from bot.configured import SettingsError, configured
from bot.settings import Settings

SECRET = "sixteen-characters"
TOKEN = "token-nobody-may-see"
PEM = "-----BEGIN RSA PRIVATE KEY-----\nnobody-may-see-this-either\n-----END RSA PRIVATE KEY-----"


def document(**more: Any) -> dict[str, Any]:
    return {
        "redis_url": "unix:///run/valkey.sock",
        "data_dir": "/var/lib/causeway",
        "marker_secret": SECRET,
        "forges": [
            {
                "name": "github",
                "kind": "github",
                "token": TOKEN,
                "webhook_secrets": [SECRET],
                "tenants": [{"repository": "12", "gitops": ["13"]}],
            }
        ],
        **more,
    }


def read(tmp_path: Path, values: object, **variables: str) -> Settings:
    file = tmp_path / "settings.json"
    file.write_text(json.dumps(values), encoding="utf-8")
    return configured({"CAUSEWAY_CONFIG": str(file), **variables})


def kept(tmp_path: Path, name: str, text: str) -> str:
    (tmp_path / name).write_text(text, encoding="utf-8")
    return str(tmp_path / name)


def bare(**more: Any) -> dict[str, Any]:
    """Settings whose one forge holds no secret."""
    return {**document(), "forges": [{"name": "github", "kind": "github", **more}]}


def test_a_variable_wins_over_the_file(tmp_path: Path) -> None:
    found = read(tmp_path, document(), CAUSEWAY_SWEEP_SECONDS="30", CAUSEWAY_REDIS_URL="redis://127.0.0.1/3")
    assert (found.sweep_seconds, found.redis_url) == (30, "redis://127.0.0.1/3")


def test_each_secret_may_come_from_a_file_of_its_own(tmp_path: Path) -> None:
    app = {"id": "7", "private_key_file": kept(tmp_path, "pem", PEM + "\n")}
    hooks = kept(tmp_path, "hooks", "first-secret-of-two\nsecond-secret-of-two\n")
    values = document(
        redis_url_file=kept(tmp_path, "url", "redis://:word@127.0.0.1/0\n"),
        marker_secret_file=kept(tmp_path, "marker", "another-marker-secret\n"),
        forges=[
            {"name": "github", "kind": "github", "app": app, "webhook_secrets_file": hooks},
            {"name": "gitlab", "kind": "gitlab", "token_file": kept(tmp_path, "t", TOKEN), "webhook_secrets": [SECRET]},
        ],
    )
    del values["redis_url"], values["marker_secret"]
    found = read(tmp_path, values)
    github, gitlab = found.forges
    assert found.redis_url == "redis://:word@127.0.0.1/0"
    assert found.marker_secret.get_secret_value() == "another-marker-secret"
    assert github.app is not None
    assert github.app.private_key.get_secret_value() == PEM
    assert [one.get_secret_value() for one in github.webhook_secrets] == ["first-secret-of-two", "second-secret-of-two"]
    assert gitlab.token is not None
    assert gitlab.token.get_secret_value() == TOKEN
    assert (github.api_url, gitlab.api_url) == ("https://api.github.com", "https://gitlab.com/api/v4")


def test_a_forges_secrets_may_come_from_variables(tmp_path: Path) -> None:
    found = read(
        tmp_path,
        bare(),
        CAUSEWAY_FORGE_GITHUB_TOKEN_FILE=kept(tmp_path, "token", TOKEN),
        CAUSEWAY_FORGE_GITHUB_WEBHOOK_SECRETS=f"{SECRET} {SECRET}2",
    )
    assert found.forges[0].token is not None
    assert found.forges[0].token.get_secret_value() == TOKEN
    assert len(found.forges[0].webhook_secrets) == 2


def test_an_apps_key_may_come_from_a_variable(tmp_path: Path) -> None:
    values = bare(app={"id": "7"}, webhook_secrets=[SECRET])
    found = read(tmp_path, values, CAUSEWAY_FORGE_GITHUB_APP_PRIVATE_KEY=PEM)
    assert found.forges[0].app is not None
    assert found.forges[0].app.private_key.get_secret_value() == PEM


@pytest.mark.parametrize(
    ("more", "variables", "told"),
    [
        ({"redis_url": "http://x"}, {}, r"CAUSEWAY_REDIS_URL \(redis_url\).*For example: redis://127.0.0.1:6379/0"),
        ({"data_dir": 7}, {}, r"CAUSEWAY_DATA_DIR \(data_dir\).*For example: /var/lib/causeway"),
        ({"sweep_seconds": 1}, {}, r"CAUSEWAY_SWEEP_SECONDS .*greater than or equal to 5.*For example: 60"),
        ({"metrics_listen": "9464"}, {}, r"metrics_listen.*For example: 127.0.0.1:9464"),
        ({"metrics_listen": "[::1]:99999"}, {}, r"metrics_listen.*ports end at 65535"),
        ({"forges": [{"name": "X"}]}, {}, r"forges.0.name.*For example: github"),
        ({"typo": 1}, {}, r"CAUSEWAY_TYPO \(typo\): is no setting\.$"),
        ({"redisurl": "x"}, {}, r"\(redisurl\): is no setting\. Did you mean redis_url\?$"),
        ({"forges": [{"name": "x", "tokn": "x"}]}, {}, r"\(forges\.0\.tokn\): is no setting\. Did you mean token\?$"),
        ({"forges": [{"name": "x"}]}, {}, r"\(forges\.0\.kind\): is not set, and has no default\. For example: github"),
        ({}, {"CAUSEWAY_SWEEP_SECONDS": "a minute"}, "CAUSEWAY_SWEEP_SECONDS is not JSON"),
        ({}, {"CAUSEWAY_MARKER_SECRETS": "x"}, "CAUSEWAY_MARKER_SECRETS is no setting. Did you mean CAUSEWAY_MARKER_S"),
        ({}, {"CAUSEWAY_FORGE_GITHUB_TOKENS": "x"}, "Did you mean CAUSEWAY_FORGE_GITHUB_TOKEN?"),
        ({"marker_secret_file": "/x"}, {}, "marker_secret_file and marker_secret are both set"),
        ({}, {"CAUSEWAY_MARKER_SECRET_FILE": "/nowhere/secret"}, "marker_secret_file names /nowhere/secret, .*No such"),
        ({}, {"CAUSEWAY_MARKER_SECRET_FILE": "/dev/null"}, "marker_secret_file names /dev/null, which is empty"),
    ],
)
def test_a_wrong_setting_is_named_with_what_is_wrong(
    tmp_path: Path, more: dict[str, Any], variables: dict[str, str], told: str
) -> None:
    with pytest.raises(SettingsError, match=told) as refused:
        read(tmp_path, document(**more), **variables)
    assert SECRET not in str(refused.value)
    assert TOKEN not in str(refused.value)


def test_a_list_is_not_said_to_be_empty_because_its_entry_is_wrong(tmp_path: Path) -> None:
    with pytest.raises(SettingsError) as refused:
        read(tmp_path, bare(token=TOKEN))
    assert str(refused.value).startswith("CAUSEWAY_FORGES (forges.0): forge github has no webhook secret")
    assert len(str(refused.value).splitlines()) == 1


@pytest.mark.parametrize("text", ["[]", "{", "\x00"])
def test_a_file_that_holds_no_settings_is_named(tmp_path: Path, text: str) -> None:
    (tmp_path / "settings.json").write_text(text)
    with pytest.raises(SettingsError, match=r"CAUSEWAY_CONFIG names .*settings\.json"):
        configured({"CAUSEWAY_CONFIG": str(tmp_path / "settings.json")})


def test_a_file_of_secrets_that_never_ends_is_not_read_to_its_end(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="longer than any secret"):
        read(tmp_path, bare(webhook_secrets=[SECRET]), CAUSEWAY_FORGE_GITHUB_TOKEN_FILE="/dev/zero")


def test_what_kubernetes_puts_beside_a_service_of_our_name_is_no_setting(tmp_path: Path) -> None:
    read(tmp_path, document(), CAUSEWAY_SERVICE_HOST="10.0.0.1", CAUSEWAY_PORT="tcp://10.0.0.1:80")


@pytest.mark.parametrize("command", ["serve", "work", "sweep"])
def test_a_wrong_setting_stops_the_start_with_code_2(tmp_path: Path, command: str) -> None:
    (tmp_path / "settings.json").write_text(json.dumps(document(redis_url="ftp://x")))
    ended = CliRunner().invoke(causeway, [command], env={"CAUSEWAY_CONFIG": str(tmp_path / "settings.json")})
    assert ended.exit_code == 2
    assert "CAUSEWAY_REDIS_URL (redis_url)" in ended.stderr


def test_every_secret_of_the_settings_is_one_that_the_log_leaves_out(tmp_path: Path) -> None:
    tenant = {"repository": "12", "gitops": [], "webhook_secrets": ["secret-of-one-tenant"]}
    forge = {"name": "github", "kind": "github", "app": {"id": "7", "private_key": PEM}, "tenants": [tenant]}
    found = read(tmp_path, document(redis_url="redis://:queue-password@127.0.0.1/0", forges=[forge]))
    everything = [SECRET, "queue-password", PEM, "secret-of-one-tenant"]
    assert sorted(found.secrets()) == sorted(everything)
    logs.hide(*found.secrets())
    for secret in everything:
        assert secret not in logs.redacted(f"x {secret} y")
    assert not any(secret in repr(found) + found.model_dump_json() for secret in everything[:1] + everything[2:])


def test_no_command_takes_a_secret_as_an_argument() -> None:
    names = {option for command in causeway.commands.values() for one in command.params for option in one.opts}
    assert not {name for name in names if any(word in name for word in ("token", "secret", "password"))} - {
        "--token-file"
    }


def test_nothing_is_logged_while_settings_are_read(tmp_path: Path) -> None:
    with capture_logs() as said:
        read(tmp_path, document())
    assert said == []
