"""Room 03: the platform's own files, and where services lie."""

from __future__ import annotations

from collections.abc import Mapping

from bot.core.codes.entry import Entry, Files

_CONFIG = "platform/config.yaml"
_ENVIRONMENTS = "platform/environments.yaml"
_RECIPES = "platform/recipes.yaml"
_TEAMS = "platform/teams.yaml"
_PROD = "{kind: production, default: true, cluster: {name: eu-prod}, domain: acme.com"
_SERVICE = "owner: payments\ntype: web\nimage: ghcr.io/acme/checkout:1.4.2\n"


def _environments(*lines: str) -> Files:
    return {_ENVIRONMENTS: "environments:\n" + "".join(f"  {line}\n" for line in lines)}


def _recipes(*lines: str) -> Files:
    return {_RECIPES: "recipes:\n" + "".join(f"- {line}\n" for line in lines)}


ENTRIES: Mapping[str, Entry] = {
    "CW0301": Entry(
        "a file is missing",
        "`platform/config.yaml`, `platform/environments.yaml` or `platform/teams.yaml` is not there, or a service has "
        "no `platform.yaml`.",
        "Without it nothing in this repository can be interpreted.",
        {"platform/team.yaml": "teams:\n  payments: {forge_team: acme/payments}\n"},
        {_TEAMS: "teams:\n  platform: {forge_team: acme/platform}\n  payments: {forge_team: acme/payments}\n"},
    ),
    "CW0302": Entry(
        "not a regular file",
        "A symbolic link or a submodule stands where a file belongs.",
        "Only what lies in this repository itself can be reviewed and rendered again.",
        {"services/checkout/platform.yaml": "../shared/platform.yaml\n"},
        {"services/checkout/platform.yaml": f"name: checkout\n{_SERVICE}"},
    ),
    "CW0303": Entry(
        "unknown team in the platform's files",
        "`config.yaml` or `recipes.yaml` names a team that is not in `teams.yaml`.",
        "The entry would never apply, and nobody would notice.",
        {_CONFIG: "platform_team: plattform\ngitops: {repo: acme/gitops}\n"},
        {_CONFIG: "platform_team: platform\ngitops: {repo: acme/gitops}\n"},
    ),
    "CW0304": Entry(
        "a reserved team slug",
        "A team is called `root`, or its slug begins with `project-`.",
        "Files of these names belong to the platform in the GitOps repository.",
        {
            _TEAMS: "teams:\n  platform: {forge_team: acme/platform}\n"
            "  payments: {forge_team: acme/pay}\n  root: {forge_team: acme/core}\n"
        },
        {
            _TEAMS: "teams:\n  platform: {forge_team: acme/platform}\n"
            "  payments: {forge_team: acme/pay}\n  core: {forge_team: acme/core}\n"
        },
    ),
    "CW0305": Entry(
        "a namespace rule that mixes services or environments",
        "The rule names neither `{service}` nor `{team}`, or it has no `{env}` though two environments share a "
        "cluster.",
        "Services would share quota and secrets, or one environment's objects would overwrite the other's.",
        _environments('prod: {kind: production, default: true, cluster: {name: eu}, namespace: "all-{env}"}'),
        _environments('prod: {kind: production, default: true, cluster: {name: eu}, namespace: "{service}-{env}"}'),
    ),
    "CW0306": Entry(
        "promotion from an unknown environment",
        "`promote_from` names no other environment of the file.",
        "A build is promoted from one environment to the next.",
        _environments(f"prod: {_PROD}, promote_from: staging}}"),
        _environments(
            "staging: {kind: staging, cluster: {name: eu-staging}}", f"prod: {_PROD}, promote_from: staging}}"
        ),
    ),
    "CW0307": Entry(
        "unknown recipe",
        "A line of `recipes.yaml` names a recipe that is neither shipped nor in `platform/recipes/`.",
        "Every need that it should provide would be refused.",
        _recipes("{provides: postgres, match: {kind: production}, recipe: aws-rd}"),
        _recipes("{provides: postgres, match: {kind: production}, recipe: aws-rds}"),
    ),
    "CW0308": Entry(
        "two recipes for the same services",
        "Two lines of `recipes.yaml` provide the same type and have the same `match`.",
        "Neither is more specific, so which one a service gets would be chance.",
        _recipes(
            "{provides: postgres, match: {kind: production}, recipe: aws-rds}",
            "{provides: postgres, match: {kind: production}, recipe: cnpg-small}",
        ),
        _recipes(
            "{provides: postgres, match: {kind: production}, recipe: aws-rds}",
            "{provides: postgres, match: {kind: production, team: payments}, recipe: cnpg-small}",
        ),
    ),
    "CW0309": Entry(
        "recipes.yaml contradicts the recipe",
        "A line says another type, class, output or statefulness than the recipe itself.",
        "What `recipes.yaml` says of a recipe is relied on.",
        _recipes("{provides: postgres, match: {kind: production}, recipe: aws-rds, stateful: false}"),
        _recipes("{provides: postgres, match: {kind: production}, recipe: aws-rds, stateful: true}"),
    ),
    "CW0310": Entry(
        "unknown environment in the platform's files",
        "`recipes.yaml`, `destroy.yaml` or `holds.yaml` names an environment that does not exist.",
        "The entry would never apply, and nobody would notice.",
        {"platform/holds.yaml": "holds: {production: {reason: incident 4711, by: ada}}\n"},
        {"platform/holds.yaml": "holds: {prod: {reason: incident 4711, by: ada}}\n"},
    ),
    "CW0311": Entry(
        "a feature without what it needs",
        "An environment has `gateway` or `external_secrets` on, and names no gateway or no secret store.",
        "Routes must be attached to a gateway, and secrets must be read from a store.",
        _environments(f"prod: {_PROD}, features: {{gateway: true}}}}"),
        _environments(
            f"prod: {_PROD}, features: {{gateway: true}},",
            "       gateway: {internal: {name: internal, namespace: gateways}}}",
        ),
    ),
    "CW0312": Entry(
        "two GitOps targets in one place",
        "An environment's own `gitops` names a repository and branch that another target writes to already.",
        "Each target keeps its own record of what was delivered, so they would undo each other.",
        _environments(f"prod: {_PROD}, gitops: {{repo: acme/gitops, branch: main}}}}"),
        _environments(f"prod: {_PROD}, gitops: {{repo: acme/gitops, branch: prod}}}}"),
    ),
    "CW0313": Entry(
        "a service is not called like its folder",
        "`name` in a manifest differs from the name of the folder.",
        "People and links find a service by its folder.",
        {"services/shop/platform.yaml": f"name: checkout\n{_SERVICE}"},
        {"services/checkout/platform.yaml": f"name: checkout\n{_SERVICE}"},
    ),
    "CW0314": Entry(
        "a service inside another service",
        "A folder with a manifest lies below another one.",
        "One folder is one service, so that its owner and history are clear.",
        {
            "services/shop/platform.yaml": f"name: shop\n{_SERVICE}",
            "services/shop/checkout/platform.yaml": f"name: checkout\n{_SERVICE}",
        },
        {
            "services/shop/platform.yaml": f"name: shop\n{_SERVICE}",
            "services/checkout/platform.yaml": f"name: checkout\n{_SERVICE}",
        },
    ),
    "CW0315": Entry(
        "a folder name that is not lower case",
        "A folder above a service has upper-case letters or other signs in its name.",
        "Two names that differ only in case are one folder on many machines.",
        {"services/Shop/checkout/platform.yaml": f"name: checkout\n{_SERVICE}"},
        {"services/shop/checkout/platform.yaml": f"name: checkout\n{_SERVICE}"},
    ),
    "CW0316": Entry(
        "a file that nothing reads",
        "A file is called almost like `platform.yaml` or `releases.yaml`: `platform.yml`, `Platform.yaml`, "
        "`release.yaml`. Alone in a folder the first is a service that is refused; beside a manifest it only warns.",
        "It would be passed over without a word, and nothing would come of it.",
        {"services/checkout/platform.yml": f"name: checkout\n{_SERVICE}"},
        {"services/checkout/platform.yaml": f"name: checkout\n{_SERVICE}"},
    ),
    "CW0331": Entry(
        "a freeze that never begins",
        "`cron` of a freeze is no cron line of five fields, or `timezone` no zone of the IANA database.",
        "A freeze that never begins, or begins at another hour than was meant, protects nothing.",
        _environments(f'prod: {_PROD}, freeze: [{{cron: "18:00 fri", for: 62h}}]}}'),
        _environments(f'prod: {_PROD}, freeze: [{{cron: "0 18 * * 5", for: 62h}}]}}'),
    ),
}
