"""What goes wrong while an expression runs, and what a run may cost."""

from __future__ import annotations

from typing import Final

MOST_COST: Final = 1_000_000
"""The limit of one evaluation. The cluster's is the same number in the same kind of unit: about one for each step of
the expression, and a tenth for each character of text that a step reads."""


class Failure(Exception):  # noqa: N818  CEL calls it an error, but it is a value there: `false && error` is false.
    """An error of CEL. `node` is the number of the part that failed, where it is known."""

    def __init__(self, message: str, node: int = 0) -> None:
        super().__init__(message)
        self.message = message
        self.node = node


class ExhaustedError(Exception):
    """The evaluation costs more than it may. Nothing inside the expression can absorb this."""


class Meter:
    """Counts what an evaluation costs; one for each."""

    __slots__ = ("left",)

    def __init__(self, most: int = MOST_COST) -> None:
        self.left = most

    def spend(self, cost: int) -> None:
        """ExhaustedError once more is spent than there was."""
        self.left -= cost
        if self.left < 0:
            raise ExhaustedError


def no_overload() -> Failure:
    """What the cluster says where no function takes these kinds of values."""
    return Failure("no such overload")
