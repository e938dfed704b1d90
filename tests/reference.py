"""Reference data that tests hold the product against: captured webhooks, published API descriptions, schemas.

It is no part of the repository. `CAUSEWAY_DATA` names its folder; by default it lies beside the checkout. What needs a
part that is absent is skipped, with a reason. `python -m tests.reference` says what is there.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
DATA = Path(os.environ.get("CAUSEWAY_DATA") or ROOT.parent / "shared" / "data")

PARTS: Mapping[str, str] = {
    "crd-schemas": "schemas of custom resources",
    "github-openapi": "GitHub's own description of its API",
    "github-webhooks": "captured GitHub webhooks",
    "gitlab-api-bodies": "captured answers of GitLab's API",
    "gitlab-webhooks": "captured GitLab webhooks",
}
"""Folder -> what is in it."""


def folder(part: str) -> Path:
    """Where a part lies, whether or not it is there. KeyError for one that `PARTS` does not name."""
    PARTS[part]
    return DATA / part


def needs(part: str) -> pytest.MarkDecorator:
    """Skips a test where the part is absent."""
    absent = not folder(part).is_dir()
    return pytest.mark.skipif(absent, reason=f"absent: {PARTS[part]} ({part} in CAUSEWAY_DATA)")


def main() -> None:
    """A line for each part."""
    for part, what in PARTS.items():
        there = folder(part).is_dir()
        print(f"present: {what} ({folder(part)})" if there else f"absent:  {what} ({part})")  # noqa: T201


if __name__ == "__main__":
    main()
