"""The whole story, played by itself: open, plan, merge, see it land, change, revert, see it roll back."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TypeVar

from bot.cli.answers import StoryStep
from bot.cli.demo_world import BOT, DEVELOPER, GITOPS, PLATFORM, DemoWorld
from bot.cli.folder import Clone
from bot.cli.verify import law
from bot.core.memory import CURSOR
from bot.core.tree import Oid
from bot.flows.names import CONTEXT

MOST_SECONDS = 60.0
"""For one answer of the bot. What takes longer is broken, and the story says so."""

SERVICE = "loyalty"
FOLDER = f"services/{SERVICE}"
MANIFEST = f"""\
# yaml-language-server: $schema=https://causeway.dev/schemas/platform.schema.json
name: {SERVICE}
owner: shop
type: web
image: ghcr.io/acme/{SERVICE}:1.0.0
needs:
  db: {{type: postgres, size: m}}
  cards: bucket
secrets: [CARD_API_KEY]
environments:
  prod: {{routes: [{{public: true}}]}}
"""

_Seen = TypeVar("_Seen")


class StoryError(Exception):
    """The story did not go as it should; the message says what was waited for."""


@dataclass(frozen=True, slots=True)
class Landed:
    """What one delivery changed in the GitOps repo, by path, and what was said about it."""

    step: StoryStep
    comment: str | None
    files: Mapping[str, bytes]


class Story:
    """Acts on the demo's forge as a developer, and waits as a developer would."""

    def __init__(self, world: DemoWorld) -> None:
        self._forge = world.forge
        self._platform = Clone(world.forge.git_dir(PLATFORM), "")
        self._gitops = Clone(world.forge.git_dir(GITOPS), "")

    def first_delivery(self) -> Landed:
        """What the platform repo held from the start."""
        tip = self._forge.head(PLATFORM)
        first = list(self._forge.world.repository(GITOPS).git.log("main"))[-1]
        before = self._forge.files(GITOPS, first.sha)
        return self._delivered("first delivery", before, tip, None, time.monotonic())

    def edited(self, path: str, changes: Mapping[str, str]) -> str:
        """A platform file with each text replaced; StoryError where one is not in it."""
        text = self._forge.files(PLATFORM)[path].decode()
        for old, new in changes.items():
            if old not in text:
                raise StoryError(f"{path} does not hold {old!r}")
            text = text.replace(old, new)
        return text

    def propose(self, step: str, branch: str, edits: Mapping[str, str], title: str) -> tuple[int, str, StoryStep]:
        """Opens a pull request; the plan comment, once status and comment are there."""
        began = time.monotonic()
        self._forge.commit(PLATFORM, branch, dict(edits), title, DEVELOPER)
        number = self._forge.open_pull(PLATFORM, title, branch, "main", DEVELOPER)
        return number, *self._reviewed(step, number, began)

    def revert(self, step: str, number: int) -> tuple[int, str, StoryStep]:
        """Opens the pull request that takes a merged one back; its plan comment."""
        began = time.monotonic()
        back = self._forge.revert(PLATFORM, number, DEVELOPER)
        return back, *self._reviewed(step, back, began)

    def merge(self, step: str, number: int) -> Landed:
        """Merges; what landed, once the bot has said so on the pull request."""
        began, before = time.monotonic(), self._forge.files(GITOPS)
        sha = self._forge.merge(PLATFORM, number)
        return self._delivered(step, before, sha, number, began)

    def _reviewed(self, step: str, number: int, began: float) -> tuple[str, StoryStep]:
        sha = self._forge.pull(PLATFORM, number).head_sha

        def answered() -> tuple[str, str, str] | None:
            status = self._forge.newest_statuses(PLATFORM, sha).get(CONTEXT)
            comment = self._comment(number)
            done = status is not None and status.state != "pending" and comment is not None
            return (status.state, status.description or "", comment) if done and status and comment else None

        state, status, comment = _wait(f"the plan of pull request {number}", answered)
        seconds = round(time.monotonic() - began, 2)
        if state != "success":
            raise StoryError(f"pull request {number} was not ready: {status}")
        return comment, StoryStep(step, seconds, number, status, None, None, (), (), (), True)

    def _delivered(
        self, step: str, before: Mapping[str, bytes], sha: str | None, number: int | None, began: float
    ) -> Landed:
        def arrived() -> Mapping[str, bytes] | None:
            files = self._forge.files(GITOPS)
            return files if CURSOR in files and json.loads(files[CURSOR])["commit"] == sha else None

        after = _wait(f"the delivery of {str(sha)[:7]}", arrived)
        head = Oid(str(self._forge.head(GITOPS)))

        def told() -> str | None:
            comment = self._comment(number) if number is not None else ""
            return comment if number is None or (comment is not None and head[:7] in comment) else None

        comment = _wait(f"the word on pull request {number} that it was delivered", told)
        seconds = round(time.monotonic() - began, 2)
        verdict = law(self._platform, self._gitops, head)
        made = StoryStep(
            step=step,
            seconds=seconds,
            pull=number,
            status=None,
            gitops_commit=head,
            subject=self._forge.world.repository(GITOPS).git.commit(head).message.partition("\n")[0],
            added=tuple(sorted(after.keys() - before.keys())),
            changed=tuple(sorted(path for path in after.keys() & before.keys() if after[path] != before[path])),
            removed=tuple(sorted(before.keys() - after.keys())),
            law=verdict.cursor is not None and verdict.holds,
        )
        return Landed(made, comment or None, after)

    def _comment(self, number: int) -> str | None:
        bodies = [one.body for one in self._forge.comments(PLATFORM, number) if one.user.login == BOT]
        return bodies[0] if bodies else None


def _wait(what: str, look: Callable[[], _Seen | None]) -> _Seen:
    until = time.monotonic() + MOST_SECONDS
    while True:
        seen = look()
        if seen is not None:
            return seen
        if time.monotonic() > until:
            raise StoryError(f"{what} took longer than {MOST_SECONDS:.0f} seconds")
        time.sleep(0.05)
