"""Where `cluster_policies` is on, each environment's cluster gets the same files, and a waiver becomes a label."""

from __future__ import annotations

import yaml

from tests.core.made import CONFIG, PLATFORM, Delivery, approved, service
from tests.core.test_policies import POLICY, RULE

ON = {"platform/config.yaml": CONFIG + "cluster_policies: true\n"}
OF_PODS = """\
apiVersion: admissionregistration.k8s.io/v1
kind: ValidatingAdmissionPolicy
metadata: {name: few-pods}
spec:
  matchConstraints:
    resourceRules: [{apiGroups: [apps], apiVersions: [v1], operations: [CREATE, UPDATE], resources: [deployments]}]
  validations: [{expression: "!has(object.spec.replicas) || object.spec.replicas <= 2", message: too many}]
---
apiVersion: admissionregistration.k8s.io/v1
kind: ValidatingAdmissionPolicyBinding
metadata: {name: few-pods}
spec:
  policyName: few-pods
  validationActions: [Deny]
  matchResources:
    objectSelector: {matchExpressions: [{key: waived.causeway.dev/few-pods, operator: DoesNotExist}]}
"""
HOME = "environments/prod/_platform/kubernetes"
WAIVER = 'waivers: [{policy: few-pods, reason: "Black Friday", until: "2099-12-01"}]'


def landed(on: bool) -> Delivery:
    made = Delivery()
    made.land({**PLATFORM, **(ON if on else {}), POLICY: RULE, "platform/policies/pods.yaml": OF_PODS})
    return made


def test_nothing_is_written_for_the_cluster_unless_the_platform_asks_for_it() -> None:
    assert not [path for path in landed(False).files if "validatingadmission" in path]


def test_each_environment_gets_the_policies_named_after_it_and_bound_to_its_own_namespaces() -> None:
    files = landed(True).files
    policy = yaml.safe_load(files[f"{HOME}/validatingadmissionpolicy-few-pods-prod.yaml"])
    binding = yaml.safe_load(files[f"{HOME}/validatingadmissionpolicybinding-few-pods-prod.yaml"])
    assert policy["spec"] == next(yaml.safe_load_all(OF_PODS))["spec"]
    assert binding["spec"]["policyName"] == policy["metadata"]["name"] == "few-pods-prod"
    selector = binding["spec"]["matchResources"]["namespaceSelector"]
    assert selector == {"matchLabels": {"causeway.dev/environment": "prod"}}
    assert binding["spec"]["matchResources"]["objectSelector"]["matchExpressions"][0]["operator"] == "DoesNotExist"


def test_a_policy_over_workloads_stays_in_the_review() -> None:
    assert not [path for path in landed(True).files if path.endswith("policy-few-prod.yaml")]


def test_the_project_that_writes_them_is_allowed_their_kinds_and_only_then() -> None:
    for on, kinds in ((True, {"ValidatingAdmissionPolicy", "ValidatingAdmissionPolicyBinding"}), (False, set())):
        project = yaml.safe_load(landed(on).files["apps/prod/project-_platform.yaml"])
        assert {row["kind"] for row in project["spec"]["clusterResourceWhitelist"]} - {"Namespace"} == kinds


def test_a_waiver_becomes_a_label_on_what_it_covers_and_its_pods() -> None:
    made = landed(True)
    rest = {**ON, "platform/policies/pods.yaml": OF_PODS}
    made.land({**PLATFORM, **rest, **service("a", "scale: 2", WAIVER)}, approvals=approved("platform"))
    deployment = yaml.safe_load(made.files["environments/prod/payments/a/kubernetes/deployment-a.yaml"])
    assert deployment["metadata"]["labels"]["waived.causeway.dev/few-pods"] == "true"
    assert deployment["spec"]["template"]["metadata"]["labels"]["waived.causeway.dev/few-pods"] == "true"


def test_a_waiver_changes_no_byte_where_the_cluster_does_not_judge() -> None:
    made = Delivery()
    made.land({**PLATFORM, **service("a"), "platform/policies/pods.yaml": OF_PODS})
    before = dict(made.files)
    made.land({**PLATFORM, **service("a", WAIVER), "platform/policies/pods.yaml": OF_PODS})
    assert {p: d for p, d in made.files.items() if not p.startswith(".causeway")} == {
        p: d for p, d in before.items() if not p.startswith(".causeway")
    }


def test_a_plan_warns_of_what_the_review_lets_pass_and_the_cluster_will_refuse() -> None:
    made = Delivery()
    made.land({**PLATFORM, **ON, **service("a", "scale: 3")})
    made.land({**PLATFORM, **ON, **service("a", "scale: 3"), "platform/policies/pods.yaml": OF_PODS})
    found = made.proposed({**PLATFORM, **ON, **service("a", "scale: 4"), "platform/policies/pods.yaml": OF_PODS})
    whys = [problem.why for problem in found.plan.problems if problem.code == "CW0710"]
    assert whys
    assert all("its sync fails until this is mended" in why for why in whys)
