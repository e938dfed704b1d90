"""Commands in comments: a reaction first, rights looked up live, one answer, a reaction last.

What is done is known by the bot's own reaction on the comment. A look that is cut off in the middle is made again: each
answer is one comment by key, each pull request one by its branch, so nothing happens twice.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from hashlib import sha256

from bot.core.command import commands
from bot.core.model.ask import Draft, DraftAsk, ExplainAsk, SurveyAsk
from bot.core.model.command import (
    Command,
    ExplainCommand,
    HoldCommand,
    MalformedCommand,
    PlanCommand,
    RollbackCommand,
    UnholdCommand,
    UnknownCommand,
    WaiveCommand,
)
from bot.core.tree import Oid
from bot.core.wake import Wake
from bot.core.words import commands as words
from bot.core.words import fork_waits
from bot.flows.place import Place
from bot.flows.targets import heads_of
from bot.ports import Comment, Opening, OutsideWorldError, PoisonError, Pull, Reaction, Repository, Wakeups

_DONE = frozenset[str]({"done", "refused"})
_UNKNOWN = "command-unknown"
_DENIED = "command-denied"
"""Keys of the one answer a pull request gets, however many comments need it: nobody outside may make the bot talk."""
_WRITERS = ("admin", "write")


@dataclass(frozen=True, slots=True)
class Scene:
    """Where a command was written. `pull` is None in an issue; `merged` is the merge result, where there is one;
    `said` is the status that the look before it came to."""

    place: Place
    number: int
    pull: Pull | None
    merged: Oid | None
    said: str
    wakeups: Wakeups


@dataclass(frozen=True, slots=True)
class Answer:
    """What is said, and how it went. An empty `key` is the comment's own."""

    body: str
    outcome: Reaction = "done"
    key: str = ""


@dataclass(frozen=True, slots=True)
class Pending:
    """A comment with its commands, of which the first counts."""

    comment: Comment
    commands: tuple[Command, ...]


def pending(comments: Sequence[Comment]) -> tuple[Pending, ...]:
    """What waits to be carried out, oldest first: by people, as it was written, and not done yet."""
    return tuple(
        Pending(comment, found)
        for comment in comments
        if not comment.is_bot and not comment.edited and not comment.reactions & _DONE
        if (found := commands(comment.body))
    )


def asked_for(head: Oid, comments: Sequence[Comment], place: Place) -> bool:
    """True where somebody who may write here wrote `/plan` with the beginning of exactly this head, and did not edit
    it since."""
    found = {
        comment.author_id
        for comment in comments
        if not comment.is_bot and not comment.edited
        for command in commands(comment.body)[:1]
        if isinstance(command, PlanCommand) and command.sha and head.startswith(command.sha)
    }
    return any(place.forge.permission(user) in _WRITERS for user in sorted(found))


def take_up(
    waiting: Sequence[Pending], number: int, place: Place
) -> tuple[tuple[Pending, ...], OutsideWorldError | None]:
    """Shows that they were seen, before anything is looked at. Gives those that show it, and why the others do not:
    what the bot cannot mark it must not carry out, or it would do it at every look. A verdict waits for no reaction."""
    seen, trouble = [], None
    for one in waiting:
        try:
            place.forge.react(number, one.comment.id, "seen")
            seen.append(one)
        except OutsideWorldError as failed:
            trouble = failed
    return tuple(seen), trouble


def carry_out(waiting: Sequence[Pending], scene: Scene) -> None:
    """Each is answered once, then marked."""
    pull = scene.pull
    if pull is not None and pull.fork and scene.said in {fork_waits(pull.head_sha, on).status for on in (False, True)}:
        # What waits for a member's word on exactly this head is read by no other command either.
        scene = replace(scene, merged=None)
    for one in waiting:
        command, rest = one.commands[0], len(one.commands) - 1
        try:
            answer = COMMANDS[command.kind](command, one.comment, scene)
        except PoisonError as poison:
            answer = Answer(words.failed(poison.error_id), "refused")
        body = answer.body + (words.one_only(rest) if rest and not answer.key else "")
        key = answer.key or f"command-{one.comment.id}"
        scene.place.forge.ensure_comment(scene.number, key, sha256(body.encode()).hexdigest(), body, urgent=True)
        scene.place.forge.react(scene.number, one.comment.id, answer.outcome)


def _may_write(comment: Comment, scene: Scene) -> bool:
    return scene.place.forge.permission(comment.author_id) in _WRITERS


def _denied(command: Command, teams: tuple[str, ...] = ()) -> Answer:
    return Answer(words.denied(command.kind, teams), "refused", _DENIED)


def _help(command: Command, comment: Comment, scene: Scene) -> Answer:  # noqa: ARG001 - the shape of a command
    return Answer(words.helped(), key="command-help")


def _unknown(command: Command, comment: Comment, scene: Scene) -> Answer:  # noqa: ARG001 - the shape of a command
    word = command.word if isinstance(command, UnknownCommand) else ""
    return Answer(words.unknown(word), "refused", _UNKNOWN)


def _malformed(command: Command, comment: Comment, scene: Scene) -> Answer:
    word = command.word if isinstance(command, MalformedCommand) else "help"
    if not _may_write(comment, scene):
        return Answer(words.denied(word, ()), "refused", _DENIED)
    return Answer(words.malformed(word), "refused")


def _plan(command: Command, comment: Comment, scene: Scene) -> Answer:
    if not isinstance(command, PlanCommand) or not _may_write(comment, scene):
        return _denied(command)
    pull = scene.pull
    if pull is None or pull.state != "open":
        return Answer(words.nothing_to_plan(), "refused")
    if not pull.head_sha.startswith(command.sha):
        return Answer(words.older_head(command.sha, pull.head_sha), "refused")
    return Answer(words.looked(pull.head_sha, scene.said))


def _explain(command: Command, comment: Comment, scene: Scene) -> Answer:
    if not isinstance(command, ExplainCommand) or not _may_write(comment, scene):
        return _denied(command)
    tree = scene.merged or _tip(scene.place)[1]
    told = scene.place.core.explain(ExplainAsk(scene.place.git.path, tree, command)) if tree is not None else None
    if told is None:
        return Answer(words.no_platform(), "refused")
    return Answer(told.body, "done" if told.found else "refused")


def _change(command: Command, comment: Comment, scene: Scene) -> Answer:
    """Opens the pull request that the command means. Who may is looked up between the draft, which is only read, and
    the branch."""
    place = scene.place
    repository, tip = _tip(place)
    if not isinstance(command, RollbackCommand | WaiveCommand | HoldCommand | UnholdCommand) or tip is None:
        return Answer(words.no_platform(), "refused")
    heads = heads_of(place, place.core.survey(SurveyAsk(place.git.path, tip)))
    by = comment.author or f"user {comment.author_id}"
    where = place.dialect.reference(scene.number, issue=scene.pull is None)
    made = place.core.draft(DraftAsk(place.git.path, tip, heads, command, by, where, int(time.time()), scene.merged))
    if not _may(made, comment, scene):
        return _denied(command, made.teams)
    if made.refused:
        return Answer(made.refused, "refused")
    return _open(made, repository, tip, scene)


def _may(made: Draft, comment: Comment, scene: Scene) -> bool:
    if not made.teams:
        return _may_write(comment, scene)
    return any(scene.place.forge.member_of(team, comment.author_id) for team in made.teams)


def _open(made: Draft, repository: Repository, tip: Oid, scene: Scene) -> Answer:
    place = scene.place
    # The commit's own time, so that a second try makes the same commit.
    when = place.git.commit(tip).time
    edits = {one.path: one.id if one.id is not None else one.text.encode() for one in made.edits}
    commit = place.git.write(tip, edits, f"{made.title}\n", when)
    ref = f"refs/heads/{made.branch}"
    if place.git.push(place.forge.remote(), ref, commit, None) != "pushed":
        # The answer may have been lost, or the same was asked before.
        there = place.git.fetch(place.forge.remote(), [ref])[ref]
        if there is None or place.git.commit(there).tree != place.git.commit(commit).tree:
            return Answer(_in_the_way(made, there, place), "refused")
    number = place.forge.open_pull(Opening(made.branch, repository.default_branch, made.title, made.body))
    scene.wakeups.ring(str(Wake("review", place.forge_name, place.repository, number=number)))
    return Answer(words.opened(place.dialect.reference(number), made.title))


def _in_the_way(made: Draft, there: Oid | None, place: Place) -> str:
    """Another commit stands on the branch: the same wish in other words, or somebody's own."""
    for pull in place.forge.open_pulls() if there is not None else ():
        if pull.head_sha == there and pull.title == made.title and not pull.fork:
            return words.asked_before(place.dialect.reference(pull.number))
    return words.not_pushed(made.branch)


def _tip(place: Place) -> tuple[Repository, Oid | None]:
    repository = place.forge.repository()
    ref = f"refs/heads/{repository.default_branch}"
    return repository, place.git.fetch(place.forge.remote(), [ref])[ref]


COMMANDS: Mapping[str, Callable[[Command, Comment, Scene], Answer]] = {
    "plan": _plan,
    "explain": _explain,
    "rollback": _change,
    "waive": _change,
    "hold": _change,
    "unhold": _change,
    "help": _help,
    "unknown": _unknown,
    "malformed": _malformed,
}
"""What a comment can ask for. A new one: a shape in `core/command.py`, a row in `words/commands.py`, and one here."""
