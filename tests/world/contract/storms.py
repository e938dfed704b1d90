"""A forge in bad weather: every write is tried until it is done, by workers that forget everything when one fails."""

from __future__ import annotations

import contextlib
from collections.abc import Callable

from bot.core.model.conversation import Annotation, Remark
from bot.ports import Forge, Opening, OutsideWorldError, Status
from tests.world.contract.faces import CONTEXT, FILE, NAME, TEXT, Face

SHARE = 0.3
ROUNDS = 3
_TRIES = 200

OPENING = Opening("causeway/waive", "main", "Waive", "Because.")
REMARKS = tuple(Remark(FILE, line, f"Write this.\n```suggestion\nline {line}\n```") for line in (1, 4))
ANNOTATIONS = tuple(Annotation(FILE, 1 + n % 4, 1, "failure", "CW0101", f"Problem {n}") for n in range(60))


def digest(round_: int) -> str:
    return f"{round_:016x}"


def through(face: Face, seed: int, *, stale: bool) -> None:
    """Several reviews, each of which writes everything that the bot can write, in the storm of this seed; then one
    more in fair weather."""
    face.sandbox.commit(NAME, OPENING.branch, {"waiver.txt": "1\n"}, "Waive", "ada", base="main")
    said = str(face.sandbox.comment(NAME, face.number, "/waive", "bob").id)
    face.sandbox.storm(seed, SHARE, stale)
    for round_ in range(ROUNDS):
        _review(face, round_, said, stale=stale)
        face.push(TEXT + f"tier: {round_ % 4 + 1}\n")
    face.sandbox.storm(seed, 0)
    face.forge = face.make()
    _review(face, ROUNDS, said, stale=False)


def _review(face: Face, round_: int, said: str, *, stale: bool) -> None:
    status = Status(CONTEXT, ("failure", "success")[round_ % 2], f"Round {round_}")
    head = face.head
    steps: list[Callable[[Forge], object]] = [
        lambda forge: forge.ensure_status(head, status, ANNOTATIONS if status.state == "failure" else ()),
        lambda forge: forge.react(face.number, said, "seen"),
        lambda forge: forge.ensure_comment(face.number, "plan", digest(round_), f"Round {round_}"),
        lambda forge: forge.ensure_comment(face.number, f"command-{said}", digest(0), "Opened it."),
        lambda forge: forge.ensure_remarks(face.number, head, "fix", REMARKS),
        lambda forge: forge.ensure_issue("halt", "Halted", f"Round {round_}"),
        lambda forge: forge.open_pull(OPENING),
    ]
    for step in steps:
        _until_done(face, step)
        if not stale:
            assert len(face.said()) == len(set(face.said())), "no comment twice, at no time"
    if not stale:
        assert face.said() == [f"Round {round_}", "Opened it."]
        assert face.verdicts(head)[-1] == f"{status.state}: Round {round_}"
        assert sorted(face.beside()) == [(FILE, line, "Write this.") for line in (1, 4)]


def _until_done(face: Face, step: Callable[[Forge], object]) -> None:
    for _ in range(_TRIES):
        with contextlib.suppress(OutsideWorldError):
            step(face.forge)
            return
        # The worker that failed is replaced by one that knows nothing.
        face.forge = face.make()
    raise AssertionError(f"not done in {_TRIES} tries")
