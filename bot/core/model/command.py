"""Commands that people write into comments, once read."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True)
class PlanCommand:
    """Look again; with `sha`, the beginning of a head, let exactly that head of a fork be looked at."""

    sha: str = ""
    kind: Literal["plan"] = "plan"


@dataclass(frozen=True, slots=True)
class ExplainCommand:
    """Who gave a value of a service in an environment."""

    service: str
    environment: str
    path: str = ""
    kind: Literal["explain"] = "explain"


@dataclass(frozen=True, slots=True)
class RollbackCommand:
    """Bring back an earlier version: the newest other one that ran, or that of the platform commit `to` names."""

    service: str
    environment: str = ""
    to: str = ""
    kind: Literal["rollback"] = "rollback"


@dataclass(frozen=True, slots=True)
class WaiveCommand:
    """Let a service pass a policy until a day. An empty `service` is the one that the pull request changes."""

    policy: str
    until: str
    reason: str
    service: str = ""
    kind: Literal["waive"] = "waive"


@dataclass(frozen=True, slots=True)
class HoldCommand:
    """Keep an environment as it is."""

    environment: str
    reason: str
    kind: Literal["hold"] = "hold"


@dataclass(frozen=True, slots=True)
class UnholdCommand:
    """Let an environment change again."""

    environment: str
    kind: Literal["unhold"] = "unhold"


@dataclass(frozen=True, slots=True)
class HelpCommand:
    """Say what there is."""

    kind: Literal["help"] = "help"


@dataclass(frozen=True, slots=True)
class UnknownCommand:
    """`word` is no command of ours."""

    word: str
    kind: Literal["unknown"] = "unknown"


@dataclass(frozen=True, slots=True)
class MalformedCommand:
    """`word` is a command, what follows is not what it takes."""

    word: str
    kind: Literal["malformed"] = "malformed"


Change = RollbackCommand | WaiveCommand | HoldCommand | UnholdCommand
"""Commands that open a pull request."""

Command = PlanCommand | ExplainCommand | Change | HelpCommand | UnknownCommand | MalformedCommand
