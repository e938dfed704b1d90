"""The settings reference, deploy/settings.md, from the settings themselves: `python -m bot.cli.settings_page`."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path, PurePath
from typing import Any

from pydantic import BaseModel
from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined

from bot.configured import may_be_file
from bot.settings import API_URLS, AppSettings, ForgeSettings, Settings, TenantSettings

PAGE = Path(__file__).resolve().parents[2] / "deploy" / "settings.md"
START, END = "<!-- settings: written by `python -m bot.cli.settings_page` -->", "<!-- end of settings -->"
_MODELS: tuple[tuple[str, type[BaseModel]], ...] = (
    ("The installation", Settings),
    ("Each of `forges`", ForgeSettings),
    ("A forge's `app`", AppSettings),
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
        names = f"`{name}`, `{name}_file`" if may_be_file(name, info) else f"`{name}`"
        yield f"| {names} | {info.description} | {_default(name, info)} | {example} |"
    yield ""


def _default(name: str, info: FieldInfo) -> str:
    if name == "api_url":
        return ", ".join(f"`{url}`" for url in API_URLS.values())
    if info.is_required() or info.default is PydanticUndefined:
        return "required"
    return "none" if info.default in ((), None) else _shown(info.default)


def _shown(value: Any) -> str:
    return f"`{value if isinstance(value, str | PurePath) else json.dumps(value, ensure_ascii=False)}`"


def main() -> None:
    """Writes the page."""
    PAGE.write_text(written(PAGE.read_text(encoding="utf-8")), encoding="utf-8")


if __name__ == "__main__":
    main()
