"""What a delivery says, once its signature is proven: only names, never content."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal


@dataclass(frozen=True, slots=True)
class Event:
    """Look at this. `repository` is the forge's numeric id; `number` is set for `pull`, `sha` for `queue`,
    `installation` where the delivery names the App's installation that sent it. `also`: further pull requests that the
    same delivery is about."""

    kind: Literal["pull", "push", "queue"]
    repository: str
    number: int = 0
    sha: str = ""
    installation: str = field(default="", compare=False)
    also: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Ignored:
    """A genuine delivery that wakes nobody, and why."""

    why: str


@dataclass(frozen=True, slots=True)
class Denied:
    """Not proven to come from the forge, or not readable: `status` is the HTTP answer."""

    status: int
    why: str


Delivery = Event | Ignored | Denied
