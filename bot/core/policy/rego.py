"""Policies in Rego: what is read of their sources here, what OPA is asked, and what its answer means.

The shape is conftest's: files in `package main` with sets `deny` and `warn` of texts, or of objects with a text `msg`;
`input` is the object itself. Files in other packages are what those share.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal

from bot.core.policy.asking import requests_of
from bot.core.policy.model import Case, Engine, Place, PolicySet, Verdict
from bot.core.problem import Problem, Refusal

UNNAMED: Final = "rego"
"""Policy of a verdict that comes of several files together, so that none of them answers for it."""
_COPIES: Final = "causeway.judges"
_PACKAGE: Final = re.compile(r"^[ \t]*package[ \t]+([^\s#]+)", re.MULTILINE)
_RULE: Final = re.compile(r"^(?:default[ \t]+)?((?:deny|warn|violation)\w*)\b", re.MULTILINE)
_MEANT: Final = frozenset(["deny", "warn"])
_MOST_SAID: Final = 5 * 1024

Rule = Literal["deny", "warn"]


@dataclass(frozen=True, slots=True)
class Rego:
    """A file that judges. `name` is what waivers and findings call it: the file's own, without its end."""

    name: str
    path: str
    rules: Mapping[Rule, int]
    """Rule -> the line of its first clause."""


@dataclass(frozen=True, slots=True)
class Item:
    """One object that OPA is asked about."""

    case: str
    value: Any


def judged_by(policies: PolicySet | Refusal, engine: Engine) -> PolicySet | Refusal:
    """The policies, or why `engine` cannot work out those of them that are written in Rego. One that can has a method
    `rego_problems`; every other lacks the command."""
    if isinstance(policies, Refusal) or not policies.rego:
        return policies
    look: Callable[[PolicySet], tuple[Problem, ...]] = getattr(engine, "rego_problems", without_opa)
    found = look(policies)
    return Refusal(found) if found else policies


def without_opa(policies: PolicySet) -> tuple[Problem, ...]:
    """A problem for each file, where there is no OPA."""
    return tuple(
        Problem(
            path, 1, 1, "CW0740", "no `opa` command is configured, and this policy is written in Rego",
            "a policy that nobody works out guards nothing, so everything is refused",
            "whoever operates the bot installs OPA (https://www.openpolicyagent.org/docs/#running-opa) and sets `opa` "
            "to its path, in a terminal `CAUSEWAY_OPA`; or write the policy as a ValidatingAdmissionPolicy",
        )
        for path in policies.rego
    )  # fmt: skip


def read(policies: PolicySet) -> tuple[tuple[Rego, ...], tuple[Problem, ...]]:
    """The files that judge, by path, and what is wrong with how they are written."""
    found: list[Rego] = []
    problems: list[Problem] = []
    for path, data in policies.rego.items():
        text = data.decode(errors="replace")
        head = _PACKAGE.search(text)
        package = head[1] if head is not None else ""
        rules = {one[1]: text.count("\n", 0, one.start()) + 1 for one in reversed(list(_RULE.finditer(text)))}
        problems.extend(_wrong(path, package, rules))
        if package == "main" and not _is_test(path):
            name = path.rpartition("/")[2].removesuffix(".rego")
            found.append(Rego(name, path, {rule: rules[rule] for rule in ("deny", "warn") if rule in rules}))
    names = [*(one.name for one in found), *(policy.name for policy in policies.policies)]
    problems.extend(_twice(one) for one in found if names.count(one.name) > 1)
    return tuple(found), tuple(sorted(problems))


def _is_test(path: str) -> bool:
    return path.endswith("_test.rego")


def _wrong(path: str, package: str, rules: Mapping[str, int]) -> Iterator[Problem]:
    def problem(line: int, message: str, fix: str) -> Problem:
        return Problem(path, line, 1, "CW0741", message, "it would judge nothing, and nobody would notice", fix)

    if package.startswith(("causeway", "system")) or not package:
        yield problem(1, f"package `{package[:60]}` is not for policies", "write `package main`")
    elif package == "main" and not _is_test(path):
        for rule, line in rules.items():
            if rule not in _MEANT:
                yield problem(line, f"nobody asks for `{rule}`", "call it `deny` or `warn`")
        if not _MEANT & rules.keys():
            fix = "add `deny contains msg if { … }`; what several files share stands in a package of its own"
            yield problem(1, "there is no rule `deny` or `warn`", fix)
    elif rules:
        rule, line = next(iter(rules.items()))
        yield problem(line, f"nobody asks for `{rule}` of this file", "put it into a file in `package main`")


def _twice(one: Rego) -> Problem:
    return Problem(
        one.path, 1, 1, "CW0717", f"`{one.name}` stands twice: another policy has that name",
        "which of the two is waived would be chance", "choose another name for the file",
    )  # fmt: skip


def sources(policies: PolicySet, rules: Sequence[Rego]) -> Mapping[str, tuple[str, bytes]]:
    """Name of a file for OPA -> the path that it has here, and its content. Each file that judges is there twice: as it
    is, and in a package of its own, which tells what it says from what the others say."""
    found = {
        f"{at}.rego": (path, data) for at, (path, data) in enumerate(policies.rego.items()) if not _is_test(path)
    }  # fmt: skip
    for at, one in enumerate(rules):
        text = policies.rego[one.path].decode(errors="replace")
        head = _PACKAGE.search(text)
        assert head is not None  # noqa: S101  `read` saw it
        own = f"{text[: head.start(1)]}{_COPIES}.p{at}{text[head.end(1) :]}"
        found[f"own-{at}.rego"] = (one.path, own.encode())
    return found


def query(rules: Sequence[Rego]) -> str:
    """For each case its number and every rule's type and value: first those of all files together, then of each."""
    places = [f"data.main.{rule}" for rule in _together(rules)]
    places += [f"data.{_COPIES}.p{at}.{rule}" for at, one in enumerate(rules) for rule in one.rules]
    steps = "; ".join(f"v{at} := {place} with input as c" for at, place in enumerate(places))
    return f"[[i, [{', '.join(f'[type_name(v{at}), v{at}]' for at in range(len(places)))}]] | " \
           f"some i; c := input.cases[i]; {steps}]"  # fmt: skip


def _together(rules: Sequence[Rego]) -> list[Rule]:
    names: tuple[Rule, ...] = ("deny", "warn")
    return [rule for rule in names if any(rule in one.rules for one in rules)]


def items_of(cases: Sequence[Case]) -> list[Item]:
    """What OPA sees of the cases: every object, and the pod that it makes; not what goes away, as with conftest."""
    return [
        Item(case.key, request.object)
        for case in cases for request in requests_of(case) if request.object is not None
    ]  # fmt: skip


def question(items: Sequence[Item]) -> bytes:
    """The input."""
    return json.dumps({"cases": [one.value for one in items]}, default=dict).encode()


def verdicts_of(rules: Sequence[Rego], item: Item, answer: object) -> Iterator[Verdict]:
    """What one item of OPA's answer means. `answer` is None where the item is not in it: a rule was undefined."""
    together = _together(rules)
    named = [(one, rule) for one in rules for rule in one.rules]
    if not isinstance(answer, list) or len(answer) != len(together) + len(named):
        yield unanswered(rules, item, "a rule is undefined for this object")
        return
    said: dict[Rule, set[str]] = {"deny": set(), "warn": set()}
    for (one, rule), value in zip(named, answer[len(together) :], strict=True):
        for verdict, key in _of_rule(one.name, Place(one.path, one.rules[rule], 1), rule, item, value):
            said[rule].add(key)
            yield verdict
    for rule, value in zip(together, answer, strict=False):
        for verdict, key in _of_rule(UNNAMED, Place(rules[0].path, 1, 1), rule, item, value):
            if key not in said[rule]:
                yield verdict


def unanswered(rules: Sequence[Rego], item: Item, why: str) -> Verdict:
    """The refusal of an item about which OPA says nothing."""
    first = rules[0]
    place = Place(first.path, min(first.rules.values(), default=1), 1)
    name = first.name if len(rules) == 1 else UNNAMED
    message = f"OPA cannot judge it: {why}"[:_MOST_SAID]
    return Verdict(name, "", "case", "deny", message, place, item.case, "error")


def _of_rule(name: str, place: Place, rule: Rule, item: Item, value: Any) -> Iterator[tuple[Verdict, str]]:
    kind, found = value if isinstance(value, list) and len(value) == 2 else ("nothing", None)
    if kind != "set" or not isinstance(found, list):
        message = f"`{rule}` is a {kind}, not a set: write `{rule} contains msg if …`"
        yield Verdict(name, "", rule, "deny", message, place, item.case, "error"), json.dumps(value)
        return
    for one in found:
        text = one.get("msg") if isinstance(one, dict) else one
        key = json.dumps(one, sort_keys=True)
        if isinstance(text, str) and "\0" not in text:
            part = f"{rule}-{hashlib.sha256(text.encode(errors='replace')).hexdigest()[:8]}"
            said = " ".join(text.split())[:_MOST_SAID] or "no reason given"
            yield Verdict(name, "", part, rule, said, place, item.case, "violation"), key
        else:
            message = f"`{rule}` holds what is neither a text nor an object with a text `msg`"
            yield Verdict(name, "", rule, "deny", message, place, item.case, "error"), key


def allowed(capabilities: Any) -> Any:
    """OPA's own list of what it can do, without what reaches outside or gives another answer each time."""
    builtins = [one for one in capabilities["builtins"] if not _forbidden(one)]
    return {**capabilities, "builtins": builtins, "allow_net": []}


def _forbidden(builtin: Mapping[str, Any]) -> bool:
    name = str(builtin["name"])
    reaches = name in ("http.send", "opa.runtime") or name.startswith(("net.lookup", "rand.", "uuid.", "time.now"))
    return reaches or builtin.get("nondeterministic") is True
