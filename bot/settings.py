"""What an operator sets, once per installation. Only the frozen model: `wiring.py` reads the environment into it."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, SecretStr, field_validator, model_validator

LEAST_SECRET = 16
"""Characters. Shorter secrets can be found by trying."""

# Input is hidden in errors: a message about a secret that is too short must not show it.
_FROZEN = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)


class TenantSettings(BaseModel):
    """One platform repository that this bot looks after, and where it may write."""

    model_config = _FROZEN

    repository: str = Field(
        pattern=r"^[1-9][0-9]{0,18}$",
        description="Numeric id of the platform repository at the forge. Names can be taken over; ids cannot.",
        examples=["186853002"],
    )
    gitops: tuple[str, ...] = Field(
        description="Numeric ids of the GitOps repositories that this platform repository may name in its config.yaml.",
        examples=[["186853003"]],
    )

    @field_validator("gitops")
    @classmethod
    def _ids(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        for item in value:
            if not item.isascii() or not item.isdigit() or item.startswith("0") or len(item) > 19:
                raise ValueError("is a list of numeric repository ids, for example 186853003, not names")
        return value


class ForgeSettings(BaseModel):
    """One forge instance: where it is, how the bot proves itself to it, and how it proves itself to the bot."""

    model_config = _FROZEN

    name: str = Field(
        pattern=r"^[a-z][a-z0-9]{0,30}$",
        description="Short name of this instance; part of the webhook's path `/webhooks/<name>` and of wake names.",
        examples=["github"],
    )
    kind: Literal["github"] = Field(description="Which adapter speaks to it.", examples=["github"])
    api_url: str = Field(
        default="https://api.github.com",
        pattern=r"^https?://[^/?#@\s]+(/[^?#\s]*)?$",
        description="Root of its REST API, without credentials.",
        examples=["https://api.github.com", "https://github.acme.com/api/v3"],
    )
    token: SecretStr = Field(
        min_length=1,
        description="Token of the bot's own account: contents, pull requests, statuses and issues, read and write.",
        examples=["github_pat_…"],
    )
    webhook_secrets: tuple[SecretStr, ...] = Field(
        default=(),
        description="Secrets that webhooks are signed with, each at least 16 characters; two while one is replaced.",
        examples=[["8f1d6c…"]],
    )
    tenants: tuple[TenantSettings, ...] = Field(
        default=(), description="The platform repositories at this forge. Wakes for any other are dropped."
    )

    @model_validator(mode="after")
    def _provable(self) -> ForgeSettings:
        if not self.webhook_secrets:
            raise ValueError(
                f"forge {self.name} has no webhook secret, so anyone could wake the bot; set webhook_secrets to the "
                f"secret of its webhook, at least {LEAST_SECRET} characters (openssl rand -hex 32 makes one)"
            )
        if any(len(secret.get_secret_value()) < LEAST_SECRET for secret in self.webhook_secrets):
            raise ValueError(
                f"forge {self.name} has a webhook secret shorter than {LEAST_SECRET} characters, which can be found "
                "by trying; make one with openssl rand -hex 32"
            )
        return self


class Settings(BaseModel):
    """Everything that an installation sets. Equal settings give equal behaviour; nothing else is read."""

    model_config = _FROZEN

    forges: tuple[ForgeSettings, ...] = Field(min_length=1, description="The forges it serves.")
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
    sweep_seconds: int = Field(
        default=60, ge=5, le=3600, description="How often the sweep looks for what webhooks missed.", examples=[60]
    )

    @model_validator(mode="after")
    def _distinct(self) -> Settings:
        names = [forge.name for forge in self.forges]
        if len(set(names)) != len(names):
            raise ValueError(
                "two forges have the same name; the name is part of the webhook's path, so give each its own"
            )
        return self
