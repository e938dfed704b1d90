"""Policies as people publish them, with objects that pass and fail them: the files of `tests/cases/policies_world`.

Beside each `<name>.yaml`, a policy and its binding, lies `<name>.cases.yaml`: `refused` (the code of the problem and a
part of what it says), or `pass` and `fail`, lists of objects by the short names of `policy_world.OBJECTS`, each with
`old` and the namespace that it lies `within` where they matter; `params` are the parameters.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bot.core.model.values import Doc
from bot.core.parse import parse
from bot.core.policy.model import Case
from tests.core.policy_world import PARAMS, case, document

FOLDER = Path(__file__).parents[1] / "cases" / "policies_world"


@dataclass(frozen=True, slots=True)
class Published:
    """One policy with what is expected of it."""

    name: str
    files: Mapping[str, bytes]
    params: tuple[Any, ...]
    refused: str
    passing: tuple[Case, ...]
    failing: tuple[Case, ...]


def published() -> Iterator[Published]:
    """All of them, by name."""
    for path in sorted(FOLDER.glob("*.cases.yaml")):
        name = path.name.removesuffix(".cases.yaml")
        read = parse(path.name, path.read_bytes())
        assert isinstance(read, Doc), read
        value: Any = read.value
        files = {f"platform/policies/{name}.yaml": (FOLDER / f"{name}.yaml").read_bytes()}
        if "params" in value:
            files[PARAMS] = document(*value["params"])
        passing, failing = (tuple(map(_case, value.get(key, ()))) for key in ("pass", "fail"))
        yield Published(name, files, tuple(value.get("params", ())), value.get("refused", ""), passing, failing)


def _case(written: Mapping[str, Any]) -> Case:
    rest = {key: one for key, one in written.items() if key not in ("old", "within")}
    return case(rest or None, written.get("old"), written.get("within", "namespace"))
