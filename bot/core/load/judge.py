"""What the platform's files must say to each other and to the kit."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import cast

from bot.core.cron import parse_cron, zone_of
from bot.core.kit import Kit, Recipe
from bot.core.load.reading import did_you_mean, problem_at
from bot.core.model.platform import Platform, RecipeRule
from bot.core.model.values import Pointer, Value
from bot.core.problem import Problem

_Map = Mapping[str, Value]
_RESERVED_SLUGS = ("root",)
_RESERVED_PREFIXES = ("project-", "_")


def cross_checked(platform: Platform, kit: Kit) -> Iterator[Problem]:
    """All problems that no single file shows."""
    yield from _teams(platform)
    yield from _environments(platform)
    yield from _targets(platform)
    yield from _recipes(platform, kit)
    yield from _names(platform)


def _teams(platform: Platform) -> Iterator[Problem]:
    doc = platform.docs["platform/teams.yaml"]
    for slug in platform.teams:
        if slug in _RESERVED_SLUGS or slug.startswith(_RESERVED_PREFIXES):
            yield problem_at(
                doc, ("teams", slug), "CW0304", f"`{slug}` cannot be a team's slug",
                "files named root and project-… belong to the platform in the GitOps repository",
                "choose another slug", key=True,
            )  # fmt: skip
    if platform.platform_team not in platform.teams:
        yield problem_at(
            platform.docs["platform/config.yaml"], ("platform_team",), "CW0303",
            f"there is no team `{platform.platform_team}`", "somebody must answer for the platform's own files",
            did_you_mean(platform.platform_team, platform.teams, "name a slug of platform/teams.yaml"),
        )  # fmt: skip


def _environments(platform: Platform) -> Iterator[Problem]:
    doc = platform.docs["platform/environments.yaml"]
    clusters: dict[str, list[str]] = {}
    for name, environment in platform.environments.items():
        value = environment.value
        clusters.setdefault(str(cast(_Map, value["cluster"])["name"]), []).append(name)
        rule = str(value["namespace"])
        if "{service}" not in rule and "{team}" not in rule:
            yield problem_at(
                doc, ("environments", name, "namespace"), "CW0305",
                f"the namespace rule `{rule}` names neither `{{service}}` nor `{{team}}`",
                "every service of every team would share one namespace, its quota and its secrets",
                "write `{service}-{env}`, `{service}` or `{team}`",
            )  # fmt: skip
        before = value["promote_from"]
        if before is not None and (before not in platform.environments or before == name):
            others = [other for other in platform.environments if other != name]
            yield problem_at(
                doc, ("environments", name, "promote_from"), "CW0306", f"`{before}` is no other environment",
                "a build is promoted from one environment to the next",
                did_you_mean(str(before), others, "name another environment of this file"),
            )  # fmt: skip
        yield from _freezes(platform, name, cast(Sequence[_Map], value["freeze"]))
        features = cast(_Map, value["features"])
        if features["gateway"] and not value["gateway"]:
            yield problem_at(
                doc, ("environments", name, "features", "gateway"), "CW0311",
                f"`{name}` has the gateway feature but names no gateway", "routes must be attached to one",
                "write `gateway: {internal: {name: internal, namespace: gateways}}`, or turn the feature off",
            )  # fmt: skip
        if features["external_secrets"] and value["secrets"] is None:
            yield problem_at(
                doc, ("environments", name, "features", "external_secrets"), "CW0311",
                f"`{name}` has the external_secrets feature but names no secret store",
                "secrets must be read from one",
                "write `secrets: {store: aws-secretsmanager, region: …}`, or turn the feature off",
            )  # fmt: skip
    for cluster, names in clusters.items():
        for name in names if len(names) > 1 else ():
            rule = str(platform.environments[name].value["namespace"])
            if "{env}" not in rule:
                shared = ", ".join(other for other in names if other != name)
                yield problem_at(
                    doc, ("environments", name, "namespace"), "CW0305",
                    f"`{name}` shares the cluster `{cluster}` with {shared}, but its namespace rule `{rule}` has no "
                    "`{env}`",
                    "one environment's objects would overwrite the other's", "write `{service}-{env}`",
                )  # fmt: skip


def _freezes(platform: Platform, name: str, freezes: Sequence[_Map]) -> Iterator[Problem]:
    doc = platform.docs["platform/environments.yaml"]
    for index, freeze in enumerate(freezes):
        at: Pointer = ("environments", name, "freeze", index)
        cron, zone = parse_cron(str(freeze["cron"])), str(freeze.get("timezone", "UTC"))
        if isinstance(cron, str):
            yield problem_at(
                doc, (*at, "cron"), "CW0331", f"`{freeze['cron']}` is no cron line: {cron}",
                "a freeze that never begins protects nothing",
                "write minute, hour, day of month, month and day of week, such as `0 18 * * 5` for Friday at six",
            )  # fmt: skip
        if zone_of(zone) is None:
            yield problem_at(
                doc, (*at, "timezone"), "CW0331", f"there is no time zone `{zone}`",
                "a freeze that begins at another hour than was meant protects nothing",
                "write a name of the IANA database, such as `Europe/Berlin`",
            )  # fmt: skip


def _targets(platform: Platform) -> Iterator[Problem]:
    seen: dict[tuple[str, str], str] = {}
    for name, target in platform.targets.items():
        holder = seen.setdefault((target.repo.lower(), target.branch), name)
        if holder != name:
            yield problem_at(
                platform.docs["platform/environments.yaml"], ("environments", name, "gitops"), "CW0312",
                f"`{name}` writes to the same repository and branch as `{holder}`",
                "each GitOps target keeps its own record of what was delivered, so they would undo each other",
                "leave `gitops` out to use the main target, or name another branch",
            )  # fmt: skip


def _recipes(platform: Platform, kit: Kit) -> Iterator[Problem]:
    seen: dict[tuple[str, tuple[tuple[str, str], ...]], RecipeRule] = {}
    for rule in platform.recipes:
        doc = platform.docs["platform/recipes.yaml"]
        at: Pointer = ("recipes", rule.index)
        recipe = kit.recipes.get((rule.recipe, kit.recipe_pins.get(rule.recipe, 0)))
        if recipe is None:
            yield problem_at(
                doc, (*at, "recipe"), "CW0307", f"there is no recipe `{rule.recipe}`",
                "every need that it should provide would be refused",
                did_you_mean(rule.recipe, kit.recipe_pins, "name a shipped recipe or a folder of platform/recipes/"),
            )  # fmt: skip
        else:
            for pointer, message, fix in _contradictions(rule, recipe):
                yield problem_at(
                    doc, (*at, *pointer), "CW0309", message, "what recipes.yaml says of a recipe is relied on", fix
                )
        same = seen.setdefault((rule.provides, tuple(sorted(rule.match.items()))), rule)
        if same is not rule:
            line = doc.at(("recipes", same.index)).line
            yield problem_at(
                doc, at, "CW0308",
                f"`{rule.recipe}` and `{same.recipe}` (line {line}) both provide `{rule.provides}` for the same",
                "neither is more specific, so which one a service gets would be chance",
                "add `service`, `environment`, `kind`, `class` or `team` to one `match`, or drop one",
            )  # fmt: skip


def _contradictions(rule: RecipeRule, recipe: Recipe) -> Iterator[tuple[Pointer, str, str]]:
    if rule.provides != recipe.type:
        yield ("provides",), f"`{recipe.name}` provides `{recipe.type}`", f"write `provides: {recipe.type}`"
    wanted = rule.match.get("class")
    if wanted is not None and wanted not in recipe.classes:
        known = ", ".join(f"`{name}`" for name in recipe.classes)
        yield ("match", "class"), f"`{recipe.name}` has no class `{wanted}`", f"its classes are: {known}"
    stateful = rule.value.get("stateful")
    if stateful is not None and stateful != recipe.stateful:
        said = "true" if recipe.stateful else "false"
        yield ("stateful",), f"`{recipe.name}` says `stateful: {said}`", "write the same, or leave it out"
    outputs = cast(_Map, rule.value.get("outputs") or {})
    names = [output.name for output in recipe.outputs]
    for index, key in enumerate(cast(Sequence[str], outputs.get("keys") or ())):
        if key not in names:
            fix = did_you_mean(key, names, "name outputs of the recipe")
            yield ("outputs", "keys", index), f"`{recipe.name}` has no output `{key}`", fix
    places = {output.origin for output in recipe.outputs}
    if "from" in outputs and outputs["from"] not in places:
        known = ", ".join(sorted(places))
        yield ("outputs", "from"), f"`{recipe.name}` puts its outputs elsewhere: {known}", "write that, or leave it out"


def _names(platform: Platform) -> Iterator[Problem]:
    """Names of environments and teams in the other files."""
    environments, teams = platform.environments, platform.teams
    for rule in platform.recipes:
        at: Pointer = ("recipes", rule.index, "match")
        yield from _known(platform, "recipes", (*at, "environment"), rule.match.get("environment"), environments)
        yield from _known(platform, "recipes", (*at, "team"), rule.match.get("team"), teams)
    for entry in platform.destroy:
        if entry.data is not None:
            name = entry.data.partition("/")[0]
            yield from _known(platform, "destroy", ("destroy", entry.index, "data"), name, environments)
        at = ("destroy", entry.index, "removals", "environment")
        yield from _known(platform, "destroy", at, entry.environment, environments)
    for name in platform.holds:
        yield from _known(platform, "holds", ("holds", name), name, environments)


def _known(
    platform: Platform, file: str, at: Pointer, name: str | None, known: Mapping[str, object]
) -> Iterator[Problem]:
    if name is not None and name not in known:
        what = "team" if known is platform.teams else "environment"
        yield problem_at(
            platform.docs[f"platform/{file}.yaml"], at, "CW0303" if what == "team" else "CW0310",
            f"there is no {what} `{name}`", "the entry would never apply, and nobody would notice",
            did_you_mean(name, known, f"name one of platform/{what}s.yaml"), key=file == "holds",
        )  # fmt: skip
