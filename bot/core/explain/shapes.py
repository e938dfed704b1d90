"""What an explanation is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from bot.core.model.values import ObjectKey, Origin, Pointer, Pos, Value


@dataclass(frozen=True, slots=True)
class Spot:
    """A place in a file of the platform repository or of the shipped kit."""

    path: str
    at: Pos


@dataclass(frozen=True, slots=True)
class Explained:
    """One scalar, or one empty list or map, and who gave it.

    `file` is a path in the GitOps repository, or empty where `pointer` is a field of the effective manifest. In a file
    that holds several documents, the pointer begins with the document's index.
    """

    file: ObjectKey
    pointer: Pointer
    value: Value
    origin: Origin
    """The most telling of all that had a say: what a person wrote for this service before what holds by default."""
    also: tuple[Origin, ...] = ()
    """Others that had a say in the value, or in whether it stands there at all."""
    template: Spot | None = None
    """The template's line that puts it there; None for a field."""
    left_out: str = ""
    """The template's condition that does not hold, where the place is left out for it; `value` is then None."""
    fixed: bool = False
    """The template or the kit itself says the value: no line of this platform does."""


@dataclass(frozen=True, slots=True)
class Unknown:
    """Nothing of that name. `near` are names that were probably meant, `there` all there are where those are few."""

    what: Literal["service", "environment", "path"]
    name: str
    near: tuple[str, ...]
    there: tuple[str, ...]


def dotted(pointer: Pointer) -> str:
    """A pointer as people write it: `spec.template.spec.containers.0.image`."""
    return ".".join(str(step) for step in pointer)
