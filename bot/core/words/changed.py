"""How two plans of one change differ: what other merges made of it between two looks.

Only what the change does is compared. Problems are told where they stand, and lines of files move by themselves.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import fields, is_dataclass
from functools import cache
from hashlib import sha256
from typing import Any

from bot.core.model.plan import EnvironmentPlan, Plan, PlatformChange, Row, ServicePlan
from bot.core.words import facts
from bot.core.words.inline import Line, line, plain

MOST = 12
"""Sentences; whoever must know the rest reads the plan itself."""
_LENGTH = 16
_MOVES = frozenset({"origin", "problems", "waivers", "fleet", "mode", "cause"})
_LOSES = {"replace": "replaced", "destroy": "destroyed", "drain": "taken down", "forget": "forgotten", "prune": "lost"}


def plan_digest(plan: Plan) -> str:
    """Sixteen hexadecimal digits of all that the plan does, origins left out."""
    whole = json.dumps(_still(plan), sort_keys=True, default=str, ensure_ascii=True)
    return sha256(whole.encode()).hexdigest()[:_LENGTH]


def differences(then: Plan, now: Plan) -> tuple[str, ...]:
    """One sentence a difference, in prose with backticks around names; never empty where the digests differ."""
    found = [*_services(then, now), *_platform(then, now)]
    if not found:
        return ("What is written differs in details",)
    more = len(found) - MOST
    return (*found[:MOST], f"And {more:,} more differences") if more > 0 else tuple(found)


def _still(value: Any) -> Any:
    kind: Any = type(value)
    if kind is str or kind is int or kind is bool or value is None:
        return value
    if kind is tuple or kind is list:
        return [_still(one) for one in value]
    names = _names(kind)
    if names:
        return [_still(getattr(value, name)) for name in names]
    if isinstance(value, Mapping):
        return {str(key): _still(one) for key, one in value.items()}
    return value


@cache
def _names(kind: type) -> tuple[str, ...]:
    """What of a dataclass is compared; empty for any other type. A plan of a whole fleet holds a million values."""
    return tuple(one.name for one in fields(kind) if one.name not in _MOVES) if is_dataclass(kind) else ()


def _services(then: Plan, now: Plan) -> Iterator[str]:
    was, now_ = ({one.folder: one for one in plan.services} for plan in (then, now))
    for folder in sorted({*was, *now_}):
        before, after = was.get(folder), now_.get(folder)
        if after is None:
            yield f"{_named(before.name if before is not None else folder)} is not touched any more"
            continue
        name = _named(after.name)
        if before is None:
            yield f"{name} is touched now, too"
            continue
        if (before.action == "refused") != (after.action == "refused"):
            yield f"{name} is refused now" if after.action == "refused" else f"{name} is not refused any more"
        yield from _environments(name, before, after)


def _environments(name: str, before: ServicePlan, after: ServicePlan) -> Iterator[str]:
    was, now = ({one.environment: one for one in plan.environments} for plan in (before, after))
    said: dict[str, list[str]] = {}
    for place in [*was, *(other for other in now if other not in was)]:
        for words in _environment(was.get(place), now.get(place)):
            said.setdefault(words, []).append(place)
    for words, places in said.items():
        yield f"{name} in {', '.join(map(_named, places))}{words}"


def _environment(before: EnvironmentPlan | None, after: EnvironmentPlan | None) -> Iterator[str]:
    if before is None or after is None:
        yield " changes now, too" if before is None else " does not change any more"
        return
    told = [*_rows(before, after), *_data(before, after), *_heavy(before, after)]
    yield from told
    if not told and _still(before) != _still(after):
        yield ": other files, or other lines of them, are written than before"


def _rows(before: EnvironmentPlan, after: EnvironmentPlan) -> Iterator[str]:
    was, now = ({row.fact: row for row in plan.rows} for plan in (before, after))
    for fact in sorted({*was, *now}, key=facts.order):
        old, new = was.get(fact), now.get(fact)
        if (old and (old.before, old.after)) != (new and (new.before, new.after)):
            words = line(", ", facts.label(fact), ": was ", _cell(old), ", is now ", _cell(new))
            yield plain(words, ticks=True)


def _cell(row: Row | None) -> Line:
    return facts.cell(row) if row is not None and row.before != row.after else line("no change")


def _data(before: EnvironmentPlan, after: EnvironmentPlan) -> Iterator[str]:
    was, now = ({one.need: one.action for one in plan.data} for plan in (before, after))
    for need in sorted({*was, *now}):
        if was.get(need) == now.get(need):
            continue
        fate = _LOSES.get(now.get(need, ""))
        yield f": {_named(need)} {f'would now be {fate}' if fate else 'has another fate than before'}"


def _heavy(before: EnvironmentPlan, after: EnvironmentPlan) -> Iterator[str]:
    if before.restarts != after.restarts:
        yield " restarts now" if after.restarts else " does not restart any more"
    if before.downtime != after.downtime:
        yield " is down for a while now" if after.downtime else " stays up now"
    for host in after.newly_public:
        if host not in before.newly_public:
            yield f" becomes public now at {_named(host)}"


def _platform(then: Plan, now: Plan) -> Iterator[str]:
    was, now_ = ({one.path: one for one in plan.platform} for plan in (then, now))
    for path in sorted({*was, *now_}):
        if _effect(was.get(path)) != _effect(now_.get(path)):
            yield f"{_named(path)} has another effect than before"


def _effect(change: PlatformChange | None) -> Any:
    return None if change is None else _still(change)


def _named(words: str) -> str:
    """As code in prose, which it must not end."""
    return "`" + words.replace("`", "'") + "`"
