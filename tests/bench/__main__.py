"""`python -m tests.bench`: every measure of speed beside its goal. Ratios to read, not tests to pass."""

from __future__ import annotations

import json
import os
import platform
from collections.abc import Callable, Iterator

import click

from tests.bench import core, judging, world
from tests.bench.rows import Row, alone, table


@click.command()
@click.option(
    "--quick", is_flag=True, help="1,000 services instead of 10,000, and fewer runs: two minutes, not fifteen."
)
@click.option("--json", "as_json", is_flag=True, help="Rows with all their samples, for machines.")
@click.option(
    "--only",
    default="",
    help="Only measures whose name holds this: propose, render, deliver, check, judge, memory, command, world.",
)
def main(quick: bool, as_json: bool, only: str) -> None:
    """Measure the bot against its goals: one row a measure, its least, middle and most, and the middle's ratio to the
    goal; up to 1 the goal is met. What one process computes is measured in processor time, what people wait for in
    wall time. Each measure has a process of its own."""
    rows: list[Row] = []
    for name, measure in _measures(quick):
        if only in name:
            click.echo(f"{name} …", err=True)
            rows += measure()
    if as_json:
        click.echo(json.dumps({"machine": _machine(), "rows": [row.plain() for row in rows]}, indent=2))
    else:
        click.echo(f"{_machine()}\n\n{table(rows)}")


def _measures(quick: bool) -> Iterator[tuple[str, Callable[[], list[Row]]]]:
    size, runs = (1_000, 3) if quick else (10_000, 3)
    for fleet in (100, 1_000) if quick else (100, 1_000, 10_000):
        yield f"propose {fleet:,}", lambda fleet=fleet: alone(core.proposing, fleet, 15)  # type: ignore[misc]
    yield "render", lambda: alone(core.rendering, size, 2 if quick else runs)
    yield "deliver", lambda: alone(core.delivering, size, runs)
    yield "check", lambda: alone(core.checking, size, runs)
    yield "judge", lambda: alone(judging.judging, 500, 1 if quick else runs)
    yield "memory", lambda: alone(core.remembering, size)
    yield "command", lambda: alone(core.command, 100 if quick else 1_000, 1)
    # Not in a pool: the queue dies with the thread that started it, which must be a main one.
    yield "world", lambda: world.measured(5 if quick else 15, 4.0 if quick else 10.0)


def _machine() -> str:
    load = " ".join(f"{number:.1f}" for number in os.getloadavg())
    return f"Python {platform.python_version()}, {os.cpu_count()} processors, load {load} (above the processors: noise)"


if __name__ == "__main__":
    main()
