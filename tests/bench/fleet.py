"""A made-up fleet: as many services as one asks for, of the kinds that a company has, in three environments."""

from __future__ import annotations

from collections.abc import Mapping

ENVIRONMENTS = ("dev", "staging", "prod")
TEAMS = 40

CONFIG = "platform_team: platform\ngitops: {repo: acme/gitops}\n"

RECIPES = """\
recipes:
- {provides: postgres, match: {kind: development}, recipe: cnpg-small}
- {provides: postgres, match: {}, recipe: aws-rds}
- {provides: bucket, match: {}, recipe: aws-s3}
"""


def _environment(name: str, kind: str) -> str:
    # As in most companies, the cluster for development has little installed.
    more = "false" if kind == "development" else "true"
    return f"""\
  {name}:
    kind: {kind}
    default: true
    cluster: {{name: eu-{name}, argocd: argocd}}
    domain: {name}.acme.io
    features: {{gateway: true, external_secrets: {more}, prometheus_operator: {more}, keda: false, cert_manager: false}}
    gateway: {{internal: {{name: internal, namespace: gateways}}, public: {{name: public, namespace: gateways}}}}
    secrets: {{store: aws-secretsmanager, region: eu-west-1, role: "arn:aws:iam::123456789012:role/{{service}}"}}
    registries: {{ghcr.io/acme: {{pull_secret: "platform/ghcr#dockerconfigjson"}}}}
    terraform: {{backend: {{s3: {{bucket: {name}, region: eu-west-1}}}}, providers: {{aws: {{region: eu-west-1}}}}}}
    otlp: http://otel-collector.observability:4317
    networks: {{data: [10.20.0.0/16]}}
    protect_data: {"true" if kind == "production" else "false"}
"""


def platform() -> dict[str, str]:
    """The platform team's files."""
    kinds = ("development", "staging", "production")
    environments = "".join(_environment(name, kind) for name, kind in zip(ENVIRONMENTS, kinds, strict=True))
    teams = "".join(f"  team-{n}: {{forge_team: acme/team-{n}, cost_centre: cc-{n}}}\n" for n in range(TEAMS))
    return {
        "platform/config.yaml": CONFIG,
        "platform/environments.yaml": f"environments:\n{environments}",
        "platform/teams.yaml": f"teams:\n  platform: {{forge_team: acme/platform}}\n{teams}",
        "platform/recipes.yaml": RECIPES,
    }


def manifest(number: int, of: int) -> str:
    """The nth manifest: three in five have the four lines and an edge, one in five says more, one in five says much."""
    name = f"svc-{number:05}"
    head = (
        f"name: {name}\nowner: team-{number % TEAMS}\ntype: web\nimage: ghcr.io/acme/{name}:1.{number % 17}.{number}\n"
    )
    # The next of the same team: nobody has to be asked.
    edge = f"uses: [svc-{number + TEAMS:05}]\n" if number + TEAMS < of else ""
    if number % 5 < 3:
        return head + edge
    more = f"""\
tier: {1 + number % 4}
env: {{LOG_LEVEL: info, GREETING: "Hello, number {number}!"}}
health: /healthz
environments:
  prod: {{scale: {{min: 3, max: {6 + number % 10}}}, env: {{LOG_LEVEL: warn}}}}
"""
    if number % 5 == 3:
        return head + edge + more
    return (
        head
        + edge
        + more
        + """\
metrics: {port: 9090}
secrets: [STRIPE_KEY, SIGNING_KEY]
routes: [{public: true}]
slo: {availability: 99.9, latency_ms: 300}
"""
    )


def fleet(size: int) -> Mapping[str, str]:
    """A whole platform repository of `size` services."""
    services = {f"services/svc-{n:05}/platform.yaml": manifest(n, size) for n in range(size)}
    return {**platform(), **services}
