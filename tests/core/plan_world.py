"""A small platform repo as values, changed by keyword: what plans are tested on."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from bot.core.build import Build, Memo, build
from bot.core.kit import kit_of
from bot.core.model.delivery import Kept
from bot.core.model.plan import EnvironmentPlan, Plan, Row, ServicePlan
from bot.core.plan import plan
from bot.core.problem import Refusal
from bot.core.tree import MemoryTree

ROOT = Path(__file__).parents[2]

CHECKOUT = "services/checkout/platform.yaml"
STOREFRONT = "services/storefront/platform.yaml"

ENVIRONMENTS = """\
environments:
  prod:
    kind: production
    default: true
    cluster: {name: eu-prod}
    domain: acme.com
    features: {gateway: true, external_secrets: true, prometheus_operator: true}
    gateway: {internal: {name: internal, namespace: gateways}, public: {name: public, namespace: gateways}}
    secrets: {store: aws-secretsmanager, region: eu-west-1}
    terraform: {backend: {s3: {bucket: acme-state, region: eu-west-1}}, providers: {aws: {region: eu-west-1}}}
    networks: {data: [10.20.0.0/16]}
    prices: {s: 4, m: 9, l: 18, xl: 36}
  dev:
    kind: development
    default: true
    cluster: {name: eu-dev}
    domain: dev.acme.io
    features: {gateway: true}
    gateway: {internal: {name: internal, namespace: gateways}}
    prices: {s: 2, m: 4, l: 8, xl: 16}
"""

RECIPES = {
    "platform/recipes.yaml": """\
recipes:
- {provides: postgres, match: {kind: development}, recipe: cnpg-small}
- {provides: postgres, match: {kind: production}, recipe: aws-rds}
- {provides: bucket, match: {kind: development}, recipe: obc-bucket}
- {provides: bucket, match: {kind: production}, recipe: aws-s3}
"""
}

FILES: Mapping[str, str] = {
    "platform/config.yaml": "platform_team: platform\ngitops: {repo: acme/gitops}\n",
    "platform/environments.yaml": ENVIRONMENTS,
    "platform/teams.yaml": """\
teams:
  platform: {forge_team: acme/platform}
  payments: {forge_team: acme/payments}
  shop: {forge_team: acme/shop}
""",
    CHECKOUT: """\
name: checkout
owner: payments
type: web
image: ghcr.io/acme/checkout:1.4.2
migrate: [python, manage.py, migrate]
env: {LOG_LEVEL: info}
allow: {callers: [storefront]}
""",
    STOREFRONT: """\
name: storefront
owner: shop
type: web
image: ghcr.io/acme/storefront:7
""",
}

MEMO = Memo()
"""Shared by all tests as a worker shares it between runs; nothing may depend on what is in it."""


def shipped() -> MemoryTree:
    """The kit as it stands in this repository."""
    files = (path for top in ("schemas", "blueprints") for path in (ROOT / top).rglob("*") if path.is_file())
    return MemoryTree({path.relative_to(ROOT).as_posix(): path.read_bytes() for path in files})


SHIPPED = shipped()


def built(files: Mapping[str, str | None], memo: Memo = MEMO, held: Build | None = None) -> Build:
    """The platform with some files replaced, or left out where None."""
    all_files = {**FILES, **files}
    tree = MemoryTree({path: text.encode() for path, text in all_files.items() if text is not None})
    kit = kit_of(tree, SHIPPED)
    assert not isinstance(kit, Refusal), kit
    found = build(tree, kit, memo, held=held)
    assert not isinstance(found, Refusal), found
    return found


def planned(before: Mapping[str, str | None] | None, after: Mapping[str, str | None], kept: Kept | None = None) -> Plan:
    """The plan from one state of the files to another; nothing may be refused on either side."""
    old = built(before) if before is not None else None
    new = built(after, held=old)
    for side in (old, new):
        assert side is None or not [state.problems for state in side.units.values() if state.problems]
    return plan(old, new, MEMO, kept=kept or {})


def add(path: str, text: str, base: Mapping[str, str | None] = FILES) -> dict[str, str | None]:
    """Lines put at the end of a file."""
    return {path: f"{base[path]}{text}"}


def swap(path: str, old: str, new: str, base: Mapping[str, str | None] = FILES) -> dict[str, str | None]:
    """One piece of a file replaced by another."""
    text = base[path]
    assert text is not None
    assert text.count(old) == 1
    return {path: text.replace(old, new)}


def service(found: Plan, name: str) -> ServicePlan:
    (one,) = [s for s in found.services if s.name == name]
    return one


def there(found: Plan, name: str, env: str) -> EnvironmentPlan:
    (one,) = [e for e in service(found, name).environments if e.environment == env]
    return one


def row(found: EnvironmentPlan, fact: str) -> Row:
    (one,) = [r for r in found.rows if r.fact == fact]
    return one
