"""Parts that the conversations of `plans` are made of."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from bot.core.model.conversation import Conversation, Dialect, Shas
from bot.core.model.plan import (
    DataChange,
    EnvironmentPlan,
    ObjectChange,
    Plan,
    Row,
    ServicePlan,
    ValueChange,
    Wait,
)
from bot.core.model.values import Origin, Value
from bot.core.problem import Problem, Refusal

MANIFEST = "services/checkout/platform.yaml"


SHAS = Shas(
    base="9ab41d7c0ffee9ab41d7c0ffee9ab41d7c0ffee9",
    base_ref="main",
    head="3f2c1e0c0ffee3f2c1e0c0ffee3f2c1e0c0ffee3",
    blob_url="https://forge.example/acme/platform/blob/3f2c1e0c0ffee3f2c1e0c0ffee3f2c1e0c0ffee3",
)


def said_at(line: int, path: str = MANIFEST, column: int = 3) -> Origin:
    return Origin("manifest", path, line, column)


def plan(*services: ServicePlan, problems: tuple[Problem, ...] = (), **given: object) -> Plan:
    objects = [o for s in services for e in s.environments for o in e.objects]
    made = Plan(
        services=services,
        platform=(),
        problems=problems,
        concerns=True,
        mode="enforce",
        renderer=1,
        lines={a: sum(o.action == a for o in objects) for a in ("create", "change", "delete", "keep")},
    )
    return replace(made, **given)  # type: ignore[arg-type]  # a test names fields of Plan


def talk(outcome: Plan | Refusal | None, **given: object) -> Conversation:
    made = Conversation(outcome, "open", Dialect("github"), SHAS)
    return replace(made, **given)  # type: ignore[arg-type]  # a test names fields of Conversation


def objects(environment: str, action: str, *named: tuple[str, str]) -> tuple[ObjectChange, ...]:
    folder = f"environments/{environment}/payments/checkout/kubernetes"
    return tuple(
        ObjectChange(f"{folder}/{kind.lower()}-{name}.yaml", kind, name, action)  # type: ignore[arg-type]
        for kind, name in named
    )


WEB = (
    ("Deployment", "checkout"),
    ("Service", "checkout"),
    ("ServiceAccount", "checkout"),
    ("NetworkPolicy", "checkout"),
    ("HTTPRoute", "checkout"),
    ("ExternalSecret", "checkout"),
)


def new_in(environment: str, kind: str, host: str, size: Mapping[str, Value], cost: str) -> EnvironmentPlan:
    prod = kind == "production"
    need: Mapping[str, Value] = {
        "type": "postgres",
        "class": "ha" if prod else "default",
        "size": "m" if prod else "s",
        "version": "17",
        "form": "terraform" if prod else "kubernetes",
        "ready_in": "15m" if prod else "",
    }
    secret = f"/{environment}/checkout/STRIPE_KEY"
    return EnvironmentPlan(
        environment=environment,
        kind=kind,
        action="new",
        rows=(
            Row("image", None, "1.4.2", said_at(4)),
            Row("runs", None, size, Origin("blueprint", "blueprints/workloads/web/v1/blueprint.yaml", 12, 5, "tier 3")),
            Row("need.db", None, need, said_at(6)),
            Row("reached_by", None, {"callers": ["storefront"], "public": prod, "team": "payments"}, said_at(9)),
            Row("routes", None, [{"host": host, "path": "/", "public": prod}], said_at(5)),
            Row("secret.STRIPE_KEY", None, secret, said_at(8)),
            Row("cost", None, cost),
        ),
        objects=objects(environment, "create", *WEB, *((("HorizontalPodAutoscaler", "checkout"),) if prod else ())),
        data=(
            DataChange(
                "db",
                "postgres",
                "aws-rds" if prod else "cnpg-small",
                "create",
                ready_in="15m" if prod else "",
                cost="120" if prod else "0",
                origin=said_at(6),
                protected=prod,
            ),
        ),
        waits=(
            Wait("secret", secret, f"aws secretsmanager create-secret --name {secret} --secret-string …"),
            *((Wait("data", "db", time="15m"),) if prod else ()),
        ),
        newly_public=(host,) if prod else (),
        missing=() if prod else ("prometheus_operator",),
    )


DIFF = """--- a/deployment-checkout.yaml
+++ b/deployment-checkout.yaml
@@ -20,5 +20,5 @@
       containers:
       - name: checkout
-        image: ghcr.io/acme/checkout:1.4.2
+        image: ghcr.io/acme/checkout:1.5.0
         ports:
"""


def changed(name: str = "checkout", **given: object) -> EnvironmentPlan:
    folder = f"environments/prod/payments/{name}/kubernetes"
    origin = said_at(4, f"services/{name}/platform.yaml")
    made = EnvironmentPlan(
        environment="prod",
        kind="production",
        action="changed",
        rows=(
            Row("image", "1.4.2", "1.5.0", origin),
            Row(
                "runs", {"min": 2, "max": 4, "size": "s"}, {"min": 4, "max": 20, "size": "s"}, replace(origin, line=12)
            ),
            Row("env.LOG_LEVEL", "info", "warn", replace(origin, line=14)),
            Row("cost", "214", "391"),
        ),
        objects=(
            ObjectChange(
                f"{folder}/deployment-{name}.yaml",
                "Deployment",
                name,
                "change",
                (
                    ValueChange(
                        ("spec", "template", "spec", "containers", name, "image"),
                        f"ghcr.io/acme/{name}:1.4.2",
                        f"ghcr.io/acme/{name}:1.5.0",
                        origin,
                    ),
                    ValueChange(
                        ("spec", "template", "spec", "containers", name, "env", "LOG_LEVEL", "value"),
                        "info",
                        "warn",
                        replace(origin, line=14),
                    ),
                ),
            ),
            ObjectChange(
                f"{folder}/horizontalpodautoscaler-{name}.yaml",
                "HorizontalPodAutoscaler",
                name,
                "change",
                (
                    ValueChange(("spec", "minReplicas"), 2, 4, replace(origin, line=12)),
                    ValueChange(("spec", "maxReplicas"), 4, 20, replace(origin, line=12)),
                ),
            ),
            ObjectChange(f"{folder}/job-{name}-migrate-7f3a.yaml", "Job", f"{name}-migrate-7f3a", "create"),
            ObjectChange(f"{folder}/job-{name}-migrate-11c0.yaml", "Job", f"{name}-migrate-11c0", "delete"),
        ),
        restarts=True,
        migrates=("python", "manage.py", "migrate"),
    )
    return replace(made, **given)  # type: ignore[arg-type]  # a test names fields of EnvironmentPlan


def service(name: str, action: str, *environments: EnvironmentPlan, **given: object) -> ServicePlan:
    made = ServicePlan(f"services/{name}", name, "payments", action, environments)  # type: ignore[arg-type]
    return replace(made, **given)  # type: ignore[arg-type]  # a test names fields of ServicePlan
