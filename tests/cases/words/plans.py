"""Conversations as the core hands them over, one a case; made of plan values, so that words are tested alone."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace

from bot.core.model.conversation import Conversation, Delivered, Dialect, Halted, Shas
from bot.core.model.plan import (
    DataChange,
    EnvironmentPlan,
    ObjectChange,
    Plan,
    PlatformChange,
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


def _new_in(environment: str, kind: str, host: str, size: Mapping[str, Value], cost: str) -> EnvironmentPlan:
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


def new_service() -> Conversation:
    one: Mapping[str, Value] = {"min": 1, "max": 1, "size": "s"}
    return talk(
        plan(
            ServicePlan(
                "services/checkout",
                "checkout",
                "payments",
                "new",
                (
                    _new_in("dev", "development", "checkout.dev.acme.io", one, "4"),
                    _new_in("staging", "development", "checkout.staging.acme.io", one, "4"),
                    _new_in("prod", "production", "pay.acme.com", {"min": 2, "max": 4, "size": "s"}, "214"),
                ),
            )
        )
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


def _changed(name: str = "checkout", **given: object) -> EnvironmentPlan:
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


def change() -> Conversation:
    path = "environments/prod/payments/checkout/kubernetes/deployment-checkout.yaml"
    return talk(plan(service("checkout", "changed", _changed())), diffs={path: DIFF})


def data_at_stake() -> Conversation:
    at_stake = DataChange(
        "db",
        "postgres",
        "aws-rds",
        "replace",
        "version: 17 → 16 cannot be done in place",
        "15m",
        "120",
        said_at(9, column=14),
    )
    prod = EnvironmentPlan(
        "prod",
        "production",
        "changed",
        rows=(
            Row("need.db", {"type": "postgres", "version": "17"}, {"type": "postgres", "version": "16"}, said_at(9)),
        ),
        objects=(),
        data=(at_stake,),
    )
    return talk(
        plan(
            service("checkout", "refused", prod),
            problems=(
                Problem(
                    MANIFEST,
                    9,
                    14,
                    "CW0712",
                    "`version` of `needs.db` cannot change from 17 to 16 in place",
                    "prod/checkout/db would be replaced by an empty database",
                    'Write `version: "17"` to keep the data, or list `prod/checkout/db` in `platform/destroy.yaml`',
                ),
            ),
        )
    )


def leaves_prod() -> Conversation:
    prod = EnvironmentPlan(
        "prod",
        "production",
        "removed",
        rows=(
            Row("image", "1.4.2", None),
            Row("routes", [{"host": "pay.acme.com", "path": "/", "public": True}], None),
            Row("cost", "214", None),
        ),
        objects=objects("prod", "delete", *WEB),
        data=(DataChange("db", "postgres", "aws-rds", "keep", cost="120", protected=True),),
    )
    caller = Problem(
        "services/storefront/platform.yaml",
        11,
        9,
        "CW0503",
        "`uses: checkout` will fail in prod",
        "checkout no longer runs there",
        "Take `checkout` out of `uses` in prod first",
        "warning",
    )
    return talk(plan(service("checkout", "changed", prod), problems=(caller,)))


REPLICA = Problem(
    MANIFEST,
    6,
    3,
    "CW0104",
    "unknown field `replica`. Did you mean `scale`?",
    "a word that nobody reads would change nothing",
    "Write `scale: {min: 2, max: 4}`",
    suggestion="scale: {min: 2, max: 4}",
)
LATEST = Problem(
    MANIFEST,
    11,
    12,
    "CW0710",
    "`ghcr.io/acme/checkout:latest` changes under you",
    "the same commit would run different code tomorrow",
    "Write a version, or let `releases.yaml` pin the digest",
)


def problems() -> Conversation:
    return talk(
        plan(service("checkout", "refused"), service("stock", "changed", _changed("stock")), problems=(REPLICA, LATEST))
    )


def delivered() -> Conversation:
    done = Delivered(
        "5d0c2aa15d0c2aa15d0c2aa15d0c2aa15d0c2aa1",
        "https://forge.example/acme/gitops/commit/5d0c2aa15d0c2aa15d0c2aa15d0c2aa15d0c2aa1",
        "2026-11-21 14:02 UTC",
        ("dev", "staging", "prod"),
    )
    return replace(new_service(), stage="delivered", delivered=done)


def delivered_otherwise() -> Conversation:
    notes = ("stock was not delivered: services/stock/platform.yaml has 1 problem since another change landed",)
    done = delivered().delivered
    assert done is not None
    return replace(change(), stage="delivered", delivered=replace(done, environments=("prod",), notes=notes))


def halted() -> Conversation:
    why = "the cursor names commit 9ab41d7, which is no longer in the history of main; somebody force-pushed"
    return replace(change(), stage="merged", halted=Halted(why, "causeway resume 3f2c1e0"))


def refused() -> Conversation:
    broken = Problem(
        "platform/teams.yaml",
        4,
        5,
        "CW0302",
        "team `payments` is written twice",
        "nobody could say which of the two counts",
        "Keep one entry, and put the contacts of both into it",
    )
    return talk(Refusal((broken,)))


def conflict() -> Conversation:
    return talk(None, conflict=("services/checkout/platform.yaml", "services/checkout/releases.yaml"))


def unexpected() -> Conversation:
    return talk(None, error_id="e7c1-4f02")


def observe() -> Conversation:
    seen = problems()
    assert isinstance(seen.outcome, Plan)
    return replace(seen, outcome=replace(seen.outcome, mode="observe"), observing=True)


def draft() -> Conversation:
    return replace(change(), draft=True)


def ten_the_same() -> Conversation:
    names = ("basket", "billing", "checkout", "invoices", "ledger", "pricing", "refunds", "stock", "tax", "vouchers")
    return talk(plan(*(service(name, "changed", _changed(name)) for name in names)))


def removal_of_everything() -> Conversation:
    gone = [
        EnvironmentPlan(
            name,
            "production" if name == "prod" else "development",
            "removed",
            rows=(
                Row("routes", [{"host": f"checkout.{name}.acme.io", "path": "/", "public": False}], None),
                Row("cost", "214" if name == "prod" else "4", None),
            ),
            objects=objects(name, "delete", *WEB),
            data=(
                DataChange(
                    "db", "postgres", "r", "keep" if name == "prod" else "prune", cost="120" if name == "prod" else "0"
                ),
            ),
        )
        for name in ("dev", "staging", "prod")
    ]
    return talk(plan(service("checkout", "removed", *gone)))


def linked_only() -> Conversation:
    touched = EnvironmentPlan(
        "prod",
        "production",
        "linked",
        rows=(
            Row(
                "reached_by",
                {"callers": ["storefront"], "public": False, "team": "logistics"},
                {"callers": ["storefront", "returns"], "public": False, "team": "logistics"},
            ),
        ),
        objects=objects("prod", "change", ("NetworkPolicy", "inventory")),
    )
    return talk(plan(service("inventory", "linked", touched, owner="logistics", cause="services/returns")))


def first_release() -> Conversation:
    waiting = [
        EnvironmentPlan(
            name,
            "production",
            "waiting",
            rows=(),
            objects=(),
            waits=(
                Wait(
                    "release",
                    "checkout",
                    f"causeway release checkout --environment {name} --image ghcr.io/acme/checkout:TAG",
                ),
            ),
        )
        for name in ("staging", "prod")
    ]
    return talk(plan(service("checkout", "new", *waiting)))


def platform_change() -> Conversation:
    return talk(
        plan(
            platform=(
                PlatformChange(
                    "platform/teams.yaml",
                    "adds team returns to 3 environments",
                    objects("prod", "create", ("AppProject", "returns")),
                ),
            )
        )
    )


def many_environments() -> Conversation:
    regions = ("dev", "staging", "prod-eu", "prod-us", "prod-ap", "prod-sa")
    there = [
        replace(
            _changed(),
            environment=name,
            rows=(Row("image", f"1.4.{at}", "1.5.0", said_at(4)), Row("port", 8080, 9000, said_at(5))),
        )
        for at, name in enumerate(regions)
    ]
    return talk(
        plan(service("checkout", "changed", *there)),
        lag="deliveries are 14 minutes behind",
        drift=("environments/prod/payments/checkout/kubernetes/service-checkout.yaml",),
    )


CASES: Mapping[str, Callable[[], Conversation]] = {
    "new-service": new_service,
    "change": change,
    "data-at-stake": data_at_stake,
    "leaves-prod": leaves_prod,
    "problems": problems,
    "delivered": delivered,
    "delivered-otherwise": delivered_otherwise,
    "halted": halted,
    "refused": refused,
    "conflict": conflict,
    "unexpected-error": unexpected,
    "observe": observe,
    "draft": draft,
    "ten-the-same": ten_the_same,
    "removal-of-everything": removal_of_everything,
    "linked-only": linked_only,
    "first-release": first_release,
    "platform-change": platform_change,
    "many-environments": many_environments,
}
"""Every snapshot by the name of its folder."""
