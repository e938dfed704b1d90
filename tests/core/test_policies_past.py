"""What must not slip past policies: moved folders, labels of waivers, waivers that nobody agreed to."""

from __future__ import annotations

from bot.core.propose import Proposal
from tests.core.made import CONFIG, PLATFORM, Delivery, approved, service
from tests.core.test_policies import errors

POLICY = "platform/policies/images.yaml"
BAD = "9.9.9"
IMAGES = """\
apiVersion: admissionregistration.k8s.io/v1
kind: ValidatingAdmissionPolicy
metadata: {name: images}
spec:
  matchConstraints:
    resourceRules: [{apiGroups: [apps], apiVersions: [v1], operations: [CREATE, UPDATE], resources: [deployments]}]
  validations:
  - {expression: "object.spec.template.spec.containers.all(c, !c.image.endsWith(':9.9.9'))", message: withdrawn}
---
apiVersion: admissionregistration.k8s.io/v1
kind: ValidatingAdmissionPolicyBinding
metadata: {name: images}
spec:
  policyName: images
  validationActions: [Deny]
  matchResources:
    objectSelector: {matchExpressions: [{key: waived.causeway.dev/images, operator: DoesNotExist}]}
"""
BASE = {**PLATFORM, POLICY: IMAGES}
IN_CLUSTER = {**BASE, "platform/config.yaml": CONFIG + "cluster_policies: true\n"}
WAIVER = 'waivers: [{policy: images, reason: "until Monday", until: "2099-12-01"}]'


def runs_bad(made: Delivery) -> bool:
    return any(b"/a:9.9.9" in data for path, data in made.files.items() if path.startswith("environments/"))


def refusals(found: Proposal) -> set[str]:
    return {problem.message for problem in errors(found)}


def test_a_service_that_moves_to_another_folder_is_judged_as_what_it_becomes() -> None:
    for old, new in (("services/b/a", "services/z/a"), ("services/z/a", "services/b/a")):
        made = Delivery()
        made.land({**BASE, **service("a", folder=old)})
        moved = {**BASE, **service("a", folder=new, image=BAD)}
        assert refusals(made.proposed(moved)) == {"withdrawn (policy `images`)"}
        made.land(moved)
        assert not runs_bad(made)


def test_what_stood_before_stands_in_another_folder_too() -> None:
    for old, new in (("services/b/a", "services/z/a"), ("services/z/a", "services/b/a")):
        made = Delivery()
        made.land({**PLATFORM, **service("a", folder=old, image=BAD)})
        made.land({**BASE, **service("a", folder=old, image=BAD)})
        found = made.proposed({**BASE, **service("a", "port: 9000", folder=new, image=BAD)})
        assert not errors(found)
        assert "withdrawn (policy `images`)" in {problem.message for problem in found.plan.problems}


def test_a_label_that_the_cluster_leaves_out_excuses_nothing_in_a_review() -> None:
    made = Delivery()
    late = WAIVER.replace("2099", "2001")
    made.land({**IN_CLUSTER, **service("a", late)}, approvals=approved("platform"))
    assert any(b"waived.causeway.dev/images" in data for data in made.files.values())
    worse = {**IN_CLUSTER, **service("a", late, image=BAD)}
    assert refusals(made.proposed(worse)) == {"withdrawn (policy `images`)"}
    made.land(worse)
    assert not runs_bad(made)


def test_a_waiver_that_counts_is_told_beside_what_it_excuses_and_its_label_keeps_the_cluster_from_refusing() -> None:
    made = Delivery()
    made.land({**IN_CLUSTER, **service("a", WAIVER)}, approvals=approved("platform"))
    found = made.proposed({**IN_CLUSTER, **service("a", WAIVER, image=BAD)})
    told = [problem for problem in found.plan.problems if problem.message.startswith("withdrawn")]
    assert {(one.severity, one.fix) for one in told} == {("warning", "Waived until 2099-12-01: until Monday")}
    assert not [one for one in told if "will refuse the object" in one.why]
    assert [waiver.state for waiver in found.plan.waivers] == ["counts"]


def test_a_waiver_that_nobody_agreed_to_never_counts_however_long_it_stands() -> None:
    for base in (BASE, IN_CLUSTER):
        made = Delivery()
        made.land({**base, **service("a")})
        made.land({**base, **service("a", "port: 9000", WAIVER)})
        made.land({**base, **service("a", "port: 9000", WAIVER, image=BAD)})
        assert not runs_bad(made)
        made.land({**base, **service("a", "port: 9001", WAIVER, image=BAD)}, approvals=approved("platform"))
        assert runs_bad(made)
