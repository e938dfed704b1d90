"""What an operator sets, once per installation. Only the model: `configured.py` reads the environment into it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Literal
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field, SecretStr, field_validator, model_validator

LEAST_SECRET = 16
"""Characters. Shorter secrets can be found by trying."""

# Input is hidden in errors: a message about a secret that is too short must not show it.
_FROZEN = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)


API_URLS: Mapping[str, str] = {"github": "https://api.github.com", "gitlab": "https://gitlab.com/api/v4"}
"""Where each kind of forge is unless the settings say otherwise."""


class TenantSettings(BaseModel):
    """One platform repository that this bot looks after, and where it may write."""

    model_config = _FROZEN

    repository: str = Field(
        pattern=r"^[1-9][0-9]{0,18}$",
        description="Numeric id of the platform repository (at GitLab: project). Names can be taken over; ids cannot.",
        examples=["186853002"],
    )
    gitops: tuple[str, ...] = Field(
        description="Numeric ids of the GitOps repositories that this platform repository may name in its config.yaml.",
        examples=[["186853003"]],
    )
    installation: str | None = Field(
        default=None,
        pattern=r"^[1-9][0-9]{0,18}$",
        description="Id of the GitHub App's installation that this repository belongs to. Webhooks that name another "
        "one, or none, are refused.",
        examples=["48206133"],
    )
    webhook_secrets: tuple[SecretStr, ...] = Field(
        default=(),
        description="Secrets of this repository's own webhook. Where they are set, no other secret proves a webhook of "
        "it.",
        examples=[["c27a90…"]],
    )

    @field_validator("gitops")
    @classmethod
    def _ids(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        for item in value:
            if not item.isascii() or not item.isdigit() or item.startswith("0") or len(item) > 19:
                raise ValueError("is a list of numeric repository ids, for example 186853003, not names")
        return value


class AppSettings(BaseModel):
    """A GitHub App as which the bot speaks. `causeway setup github` makes one."""

    model_config = _FROZEN

    id: str = Field(
        pattern=r"^[1-9][0-9]{0,18}$",
        description="The App's id: the number, not its client id.",
        examples=["1234567"],
    )
    private_key: SecretStr = Field(
        description="Its private key, the text of the .pem file.", examples=["-----BEGIN RSA PRIVATE KEY-----…"]
    )

    @field_validator("private_key")
    @classmethod
    def _pem(cls, value: SecretStr) -> SecretStr:
        if "PRIVATE KEY-----" not in value.get_secret_value():
            raise ValueError(
                "is the text of the .pem file, with its BEGIN and END lines; private_key_file names the file"
            )
        return value


class ForgeSettings(BaseModel):
    """One forge instance: where it is, how the bot proves itself to it, and how it proves itself to the bot."""

    model_config = _FROZEN

    name: str = Field(
        pattern=r"^[a-z][a-z0-9]{0,30}$",
        description="Short name of this instance; part of the webhook's path `/webhooks/<name>` and of wake names.",
        examples=["github"],
    )
    kind: Literal["github", "gitlab"] = Field(description="Which adapter speaks to it.", examples=["github"])
    api_url: str = Field(
        default="",
        pattern=r"^https?://[^/?#@\s]+(/[^?#\s]*)?$",
        description="Root of its REST API, without credentials.",
        examples=["https://api.github.com", "https://github.acme.com/api/v3", "https://gitlab.acme.com/api/v4"],
    )
    token: SecretStr | None = Field(
        default=None,
        min_length=1,
        description="Token of the bot's own account, or of a GitLab project or group. This or `app`.",
        examples=["github_pat_…", "glpat-…"],
    )
    app: AppSettings | None = Field(
        default=None,
        description="The GitHub App that the bot is. This or `token`; an App's checks cannot be set by others.",
        examples=[{"id": "1234567", "private_key_file": "/run/secrets/app.pem"}],
    )
    webhook_secrets: tuple[SecretStr, ...] = Field(
        default=(),
        description="Secrets that webhooks are signed with, each at least 16 characters; two while one is replaced.",
        examples=[["8f1d6c…"]],
    )
    write_budget: bool = Field(
        default=True,
        description="Keeps what the bot writes within what github.com takes in a minute and an hour. Instances of your "
        "own have no such budget anyway.",
        examples=[True],
    )
    tenants: tuple[TenantSettings, ...] = Field(
        default=(),
        description="The platform repositories at this forge. Webhooks of any other wake nobody.",
        examples=[[{"repository": "186853002", "gitops": ["186853003"]}]],
    )

    @model_validator(mode="before")
    @classmethod
    def _where(cls, values: Any) -> Any:
        if isinstance(values, dict) and "api_url" not in values and isinstance(values.get("kind"), str):
            return {**values, "api_url": API_URLS.get(values["kind"], "")}
        return values

    @model_validator(mode="after")
    def _known_to_the_forge(self) -> ForgeSettings:
        if (self.token is None) == (self.app is None):
            raise ValueError(
                f"forge {self.name} needs exactly one of token and app: write token_file (or token), or, for a GitHub "
                'App, app: {"id": "1234567", "private_key_file": "/run/secrets/app.pem"}'
            )
        if self.app is not None and self.kind != "github":
            raise ValueError(f"forge {self.name} is of kind {self.kind}, which has no Apps; write token_file or token")
        if self.kind != "github" and any(tenant.installation for tenant in self.tenants):
            raise ValueError(f"forge {self.name} is of kind {self.kind}, without installations; remove installation")
        return self

    @model_validator(mode="after")
    def _provable(self) -> ForgeSettings:
        own = [secret for tenant in self.tenants for secret in tenant.webhook_secrets]
        if not self.webhook_secrets and not (self.tenants and all(tenant.webhook_secrets for tenant in self.tenants)):
            raise ValueError(
                f"forge {self.name} has no webhook secret, so anyone could wake the bot; set webhook_secrets to the "
                f"secret of its webhook, at least {LEAST_SECRET} characters (openssl rand -hex 32 makes one)"
            )
        if any(len(secret.get_secret_value()) < LEAST_SECRET for secret in (*self.webhook_secrets, *own)):
            raise ValueError(
                f"forge {self.name} has a webhook secret shorter than {LEAST_SECRET} characters, which can be found "
                "by trying; make one with openssl rand -hex 32"
            )
        return self

    @model_validator(mode="after")
    def _tenants_apart(self) -> ForgeSettings:
        ids = [tenant.repository for tenant in self.tenants]
        if len(set(ids)) != len(ids):
            raise ValueError(f"forge {self.name} has one repository twice in tenants; put its gitops ids in one entry")
        holders = [frozenset(self.webhook_secrets), *(frozenset(tenant.webhook_secrets) for tenant in self.tenants)]
        if len(frozenset().union(*holders)) != sum(len(holder) for holder in holders):
            raise ValueError(
                f"forge {self.name} has one webhook secret in two places, so one tenant's would prove another's "
                "webhooks; give each its own (openssl rand -hex 32 makes one)"
            )
        return self


class Settings(BaseModel):
    """Everything that an installation sets. Equal settings give equal behaviour; nothing else is read."""

    model_config = _FROZEN

    forges: tuple[ForgeSettings, ...] = Field(
        min_length=1,
        description="The forges it serves.",
        examples=[[{"name": "github", "kind": "github", "token_file": "/run/secrets/token"}]],
    )
    redis_url: str = Field(
        pattern=r"^(rediss?|unix)://",
        description="The queue: Redis or Valkey from version 7. Losing its content costs a sweep, never correctness.",
        examples=["redis://127.0.0.1:6379/0", "unix:///run/valkey.sock"],
    )
    data_dir: Path = Field(
        description="Folder for bare mirrors of repositories; it can be deleted while nothing runs.",
        examples=["/var/lib/causeway"],
    )
    marker_secret: SecretStr = Field(
        min_length=LEAST_SECRET,
        description="Signs the marker by which the bot knows its own comments again, at least 16 characters. "
        "Changing it makes the bot write new ones.",
        examples=["1b9e4a…"],
    )
    metrics_listen: str | None = Field(
        default=None,
        pattern=r"^(\[[0-9A-Fa-f:.]+\]|[0-9A-Za-z.-]+):[0-9]{1,5}$",
        description="Address and port on which the door answers `/metrics`, apart from its own port, which is public. "
        "Without it nothing is told.",
        examples=["127.0.0.1:9464"],
    )
    opa: str | None = Field(
        default=None,
        pattern=r"^/.+$",
        description="Path of the `opa` command, version 1 or later, for policies in Rego. Without it a Rego file below "
        "`platform/policies` refuses every change.",
        examples=["/usr/local/bin/opa"],
    )
    body_limit_mib: int = Field(
        default=25,
        ge=1,
        le=25,
        description="Largest webhook that is read, in MiB; forges send at most 25.",
        examples=[25],
    )
    child_seconds: int = Field(
        default=60,
        ge=1,
        le=3600,
        description="Longest time one look at untrusted files may take, in seconds, before it is killed.",
        examples=[60],
    )
    child_memory_mib: int = Field(
        default=2048, ge=128, description="Most memory such a look may use, in MiB.", examples=[2048]
    )
    workers: int = Field(
        default=1,
        ge=1,
        le=64,
        description="How many workers run; each takes its part of what a forge lets the bot write.",
        examples=[2],
    )
    sweep_seconds: int = Field(
        default=60, ge=5, le=3600, description="How often the sweep looks for what webhooks missed.", examples=[60]
    )

    @field_validator("metrics_listen")
    @classmethod
    def _port(cls, value: str | None) -> str | None:
        if value is not None and int(value.rpartition(":")[2]) > 65535:
            raise ValueError("ends with a port, and ports end at 65535")
        return value

    @model_validator(mode="after")
    def _distinct(self) -> Settings:
        names = [forge.name for forge in self.forges]
        if len(set(names)) != len(names):
            raise ValueError(
                "two forges have the same name; the name is part of the webhook's path, so give each its own"
            )
        return self

    def secrets(self) -> Iterator[str]:
        """Every secret text, for the log to leave out."""
        yield self.marker_secret.get_secret_value()
        if (password := urlsplit(self.redis_url).password) is not None:
            yield password
        for forge in self.forges:
            own = (secret for tenant in forge.tenants for secret in tenant.webhook_secrets)
            private = forge.app.private_key if forge.app is not None else None
            for secret in (forge.token, private, *forge.webhook_secrets, *own):
                if secret is not None:
                    yield secret.get_secret_value()
