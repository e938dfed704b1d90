"""Each command that changes something, as a draft."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from typing import cast

from bot.core.draft.lines import with_entry, with_item, without_entry
from bot.core.draft.rollback import Version, rollback
from bot.core.emit import emit_yaml
from bot.core.load import MANIFEST, unit_folders
from bot.core.model.ask import Draft, Written
from bot.core.model.command import Change, HoldCommand, RollbackCommand, UnholdCommand, WaiveCommand
from bot.core.model.platform import Platform
from bot.core.model.values import Doc, Value
from bot.core.parse import parse
from bot.core.problem import Refusal
from bot.core.tree import Oid, Tree
from bot.core.words import commands as words

_HOLDS = "platform/holds.yaml"


@dataclass(frozen=True, slots=True)
class Scene:
    """Where a command is to be carried out. `line` gives the commits behind the tip when a command needs them."""

    tip: Oid
    tree: Tree
    platform: Platform
    line: Callable[[], Iterable[tuple[Oid, Tree]]]
    ran: Mapping[str, frozenset[Oid]]
    by: str
    where: str
    now: int
    merged: Tree | None = None


def draft(command: Change, scene: Scene) -> Draft:
    """The pull request that the command means, or why there is none."""
    match command:
        case RollbackCommand():
            return _rollback(command, scene)
        case WaiveCommand():
            return _waive(command, scene)
        case HoldCommand():
            return _hold(command, scene)
        case UnholdCommand():
            return _unhold(command, scene)


def _forge_team(scene: Scene, slug: str) -> str:
    return str(scene.platform.teams[slug].value["forge_team"])


def _rollback(command: RollbackCommand, scene: Scene) -> Draft:
    asked = words.asked(scene.by, scene.where)
    line = (Version(commit, tree) for commit, tree in scene.line())
    made, folder = rollback(command, Version(scene.tip, scene.tree), line, scene.ran, asked)
    owner = _owner(scene.tree, folder) if folder else ""
    slugs = {scene.platform.platform_team, *([owner] if owner in scene.platform.teams else [])}
    return replace(made, teams=tuple(sorted(_forge_team(scene, slug) for slug in slugs)))


def _owner(tree: Tree, folder: str) -> str:
    doc = _read(tree, f"{folder}/{MANIFEST}")
    value = doc.value if doc is not None else None
    return str(value.get("owner", "")) if isinstance(value, Mapping) else ""


def _read(tree: Tree, path: str) -> Doc | None:
    entry = tree.get(path)
    found = parse(path, tree.read(path)) if entry is not None and entry.kind == "file" else None
    return None if isinstance(found, Refusal) else found


def _waive(command: WaiveCommand, scene: Scene) -> Draft:
    if date.fromisoformat(command.until) < datetime.fromtimestamp(scene.now, UTC).date():
        return Draft(refused=words.day_is_over(command))
    folders = sorted(unit_folders(scene.tree))
    if command.service:
        mine = [folder for folder in folders if folder.rpartition("/")[2] == command.service]
    else:
        merged = scene.merged
        every = sorted({*folders, *unit_folders(merged)}) if merged is not None else []
        mine = [folder for folder in every if merged is not None and scene.tree.get(folder) != merged.get(folder)]
    if len(mine) != 1:
        return Draft(refused=words.which_service(command, [folder.rpartition("/")[2] for folder in mine]))
    path = f"{mine[0]}/{MANIFEST}"
    doc = _read(scene.tree, path)
    item: dict[str, Value] = {"policy": command.policy, "reason": command.reason, "until": command.until}
    text = scene.tree.read(path).decode() if doc is not None else ""
    edited = with_item(doc, text, "waivers", item) if doc is not None and isinstance(doc.value, Mapping) else None
    if edited is None:
        return Draft(refused=words.by_hand(path, emit_yaml({"waivers": [item]}).decode()))
    service = mine[0].rpartition("/")[2]
    title, body = words.waive_pull(command, service, words.asked(scene.by, scene.where))
    return Draft((Written(path, edited),), _branch(scene, f"waive-{command.policy}-{service}"), title, body)


def _hold(command: HoldCommand, scene: Scene) -> Draft:
    env = command.environment
    teams = (_forge_team(scene, scene.platform.platform_team),)
    if env not in scene.platform.environments:
        return Draft(teams=teams, refused=words.no_environment(env, list(scene.platform.environments)))
    if env in scene.platform.holds:
        return Draft(teams=teams, refused=words.held_already(env))
    entry: dict[str, Value] = {"reason": command.reason, "by": scene.by}
    doc = _read(scene.tree, _HOLDS)
    old = scene.tree.read(_HOLDS).decode() if doc is not None else ""
    text = with_entry(doc, old, "holds", env, entry) if doc is not None else emit_yaml({"holds": {env: entry}}).decode()
    title, body = words.hold_pull(command, words.asked(scene.by, scene.where))
    return Draft((Written(_HOLDS, text),), _branch(scene, f"hold-{env}"), title, body, teams)


def _unhold(command: UnholdCommand, scene: Scene) -> Draft:
    env = command.environment
    teams = (_forge_team(scene, scene.platform.platform_team),)
    doc = _read(scene.tree, _HOLDS)
    if doc is None or env not in cast(Mapping[str, Value], scene.platform.holds):
        return Draft(teams=teams, refused=words.not_held(env, list(scene.platform.holds)))
    text = without_entry(doc, scene.tree.read(_HOLDS).decode(), "holds", env)
    title, body = words.unhold_pull(command, words.asked(scene.by, scene.where))
    return Draft((Written(_HOLDS, text),), _branch(scene, f"unhold-{env}"), title, body, teams)


def _branch(scene: Scene, what: str) -> str:
    """One branch for the same wish on the same tip: asked twice it is one pull request."""
    return f"causeway/{what.replace('.', '-')}-{scene.tip[:8]}"
