"""Environment variables: what people wrote, what needs and used services bring, and that none hides another."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import cast

from bot.core.load.reading import did_you_mean
from bot.core.model.values import Pointer, Value
from bot.core.resolve.scene import Scene
from bot.core.text import kubelet

_Map = Mapping[str, Value]
_TOKEN = re.compile(r"\$\$\{|\$\{([^{}]*)\}|\$\{")
_REFERENCE = re.compile(r"needs\.([a-z][-a-z0-9]*)\.([a-z][a-z0-9_]*)")

Outputs = Mapping[str, Mapping[str, str]]
"""Need -> output -> variable."""


def outputs_of(needs: _Map) -> Outputs:
    """The variables that resolved needs bring."""
    return {
        name: {str(output["name"]): str(output["variable"]) for output in cast(list[_Map], cast(_Map, need)["outputs"])}
        for name, need in needs.items()
    }


def env(scene: Scene, outputs: Outputs) -> _Map:
    """Values as kubelet must read them: text that means itself, references as `$(VARIABLE)`."""
    given = cast(Mapping[str, _Map], scene.said.get("env") or {})
    return {name: {"value": _encoded(scene, name, given[name]["value"], outputs)} for name in sorted(given)}


def secrets(scene: Scene) -> _Map:
    """Full places in the secret store. A service reaches nothing outside `/<environment>/<service>/`."""
    found: dict[str, Value] = {}
    given = cast(Mapping[str, _Map], scene.said.get("secrets") or {})
    for name in sorted(given):
        path, _, key = str(given[name]["path"]).partition("#")
        found[name] = {"path": f"/{scene.environment.name}/{scene.unit.name}/{path}", "key": key or None}
    return found


def uses(scene: Scene) -> _Map:
    """Used services by name; the addresses come from links."""
    given = cast(Mapping[str, _Map], scene.said.get("uses") or {})
    if scene.unit.name in given:
        scene.refuse(
            ("uses", scene.unit.name, "variable"), "CW0420", f"`{scene.unit.name}` uses itself",
            "a service reaches itself on localhost", "drop it from `uses`",
        )  # fmt: skip
    return {name: given[name] for name in sorted(given)}


def collisions(scene: Scene, outputs: Outputs) -> None:
    """A variable that two things bring is a problem at the one that was written later."""
    first: dict[str, str] = dict.fromkeys(scene.blueprint.reserves, "the platform itself")
    for name, what, pointer in _brought(scene, outputs):
        holder = first.setdefault(name, what)
        if holder is not what:
            reserved = holder == "the platform itself"
            scene.refuse(
                pointer, "CW0423" if reserved else "CW0409", f"{what} sets `{name}`, and so does {holder}",
                "a program would see only one of the two, and which one is chance",
                "give it another name", key=what.startswith("`env`"),
            )  # fmt: skip


def _brought(scene: Scene, outputs: Outputs) -> Iterator[tuple[str, str, Pointer]]:
    for need, variables in outputs.items():
        for output, name in variables.items():
            yield name, f"output `{output}` of the need `{need}`", ("needs", need)
    for service, entry in cast(Mapping[str, _Map], scene.said.get("uses") or {}).items():
        yield str(entry["variable"]), f"the used service `{service}`", ("uses", service, "variable")
    for name in cast(_Map, scene.said.get("secrets") or {}):
        yield name, f"`secrets` ({name})", ("secrets", name, "path")
    for name in cast(_Map, scene.said.get("env") or {}):
        yield name, f"`env` ({name})", ("env", name, "value")


def _encoded(scene: Scene, name: str, value: Value, outputs: Outputs) -> str:
    if not isinstance(value, str):
        return str(value).lower() if isinstance(value, bool) else str(value)
    if "$" not in value:
        return value
    parts: list[str] = []
    literal, at = "", 0
    for token in _TOKEN.finditer(value):
        literal += value[at : token.start()]
        at = token.end()
        if token[0] == "$${":
            literal += "${"
            continue
        # A literal never ends in `$` here: `$` before `${` is the escape above. So the two cannot run together.
        parts += [kubelet(literal), _reference(scene, name, token, outputs)]
        literal = ""
    return "".join(parts) + kubelet(literal + value[at:])


def _reference(scene: Scene, name: str, token: re.Match[str], outputs: Outputs) -> str:
    pointer: Pointer = ("env", name, "value")
    found = _REFERENCE.fullmatch(token[1] or "")
    if found is None:
        scene.refuse(
            pointer, "CW0407", f"`{token[0]}` means nothing here", "the program would get these characters as they are",
            "write `${needs.<name>.<output>}` for an output of a need, or `$${` for the two characters `${`",
        )  # fmt: skip
        return ""
    need, output = found[1], found[2]
    if need not in outputs:
        if need not in cast(_Map, scene.said.get("needs") or {}):
            fix = did_you_mean(need, outputs, "add it to `needs`")
            why = "there would be nothing to put in its place"
            scene.refuse(pointer, "CW0408", f"`{token[0]}`: there is no need `{need}`", why, fix)
        return ""
    if output not in outputs[need]:
        fix = did_you_mean(output, outputs[need], "name one of its outputs")
        why = "there would be nothing to put in its place"
        scene.refuse(pointer, "CW0408", f"`{token[0]}`: `{need}` has no output `{output}`", why, fix)
        return ""
    return f"$({outputs[need][output]})"
