"""Room 04: what a manifest means in each environment."""

from __future__ import annotations

from collections.abc import Mapping

from bot.core.codes.entry import CHECKOUT, Entry, Files, manifest

_HEAD = "name: checkout\nowner: payments\ntype: web\n"
_RELEASES = "services/checkout/releases.yaml"
_BUILD = "ghcr.io/acme/checkout@sha256:" + "4f5a" * 16
_ENVIRONMENTS = "platform/environments.yaml"
_LONG = "a-name-that-is-just-short-enough"


def _released(image: str, release: str) -> Files:
    return {CHECKOUT: f"{_HEAD}image: {image}\n", _RELEASES: release}


ENTRIES: Mapping[str, Entry] = {
    "CW0401": Entry(
        "unknown owner",
        "`owner` is no slug of `platform/teams.yaml`.",
        "Somebody must answer for the service.",
        {CHECKOUT: "name: checkout\nowner: payment\ntype: web\nimage: ghcr.io/acme/checkout:1.4.2\n"},
        {CHECKOUT: "name: checkout\nowner: payments\ntype: web\nimage: ghcr.io/acme/checkout:1.4.2\n"},
    ),
    "CW0402": Entry(
        "unknown environment",
        "`deploy_to`, `environments` or `releases.yaml` names an environment that does not exist.",
        "Nothing could run there.",
        manifest("deploy_to: [production]\n"),
        manifest("deploy_to: [prod]\n"),
    ),
    "CW0403": Entry(
        "an override where the service does not run",
        "`environments` has an entry for an environment that the service does not run in.",
        "An override there would do nothing.",
        manifest("deploy_to: [prod]\nenvironments: {dev: {scale: 1}}\n"),
        manifest("deploy_to: [dev, prod]\nenvironments: {dev: {scale: 1}}\n"),
    ),
    "CW0404": Entry(
        "nothing to remove",
        "`remove` names something that the manifest does not say, or that can never be removed.",
        "`remove` drops what the manifest says; a line without effect hides a mistake.",
        manifest("env: {DEBUG_SQL: 1}\nenvironments: {prod: {remove: [env.DEBUG]}}\n"),
        manifest("env: {DEBUG_SQL: 1}\nenvironments: {prod: {remove: [env.DEBUG_SQL]}}\n"),
    ),
    "CW0405": Entry(
        "an image that does not stay the same",
        "The image names a tag that moves, such as `latest`, or a release names no build at all.",
        "The same commit would run different code tomorrow, and a revert would not bring the old code back.",
        {CHECKOUT: f"{_HEAD}image: ghcr.io/acme/checkout:latest\n"},
        {CHECKOUT: f"{_HEAD}image: ghcr.io/acme/checkout:1.4.2\n"},
    ),
    "CW0406": Entry(
        "an image decided in two places",
        "Manifest and `releases.yaml` both say which build runs, or the release is of another image.",
        "Two places that decide the same thing will disagree one day.",
        _released("ghcr.io/acme/checkout:1.4.2", f'prod: {{image: "{_BUILD}"}}\n'),
        _released("ghcr.io/acme/checkout", f'prod: {{image: "{_BUILD}"}}\n'),
    ),
    "CW0407": Entry(
        "an expression that means nothing",
        "`${…}` in `env` is not `${needs.<name>.<output>}`.",
        "The program would get these characters as they are. Where that is wanted, write `$${`.",
        manifest('env: {HOME_DIR: "${HOME}/data"}\n'),
        manifest('env: {HOME_DIR: "$${HOME}/data"}\n'),
    ),
    "CW0408": Entry(
        "a reference to nothing",
        "`${needs.<name>.<output>}` names a need or an output that is not there.",
        "There would be nothing to put in its place.",
        manifest('needs: {db: postgres}\nenv: {DSN: "postgres://${needs.database.host}/app"}\n'),
        manifest('needs: {db: postgres}\nenv: {DSN: "postgres://${needs.db.host}/app"}\n'),
    ),
    "CW0409": Entry(
        "one environment variable, two sources",
        "Two things would set the same variable: `env`, `secrets`, an output of a need, the address of a used service.",
        "A program would see only one of the two, and which one is chance.",
        manifest("needs: {db: postgres}\nenv: {DB_HOST: localhost}\n"),
        manifest("needs: {db: postgres}\nenv: {REPLICA_HOST: localhost}\n"),
    ),
    "CW0410": Entry(
        "a name that becomes too long",
        "A name that is put together, such as the namespace, has more than 63 characters.",
        "Kubernetes allows 63; a name that is cut silently could meet another one.",
        {
            _ENVIRONMENTS: "environments:\n  prod: {kind: production, default: true, cluster: {name: eu-prod}, "
            'namespace: "the-services-of-the-company-{service}-{env}"}\n',
            f"services/{_LONG}/platform.yaml": f"name: {_LONG}\nowner: payments\ntype: web\nimage: ghcr.io/acme/a:1\n",
        },
        {
            _ENVIRONMENTS: "environments:\n  prod: {kind: production, default: true, cluster: {name: eu-prod}, "
            'namespace: "{service}-{env}"}\n',
            f"services/{_LONG}/platform.yaml": f"name: {_LONG}\nowner: payments\ntype: web\nimage: ghcr.io/acme/a:1\n",
        },
    ),
    "CW0411": Entry(
        "a host that the team may not take",
        "The host lies neither below the environment's domain nor among the team's `hosts`, or there is no domain.",
        "A host belongs to somebody; nobody may catch another team's traffic.",
        manifest("environments: {prod: {routes: [{host: www.example.com}]}}\n"),
        manifest("environments: {prod: {routes: [{host: pay.acme.com}]}}\n"),
    ),
    "CW0412": Entry(
        "a route without a gateway",
        "The environment has no public gateway, or no internal one, for this route.",
        "The route could not be attached to anything.",
        manifest("environments: {dev: {routes: [{public: true}]}}\n"),
        manifest("environments: {dev: {routes: [{path: /pay}]}}\n"),
    ),
    "CW0413": Entry(
        "no recipe provides this",
        "No line of `platform/recipes.yaml` provides this type and class in this environment.",
        "There would be nothing behind the need.",
        {
            "platform/recipes.yaml": "recipes:\n- {provides: postgres, match: {kind: production}, recipe: aws-rds}\n",
            CHECKOUT: "needs: {db: postgres}\n",
        },
        {
            "platform/recipes.yaml": "recipes:\n- {provides: postgres, match: {kind: production}, recipe: aws-rds}\n"
            "- {provides: postgres, match: {kind: development}, recipe: cnpg-small}\n",
            CHECKOUT: "needs: {db: postgres}\n",
        },
    ),
    "CW0414": Entry(
        "the recipe does not offer this",
        "The need asks for a class, a size or a field that the recipe of this environment does not have.",
        "The recipe that holds there could not give it.",
        manifest("needs: {uploads: {type: bucket, size: m}}\n"),
        manifest("needs: {uploads: bucket}\n"),
    ),
    "CW0415": Entry(
        "the environment lacks what the recipe needs",
        "The recipe makes Terraform and the environment has no backend, or it hands out by the secret store and the "
        "environment reads none.",
        "State would have no place, or the pods would never get an address or password.",
        {
            "platform/recipes.yaml": "recipes:\n- {provides: postgres, match: {environment: dev}, recipe: aws-rds}\n",
            CHECKOUT: "deploy_to: [dev]\nneeds: {db: postgres}\n",
        },
        {
            "platform/recipes.yaml": "recipes:\n"
            "- {provides: postgres, match: {environment: dev}, recipe: cnpg-small}\n",
            CHECKOUT: "deploy_to: [dev]\nneeds: {db: postgres}\n",
        },
    ),
    "CW0416": Entry(
        "numbers that contradict each other",
        "`scale.max` is less than `scale.min`, or a pod is killed before it has drained.",
        "No number satisfies both, or requests in flight would be cut off.",
        manifest("scale: {min: 6, max: 4}\n"),
        manifest("scale: {min: 4, max: 6}\n"),
    ),
    "CW0417": Entry(
        "a service that runs nowhere",
        "There is no `deploy_to`, and no environment has `default: true`.",
        "A service that runs nowhere is most likely a mistake.",
        {
            _ENVIRONMENTS: "environments:\n  prod: {kind: production, cluster: {name: eu-prod}}\n",
            CHECKOUT: "port: 8080\n",
        },
        {
            _ENVIRONMENTS: "environments:\n  prod: {kind: production, cluster: {name: eu-prod}}\n",
            CHECKOUT: "port: 8080\ndeploy_to: [prod]\n",
        },
    ),
    "CW0418": Entry(
        "unknown version of a blueprint",
        "`releases.yaml` pins a version of the blueprint that is not there.",
        "Without it nothing can be rendered the way it was.",
        _released("ghcr.io/acme/checkout", f'prod: {{image: "{_BUILD}", blueprint: 99}}\n'),
        _released("ghcr.io/acme/checkout", f'prod: {{image: "{_BUILD}", blueprint: 1}}\n'),
    ),
    "CW0419": Entry(
        "a reserved namespace",
        "The service's namespace would be one of Kubernetes' own, or one that the platform team reserved.",
        "Something else runs there.",
        {
            _ENVIRONMENTS: "environments:\n  prod: {kind: production, default: true, cluster: {name: eu-prod}, "
            'namespace: "{service}", reserved_namespaces: [monitoring]}\n',
            "services/monitoring/platform.yaml": "port: 8080\n",
        },
        {
            _ENVIRONMENTS: "environments:\n  prod: {kind: production, default: true, cluster: {name: eu-prod}, "
            'namespace: "{service}", reserved_namespaces: [monitoring]}\n',
            "services/watcher/platform.yaml": "port: 8080\n",
        },
    ),
    "CW0420": Entry(
        "a service that uses itself",
        "`uses` names the service that says it.",
        "A service reaches itself on localhost.",
        manifest("uses: [checkout]\n"),
        manifest('env: {SELF_URL: "http://localhost:8080"}\n'),
    ),
    "CW0421": Entry(
        "the same route twice",
        "Two routes have the same host and path.",
        "One of the two would never be used.",
        manifest("routes: [{path: /pay}, {path: /pay, timeout: 60s}]\n"),
        manifest("routes: [{path: /pay}, {path: /report, timeout: 60s}]\n"),
    ),
    "CW0422": Entry(
        "a service level without availability",
        "`slo` names no availability, and tier 4 has none by default.",
        "Alerts are made from it.",
        manifest("tier: 4\nslo: {latency_ms: 300}\n"),
        manifest("tier: 4\nslo: {availability: 99.0, latency_ms: 300}\n"),
    ),
    "CW0423": Entry(
        "an environment variable that the platform sets",
        "The manifest sets a variable that the blueprint keeps for itself.",
        "A program would see only one of the two, and which one is chance.",
        manifest("env: {CAUSEWAY_MIGRATED: 1}\n"),
        manifest("env: {MIGRATED: 1}\n"),
    ),
    "CW0424": Entry(
        "a need with a reserved name",
        "Put behind the service's name, the need's name would be that of something every service may have.",
        "One object would overwrite the other.",
        manifest("needs: {secrets: postgres}\n"),
        manifest("needs: {vault: postgres}\n"),
    ),
}
