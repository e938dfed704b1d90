"""What a measure gives: samples against a goal."""

from __future__ import annotations

import multiprocessing
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from statistics import median
from typing import ParamSpec

from bot.isolated import look_for_rings_rarely

P = ParamSpec("P")


@dataclass(frozen=True, slots=True)
class Row:
    """One measure. `goal` is the most that is allowed, or the least where `more_is_better`; None: only told."""

    name: str
    unit: str
    samples: Sequence[float]
    goal: float | None = None
    more_is_better: bool = False

    @property
    def middle(self) -> float:
        return median(self.samples)

    @property
    def ratio(self) -> float | None:
        """Median to goal; up to 1 the goal is met."""
        if self.goal is None:
            return None
        return self.goal / self.middle if self.more_is_better else self.middle / self.goal

    def plain(self) -> dict[str, object]:
        """For `--json`."""
        return {**asdict(self), "median": self.middle, "ratio": self.ratio}


def table(rows: Sequence[Row]) -> str:
    """All rows as text."""
    head = ("measure", "min", "median", "max", "goal", "ratio")
    lines = [head, *(_line(row) for row in rows)]
    widths = [max(len(line[at]) for line in lines) for at in range(len(head))]
    return "\n".join(
        "  ".join(
            cell.ljust(width) if at == 0 else cell.rjust(width)
            for at, (cell, width) in enumerate(zip(line, widths, strict=True))
        )
        for line in lines
    )


def _line(row: Row) -> tuple[str, ...]:
    goal = "" if row.goal is None else f"{'≥' if row.more_is_better else '≤'} {row.goal:g}"
    ratio = "" if row.ratio is None else f"{row.ratio:.2f}"
    found = (min(row.samples), row.middle, max(row.samples))
    return f"{row.name} ({row.unit})", *(_short(number) for number in found), goal, ratio


def _short(number: float) -> str:
    return f"{number:,.0f}" if number >= 100 else f"{number:.3g}"


def alone(measure: Callable[P, list[Row]], *args: P.args, **kwargs: P.kwargs) -> list[Row]:
    """`measure` in a fresh process that looks for rings as rarely as a worker's child: what others left in memory slows
    the collector down."""
    with multiprocessing.get_context("spawn").Pool(1, initializer=look_for_rings_rarely) as pool:
        return pool.apply(measure, args, kwargs)
