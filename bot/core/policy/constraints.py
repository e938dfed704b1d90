"""From `matchConstraints` and `matchResources` as they are written to a `Match`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import cast

from bot.core.model.values import Doc, Pointer, Value
from bot.core.policy.kinds import KINDS
from bot.core.policy.model import Match, Requirement, ResourceRule, Selector
from bot.core.problem import Problem

_Map = Mapping[str, Value]


def match_of(doc: Doc, at: Pointer, written: _Map, problems: list[Problem]) -> Match:
    """The match at `at`, which has the right shape; what a review cannot hold to is added to `problems`."""
    exact = written.get("matchPolicy") == "Exact"
    rules: dict[str, tuple[ResourceRule, ...]] = {}
    for name in ("resourceRules", "excludeResourceRules"):
        items = cast("list[_Map]", written.get(name) or [])
        rules[name] = tuple(
            _rule(doc, (*at, name, index), item, exact, problems) for index, item in enumerate(items)
        )  # fmt: skip
    return Match(
        rules["resourceRules"], rules["excludeResourceRules"],
        selector_of(cast("_Map | None", written.get("namespaceSelector"))),
        selector_of(cast("_Map | None", written.get("objectSelector"))),
    )  # fmt: skip


def selector_of(written: _Map | None) -> Selector:
    """A label selector; an absent one and an empty one select everything."""
    found = [
        Requirement(key, "In", (str(value),))
        for key, value in cast("_Map", (written or {}).get("matchLabels") or {}).items()
    ]
    for item in cast("list[_Map]", (written or {}).get("matchExpressions") or []):
        values = tuple(map(str, cast("list[str]", item.get("values") or [])))
        found.append(Requirement(str(item["key"]), str(item["operator"]), values))
    return tuple(sorted(found, key=lambda one: (one.key, one.operator, one.values)))


def _rule(doc: Doc, at: Pointer, written: _Map, exact: bool, problems: list[Problem]) -> ResourceRule:
    def words(name: str) -> frozenset[str]:
        return frozenset(map(str, cast("list[str]", written.get(name) or [])))

    resources = set()
    for index, resource in enumerate(cast("list[str]", written["resources"])):
        plain, slash, inner = resource.partition("/")
        if slash and inner != "*":
            _say(
                doc, (*at, "resources", index), problems, f"`{resource}` is a subresource",
                "a review sees objects as they are applied; requests to a subresource come later and from elsewhere",
                f"keep such a policy in the cluster alone, or name `{plain}`" if plain else "name the resource",
            )  # fmt: skip
        resources.add(plain)
    rule = ResourceRule(
        words("apiGroups"), words("apiVersions"), frozenset(resources), words("operations"), words("resourceNames"),
        str(written.get("scope") or "*"),
    )  # fmt: skip
    if not exact:
        _converted(doc, at, rule, problems)
    return rule


def _converted(doc: Doc, at: Pointer, rule: ResourceRule, problems: list[Problem]) -> None:
    """A rule that names another served version than ours matches too in a cluster, which converts the object."""
    for (group, _), kind in KINDS.items():
        named = rule.groups & {group, "*"} and rule.resources & {kind.plural, "*"}
        if named and not rule.versions & {kind.versions[0], "*"} and rule.versions & set(kind.versions):
            other = ", ".join(f"`{version}`" for version in sorted(rule.versions & set(kind.versions)))
            problems.append(
                Problem(
                    doc.path, *_pos(doc, (*at, "apiVersions")), "CW0724",
                    f"`{kind.plural}` are written as `{kind.versions[0]}`, and this rule names only {other}",
                    "a cluster would convert the object before it judges; a review does not convert",
                    f"add `{kind.versions[0]}` to `apiVersions`, or say `matchPolicy: Exact`",
                )
            )  # fmt: skip


def _say(doc: Doc, at: Pointer, problems: list[Problem], message: str, why: str, fix: str) -> None:
    problems.append(Problem(doc.path, *_pos(doc, at), "CW0715", message, why, fix))


def _pos(doc: Doc, at: Pointer) -> tuple[int, int]:
    place = doc.at(at)
    return place.line, place.column
