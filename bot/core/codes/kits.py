"""Room 02: the kit pin, blueprints, recipes and their templates."""

from __future__ import annotations

from collections.abc import Mapping

from bot.core.codes.entry import CHECKOUT, Entry, Files

_CONFIG = "platform/config.yaml"
_HEAD = "platform_team: platform\ngitops: {repo: acme/gitops}\n"
_RECIPE = "platform/recipes/shared-bucket/v1"
_ABOUT = {
    f"{_RECIPE}/recipe.yaml": "title: Shared bucket\ndescription: A folder of the team's bucket.\ntype: bucket\n"
    "form: kubernetes\nstateful: false\nsizes: []\noutputs:\n  name: {from: value, value: shared}\n"
}


def _template(text: str) -> Files:
    return {f"{_RECIPE}/templates/claim.yaml": text, **_ABOUT}


def _option(schema: str) -> Files:
    about = _ABOUT[f"{_RECIPE}/recipe.yaml"] + f"options:\n  rooms: {schema}\n"
    return {**_template(_CLAIM), f"{_RECIPE}/recipe.yaml": about}


def _used(text: str) -> Files:
    rule = "- {provides: bucket, match: {}, recipe: shared-bucket}\n"
    return {**_template(text), "platform/recipes.yaml": f"recipes:\n{rule}", CHECKOUT: "needs: {uploads: bucket}\n"}


_CLAIM = (
    "apiVersion: v1\nkind: ConfigMap\n"
    'metadata: {name: "{{ service.name }}-{{ need.name }}", namespace: "{{ place }}"}\n'
)
_WEB = "platform/blueprints/workloads/web/v2"
_TITLE = "title: Web service\ndescription: Ours.\ndefaults:\n"
_MOST = (
    "- set: {tier: 3, port: 8080, size: s, user: 10001, health: {ready: null, live: null, start: null},\n"
    "         stop: {grace: 45, drain: 10}, scale: {min: 1, max: 1, cpu: 70}}\n  reason: what holds for all\n"
)
_SIZES = "".join(
    f"- when: {{size: {name}}}\n  set: {{size: {{cpu: {cpu}m, memory: {memory}Mi}}}}\n  reason: size {name}\n"
    for name, cpu, memory in (("s", 100, 256), ("m", 250, 512), ("l", 500, 1024), ("xl", 1000, 2048))
)

ENTRIES: Mapping[str, Entry] = {
    "CW0201": Entry(
        "the kit pin names a version that does not exist",
        "`kit` in `platform/config.yaml` names a renderer, blueprint or recipe that is neither shipped nor in "
        "`platform/`.",
        "Without it nothing can be rendered the way it was.",
        {_CONFIG: _HEAD + "kit: {blueprints: {web: 99}}\n"},
        {_CONFIG: _HEAD + "kit: {blueprints: {web: 1}}\n"},
    ),
    "CW0202": Entry(
        "a blueprint or recipe without its main file",
        "A folder of a blueprint has no `blueprint.yaml`, or one of a recipe no `recipe.yaml`.",
        "That file says what the folder is and which defaults hold.",
        {f"{_RECIPE}/templates/claim.yaml": _CLAIM},
        _template(_CLAIM),
    ),
    "CW0203": Entry(
        "a folder that is no blueprint or recipe",
        "Something below `platform/blueprints/` or `platform/recipes/` is not named `<name>/v<N>/…`, is a link, or has "
        "more files than a render should read.",
        "Only folders named that way are read, so this one would do nothing, or could not be read the same again.",
        {"platform/recipes/shared-bucket/new/recipe.yaml": _ABOUT[f"{_RECIPE}/recipe.yaml"]},
        _template(_CLAIM),
    ),
    "CW0204": Entry(
        "a blueprint without a default that every service needs",
        "In some tier, kind of environment and size, the blueprint gives no value for a field that templates read.",
        "A manifest of four lines must be enough.",
        {f"{_WEB}/blueprint.yaml": _TITLE + _MOST},
        {f"{_WEB}/blueprint.yaml": _TITLE + _MOST + _SIZES},
    ),
    "CW0205": Entry(
        "an option of a recipe that cannot be",
        "An option in `recipe.yaml` is no JSON Schema, refers to another, has a default that breaks its own rule, or "
        "is named like a field that every need has.",
        "Needs are judged by it, so every service would be refused, or none.",
        _option("{type: number of rooms, default: 1, description: How many rooms.}"),
        _option("{type: integer, minimum: 1, default: 1, description: How many rooms.}"),
    ),
    "CW0251": Entry(
        "a template that makes no object",
        "The template is a single value, not a map and not a list of maps.",
        "A template makes objects: what else it makes could be written nowhere.",
        _template("just text\n"),
        _template(_CLAIM),
    ),
    "CW0252": Entry(
        "an expression that templates cannot hold",
        "Something between `{{` and `}}`, or behind `$if` or `$for`, is not an expression, or does what templates may "
        "not do: calls, slices, floats.",
        "Expressions are checked when the template is read, so that no service finds the mistake.",
        _template(_CLAIM + 'data: {owner: "{{ service.owner.upper() }}"}\n'),
        _template(_CLAIM + 'data: {owner: "{{ service.owner | upper }}"}\n'),
    ),
    "CW0253": Entry(
        "a steering key in the wrong place",
        "A key begins with `$` and is not `$if`, `$for` or `$do` where these may stand.",
        "Such keys steer the template; a mistyped one would end up in the output.",
        _template(_CLAIM + "data:\n  $when: need.protected\n  kept: 'yes'\n"),
        _template(_CLAIM + "data:\n  $if: need.protected\n  kept: 'yes'\n"),
    ),
    "CW0255": Entry(
        "a template without an answer",
        "For one service, an expression finds nothing under a name, or a value of a kind that cannot stand there.",
        "A template must give one exact answer for every service, or none. `| default(x)` gives one.",
        _used(_CLAIM + 'data: {cost_centre: "{{ team.costs }}"}\n'),
        _used(_CLAIM + "data: {cost_centre: \"{{ team.cost_centre | default('') }}\"}\n"),
    ),
}
