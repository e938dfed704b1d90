"""Questions of commands, answered from a platform tree: what a value is made of, and which edits a command means."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from bot.core.build import Memo, build
from bot.core.draft import Scene, draft
from bot.core.explain import Unknown, explain
from bot.core.kit import kit_of
from bot.core.model.ask import Draft, DraftAsk, ReviewAsk, Told
from bot.core.model.command import ExplainCommand, RollbackCommand
from bot.core.model.platform import Platform
from bot.core.model.rights import Agreement
from bot.core.problem import Refusal
from bot.core.rules.rights import missing
from bot.core.tree import Oid, Tree
from bot.core.words import commands as words
from bot.core.words import explained
from bot.history import RAN_SECONDS
from bot.ports import Git

_MOST_COMMITS = 2_000


def drafted(git: Git, ask: DraftAsk, platform: Platform, ran: Mapping[str, frozenset[Oid]]) -> Draft:
    """What the command means on the default branch at `ask.tip`."""
    merged = git.tree(ask.merged) if ask.merged is not None else None
    tree = git.tree(ask.tip)
    return draft(
        ask.command, Scene(ask.tip, tree, platform, lambda: _line(git, ask), ran, ask.by, ask.where, ask.now, merged)
    )


def explained_in(tree: Tree, shipped: Tree, command: ExplainCommand, memo: Memo) -> Told:
    """The answer in Markdown."""
    kit = kit_of(tree, shipped)
    made = kit if isinstance(kit, Refusal) else build(tree, kit, memo, since=memo.builds.newest())
    if isinstance(made, Refusal):
        return Told(words.no_platform(), found=False)

    def read(path: str) -> bytes | None:
        place = tree if path.startswith("platform/") else shipped
        entry = place.get(path)
        return place.read(path) if entry is not None and entry.kind == "file" else None

    found = explain(made, command.service, command.environment, command.path, read)
    if isinstance(found, Unknown):
        return Told(words.explained(explained.unknown(found)), found=False)
    return Told(
        words.explained(explained.answer(found[0]) if len(found) == 1 else explained.listing(found)), found=True
    )


def _line(git: Git, ask: DraftAsk) -> Iterator[tuple[Oid, Tree]]:
    """First-parent commits behind the tip, newest first: of the time in which a version can have run, or further back
    where one is named."""
    named = isinstance(ask.command, RollbackCommand) and bool(ask.command.to)
    parents = git.commit(ask.tip).parents
    for _ in range(_MOST_COMMITS):
        if not parents:
            return
        commit = git.commit(parents[0])
        yield commit.id, git.tree(commit.id)
        if commit.time < ask.now - RAN_SECONDS and not named:
            return
        parents = commit.parents


def agreement(ask: ReviewAsk) -> Agreement:
    """What of the approvals that a change needs is there, and what is not."""
    if ask.required is None:
        return Agreement()
    wanted, team = ask.required.requirements, ask.required.stand_in
    lacking = missing(wanted, ask.approvals, frozenset(ask.consents), team.team if team is not None else "")
    waits = {one.requirement for one in lacking}
    given = tuple(row for row in wanted if row not in waits)
    return Agreement(lacking, given, team.forge_team if team is not None else "")
