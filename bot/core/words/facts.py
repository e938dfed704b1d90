"""A fact's name and value in words a developer uses: `runs` `2 to 4, small`, not replicas and limits.

A value that does not have the expected shape is shown as it is: a plan must be told even where a word is missing.

Adding a fact: a function from value to line, and a row in `FACTS`. Give a third function only where `before → after`
of two whole values would hide what changed.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import NamedTuple

from bot.core.model.plan import Row
from bot.core.model.values import Value
from bot.core.words import phrases
from bot.core.words.amounts import MINUS
from bot.core.words.inline import Line, code, line, own, user

Say = Callable[[Value], Line]
Compare = Callable[[Value, Value], Line]


class Fact(NamedTuple):
    """How one fact is told."""

    label: str
    say: Say
    compare: Compare | None = None


def label(fact: str) -> Line:
    """The row's name: ours where it is known, the variable's or need's own otherwise."""
    known = FACTS.get(fact)
    if known is not None:
        return (own(known.label),)
    prefix, _, name = fact.partition(".")
    if name and prefix in PREFIXES:
        return (code(name, 60),) if prefix != "need" else (user(name, 60),)
    return (user(fact, 60),)


def cell(row: Row, fresh: bool = False) -> Line:
    """What happens to the fact: its value where the service is new (`fresh`), else `before → **after**`."""
    known = _fact(row.fact)
    if row.before is None and row.after is None:
        return phrases.NONE
    if row.before is None:
        return known.say(row.after) if fresh else line("+ ", known.say(row.after))
    if row.after is None:
        return line(f"{MINUS} ", known.say(row.before))
    if known.compare is not None:
        return known.compare(row.before, row.after)
    was, now = known.say(row.before), known.say(row.after)
    if was == now:
        # The words leave out what differs (a timeout of a route): then the values speak.
        was, now = phrases.show(row.before), phrases.show(row.after)
    return phrases.arrow(was, now)


def order(fact: str) -> tuple[int, str]:
    """Sort key: what runs, what it needs, who reaches it, its settings, then the cost."""
    prefix = fact.partition(".")[0]
    known = list(FACTS)
    place = known.index(fact) if fact in FACTS else known.index("uses") if prefix == "need" else len(known)
    return (len(known) + 1 if fact == "cost" else place, fact)


def _fact(name: str) -> Fact:
    return FACTS.get(name) or PREFIXES.get(name.partition(".")[0]) or Fact("", phrases.show)


FACTS: Mapping[str, Fact] = {
    "image": Fact("image", phrases.show),
    "runs": Fact("runs", phrases.runs, phrases.runs_change),
    "size": Fact("size", phrases.size),
    "command": Fact("command", phrases.command),
    "args": Fact("arguments", phrases.command),
    "migrate": Fact("migration", phrases.command),
    "uses": Fact("calls", phrases.uses, phrases.uses_change),
    "reached_by": Fact("reached by", phrases.reached, phrases.reached_change),
    "routes": Fact("address", phrases.routes),
    "scale_at": Fact("scales at", phrases.percent),
    "port": Fact("port", phrases.show),
    "health": Fact("health", phrases.health),
    "metrics": Fact("metrics", phrases.metrics),
    "stop": Fact("stops", phrases.stop),
    "user": Fact("user id", phrases.show),
    "tier": Fact("tier", phrases.show),
    "slo": Fact("promise", phrases.slo),
    "owner": Fact("owner", phrases.name),
    "namespace": Fact("namespace", phrases.show),
    "blueprint": Fact("golden path", phrases.name),
    "folder": Fact("folder", phrases.show),
    "writable": Fact("may write", phrases.show),
    "lifecycle": Fact("lifecycle", phrases.name),
    "system": Fact("system", phrases.name),
    "description": Fact("description", phrases.name),
    "urls": Fact("links", phrases.show),
    "cost": Fact("cost a month", phrases.cost),
}
"""Facts with a fixed name, in the order in which a table shows them."""

PREFIXES: Mapping[str, Fact] = {
    "need": Fact("", phrases.need, phrases.need_change),
    "secret": Fact("", phrases.secret),
    "env": Fact("", phrases.env),
}
"""Facts named `<prefix>.<name>`."""
