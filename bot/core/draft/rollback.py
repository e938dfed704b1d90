"""An earlier version of a service, as edits: its whole folder, or one environment's release."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import NamedTuple, cast

from bot.core.emit import emit_yaml
from bot.core.load import MANIFEST, unit_folders
from bot.core.model.ask import Draft, Written
from bot.core.model.command import RollbackCommand
from bot.core.model.values import Value
from bot.core.parse import parse
from bot.core.problem import Refusal
from bot.core.tree import Oid, Tree
from bot.core.words import commands as words

_RELEASES = "releases.yaml"


class Version(NamedTuple):
    """A commit of the default branch, and the platform as it says it."""

    commit: Oid
    tree: Tree


def rollback(
    command: RollbackCommand, tip: Version, line: Iterable[Version], ran: Mapping[str, frozenset[Oid]], asked: str
) -> tuple[Draft, str]:
    """The draft, and the unit folder that it is about, empty where there is none of that name.

    `line` are the commits behind `tip`, newest first; `ran` says which versions of a folder were delivered lately.
    """
    versions = list(line)
    folder = _folder(command.service, [tip, *versions])
    if folder is None:
        return Draft(refused=words.no_service(command.service)), ""
    now = _id(tip.tree, folder)
    if command.to:
        wanted = [
            one for one in (tip, *versions) if one.commit.startswith(command.to) and _id(one.tree, folder) is not None
        ]
        if not wanted:
            return Draft(refused=words.no_commit(command)), folder
    else:
        lately = ran.get(folder, frozenset())
        wanted = [one for one in versions if _id(one.tree, folder) in lately]
    if command.environment:
        return _release(command, tip, folder, wanted, asked), folder
    found = next((one for one in wanted if _id(one.tree, folder) != now), None)
    oid = _id(found.tree, folder) if found is not None else None
    if found is None or oid is None:
        return Draft(refused=words.as_it_was(command) if command.to else words.nothing_earlier(command)), folder
    edits = (Written(folder, id=oid),)
    return _draft(command, tip, found, edits, asked), folder


def _release(command: RollbackCommand, tip: Version, folder: str, wanted: list[Version], asked: str) -> Draft:
    env, path = command.environment, f"{folder}/{_RELEASES}"
    now = _releases(tip.tree, path)
    if env not in now:
        return Draft(refused=words.not_by_release(command))
    for one in wanted:
        then = _releases(one.tree, path)
        if env in then and then[env] != now[env]:
            meant = {**now, env: then[env]}
            # The very bytes of then, where they say the same: so it is known again as what ran.
            text = one.tree.read(path) if then == meant else emit_yaml(meant)
            return _draft(command, tip, one, (Written(path, text.decode()),), asked)
    return Draft(refused=words.as_it_was(command) if command.to else words.nothing_earlier(command))


def _draft(command: RollbackCommand, tip: Version, found: Version, edits: tuple[Written, ...], asked: str) -> Draft:
    where = f"-{command.environment}" if command.environment else ""
    branch = f"causeway/rollback-{command.service}{where}-{found.commit[:8]}-{tip.commit[:8]}"
    title, body = words.rollback_pull(command, found.commit, asked)
    return Draft(edits, branch, title, body)


def _folder(service: str, versions: list[Version]) -> str | None:
    """Where the service stands now; of one that is gone, where it stood last."""
    for one in versions:
        found = [folder for folder in sorted(unit_folders(one.tree)) if folder.rpartition("/")[2] == service]
        if found:
            return found[0]
    return None


def _id(tree: Tree, folder: str) -> Oid | None:
    entry = tree.get(folder)
    return entry.id if entry is not None and tree.get(f"{folder}/{MANIFEST}") is not None else None


def _releases(tree: Tree, path: str) -> Mapping[str, Value]:
    entry = tree.get(path)
    doc = parse(path, tree.read(path)) if entry is not None and entry.kind == "file" else None
    known = doc is not None and not isinstance(doc, Refusal) and isinstance(doc.value, Mapping)
    return cast(Mapping[str, Value], doc.value) if known and doc is not None and not isinstance(doc, Refusal) else {}
