"""The message of a GitOps commit: subject, what changed, trailers for people.

Forges act on what stands in a message (mentions, `closes #1`, `[skip ci]`), so values from files lose the signs that
would make one. Names of people and titles never come in.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from bot.core.model.delivery import Step
from bot.core.model.plan import EnvironmentPlan, Plan, ServicePlan
from bot.core.words import facts, what
from bot.core.words.amounts import count, names, places
from bot.core.words.data import TOLD, stakes
from bot.core.words.inline import Line, clip, joined, line, plain, user

TRAILERS: Mapping[str, re.Pattern[str]] = {
    "Platform-Commit": re.compile(r"[0-9a-f]{40}"),
    "Pull-Request": re.compile(r"[1-9][0-9]{0,9}"),
    "Author-Id": re.compile(r"[1-9][0-9]{0,18}"),
    "Kit": re.compile(r"[1-9][0-9]{0,8}"),
}
"""The closed set, in the order in which they are written."""

SUBJECT = 72
BODY = 200
MOST = 30
"""Lines about services; beyond it they are counted."""

_ACTIVE = re.compile(
    r"[@#\[\]!]|(?i:(?<![a-z0-9])gh(?=-[0-9])|://(?=\S*/(?:issues|pull|merge_requests|work_items)/[0-9]))"
)
"""Mentions, `#1`, `!1`, `[skip ci]`, `GH-1`, and the address of an issue or pull request, which closes it as well."""


def commit_message(step: Step) -> str:
    """The whole message, ending in a newline. ValueError for a trailer outside the closed set, or of a wrong form."""
    body = [clip(_calm(words), BODY) for words in _body(step)]
    blocks = [clip(_calm(_subject(step.plan)), SUBJECT), "\n".join(body), "\n".join(_trailers(step.trailers))]
    return "\n\n".join(block for block in blocks if block) + "\n"


def _subject(plan: Plan) -> Line:
    services = [*what.moved(plan), *what.linked(plan)]
    if not services:
        return line("Deliver the platform's own output" if plan.platform else "Advance to the platform's commit")
    where = places(what.environments(services))
    who = names([s.name for s in services]) if len(services) <= 3 else line(count(len(services), "service"))
    if all(service.action == "removed" for service in services):
        return line("Remove ", who, " from ", where)
    return line("Deliver ", who, " to ", where)


def _body(step: Step) -> list[Line]:
    services = [service for service in step.plan.services if service.action != "refused"]
    lines = [_service(service) for service in services[:MOST]]
    if len(services) > MOST:
        lines.append(line(f"and {count(len(services) - MOST, 'more service')}"))
    lines += [line("platform: ", user(change.what, 150)) for change in step.plan.platform[:MOST]]
    lines += [
        line("data: ", user(found.path, 120), f" {found.data.action}") for found in stakes(step.plan, *TOLD)[:MOST]
    ]
    lines += [line("found: ", user(problem.path, 80), f" {problem.code[:6]}") for problem in step.problems[:MOST]]
    return lines


def _service(service: ServicePlan) -> Line:
    """`checkout: image 1.4.2 -> 1.5.0 (prod); runs 2-4 -> 4-20 (prod)`."""
    told = [found for plan in service.environments for found in _rows(plan)]
    same: dict[str, tuple[Line, list[str]]] = {}
    for words, environment in told:
        same.setdefault(repr(words), (words, []))[1].append(environment)
    parts = [line(words, " (", places(where), ")") for words, where in list(same.values())[:12]]
    return line(user(service.name, 60), ": ", joined(parts, "; ") if parts else line(service.action))


def _rows(plan: EnvironmentPlan) -> list[tuple[Line, str]]:
    if plan.action != "changed":
        return [(line({"linked": "touched", "waiting": "waits"}.get(plan.action, plan.action)), plan.environment)]
    rows = sorted((row for row in plan.rows if row.before != row.after), key=lambda row: facts.order(row.fact))
    return [(line(facts.label(row.fact), " ", facts.cell(row)), plan.environment) for row in rows]


def _calm(words: Line) -> str:
    """One line of plain characters that no forge acts on."""
    flat = " ".join(plain(words).split())
    for sign, ascii_sign in (
        ("→", "->"),
        ("\N{EN DASH}", "-"),
        ("\N{MINUS SIGN}", "-"),
        ("\N{MULTIPLICATION SIGN}", "x"),
        ("≈", "about"),
    ):
        flat = flat.replace(sign, ascii_sign)
    return _ACTIVE.sub("_", flat)


def _trailers(given: Sequence[tuple[str, str]]) -> list[str]:
    found = dict(given)
    if len(found) != len(given):
        raise ValueError("a trailer is given twice")
    for name, value in given:
        form = TRAILERS.get(name)
        if form is None or not form.fullmatch(value):
            raise ValueError(f"no such trailer: {name!r} {value!r}")
    if "Platform-Commit" not in found:
        raise ValueError("a commit says which platform commit it renders")
    return [f"{name}: {found[name]}" for name in TRAILERS if name in found]
