"""Rendering: what is an input, what is owned, what happens to names and to hostile text."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any, cast

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.core.build.state import inputs_of
from bot.core.emit import emit_yaml, shared
from bot.core.model.unit import Links, Peer
from bot.core.model.values import Value
from bot.core.problem import Refusal
from bot.core.render import RENDERERS, companions, digest, drained, rendered, target_of, trace
from bot.core.text import flaw_in, kubelet
from bot.core.tree import MemoryTree
from tests.core.render_world import CASES, Small, case_files, case_named, effective, environment, platform, small

CHECKOUT = ("service", "services/checkout", "prod")


def objects(world: Small, key: tuple[str, ...] = CHECKOUT) -> dict[str, Any]:
    """The decoded objects of a key by file name."""
    files = world.render(key).files
    return {path.rpartition("/")[2]: yaml.safe_load(data) for path, data in files.items() if path.endswith(".yaml")}


def test_the_same_values_in_another_order_give_the_same_digest_and_bytes() -> None:
    def turned(value: Any) -> Any:
        if isinstance(value, dict):
            return {key: turned(value[key]) for key in reversed(list(value))}
        return [turned(item) for item in value] if isinstance(value, list) else value

    one = effective(
        env={"B": {"value": "1"}, "A": {"value": "2"}}, secrets={"S": {"path": "/prod/checkout/S", "key": None}}
    )
    here, there = small(one), small(turned(one), env=replace(environment(), value=turned(environment().value)))
    assert digest(here.inputs(CHECKOUT)) == digest(there.inputs(CHECKOUT))
    assert here.files() == there.files()


def leaves(value: Value, at: tuple[str | int, ...] = ()) -> Iterator[tuple[str | int, ...]]:
    if isinstance(value, Mapping):
        for key, item in value.items():
            yield from leaves(item, (*at, key))
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from leaves(item, (*at, index))
    else:
        yield at


def changed(value: Any, at: tuple[str | int, ...]) -> Any:
    if not at:
        return {str: f"{value}9", int: 7, bool: not value}.get(type(value), "x")
    if isinstance(value, list):
        return [changed(item, at[1:]) if index == at[0] else item for index, item in enumerate(value)]
    return {key: changed(item, at[1:]) if key == at[0] else item for key, item in value.items()}


def test_whatever_changes_a_byte_of_a_service_changes_its_input_digest() -> None:
    service = effective(metrics={"port": 9090, "path": "/m"}, migrate=["go"], command=["run"], args=["$(x)"])
    env = environment()
    before = small(service, env=env)
    base, whole = before.inputs(CHECKOUT), before.render(CHECKOUT)
    count = 0
    for root, value in (("service", service), ("env", env.value)):
        for at in leaves(value):
            other = cast("dict[str, Value]", changed(value, at))
            world = small(service, env=replace(env, value=other)) if root == "env" else small(other, env=env)
            key = (CHECKOUT[0], f"services/{other['name']}", "prod") if root == "service" else CHECKOUT
            try:
                inputs = world.inputs(key)
                done = rendered(inputs, world.kit)
            except (KeyError, ValueError, TypeError):
                continue  # not a value that resolve would give
            if isinstance(done, Refusal):
                continue
            count += 1
            if digest(inputs) == digest(base):
                assert done.files == whole.files, at
    assert count > 60


@pytest.mark.parametrize("field", ["freeze", "approvals", "promote_from", "default", "prices", "protect_data"])
def test_what_changes_no_byte_of_a_service_is_no_input_of_it(field: str) -> None:
    base = small(effective())
    other = small(effective(), env=replace(environment(), value={**environment().value, field: ["other"]}))
    assert digest(other.inputs(CHECKOUT)) == digest(base.inputs(CHECKOUT))


def test_a_service_meets_its_neighbours_only_through_links() -> None:
    alone, together = small(effective()), small(effective(), effective(name="inventory"))
    assert alone.render(CHECKOUT) == together.render(CHECKOUT)
    together.links["services/checkout", "prod"] = Links(
        uses=(Peer("inventory", "inventory-prod", "payments", (("http", 80),)),)
    )
    assert together.render(CHECKOUT) != alone.render(CHECKOUT)


def test_provenance_names_the_inputs_and_the_rest_of_its_folder() -> None:
    done = small(effective()).render(CHECKOUT)
    folder = "environments/prod/payments/checkout"
    own = {path.removeprefix(f"{folder}/"): data for path, data in done.files.items() if path.startswith(folder)}
    proof = json.loads(own.pop("provenance.json"))
    assert proof["output"] == MemoryTree(own).id
    assert proof["inputs"] == digest(small(effective()).inputs(CHECKOUT))
    owned = {item.path: item for item in done.outline}
    whole = MemoryTree({path.removeprefix(f"{folder}/"): data for path, data in done.files.items() if folder in path})
    assert owned[folder].id == whole.id
    assert set(owned) == {folder, "apps/prod/services/payments/checkout.yaml"}


def test_no_two_keys_own_the_same_path() -> None:
    for case in CASES:
        made = case_named(case)
        seen: dict[str, object] = {}
        for key in made.digests:
            done = rendered(inputs_of(made, key), made.kit)
            assert not isinstance(done, Refusal)
            for item in done.outline:
                assert item.path not in seen, (item.path, key, seen[item.path])
                seen[item.path] = key


def test_no_two_pairs_of_service_and_environment_share_an_application() -> None:
    a_b_and_c = objects(small(effective(name="a-b"), env=environment("c")), ("service", "services/a-b", "c"))
    a_and_b_c = objects(small(effective(name="a"), env=environment("b-c")), ("service", "services/a", "b-c"))
    assert a_b_and_c["a-b.yaml"]["metadata"]["name"] == "a-b.c"
    assert a_and_b_c["a.yaml"]["metadata"]["name"] == "a.b-c"


def test_applications_of_services_state_and_parents_never_share_a_name() -> None:
    for case in CASES:
        names = [
            item["metadata"]["name"]
            for path, data in case_files(case_named(case)).items()
            if path.startswith("apps/") and path.endswith(".yaml")
            for item in [yaml.safe_load(data)]
            if item["kind"] == "Application"
        ]
        assert len(names) == len(set(names))


def test_a_name_that_kubernetes_would_refuse_is_a_problem_and_never_cut() -> None:
    world = small(effective(name="s" * 64))
    done = rendered(world.inputs(("service", "services/" + "s" * 64, "prod")), world.kit)
    assert isinstance(done, Refusal)
    assert {found.code for found in done.problems} >= {"CW0601"}


def test_an_object_that_cannot_be_changed_in_place_gets_another_name_with_every_change() -> None:
    def job(**change: Value) -> tuple[str, Any]:
        found = objects(small(effective(migrate=["go"], **change)))
        (made,) = (item for name, item in found.items() if name.startswith("job-"))
        marker = next(e for e in found["deployment-checkout.yaml"]["spec"]["template"]["spec"]["containers"][0]["env"])
        return made["metadata"]["name"], marker["valueFrom"]["configMapKeyRef"]["name"]

    first = job()
    assert job() == first
    other_env = job(env={"A": {"value": "1"}})
    assert other_env[0] != first[0]
    assert other_env[1] == first[1], "an image that was migrated once is not waited for again"
    assert job(owner="platform", system="shop", tier=1) == first, (
        "labels can be changed in place, so nothing runs again"
    )
    other_image = job(image={**cast("dict[str, Value]", effective()["image"]), "ref": "x:2"})
    assert other_image[0] != first[0]
    assert other_image[1] != first[1]


def test_a_feature_that_is_off_leaves_its_objects_out() -> None:
    off = dict.fromkeys(("gateway", "external_secrets", "prometheus_operator", "keda", "cert_manager"), False)
    found = objects(small(effective(metrics={"port": 9090, "path": "/m"}), env=environment(features=cast(Value, off))))
    kinds = {item["kind"] for item in found.values()}
    assert kinds == {
        "Application", "Deployment", "HorizontalPodAutoscaler", "NetworkPolicy", "PodDisruptionBudget", "Service",
        "ServiceAccount",
    }  # fmt: skip


@pytest.mark.parametrize(("low", "high", "kinds"), [(1, 1, 0), (2, 2, 1), (1, 3, 1), (2, 4, 2)])
def test_an_autoscaler_and_a_disruption_budget_come_only_where_they_help(low: int, high: int, kinds: int) -> None:
    found = objects(small(effective(scale={"min": low, "max": high, "cpu": 70})))
    named = {item["kind"] for item in found.values()} & {"HorizontalPodAutoscaler", "PodDisruptionBudget"}
    assert len(named) == kinds
    replicas = found["deployment-checkout.yaml"]["spec"].get("replicas")
    assert replicas == (low if low == high else None)


def test_protected_state_in_the_cluster_keeps_its_namespace_and_gives_both_up_in_a_step_of_their_own() -> None:
    made = case_named("apart")
    key = ("data", "services/ledger", "live", "db")
    beside = companions(key, made.facts(("services/ledger", "live")))
    assert beside == (("namespace", "live", "payments-data"),)
    for one in (key, *beside):
        inputs = inputs_of(made, one)
        live, lifted = rendered(inputs, made.kit), rendered(drained(inputs, "lifted"), made.kit)
        assert not isinstance(live, Refusal)
        assert not isinstance(lifted, Refusal)
        assert b"Prune=false,Delete=false" in b"".join(live.files.values())
        assert b"Prune=false" not in b"".join(lifted.files.values())


def test_an_emptied_root_keeps_backend_and_providers_only() -> None:
    made = case_named("shop")
    inputs = inputs_of(made, ("data", "services/checkout", "prod", "db"))
    done = rendered(drained(inputs, "empty"), made.kit)
    assert not isinstance(done, Refusal)
    names = sorted(path.rpartition("/")[2] for path in done.files)
    assert names == ["backend.tf.json", "provenance.json", "providers.tf.json", "versions.tf.json"]


def test_no_module_puts_a_secret_into_state_or_output() -> None:
    made = case_named("shop")
    for recipe in made.kit.recipes.values():
        text = b"".join(recipe.files.values()).decode()
        assert not re.search(
            r"(?m)^\s*(secret_string|password|manage_master_user_password)\s*=(?!.*_wo)",
            text.replace("    password = ephemeral", "    x = ephemeral"),
        ), recipe.name
        assert not re.search(r"output[^}]*value[^}]*ephemeral", text)


def test_each_target_of_a_key_is_its_environments_or_main() -> None:
    both = platform(environment("prod"), replace(environment("far"), target="far"))
    assert target_of(("service", "services/x", "far"), both) == "far"
    assert target_of(("data", "services/x", "prod", "db"), both) == "main"
    assert target_of(("catalog", "services/x"), both) == "main"
    assert target_of(("project", "far", "payments"), both) == "far"


def test_a_trace_leads_from_a_value_to_the_line_that_gave_it() -> None:
    made = case_named("shop")
    unit = ("services/checkout", "prod")
    found = trace(inputs_of(made, ("service", *unit)), made.kit, made.origins(unit))
    folder = "environments/prod/payments/checkout/kubernetes"
    deployment = yaml.safe_load(case_files(made)[f"{folder}/deployment-checkout.yaml"])
    env = deployment["spec"]["template"]["spec"]["containers"][0]["env"]
    index = next(at for at, one in enumerate(env) if one["name"] == "LOG_LEVEL")
    pointer = ("spec", "template", "spec", "containers", 0, "env", index, "value")
    origin = found[f"{folder}/deployment-checkout.yaml", pointer]
    assert (origin.layer, origin.path) == ("override", "services/checkout/platform.yaml")
    least = found[f"{folder}/horizontalpodautoscaler-checkout.yaml", ("spec", "minReplicas")]
    assert least.layer == "blueprint"
    assert "tier 1" in least.reason


def test_a_trace_of_one_object_says_of_it_what_the_whole_trace_says() -> None:
    made = case_named("shop")
    for key in [key for key in made.digests if key[0] in ("service", "data")]:
        inputs, origins = inputs_of(made, key), made.origins((key[1], key[2]))
        whole = trace(inputs, made.kit, origins)
        for path in {path for path, _ in whole}:
            alone = trace(inputs, made.kit, origins, path)
            assert {at: found for at, found in alone.items() if at[0] == path} == {
                at: found for at, found in whole.items() if at[0] == path
            }


HOSTILE = st.text(max_size=60).filter(lambda text: flaw_in(text, one_line=True) is None) | st.sampled_from(
    ["{{ x }}", "${x}", "$(HOME)", "%{ if true }", '"} or vector(1) #', "[[x]]", "{{`", "on", "0o10", "- a\n", "# c"]
)


@given(HOSTILE)
@settings(max_examples=60, deadline=None)
def test_no_text_of_a_user_escapes_from_its_place(text: str) -> None:
    world = small(
        effective(
            command=[text], args=[text], migrate=[text], system=text or None, description=text,
            env={"X": {"value": kubelet(text)}}, urls={"Docs": text},
        )
    )  # fmt: skip
    found = objects(world)
    container = found["deployment-checkout.yaml"]["spec"]["template"]["spec"]["containers"][0]
    assert container["command"] == container["args"] == [kubelet(text)]
    assert {"name": "X", "value": kubelet(text)} in container["env"]
    plain = objects(small(effective(command=["a"], args=["a"], migrate=["a"], system="a", env={"X": {"value": "a"}})))
    shapes = [
        {re.sub(r"-[0-9a-f]{10}\.yaml$", "", name): shape(item) for name, item in one.items()} for one in (found, plain)
    ]
    assert shapes[0] == shapes[1]


def shape(item: Any) -> Any:
    """The keys and lengths of an object, without its texts."""
    if isinstance(item, dict):
        return {key: shape(inner) for key, inner in item.items()}
    return [shape(inner) for inner in item] if isinstance(item, list) else type(item).__name__


def test_every_renderer_is_named_as_it_is_registered() -> None:
    assert {name: renderer.name for name, renderer in RENDERERS.items()} == {name: name for name in RENDERERS}


def test_text_that_is_remembered_is_the_text_that_would_be_written() -> None:
    value: Value = {"a": {"b": [1, {"c": "x\ny\n"}], "e": {}}, "f": ["on", ["g"]], "h": []}
    remembered = shared(value)
    nested: Value = {
        "x": remembered,
        "y": [remembered, {"z": remembered, "list": shared([remembered, 2])}],
        "e": shared({}),
    }
    plain: Value = {"x": value, "y": [value, {"z": value, "list": [value, 2]}], "e": {}}
    for _ in range(2):
        assert emit_yaml(nested) == emit_yaml(plain)


def test_no_application_says_what_argo_cd_would_take_out_of_it_again() -> None:
    for case in CASES:
        for path, data in case_files(case_named(case)).items():
            if path.startswith("apps/") and path.endswith(".yaml"):
                source = yaml.safe_load(data)["spec"].get("source", {})
                assert source.get("directory", {"recurse": True}) == {"recurse": True}, path


def test_only_parents_may_become_empty_and_every_application_dies_in_the_foreground() -> None:
    for case in CASES:
        for path, data in case_files(case_named(case)).items():
            item = yaml.safe_load(data) if path.startswith("apps/") and path.endswith(".yaml") else {}
            if item.get("kind") == "Application":
                parent = item["metadata"]["name"].split(".")[1] == "causeway"
                assert item["spec"]["syncPolicy"]["automated"]["allowEmpty"] is parent, path
                assert item["metadata"]["finalizers"] == ["resources-finalizer.argocd.argoproj.io/foreground"]
                assert item["metadata"]["annotations"]["argocd.argoproj.io/compare-options"] == "ServerSideDiff=true"
                assert "argocd.argoproj.io/sync-wave" not in item["metadata"]["annotations"]
