"""From a file and variables to settings: secrets come in from files of their own, and what is wrong is said by name."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from pydantic import BaseModel, TypeAdapter, ValidationError
from pydantic.fields import FieldInfo
from pydantic_core import ErrorDetails

from bot.settings import AppSettings, ForgeSettings, Settings, TenantSettings

FILE = "CAUSEWAY_CONFIG"
"""Variable that names a JSON file with the settings; `CAUSEWAY_<SETTING>` variables win over it."""

_LARGEST = 64 * 1024
"""Bytes. No secret is longer; `/dev/zero` is."""

_FORGE_SECRETS: Mapping[str, tuple[str, ...]] = {
    "TOKEN": ("token",),
    "WEBHOOK_SECRETS": ("webhook_secrets",),
    "APP_PRIVATE_KEY": ("app", "private_key"),
}
"""End of `CAUSEWAY_FORGE_<NAME>_<END>` -> the setting of that forge."""

_MODELS: Mapping[str, type[BaseModel]] = {
    "forges": ForgeSettings,
    "tenants": TenantSettings,
    "app": AppSettings,
}


class SettingsError(Exception):
    """The settings cannot be used; the message says which, what is wrong, and gives an example."""


def configured_opa(environment: Mapping[str, str] | None = None) -> str | None:
    """The command of OPA for who has no settings, as a person at a terminal; None where there is none."""
    return (os.environ if environment is None else environment).get("CAUSEWAY_OPA") or None


def read_settings(environment: Mapping[str, str] | None = None) -> Settings:
    """The settings of this process: `configured` from its own variables, or from those that are given."""
    return configured(os.environ if environment is None else environment)


def configured(environment: Mapping[str, str]) -> Settings:
    """The settings that a file and variables give. SettingsError names every one that cannot be used."""
    values = _document(environment)
    for name, info in Settings.model_fields.items():
        variable = f"CAUSEWAY_{name.upper()}"
        if variable in environment:
            values.pop(f"{name}_file", None)
            values[name] = environment[variable] if is_plain(info) else _json(variable, environment[variable])
        elif f"{variable}_FILE" in environment and may_be_file(name, info):
            values.pop(name, None)
            values[f"{name}_file"] = environment[f"{variable}_FILE"]
    _put_forge_secrets(values, environment)
    _refuse_near_misses(environment, values)
    filled = _from_files(values, Settings, "")
    try:
        return TypeAdapter(Settings).validate_python(filled, strict=False)
    except ValidationError as error:
        raise SettingsError(_told(error)) from error


def is_plain(info: FieldInfo) -> bool:
    """Its variable holds the text itself, not JSON."""
    return info.annotation in (str, str | None, Path) or ("tuple" not in str(info.annotation) and is_secret(info))


def is_secret(info: FieldInfo) -> bool:
    """It holds a secret or several."""
    return "Secret" in str(info.annotation)


def may_be_file(name: str, info: FieldInfo) -> bool:
    """`<name>_file` may name a file that holds it."""
    return is_secret(info) or name == "redis_url"


def _document(environment: Mapping[str, str]) -> dict[str, Any]:
    path = environment.get(FILE)
    if not path:
        return {}
    try:
        found = json.loads(Path(path).read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise SettingsError(f"{FILE} names {path}, which cannot be read as JSON: {error}") from error
    if not isinstance(found, dict):
        raise SettingsError(f'{FILE} names {path}, which is not a JSON object. For example: {{"redis_url": "…"}}')
    return found


def _json(variable: str, raw: str) -> object:
    try:
        return json.loads(raw)
    except ValueError as error:
        raise SettingsError(f"{variable} is not JSON: {error}") from error


def _forge_variables(values: Mapping[str, Any]) -> Iterator[tuple[str, dict[str, Any], tuple[str, ...]]]:
    forges = values.get("forges")
    for forge in forges if isinstance(forges, list) else []:
        if isinstance(forge, dict) and isinstance(forge.get("name"), str):
            for end, path in _FORGE_SECRETS.items():
                yield f"CAUSEWAY_FORGE_{forge['name'].upper()}_{end}", forge, path


def _put_forge_secrets(values: Mapping[str, Any], environment: Mapping[str, str]) -> None:
    for variable, forge, (*above, name) in _forge_variables(values):
        holder = forge
        for step in above:
            inner = holder.get(step)
            holder = inner if isinstance(inner, dict) else {}
        if variable in environment:
            holder.pop(f"{name}_file", None)
            raw = environment[variable]
            holder[name] = raw.split() if name == "webhook_secrets" else raw
        elif f"{variable}_FILE" in environment:
            holder.pop(name, None)
            holder[f"{name}_file"] = environment[f"{variable}_FILE"]


def _refuse_near_misses(environment: Mapping[str, str], values: Mapping[str, Any]) -> None:
    """A variable that is almost one of ours would be overlooked in silence. Others are left alone: Kubernetes puts
    `CAUSEWAY_SERVICE_HOST` and the like beside a Service of that name."""
    known = {FILE, *(f"CAUSEWAY_{name.upper()}" for name in Settings.model_fields)}
    known |= {variable for variable, _, _ in _forge_variables(values)}
    known |= {f"{name}_FILE" for name in known}
    for name in sorted(environment):
        if name.startswith("CAUSEWAY_") and name not in known:
            meant = get_close_matches(name, sorted(known), 1, cutoff=0.9)
            if meant:
                raise SettingsError(f"{name} is no setting. Did you mean {meant[0]}?")


def _from_files(values: Mapping[str, Any], model: type[BaseModel], where: str) -> dict[str, Any]:
    """The same values with each `<secret>_file` replaced by what the file holds."""
    filled: dict[str, Any] = {}
    for key, value in values.items():
        name = key.removesuffix("_file")
        info = model.model_fields.get(name)
        inner = _MODELS.get(key)
        if key != name and key not in model.model_fields and info is not None and may_be_file(name, info):
            if name in values:
                raise SettingsError(f"{where}{key} and {where}{name} are both set; remove one")
            text = _content(where + key, value)
            filled[name] = text.split() if "tuple" in str(info.annotation) else text
        elif inner is not None and isinstance(value, list):
            filled[key] = [
                _from_files(item, inner, f"{where}{key}.{number}.") if isinstance(item, dict) else item
                for number, item in enumerate(value)
            ]
        elif inner is not None and isinstance(value, dict):
            filled[key] = _from_files(value, inner, f"{where}{key}.")
        else:
            filled[key] = value
    return filled


def _content(where: str, path: object) -> str:
    if not isinstance(path, str) or not path:
        raise SettingsError(f'{where} is not the path of a file. For example: "/run/secrets/causeway-token"')
    try:
        with Path(path).open("rb") as file:
            data = file.read(_LARGEST)
        text = data.decode().strip()
    except (OSError, ValueError) as error:
        why = error.strerror if isinstance(error, OSError) else "it is not text"
        raise SettingsError(f"{where} names {path}, which cannot be read: {why}") from error
    if len(data) == _LARGEST:
        raise SettingsError(f"{where} names {path}, which is longer than any secret; put the secret into it alone")
    if not text:
        raise SettingsError(f"{where} names {path}, which is empty; put the secret into it, and nothing else")
    return text


def _told(error: ValidationError) -> str:
    found = error.errors(include_url=False, include_input=False)
    places = [one["loc"] for one in found]
    # A list loses the entries that are wrong, and then is said to be too short: only the entries are at fault.
    own = [one for one in found if not any(_inside(place, one["loc"]) for place in places)]
    return "\n".join(f"{_named(one['loc'])}: {_said(one)}" for one in own)


def _inside(place: tuple[int | str, ...], outer: tuple[int | str, ...]) -> bool:
    return len(place) > len(outer) and place[: len(outer)] == outer


def _said(found: ErrorDetails) -> str:
    match found["type"]:
        case "missing":
            return f"is not set, and has no default.{_example(found['loc'])}"
        case "extra_forbidden":
            *above, name = found["loc"]
            meant = get_close_matches(str(name), _settings_at(tuple(above)), 1)
            return f"is no setting. Did you mean {meant[0]}?" if meant else "is no setting."
        case "string_pattern_mismatch":
            return f"has another form than it must have.{_example(found['loc'])}"
        case _:
            return f"{found['msg'].removeprefix('Value error, ').removesuffix('.')}.{_example(found['loc'])}"


def _settings_at(location: tuple[int | str, ...]) -> list[str]:
    """The settings that may stand there."""
    model: type[BaseModel] = Settings
    for part in location:
        model = _MODELS.get(str(part), model)
    files = [f"{name}_file" for name, info in model.model_fields.items() if may_be_file(name, info)]
    return [*model.model_fields, *files]


def _named(location: tuple[int | str, ...]) -> str:
    if not location:
        return "the settings"
    return f"CAUSEWAY_{str(location[0]).upper()} ({'.'.join(str(part) for part in location)})"


def _example(location: tuple[int | str, ...]) -> str:
    """The example of the innermost setting that is named."""
    model: type[BaseModel] = Settings
    found = ""
    for part in location:
        info = model.model_fields.get(str(part))
        if info is not None:
            found = f" For example: {_shown(info.examples[0])}" if info.examples else ""
            model = _MODELS.get(str(part), model)
    return found


def _shown(example: object) -> str:
    return example if isinstance(example, str) else json.dumps(example, ensure_ascii=False)
