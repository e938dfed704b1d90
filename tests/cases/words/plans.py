"""Conversations as the core hands them over, one a case; made of plan values, so that words are tested alone."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace

from bot.core.model.conversation import Conversation, Delivered, Halted
from bot.core.model.plan import (
    DataChange,
    EnvironmentPlan,
    Plan,
    PlatformChange,
    Row,
    ServicePlan,
    Wait,
)
from bot.core.model.values import Value
from bot.core.problem import Problem, Refusal
from tests.cases.words import agreements
from tests.cases.words.parts import DIFF, MANIFEST, WEB, changed, new_in, objects
from tests.cases.words.parts import plan as plan
from tests.cases.words.parts import said_at as said_at
from tests.cases.words.parts import service as service
from tests.cases.words.parts import talk as talk


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
                    new_in("dev", "development", "checkout.dev.acme.io", one, "4"),
                    new_in("staging", "development", "checkout.staging.acme.io", one, "4"),
                    new_in("prod", "production", "pay.acme.com", {"min": 2, "max": 4, "size": "s"}, "214"),
                ),
            )
        )
    )


def change() -> Conversation:
    path = "environments/prod/payments/checkout/kubernetes/deployment-checkout.yaml"
    return talk(plan(service("checkout", "changed", changed())), diffs={path: DIFF})


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
        plan(service("checkout", "refused"), service("stock", "changed", changed("stock")), problems=(REPLICA, LATEST))
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
    return talk(plan(*(service(name, "changed", changed(name)) for name in names)))


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
            "production" if name == "prod" else name,
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
            changed(),
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
    "waits-for-one": lambda: agreements.waits_for_one(new_service()),
    "waits-for-many": lambda: agreements.waits_for_many(change()),
    "waits-and-moves-nothing": lambda: agreements.waits_and_moves_nothing(change()),
    "destroyed-by-leave": lambda: agreements.destroyed_by_leave(change()),
    "merged-without": lambda: agreements.merged_without(delivered()),
    "changed-since": lambda: agreements.changed_since(change()),
    "contested": lambda: agreements.contested(new_service()),
    "frozen": lambda: agreements.frozen(change()),
}
"""Every snapshot by the name of its folder."""
