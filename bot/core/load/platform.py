"""Reading `platform/` whole, or refusing it whole."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import cast

from bot.core.kit import Kit
from bot.core.load.environments import MAIN, by_name, environment, gitops, target
from bot.core.load.judge import cross_checked
from bot.core.load.reading import read
from bot.core.model.platform import Destroy, Environment, Platform, RecipeRule, Target, Team
from bot.core.model.values import Doc, Value
from bot.core.problem import Problem, Refusal
from bot.core.tree import Tree, walk

_Map = Mapping[str, Value]

REQUIRED: Mapping[str, str] = {
    "config": "{platform_team: platform, gitops: {repo: acme/gitops}}",
    "environments": "{environments: {dev: {kind: development, default: true, cluster: {name: eu-dev}}}}",
    "teams": "{teams: {platform: {forge_team: acme/platform}}}",
}
OPTIONAL: Mapping[str, Value] = {"recipes": [], "destroy": [], "holds": {}}


def load_platform(tree: Tree, kit: Kit) -> Platform | Refusal:
    """Every file of `platform/` read, checked, and held against the others and the kit. The refusal carries all
    problems of all files."""
    docs: dict[str, Doc] = {}
    problems: list[Problem] = []
    for name in (*REQUIRED, *OPTIONAL):
        path = f"platform/{name}.yaml"
        found = read(tree, path, kit.schemas[name])
        if isinstance(found, Refusal):
            problems += found.problems
        elif found is not None:
            docs[name] = found
        elif name in REQUIRED:
            problems.append(_missing(path, REQUIRED[name]))
    if problems:
        return Refusal(tuple(sorted(problems)))
    platform = _assembled(docs)
    problems = sorted(cross_checked(platform, kit))
    if problems:
        return Refusal(tuple(problems))
    return replace(platform, policies=_policies(tree)) if platform.config["cluster_policies"] else platform


def _policies(tree: Tree) -> Mapping[str, bytes]:
    root = "platform/policies"
    entry = tree.get(root)
    found = walk(tree, root) if entry is not None and entry.kind == "folder" else ()
    return {path: tree.read(path) for path, one in found if one.kind == "file" and "/cases/" not in path}


def _assembled(docs: Mapping[str, Doc]) -> Platform:
    config = cast(_Map, docs["config"].value)
    raw = cast(Mapping[str, _Map], _top(docs, "environments"))
    recipes = cast(Sequence[_Map], _top(docs, "recipes"))
    destroy = cast(Sequence[_Map], _top(docs, "destroy"))
    own = cast(_Map, config["gitops"])
    targets = {MAIN: target(MAIN, own)}
    environments: dict[str, Environment] = {}
    for name, entry in raw.items():
        environments[name] = environment(name, entry)
        if "gitops" in entry:
            targets[name] = target(name, cast(_Map, entry["gitops"]))
    return Platform(
        config=_config(config, {name: entry for name, entry in raw.items() if "gitops" in entry}),
        environments=environments,
        teams={slug: _team(slug, entry) for slug, entry in cast(Mapping[str, _Map], _top(docs, "teams")).items()},
        recipes=tuple(_rule(index, entry) for index, entry in enumerate(recipes)),
        destroy=tuple(_destroy(index, entry) for index, entry in enumerate(destroy)),
        holds=cast(Mapping[str, _Map], _top(docs, "holds")),
        targets=cast(Mapping[str, Target], targets),
        docs={doc.path: doc for doc in docs.values()},
    )


def _top(docs: Mapping[str, Doc], name: str) -> Value:
    return cast(_Map, docs[name].value)[name] if name in docs else OPTIONAL[name]


def _config(raw: _Map, own: Mapping[str, _Map]) -> _Map:
    """config.yaml in long form; `targets` holds `gitops` of every GitOps target by its name."""
    targets: dict[str, Value] = {MAIN: gitops(cast(_Map, raw["gitops"]))}
    for name, entry in own.items():
        targets[name] = gitops(cast(_Map, entry["gitops"]))
    return {
        "platform_team": raw["platform_team"],
        "gitops": targets[MAIN],
        "targets": targets,
        "mode": raw.get("mode", "enforce"),
        "forks": raw.get("forks", "plan"),
        "cluster_policies": raw.get("cluster_policies", False),
        "kit": raw.get("kit") or {},
    }


def _team(slug: str, raw: _Map) -> Team:
    return Team(
        slug,
        {
            "slug": slug,
            "forge_team": raw["forge_team"],
            "contacts": by_name(raw.get("contacts")),
            "cost_centre": raw.get("cost_centre"),
            "hosts": raw.get("hosts") or [],
            "runbook": raw.get("runbook"),
            **({"budget": str(raw["budget"])} if "budget" in raw else {}),
        },
    )


def _rule(index: int, raw: _Map) -> RecipeRule:
    match = cast(Mapping[str, str], raw.get("match") or {})
    return RecipeRule(index, str(raw["provides"]), match, str(raw["recipe"]), raw)


def _destroy(index: int, raw: _Map) -> Destroy:
    removals = cast(_Map, raw.get("removals") or {})
    return Destroy(
        index=index,
        data=cast("str | None", raw.get("data")),
        action=str(raw.get("action", "")),
        environment=cast("str | None", removals.get("environment")),
        at_most=cast(int, removals.get("at_most", 0)),
        reason=str(raw["reason"]),
        until=str(raw["until"]),
    )


def _missing(path: str, example: str) -> Problem:
    return Problem(
        path, 1, 1, "CW0301", f"`{path}` is missing",
        "without it nothing in this repository can be interpreted", f"write it; the least is `{example}`",
    )  # fmt: skip
