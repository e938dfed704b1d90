"""A platform repository that uses every field of the language, for tests that change each of them."""

from __future__ import annotations

from collections.abc import Mapping

RECIPE = "platform/recipes/strongroom/v1"

RICH: Mapping[str, str] = {
    "platform/config.yaml": """\
platform_team: platform
gitops: {repo: acme/gitops, branch: live, url: "https://git.acme.com/gitops.git", drift: restore}
mode: enforce
cluster_policies: true
kit: {renderer: 1, blueprints: {web: 1}, recipes: {cnpg-small: 1, aws-rds: 1, aws-s3: 1, obc-bucket: 1}}
""",
    "platform/policies/few.yaml": """\
apiVersion: admissionregistration.k8s.io/v1
kind: ValidatingAdmissionPolicy
metadata: {name: few}
spec:
  failurePolicy: Fail
  matchConstraints:
    resourceRules: [{apiGroups: [apps], apiVersions: [v1], operations: [CREATE, UPDATE], resources: [deployments]}]
  validations: [{expression: "!has(object.spec.replicas) || object.spec.replicas <= 99", message: too many}]
""",
    "platform/policies/few-binding.yaml": """\
apiVersion: admissionregistration.k8s.io/v1
kind: ValidatingAdmissionPolicyBinding
metadata: {name: few}
spec: {policyName: few, validationActions: [Deny]}
""",
    "platform/environments.yaml": """\
environments:
  dev:
    kind: development
    default: true
    cluster: {name: eu-one, argocd: argocd}
    domain: dev.acme.io
    features: {gateway: true, external_secrets: false, prometheus_operator: false, keda: false, cert_manager: false}
    gateway: {internal: {name: internal, namespace: gateways}}
    namespace: "{team}-{env}"
    reserved_namespaces: [monitoring]
    prices: {s: 2, m: 4, l: 8, xl: 16}
    protect_data: false
  prod:
    kind: production
    default: true
    cluster: {name: eu-one, argocd: argocd}
    domain: acme.com
    features: {gateway: true, external_secrets: true, prometheus_operator: true, keda: true, cert_manager: true}
    gateway: {internal: {name: internal, namespace: gateways}, public: {name: public, namespace: gateways}}
    secrets: {store: aws-secretsmanager, region: eu-west-1, role: "arn:aws:iam::123456789012:role/{service}-{env}"}
    registries: {ghcr.io/acme: {pull_secret: "platform/ghcr#dockerconfigjson"}}
    terraform: {backend: {s3: {bucket: state, region: eu-west-1}}, providers: {aws: {region: eu-west-1}},
                eks_cluster: eu-one}
    otlp: http://otel-collector.observability:4317
    networks: {data: [10.20.0.0/16, 10.30.0.0/16]}
    priority_classes: {"1": critical, "3": normal}
    promote_from: dev
    approvals: 1
    protect_data: true
    prices: {s: 4, m: 9, l: 18, xl: 36}
    freeze: [{cron: "0 18 * * 5", for: 62h, timezone: Europe/Berlin}]
  edge:
    kind: staging
    cluster: {name: us-edge}
    domain: edge.acme.com
    features: {gateway: true, external_secrets: true, prometheus_operator: true}
    gateway: {internal: {name: internal, namespace: gateways}}
    secrets: {store: aws-secretsmanager, region: us-east-1}
    gitops: {repo: acme/edge, branch: main, drift: hold}
""",
    "platform/teams.yaml": """\
teams:
  platform: {forge_team: acme/platform}
  payments:
    forge_team: acme/payments
    contacts: {chat: "#payments", email: payments@acme.com}
    cost_centre: cc-1042
    hosts: ["*.pay.example", shop.example]
    runbook: https://runbooks.acme.com/payments
  shop: {forge_team: acme/shop, cost_centre: cc-7}
""",
    "platform/recipes.yaml": """\
recipes:
- {provides: postgres, match: {kind: development}, recipe: cnpg-small, stateful: true, outputs: {from: secret}}
- {provides: postgres, match: {kind: production}, recipe: aws-rds, stateful: true, replaces_on: [version],
   ready_in: 15m, price: {per_size: {s: 45, m: 120, l: 320}},
   outputs: {from: store, keys: [host, port, name, user, password, url]}}
- {provides: postgres, match: {environment: prod, class: ha, team: shop}, recipe: cnpg-small}
- {provides: bucket, match: {kind: development}, recipe: obc-bucket}
- {provides: bucket, match: {kind: production}, recipe: aws-s3}
- {provides: vault, match: {service: checkout}, recipe: strongroom}
""",
    "platform/destroy.yaml": """\
destroy:
- {data: prod/old/db, action: destroy, reason: no longer needed, until: 2099-06-30}
- {removals: {environment: dev, at_most: 20}, reason: we move, until: 2099-06-30}
""",
    "platform/holds.yaml": "holds: {edge: {reason: inventory week, by: dana}}\n",
    f"{RECIPE}/recipe.yaml": """\
title: Strong room
description: A vault as we like it.
docs: Ask the platform team for a key.
type: vault
form: kubernetes
stateful: false
ready_in: 2m
classes: [default]
sizes: [s, m]
price: {s: 1, m: 2}
replaces_on: [floor]
options:
  floor: {type: integer, minimum: 0, default: 1, description: Where it stands.}
outputs:
  door: {from: value, value: "{need}.{env}"}
  key: {from: secret, source: "{service}-{need}", key: code}
""",
    f"{RECIPE}/templates/configmap.yaml": """\
apiVersion: v1
kind: ConfigMap
metadata: {name: "{{ service.name }}-room"}
data: {floor: "{{ need.options.floor }}", made: by hand}
""",
    "services/checkout/platform.yaml": """\
name: checkout
owner: payments
type: web
image: ghcr.io/acme/checkout
tier: 1
description: Takes the money.
system: shop
lifecycle: production
urls: {board: "https://board.acme.com/checkout"}
deploy_to: [dev, prod, edge]
port: 8081
metrics: {port: 9090, path: /metrics}
command: [python]
args: [-m, checkout]
migrate: [python, manage.py, migrate]
user: 1234
writable: [/var/cache]
health: {ready: /ready, live: /live, start: /start}
size: {cpu: 250m, memory: 512Mi}
scale: {min: 2, max: 6, cpu: 60}
stop: {grace: 60, drain: 20}
routes: [{host: till.pay.example, path: /pay, public: false, timeout: 20s}]
env: {LOG_LEVEL: info, DSN: "postgres://${needs.db.host}/x", DEBUG: false, RETRIES: 3}
secrets: {STRIPE_KEY: "stripe#key"}
needs:
  db: {type: postgres, class: default, size: m, version: "17"}
  uploads: {type: bucket, expire_days: 90, versioning: true}
  gold: {type: vault, size: m, floor: 3}
uses: {inventory: {variable: STOCK_URL}}
allow: {callers: [storefront]}
slo: {availability: 99.95, latency_ms: 250}
waivers: [{policy: few, reason: a sale, until: "2099-12-01"}]
environments:
  dev: {needs: {db: {size: s}}, env: {LOG_LEVEL: debug}}
  prod: {tier: 2, scale: 4, routes: [{host: shop.example, public: true}], remove: [env.DEBUG]}
  edge: {remove: [needs, env.DSN, uses]}
""",
    "services/checkout/releases.yaml": f"""\
dev: {{image: "ghcr.io/acme/checkout@sha256:{"1a" * 32}", commit: {"3f" * 20}, blueprint: 1}}
prod: {{image: "ghcr.io/acme/checkout@sha256:{"2b" * 32}", commit: {"4e" * 20}}}
""",
    "services/stock/inventory/platform.yaml": """\
name: inventory
owner: payments
type: web
image: ghcr.io/acme/inventory:7
needs: {db: postgres}
""",
    "services/storefront/platform.yaml": """\
name: storefront
owner: shop
type: web
image: ghcr.io/acme/storefront:2.0.0
tier: 4
uses: [checkout]
health: /healthz
secrets: [SESSION_KEY]
needs: {db: {type: postgres, class: ha}}
deploy_to: [prod]
""",
}
"""By path. Nothing in it is refused."""
