"""What the doctor asks of a forge: a port of its own, since no flow that reviews or delivers needs any of it."""

from __future__ import annotations

from typing import Protocol

from bot.core.model.health import HookSeen, ProtectionSeen, RightsSeen


class Inspects(Protocol):
    """One repository at one forge, examined: reads alone, for the doctor. Each verb raises OutsideWorldError where the
    bot may not see it, or the forge fails."""

    def name(self) -> str:
        """What the repository is called now."""

    def app(self) -> str:
        """Id of the App that the bot is; empty where it is none."""

    def hooks(self) -> tuple[HookSeen, ...]:
        """The webhooks that concern this repository, with what became of their newest deliveries."""

    def rights(self) -> RightsSeen:
        """What the bot may do here, against what a platform repository needs."""

    def protection(self, branch: str) -> ProtectionSeen:
        """How that branch is protected."""

    def skew(self) -> float:
        """Seconds by which our clock is ahead of the forge's, to about a second."""

    def close(self) -> None:
        """Closes its connections."""
