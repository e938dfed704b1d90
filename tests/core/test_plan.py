"""Plans of real changes to a small platform, built and rendered by the real rooms below."""

from __future__ import annotations

import pytest

from bot.core.plan import plan
from bot.core.problem import Problem
from tests.core.made import ENVIRONMENTS, PLATFORM, Delivery
from tests.core.made import service as manifest
from tests.core.plan_world import (
    CHECKOUT,
    FILES,
    MEMO,
    STOREFRONT,
    add,
    built,
    planned,
    row,
    service,
    swap,
    there,
)

MOVED = "services/team-a/checkout/platform.yaml"


def test_nothing_changed_means_an_empty_plan_that_concerns_nobody() -> None:
    found = planned({}, {})
    assert (found.services, found.platform, found.problems, found.concerns) == ((), (), (), False)
    assert set(found.lines.values()) == {0}


def test_a_comment_in_a_manifest_changes_nothing() -> None:
    assert not planned({}, add(CHECKOUT, "# who to ask: the payments chat\n")).concerns


def test_a_new_service_is_told_with_the_facts_worth_telling_and_all_its_objects() -> None:
    found = planned({CHECKOUT: None}, {})
    here = there(found, "checkout", "prod")
    assert (service(found, "checkout").action, here.action, here.kind) == ("new", "new", "production")
    assert [r.fact for r in here.rows] == ["image", "runs", "reached_by", "routes", "migrate", "cost"]
    assert row(here, "runs").after == {"min": 2, "max": 4, "size": "s"}
    assert {c.action for c in here.objects} == {"create"}
    assert {"Deployment", "Namespace", "Application"} <= {c.kind for c in here.objects}
    assert here.migrates == ("python", "manage.py", "migrate")
    assert (here.restarts, here.downtime) == (False, False)


def test_a_cost_is_told_only_where_something_has_a_price() -> None:
    places = "platform/environments.yaml"
    unpriced = {places: FILES[places].replace("    prices: {s: 4, m: 9, l: 18, xl: 36}\n", "")}
    found = planned({**unpriced, CHECKOUT: None}, unpriced)
    facts = {one: [r.fact for r in there(found, "checkout", one).rows] for one in ("dev", "prod")}
    assert ["cost" in facts[one] for one in ("dev", "prod")] == [True, False]
    priced = row(there(planned(unpriced, {}), "checkout", "prod"), "cost")
    assert (priced.before, priced.after) == ("0", "8")


def test_a_system_is_told_with_the_one_service_that_says_it_and_else_with_the_platform() -> None:
    one = add(CHECKOUT, "system: till\n")
    assert planned({}, one).platform == ()
    both = {**one, **add(STOREFRONT, "system: till\n")}
    assert planned(one, both).platform == ()
    (change,) = planned(both, {}).platform
    assert (change.path, change.what) == ("catalog/systems/till.yaml", "system till")


def test_environments_come_in_the_order_in_which_a_change_reaches_them() -> None:
    found = service(planned({CHECKOUT: None}, {}), "checkout")
    assert [e.environment for e in found.environments] == ["dev", "prod"]


def test_a_cluster_without_a_feature_is_told_once_what_the_service_goes_without() -> None:
    found = planned({CHECKOUT: None}, {})
    assert there(found, "checkout", "dev").missing == ("prometheus_operator",)
    assert there(found, "checkout", "prod").missing == ()
    changed = planned({}, swap(CHECKOUT, "LOG_LEVEL: info", "LOG_LEVEL: warn"))
    assert there(changed, "checkout", "dev").missing == ()


def test_a_new_image_restarts_without_downtime_and_runs_the_migration() -> None:
    found = planned({}, swap(CHECKOUT, "1.4.2", "1.5.0"))
    here = there(found, "checkout", "prod")
    assert here.action == "changed"
    image = row(here, "image")
    assert (image.before, image.after) == ("1.4.2", "1.5.0")
    assert image.origin is not None
    assert (image.origin.path, image.origin.line) == (CHECKOUT, 4)
    assert (here.restarts, here.downtime) == (True, False)
    assert here.migrates == ("python", "manage.py", "migrate")
    assert [s.name for s in found.services] == ["checkout"]


def test_the_same_version_of_another_image_is_told_by_the_image() -> None:
    found = planned({}, swap(CHECKOUT, "ghcr.io/acme/checkout:", "ghcr.io/acme/pay:"))
    image = row(there(found, "checkout", "prod"), "image")
    assert (image.before, image.after) == ("ghcr.io/acme/checkout:1.4.2", "ghcr.io/acme/pay:1.4.2")


def test_a_variable_is_a_row_of_its_own_and_its_line_is_linked() -> None:
    found = planned({}, swap(CHECKOUT, "LOG_LEVEL: info", "LOG_LEVEL: warn"))
    here = there(found, "checkout", "prod")
    (only,) = here.rows
    assert (only.fact, only.before, only.after) == ("env.LOG_LEVEL", "info", "warn")
    assert only.origin is not None
    assert (only.origin.path, only.origin.line) == (CHECKOUT, 6)
    assert here.restarts
    assert here.migrates == ()


def test_a_variable_that_goes_is_told_with_the_line_it_had() -> None:
    found = planned({}, swap(CHECKOUT, "env: {LOG_LEVEL: info}\n", ""))
    gone = row(there(found, "checkout", "prod"), "env.LOG_LEVEL")
    assert (gone.before, gone.after) == ("info", None)
    assert gone.origin is not None
    assert gone.origin.line == 6


def test_a_changed_value_in_an_object_is_named_by_its_variable_and_knows_its_line() -> None:
    found = planned({}, swap(CHECKOUT, "LOG_LEVEL: info", "LOG_LEVEL: warn"))
    (deployment,) = [c for c in there(found, "checkout", "prod").objects if c.kind == "Deployment"]
    assert deployment.action == "change"
    (value,) = [v for v in deployment.changes if "LOG_LEVEL" in v.pointer]
    assert value.pointer[-3:] == ("env", "LOG_LEVEL", "value")
    assert (value.before, value.after) == ("info", "warn")
    assert value.origin is not None
    assert (value.origin.path, value.origin.line) == (CHECKOUT, 6)


def test_what_no_template_traces_is_put_down_to_the_only_line_that_changed() -> None:
    found = planned({}, swap(CHECKOUT, "LOG_LEVEL: info", "LOG_LEVEL: warn"))
    values = [v for o in there(found, "checkout", "prod").objects for v in o.changes]
    assert len(values) > 1
    assert {(v.origin.path, v.origin.line) for v in values if v.origin is not None} == {(CHECKOUT, 6)}
    assert all(v.origin is not None for v in values)


def test_with_two_lines_changed_nothing_is_put_down_to_one_of_them_by_guess() -> None:
    text = FILES[CHECKOUT].replace("owner: payments", "owner: shop").replace("LOG_LEVEL: info", "LOG_LEVEL: warn")
    found = planned({}, {CHECKOUT: text})
    (runs,) = [o for o in there(found, "checkout", "prod").objects if o.kind == "Application"]
    assert runs.changes
    assert all(v.origin is None for v in runs.changes)


def test_more_replicas_restart_nothing() -> None:
    here = there(planned({}, add(CHECKOUT, "scale: {min: 4, max: 20}\n")), "checkout", "prod")
    assert row(here, "runs").after == {"min": 4, "max": 20, "size": "s"}
    assert row(here, "cost").after == "16"
    assert not here.restarts


def test_a_host_that_the_internet_reaches_from_now_on_is_told() -> None:
    found = planned({}, add(CHECKOUT, "environments: {prod: {routes: [{host: pay.acme.com, public: true}]}}\n"))
    assert there(found, "checkout", "prod").newly_public == ("pay.acme.com",)
    assert row(there(found, "checkout", "prod"), "reached_by").after == {
        "callers": [],
        "public": True,
        "team": "payments",
    }
    assert [e.environment for e in service(found, "checkout").environments] == ["prod"]


def test_a_second_public_path_of_a_host_is_told_with_its_path() -> None:
    one = "environments: {prod: {routes: [{host: pay.acme.com, public: true}]}}\n"
    two = one.replace("}]", "}, {host: pay.acme.com, path: /hooks, public: true}]")
    found = planned(add(CHECKOUT, one), add(CHECKOUT, two))
    assert there(found, "checkout", "prod").newly_public == ("pay.acme.com/hooks",)


def test_a_new_secret_waits_for_its_value_with_the_command_that_writes_it() -> None:
    found = planned({}, add(CHECKOUT, "environments: {prod: {secrets: [STRIPE_KEY]}}\n"))
    here = there(found, "checkout", "prod")
    assert row(here, "secret.STRIPE_KEY").after == "/prod/checkout/STRIPE_KEY"
    (wait,) = here.waits
    assert (wait.what, wait.name) == ("secret", "/prod/checkout/STRIPE_KEY")
    assert wait.command == (
        "aws secretsmanager create-secret --name /prod/checkout/STRIPE_KEY --region eu-west-1 --secret-string '…'"
    )


def test_fields_of_one_secret_are_one_command_and_a_field_that_joins_later_has_none() -> None:
    one = "environments: {prod: {secrets: {A: 'pay#a', B: 'pay#b'}}}\n"
    (wait,) = there(planned({}, add(CHECKOUT, one)), "checkout", "prod").waits
    assert wait.name == "/prod/checkout/pay#a,b"
    assert """--secret-string '{"a": "…", "b": "…"}'""" in wait.command
    two = one.replace("'pay#b'", "'pay#b', C: 'pay#c'")
    (wait,) = there(planned(add(CHECKOUT, one), add(CHECKOUT, two)), "checkout", "prod").waits
    assert (wait.name, wait.command) == ("/prod/checkout/pay#c", "")


def test_where_nothing_fetches_secrets_a_person_makes_the_one_that_the_pods_read() -> None:
    one = "environments: {dev: {secrets: [STRIPE_KEY]}}\n"
    here = there(planned({}, add(CHECKOUT, one)), "checkout", "dev")
    (wait,) = here.waits
    assert wait.command == (
        "kubectl create secret generic checkout-secrets --namespace checkout-dev '--from-literal=STRIPE_KEY=…'"
    )
    assert here.missing == ("external_secrets",)
    two = one.replace("[STRIPE_KEY]", "[STRIPE_KEY, MAIL_KEY]")
    (wait,) = there(planned(add(CHECKOUT, one), add(CHECKOUT, two)), "checkout", "dev").waits
    assert wait.command.startswith("kubectl patch secret checkout-secrets --namespace checkout-dev")
    assert "MAIL_KEY" in wait.command
    assert "STRIPE_KEY" not in wait.command


def test_a_refused_unit_is_told_as_it_would_be_and_hides_nobody() -> None:
    old = built({})
    new = built({**swap(CHECKOUT, "1.4.2", "1.5.0"), **swap(STOREFRONT, "storefront:7", "storefront:8")}, held=old)
    problem = Problem(CHECKOUT, 4, 1, "CW0799", "no", "because", "do not")
    found = plan(old, new, MEMO, refused=frozenset({"services/checkout"}), problems=(problem,))
    assert [(s.name, s.action) for s in found.services] == [("checkout", "refused"), ("storefront", "changed")]
    assert row(there(found, "checkout", "prod"), "image").after == "1.5.0"
    assert found.problems == (problem,)


def test_a_unit_that_cannot_be_read_is_no_removal_and_its_callees_are_left_alone() -> None:
    calls = add(STOREFRONT, "uses: [checkout]\n")
    old = built(calls)
    new = built({STOREFRONT: "name: storefront\nowner: shop\ntype: web\nimagine: 7\n"}, held=old)
    problems = new.units["services/storefront"].problems
    found = plan(old, new, MEMO, refused=frozenset({"services/storefront"}), problems=problems)
    assert [(s.folder, s.action, s.environments) for s in found.services] == [("services/storefront", "refused", ())]
    assert found.lines == {"create": 0, "change": 0, "delete": 0, "keep": 0}
    assert found.concerns


def test_a_unit_that_was_broken_before_and_is_not_touched_is_no_news() -> None:
    broken = {STOREFRONT: "name: storefront\n"}
    old = built(broken)
    new = built({**broken, **swap(CHECKOUT, "1.4.2", "1.5.0")}, held=old)
    assert [s.name for s in plan(old, new, MEMO).services] == ["checkout"]


def test_a_unit_that_the_platform_breaks_is_told_though_its_files_are_the_same() -> None:
    old = built({})
    teams = FILES["platform/teams.yaml"].replace("  shop: {forge_team: acme/shop}\n", "")
    new = built({"platform/teams.yaml": teams}, held=old)
    found = plan(old, new, MEMO)
    assert [(s.name, s.action) for s in found.services] == [("storefront", "refused")]


def test_problems_come_errors_first_and_each_once() -> None:
    here = built({})
    warning = Problem("a", 1, 1, "CW0799", "w", "", "", "warning")
    error = Problem("b", 1, 1, "CW0799", "e", "", "")
    found = plan(here, here, MEMO, problems=(warning, error, error))
    assert found.problems == (error, warning)
    assert found.concerns


def test_a_value_that_a_rule_calls_a_secret_is_not_spread_by_the_plan() -> None:
    leaked = "sk_live_0123456789abcdef"
    old = built({})
    new = built(swap(CHECKOUT, "LOG_LEVEL: info", f"LOG_LEVEL: info, PAY: {leaked}"), held=old)
    problem = Problem(CHECKOUT, 6, 1, "CW0702", "`PAY` looks like a Stripe key", "", "")
    found = plan(old, new, MEMO, refused=frozenset({"services/checkout"}), problems=(problem,))
    assert leaked in repr(plan(old, new, MEMO))
    assert leaked not in repr(found)
    assert row(there(found, "checkout", "prod"), "env.PAY").after == "(hidden)"


def test_without_objects_the_rows_are_the_same_and_nothing_is_rendered() -> None:
    old = built({})
    new = built(swap(CHECKOUT, "1.4.2", "1.5.0"), held=old)
    full, rows = plan(old, new, MEMO), plan(old, new, MEMO, objects=False)
    assert [e.rows for s in rows.services for e in s.environments] == [
        e.rows for s in full.services for e in s.environments
    ]
    assert all(e.objects == () for s in rows.services for e in s.environments)


def test_the_mode_is_that_of_the_side_that_judges() -> None:
    observing = add("platform/config.yaml", "mode: observe\n")
    assert planned({}, observing).mode == "enforce"
    assert planned(observing, {}).mode == "observe"


@pytest.mark.parametrize("services", [2, 30])
def test_a_change_of_the_whole_fleet_is_told_whole(services: int) -> None:
    """However many keys differ: what is not told looks harmless."""
    made = Delivery()
    files = {**PLATFORM, **{path: text for n in range(services) for path, text in manifest(f"s{n}").items()}}
    made.land(files)
    changed = ENVIRONMENTS.replace("    domain: acme.com\n", "    domain: acme.com\n    otlp: http://otel.watch:4317\n")
    found = made.proposed({**files, "platform/environments.yaml": changed}).plan
    assert len(found.services) == services
    assert all(env.objects and env.restarts for one in found.services for env in one.environments)
    assert found.lines["change"] >= services
