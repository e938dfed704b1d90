"""Policies judge a change: what is new refuses, what stood before warns, and nobody votes on his own judge."""

from __future__ import annotations

from bot.core import words
from bot.core.model.conversation import Conversation, Dialect, Shas
from bot.core.model.delivery import Step
from bot.core.problem import Problem, Refusal
from bot.core.propose import Proposal
from tests.core.made import PLATFORM, Delivery, Files, approved, service

POLICY = "platform/policies/replicas.yaml"
RULE = """\
apiVersion: admissionregistration.k8s.io/v1
kind: ValidatingAdmissionPolicy
metadata:
  name: few
  annotations: {causeway.dev/why: The cluster is small., causeway.dev/fix: "Set `scale: {max: 2}`."}
spec:
  matchConstraints:
    resourceRules:
    - {apiGroups: [causeway.dev], apiVersions: [v1], operations: [CREATE, UPDATE], resources: [workloads]}
  validations:
  - {expression: object.spec.scale.max <= 2, messageExpression: "'at most 2, not ' + string(object.spec.scale.max)"}
---
apiVersion: admissionregistration.k8s.io/v1
kind: ValidatingAdmissionPolicyBinding
metadata: {name: few}
spec: {policyName: few, validationActions: [Deny]}
"""
SMALL = service("a", "scale: 1")
LARGE = service("a", "scale: 3")
A = "services/a/platform.yaml"


def errors(found: Proposal | Refusal) -> list[Problem]:
    problems = found.problems if isinstance(found, Refusal) else found.plan.problems
    return [problem for problem in problems if problem.severity == "error"]


def world(manifest: Files, policy: str = RULE) -> Delivery:
    made = Delivery()
    made.land({**PLATFORM, **manifest, POLICY: policy} if policy else {**PLATFORM, **manifest})
    return made


def test_what_a_policy_denies_is_refused_at_the_line_that_causes_it_with_why_and_what_to_write() -> None:
    found = errors(world(SMALL).proposed({**PLATFORM, **LARGE, POLICY: RULE}))
    assert {(one.path, one.line, one.code) for one in found} == {(A, 5, "CW0710")}
    assert {one.message for one in found} == {"at most 2, not 3 (policy `few`)"}
    assert found[0].why == "The cluster is small."
    assert found[0].fix == "Set `scale: {max: 2}`."


def test_what_is_denied_keeps_its_old_version_when_it_lands_all_the_same() -> None:
    made = world(SMALL)
    before = dict(made.files)
    made.land({**PLATFORM, **LARGE, POLICY: RULE})
    assert {path: data for path, data in made.files.items() if path.startswith("environments/")} == {
        path: data for path, data in before.items() if path.startswith("environments/")
    }


def test_a_tightened_policy_only_warns_of_what_stood_before() -> None:
    made = world(LARGE, policy="")
    done = made.land({**PLATFORM, **LARGE, POLICY: RULE})
    assert not isinstance(done, Refusal)
    found = made.proposed({**PLATFORM, **service("a", "scale: 3", "port: 9000"), POLICY: RULE})
    assert not errors(found)
    assert {one.code for one in found.plan.problems if one.severity == "warning"} == {"CW0710"}


def test_the_policy_that_a_pull_request_takes_away_or_weakens_judges_it_still() -> None:
    made = world(SMALL)
    weak = RULE.replace("<= 2", "<= 99")
    for files in ({POLICY: weak}, {}, {POLICY: RULE.replace("[Deny]", "[Audit]")}):
        assert {one.code for one in errors(made.proposed({**PLATFORM, **LARGE, **files}))} == {"CW0710"}


def test_policies_that_cannot_be_read_refuse_the_whole_change() -> None:
    broken = RULE.replace("object.spec.scale.max <= 2", "nonsense(object) <= 2")
    done = world(SMALL).land({**PLATFORM, **LARGE, POLICY: broken})
    assert isinstance(done, Refusal)
    assert {one.path for one in errors(done)} == {POLICY}


def test_a_policy_that_cannot_be_worked_out_denies_and_says_where_it_stands() -> None:
    odd = RULE.replace("object.spec.scale.max <= 2", "object.spec.nothing <= 2")
    found = errors(world({}, odd).proposed({**PLATFORM, **service("a", "scale: 2"), POLICY: odd}))
    assert {one.code for one in found} == {"CW0711"}
    assert all(f"{POLICY}:11:" in one.message for one in found)


WAIVER = 'waivers: [{policy: few, reason: "Black Friday", until: "2099-12-01"}]'


def test_a_waiver_counts_with_the_platform_teams_approval_of_this_very_head() -> None:
    waived = {**PLATFORM, **service("a", "scale: 3", WAIVER), POLICY: RULE}
    alone, agreed = world(SMALL), world(SMALL)
    alone.land(waived)
    agreed.land(waived, approvals=approved("platform"))
    assert b"maxReplicas: 3" not in _rendered(alone)
    assert b"replicas: 3" in _rendered(agreed)


def test_a_waiver_that_stands_goes_on_counting_until_its_day() -> None:
    made = world(SMALL)
    made.land({**PLATFORM, **service("a", "scale: 3", WAIVER), POLICY: RULE}, approvals=approved("platform"))
    made.land({**PLATFORM, **service("a", "scale: 5", WAIVER), POLICY: RULE})
    assert b"replicas: 5" in _rendered(made)
    late = WAIVER.replace("2099", "2001")
    found = made.proposed({**PLATFORM, **service("a", "scale: 6", late), POLICY: RULE})
    assert not errors(found), "what stood before goes on standing"


def test_a_waiver_of_no_policy_is_told_with_what_was_meant() -> None:
    found = errors(
        world(SMALL).proposed({**PLATFORM, **service("a", "scale: 1", WAIVER.replace("few", "fev")), POLICY: RULE})
    )
    assert [one.code for one in found] == ["CW0730"]
    assert found[0].fix == "did you mean `few`?"


def test_a_rollback_passes_a_policy_that_came_after_it() -> None:
    made = world(LARGE, policy="")
    old = made.commits[max(made.commits)].get("services/a")
    assert old is not None
    made.land({**PLATFORM, **SMALL, POLICY: RULE})
    done = made.land({**PLATFORM, **LARGE, POLICY: RULE}, ran={"services/a": frozenset({old.id})})
    assert isinstance(done, Step)
    assert b"replicas: 3" in _rendered(made)


def _rendered(made: Delivery) -> bytes:
    return b"".join(data for path, data in made.files.items() if path.startswith("environments/"))


def test_a_pull_request_that_edits_policies_shows_what_they_would_say_of_everything() -> None:
    made = Delivery()
    made.land({**PLATFORM, **LARGE, **service("b", "scale: 1")})
    found = made.proposed({**PLATFORM, **LARGE, **service("b", "scale: 1"), POLICY: RULE})
    assert not errors(found)
    assert found.plan.fleet is not None
    assert [(row.what, row.services) for row in found.plan.fleet.fails] == [("few", ("a",))]
    said = words.comment(Conversation(found.plan, "open", Dialect("github"), Shas("", "main", "1" * 40, "")))
    assert "1 would newly fail" in said
    assert "Nothing is refused by this" in said


def test_each_waiver_of_a_changed_service_is_listed_with_its_end() -> None:
    found = world(SMALL).proposed({**PLATFORM, **service("a", "scale: 3", WAIVER), POLICY: RULE})
    assert [(one.policy, one.until, one.state) for one in found.plan.waivers] == [("few", "2099-12-01", "waits")]
    assert not errors(found), "it waits for the platform team, and is refused for nothing else"


def test_what_only_warns_is_told_with_the_change_that_brings_it_and_not_again() -> None:
    advice = RULE.replace("[Deny]", "[Warn]")
    made = world(SMALL, policy=advice)
    found = made.proposed({**PLATFORM, **LARGE, POLICY: advice})
    assert not errors(found)
    assert isinstance(found, Proposal)
    assert [(one.code, one.line) for one in found.plan.problems if "`few`" in one.message] == [("CW0709", 5)]
    made.land({**PLATFORM, **LARGE, POLICY: advice})
    again = made.proposed({**PLATFORM, **service("a", "scale: 3", "port: 9000"), POLICY: advice})
    assert isinstance(again, Proposal)
    assert again.plan.problems == ()
