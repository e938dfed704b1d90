"""The settings file as `causeway setup` writes it: for its owner's eyes only, and never half."""

from __future__ import annotations

import json
import os
import secrets
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from uuid import uuid4

from bot.cli.desk import USAGE, Stop
from bot.configured import FILE, SettingsError, configured

Document = dict[str, Any]


def opened(path: Path, redis_url: str) -> Document:
    """The document at that path; a new one, with no forge yet, where there is none. Stop for one that is no object."""
    if not path.exists():
        return {
            "redis_url": redis_url,
            "data_dir": "/var/lib/causeway",
            "marker_secret": secrets.token_hex(32),
            "forges": [],
        }
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as unreadable:
        raise Stop(f"{path} is there and cannot be read as JSON: {unreadable}; name another --config", USAGE) from None
    if not isinstance(found, dict) or not isinstance(found.get("forges"), list):
        raise Stop(f"{path} is there and holds no settings; name another --config", USAGE)
    return found


def forge_of(document: Document, name: str) -> Document | None:
    """The forge of that name; None where the document has none."""
    return next((one for one in document["forges"] if isinstance(one, dict) and one.get("name") == name), None)


def with_tenant(forge: Document, tenant: Mapping[str, Any]) -> None:
    """The tenant takes the place of an older entry for the same repository."""
    others = [one for one in forge.get("tenants", []) if one.get("repository") != tenant["repository"]]
    forge["tenants"] = [*others, dict(tenant)]


def write(path: Path, document: Document) -> None:
    """Writes it whole or not at all, readable by its owner alone."""
    path.parent.mkdir(parents=True, exist_ok=True)
    beside = path.with_name(f".{path.name}.{uuid4().hex}")
    try:
        with os.fdopen(os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as file:
            file.write(json.dumps(document, indent=2) + "\n")
            file.flush()
            os.fsync(file.fileno())
        beside.replace(path)
    except OSError as refused:
        beside.unlink(missing_ok=True)
        raise Stop(f"cannot write {path}: {refused.strerror}", USAGE) from refused


def check(path: Path) -> str:
    """Why these settings could not be used yet; empty where they can."""
    try:
        configured({FILE: str(path)})
    except SettingsError as wrong:
        return str(wrong)
    return ""
