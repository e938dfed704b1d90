"""The folded details: per service and environment each change with the line that causes it, then the diff."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from bot.core.model.plan import EnvironmentPlan, ObjectChange, PlatformChange, Row, ServicePlan, ValueChange
from bot.core.model.values import Origin, Pointer
from bot.core.words import blocks, facts, phrases
from bot.core.words.amounts import TIMES, names
from bot.core.words.groups import Group
from bot.core.words.inline import Line, bold, code, joined, line, own, user
from bot.core.words.ladder import Part, Rung
from bot.core.words.links import origin_link

ACTIONS: Mapping[str, str] = {"create": "created", "change": "changed", "delete": "deleted", "keep": "kept"}
VALUES = 60
"""Changed values of one object that are told; the diff has the rest."""


def details(group: Group, blob_url: str, diffs: Mapping[str, str]) -> list[Part]:
    """One fold an environment, on the rungs above the table."""
    return [
        _part(group, at, blob_url, diffs)
        for at, plan in enumerate(group.shown.environments)
        if plan.objects or (group.shown.action != "refused" and any(row.origin for row in plan.rows))
    ]


def platform(change: PlatformChange, diffs: Mapping[str, str]) -> Part:
    """The fold of one platform file's effect."""
    summary = line("Platform, ", user(change.path, 120), ": ", _numbers(change.objects))
    changed = _objects(change.objects, "")
    return Part(
        {
            Rung.CHANGES: lambda: blocks.fold(summary, changed),
            Rung.DIFFS: lambda: blocks.fold(summary, changed, *_diffs(change.objects, diffs)),
        }
    )


def _part(group: Group, at: int, blob_url: str, diffs: Mapping[str, str]) -> Part:
    plan, first = group.shown.environments[at], group.services[0].environments[at]
    same = line(" ", own(f"(the same for {len(group.services):,})")) if len(group.services) > 1 else ()
    who = names(group.names, 3)
    summary = line(who, " in ", user(plan.environment, 60), ": ", _numbers(plan.objects), same)

    def counts() -> str:
        return blocks.fold(summary, blocks.bullets(_kinds(plan.objects)))

    def changes() -> str:
        return blocks.fold(summary, *_told(group, at, blob_url))

    def everything() -> str:
        example = line("The diff of ", code(group.names[0], 60), ":") if same else ()
        shown = _diffs(first.objects, diffs)
        head = [blocks.paragraph(example)] if example and shown else []
        return blocks.fold(summary, *_told(group, at, blob_url), *head, *shown)

    return Part({Rung.COUNTS: counts, Rung.CHANGES: changes, Rung.DIFFS: everything})


def _numbers(objects: Sequence[ObjectChange]) -> Line:
    numbers = {word: sum(found.action == action for found in objects) for action, word in ACTIONS.items()}
    return blocks.counts(numbers) if any(numbers.values()) else (own("no file changes"),)


def _kinds(objects: Sequence[ObjectChange]) -> list[Line]:
    lines: list[Line] = []
    for action, word in ACTIONS.items():
        kinds: dict[str, int] = {}
        for found in objects:
            if found.action == action:
                kinds[found.kind] = kinds.get(found.kind, 0) + 1
        shown = [
            line(f"{number} {TIMES} " if number > 1 else "", user(kind, 60))
            for kind, number in list(kinds.items())[:20]
        ]
        if shown:
            lines.append(line(f"{word}: ", joined(shown)))
    return lines


def _told(group: Group, at: int, blob_url: str) -> tuple[str, ...]:
    causes = _causes(group, at, blob_url)
    objects = _objects(group.shown.environments[at].objects, blob_url, group.shown.name)
    label = blocks.paragraph(bold("What is written:")) if causes and objects else ""
    return (causes, label, objects)


def _causes(group: Group, at: int, blob_url: str) -> str:
    """The facts, each with the line of the file that says it."""
    plan = group.shown.environments[at]
    if plan.action == "removed":
        return ""
    rows = [row for row in plan.rows if row.before != row.after]
    rows.sort(key=lambda row: facts.order(row.fact))
    return blocks.bullets([_cause(group, at, row, plan.action == "new", blob_url) for row in rows])


def _cause(group: Group, at: int, row: Row, fresh: bool, blob_url: str) -> Line:
    places = [
        line(origin_link(origin, blob_url, service.name if len(group.services) > 1 else ""))
        for service in group.services[:10]
        for origin in _origins(service, at, row.fact)
    ]
    more = f" and {len(group.services) - 10:,} more" if len(group.services) > 10 and places else ""
    reason = line(" (", user(row.origin.reason, 160), ")") if row.origin is not None and row.origin.reason else ()
    return line(
        facts.label(row.fact), ": ", facts.cell(row, fresh), reason, " · " if places else "", joined(places), more
    )


def _origins(service: ServicePlan, at: int, fact: str) -> list[Origin]:
    plan: EnvironmentPlan = service.environments[at]
    return [row.origin for row in plan.rows if row.fact == fact and row.origin is not None][:1]


def _object(found: ObjectChange, service: str) -> Line:
    """Kind and name; most are named like their service, and then the kind is enough."""
    return line(user(found.kind, 60), *(() if found.name == service else (" ", code(found.name, 80))))


def _objects(objects: Sequence[ObjectChange], blob_url: str, service: str = "") -> str:
    """Changed objects with their values, then what comes and goes by name."""
    lines: list[str] = []
    for found in objects:
        if found.action == "change":
            lines.append(blocks.bullets([line("changed: ", _object(found, service))]))
            lines.extend("  " + blocks.bullets([_value(change, blob_url)]) for change in found.changes[:VALUES])
            if len(found.changes) > VALUES:
                lines.append("  " + blocks.bullets([(own(f"and {len(found.changes) - VALUES:,} more values"),)]))
    for action in ("create", "delete", "keep"):
        told = [_object(found, service) for found in objects if found.action == action]
        if told:
            more = f" and {len(told) - 60:,} more" if len(told) > 60 else ""
            lines.append(blocks.bullets([line(f"{ACTIONS[action]}: ", joined(told[:60]), more)]))
    return "\n".join(lines)


def _value(change: ValueChange, blob_url: str) -> Line:
    place = line(" · ", origin_link(change.origin, blob_url)) if change.origin is not None else ()
    if change.before is None:
        moved = line("+ ", phrases.show(change.after))
    elif change.after is None:
        moved = line(phrases.show(change.before), " is taken out")
    else:
        moved = phrases.arrow(phrases.show(change.before), phrases.show(change.after))
    return line(code(_dotted(change.pointer), 160), ": ", moved, place)


def _dotted(pointer: Pointer) -> str:
    """`spec.containers[0].image`."""
    return (
        "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in pointer).removeprefix(".")
        or "all of it"
    )


def _diffs(objects: Sequence[ObjectChange], diffs: Mapping[str, str]) -> list[str]:
    return [blocks.diff(diffs[found.path]) for found in objects if diffs.get(found.path)]
