"""The settings reference of deploy/README.md, from the settings themselves: `python -m bot.cli.settings_page`."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path, PurePath
from typing import Any

from pydantic import BaseModel
from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined

from bot.settings import ForgeSettings, Settings, TenantSettings

PAGE = Path(__file__).resolve().parents[2] / "deploy" / "README.md"
START, END = "<!-- settings: written by `python -m bot.cli.settings_page` -->", "<!-- end of settings -->"
_MODELS: tuple[tuple[str, type[BaseModel]], ...] = (
    ("The installation", Settings),
    ("Each of `forges`", ForgeSettings),
    ("Each of a forge's `tenants`", TenantSettings),
)


def reference() -> str:
    """The tables, between their marks."""
    parts = [line for title, model in _MODELS for line in _table(title, model)]
    return "\n".join([START, "", *parts, END])


def written(page: str) -> str:
    """The page with its reference made anew."""
    head, _, rest = page.partition(START)
    return head + reference() + rest.partition(END)[2]


def _table(title: str, model: type[BaseModel]) -> Iterator[str]:
    yield from (f"**{title}**", "", "| setting | what it is | default | example |", "|---|---|---|---|")
    for name, info in model.model_fields.items():
        example = _shown(info.examples[0]) if info.examples else ""
        yield f"| `{name}` | {info.description} | {_default(info)} | {example} |"
    yield ""


def _default(info: FieldInfo) -> str:
    if info.is_required() or info.default is PydanticUndefined:
        return "required"
    return "none" if info.default == () else _shown(info.default)


def _shown(value: Any) -> str:
    return f"`{value if isinstance(value, str | PurePath) else json.dumps(value, ensure_ascii=False)}`"


def main() -> None:
    """Writes the page."""
    PAGE.write_text(written(PAGE.read_text(encoding="utf-8")), encoding="utf-8")


if __name__ == "__main__":
    main()
