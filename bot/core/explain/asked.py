"""From the words of a question to places: which service, which file, which field."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from difflib import get_close_matches

from bot.core.build import Build
from bot.core.explain.shapes import Unknown, dotted
from bot.core.model.values import ObjectKey, Pointer, UnitEnv

_INDEX = re.compile(r"\[(\d+)\]")
_FEW = 20


def unit_asked(build: Build, service: str, environment: str) -> UnitEnv | Unknown:
    """The service of this name, or in this folder, in an environment that it runs in."""
    named = [folder for folder, state in build.units.items() if state.unit is not None and state.unit.name == service]
    folder = service if service in build.units else next(iter(sorted(named, key=lambda at: _loses(build, at))), None)
    if folder is None:
        return unknown("service", service, sorted({state.folder.rpartition("/")[2] for state in build.units.values()}))
    runs = sorted(build.units[folder].environments)
    return (folder, environment) if environment in runs else unknown("environment", environment, runs)


def _loses(build: Build, folder: str) -> tuple[bool, str]:
    return any(unit[0] == folder for unit in build.linked.losers), folder


def unknown(what: str, name: str, known: Sequence[str]) -> Unknown:
    """Nothing of that name, and what was probably meant."""
    near = tuple(get_close_matches(name, known, 3, 0.6) or [one for one in known if name and name in one][:3])
    kind = {"service": "service", "environment": "environment"}.get(what, "path")
    return Unknown(kind, name, near, tuple(known) if len(known) <= _FEW else ())  # type: ignore[arg-type]  # one of three


def files_asked(name: str, files: Iterable[ObjectKey]) -> list[ObjectKey]:
    """The files that `name` stands for: a whole path, the end of one, a file's name, or a kind (`deployment`)."""
    known = sorted(files)
    for fits in (_whole, _end, _stem, _kind):
        found = [path for path in known if fits(path, name)]
        if found:
            return found
    return []


def _whole(path: str, name: str) -> bool:
    return path == name


def _end(path: str, name: str) -> bool:
    return path.endswith(f"/{name}")


def _stem(path: str, name: str) -> bool:
    return path.rpartition("/")[2].rpartition(".")[0] == name


def _kind(path: str, name: str) -> bool:
    return path.rpartition("/")[2].startswith(f"{name.lower()}-")


def fits(pointer: Pointer, asked: str) -> bool:
    """True where `asked` names this place or something around it. Dots, `[0]` and JSON pointers are understood."""
    if not asked:
        return True
    if asked.startswith("/"):
        wanted_steps = _decoded(asked)
        return [str(step) for step in pointer[: len(wanted_steps)]] == wanted_steps
    wanted = _INDEX.sub(r".\1", asked).strip(".")
    return any(dotted(pointer[:size]) == wanted for size in range(1, len(pointer) + 1))


def steps(asked: str) -> Pointer:
    """The place that `asked` names, where no key on the way holds a dot."""
    parts = _decoded(asked) if asked.startswith("/") else _INDEX.sub(r".\1", asked).strip(".").split(".")
    return tuple(int(part) if part.isdecimal() else part for part in parts)


def _decoded(asked: str) -> list[str]:
    return [step.replace("~1", "/").replace("~0", "~") for step in asked[1:].split("/")]
