"""`causeway policy`: cases are run, any object is judged, and what a policy saw is told."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from bot.cli.app import causeway
from tests.test_cli_answers import answered

POLICY = """\
apiVersion: admissionregistration.k8s.io/v1
kind: ValidatingAdmissionPolicy
metadata: {name: few}
spec:
  matchConstraints:
    resourceRules: [{apiGroups: [apps], apiVersions: [v1], operations: [CREATE, UPDATE], resources: [deployments]}]
  validations: [{expression: object.spec.replicas <= 5, message: too many}]
"""
BINDING = """\
---
apiVersion: admissionregistration.k8s.io/v1
kind: ValidatingAdmissionPolicyBinding
metadata: {name: few}
spec: {policyName: few, validationActions: [ACTION]}
"""
PARAMETERS = """\
apiVersion: admissionregistration.k8s.io/v1
kind: ValidatingAdmissionPolicy
metadata: {name: most}
spec:
  paramKind: {apiVersion: v1, kind: ConfigMap}
  matchConstraints:
    resourceRules: [{apiGroups: [apps], apiVersions: [v1], operations: ["*"], resources: [deployments]}]
  validations: [{expression: object.spec.replicas <= int(params.data.most), message: too many}]
"""
KYVERNO = """\
apiVersion: policies.kyverno.io/v1
kind: ValidatingPolicy
metadata: {name: few}
spec:
  validationActions: [Deny]
  matchConstraints:
    resourceRules: [{apiGroups: [apps], apiVersions: [v1], operations: [CREATE, UPDATE], resources: [deployments]}]
  variables: [{name: replicas, expression: object.spec.replicas}]
  validations: [{expression: variables.replicas <= 5, message: too many}]
"""


def deployment(replicas: int, name: str = "checkout") -> str:
    return (
        f"apiVersion: apps/v1\nkind: Deployment\nmetadata: {{name: {name}, namespace: checkout-prod}}\n"
        f"spec: {{replicas: {replicas}, template: {{spec: {{containers: [{{name: app, image: a}}]}}}}}}\n"
    )


@pytest.fixture
def desk(tmp_path: Path) -> Path:
    """A folder with a policy that nothing binds, and objects."""
    write(tmp_path, {"few.yaml": POLICY, "good.yaml": deployment(2), "bad.yaml": deployment(9)})
    return tmp_path


def write(folder: Path, files: dict[str, str]) -> None:
    for name, text in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)


def run(*words: str | Path) -> Result:
    return CliRunner().invoke(causeway, ["policy", *map(str, words)], catch_exceptions=False)


def judged(*words: str | Path) -> tuple[int, dict[str, Any]]:
    return answered("policy-judge", "policy", "judge", *words)


def test_the_shipped_cases_go_as_they_say() -> None:
    code, value = answered("policy-test", "policy", "test")
    assert (code, value["ok"], value["untested"], value["problems"]) == (0, True, [], [])
    assert len(value["cases"]) >= 100


def test_a_case_that_goes_otherwise_fails_with_what_happened(tmp_path: Path) -> None:
    case = "object:\n" + "".join(f"  {line}\n" for line in deployment(9).splitlines())
    write(tmp_path, {
        "few.yaml": POLICY + BINDING.replace("ACTION", "Deny"),
        "cases/few/pass-nine.yaml": case,
        "cases/few/fail-nine.yaml": "message: too many\n" + case,
        "cases/few/fail-otherwise.yaml": "message: too few\n" + case,
        "cases/few/fail-without-message.yaml": case,
        "cases/fewer/fail-nine.yaml": "message: too many\n" + case,
    })  # fmt: skip
    code, value = answered("policy-test", "policy", "test", tmp_path)
    why = {one["path"].removeprefix("cases/"): one["why"] for one in value["cases"]}
    assert code == 1
    assert why["few/fail-nine.yaml"] is None
    assert why["few/pass-nine.yaml"] == "it does not pass: too many"
    assert why["few/fail-otherwise.yaml"] == "it says: too many"
    assert "message" in why["few/fail-without-message.yaml"]
    assert why["fewer/fail-nine.yaml"] == "there is no policy `fewer`"
    assert "4 not as they say" in run("test", tmp_path).stdout


def test_a_platforms_own_policies_are_tried_and_those_without_cases_named(tmp_path: Path) -> None:
    folder = tmp_path / "platform"
    assert CliRunner().invoke(causeway, ["init", str(folder)]).exit_code == 0
    write(folder, {"platform/policies/few.yaml": POLICY + BINDING.replace("ACTION", "Deny")})
    code, value = answered("policy-test", "policy", "test", folder)
    assert (code, value["untested"], value["cases"]) == (0, ["few"], [])


def test_a_case_brings_its_own_parameters(tmp_path: Path) -> None:
    params = (
        "params: {apiVersion: v1, kind: ConfigMap, metadata: {name: most, namespace: checkout-prod}, "
        "data: {most: '%d'}}\n"
    )
    case = "object:\n" + "".join(f"  {line}\n" for line in deployment(3).splitlines())
    bound = BINDING.replace("ACTION", "Deny").replace("few", "most").replace(
        "spec: {", "spec: {paramRef: {name: most, parameterNotFoundAction: Deny}, "
    )  # fmt: skip
    write(tmp_path, {
        "most.yaml": PARAMETERS + bound,
        "cases/most/pass-three-of-five.yaml": params % 5 + case,
        "cases/most/fail-three-of-two.yaml": "message: too many\n" + params % 2 + case,
    })  # fmt: skip
    assert run("test", tmp_path).exit_code == 0


def test_a_policy_that_nothing_binds_denies(desk: Path) -> None:
    assert judged(desk / "few.yaml", "--object", desk / "good.yaml")[0] == 0
    code, value = judged(desk / "few.yaml", "--object", desk / "bad.yaml")
    assert (code, value["allowed"]) == (1, False)
    (said,) = value["verdicts"]
    assert (said["message"], said["line"], said["kind"]) == ("too many", 7, "violation")


def test_what_only_warns_is_allowed_and_said(desk: Path) -> None:
    write(desk, {"few.yaml": POLICY + BINDING.replace("ACTION", "Warn")})
    code, value = judged(desk / "few.yaml", "--object", desk / "bad.yaml")
    assert (code, [one["effect"] for one in value["verdicts"]]) == (0, ["warn"])


def test_what_cannot_be_worked_out_or_read_is_denied(desk: Path) -> None:
    write(desk, {
        "none.yaml": deployment(2).replace("replicas: 2, ", ""),
        "error.yaml": POLICY.replace("object.spec.replicas <= 5", "object.spec.replicas.size() > object.spec.nothing"),
        "broken.yaml": POLICY.replace("object.spec.replicas <= 5", "object.spec.replicas <"),
        "text.yaml": "hello\n",
    })  # fmt: skip
    assert judged(desk / "error.yaml", "--object", desk / "good.yaml")[1]["verdicts"][0]["kind"] == "error"
    for words in (("error.yaml", "good.yaml"), ("broken.yaml", "good.yaml"), ("few.yaml", "text.yaml")):
        assert judged(desk / words[0], "--object", desk / words[1])[0] == 1


def test_several_objects_are_judged_beside_what_they_were(desk: Path) -> None:
    rule = POLICY.replace(
        "object.spec.replicas <= 5", "'oldObject == null || object.spec.replicas >= oldObject.spec.replicas'"
    )
    write(desk, {
        "grow.yaml": rule.replace("too many", "fewer than before"),
        "new.yaml": deployment(2) + "---\n" + deployment(2, "worker"),
        "old.yaml": deployment(4, "worker"),
    })  # fmt: skip
    code, value = judged(desk / "grow.yaml", "--object", desk / "new.yaml", "--old", desk / "old.yaml")
    assert code == 1
    assert [one["object"] for one in value["verdicts"]] == ["Deployment checkout-prod/worker"]


def test_parameters_are_given_and_without_them_it_is_denied(desk: Path) -> None:
    write(desk, {
        "most.yaml": PARAMETERS,
        "params.yaml": "apiVersion: v1\nkind: ConfigMap\n"
                       "metadata: {name: a, namespace: checkout-prod}\ndata: {most: '3'}\n",
    })  # fmt: skip
    assert judged(desk / "most.yaml", "--object", desk / "good.yaml")[0] == 1
    given = ("--params", desk / "params.yaml")
    assert judged(desk / "most.yaml", "--object", desk / "good.yaml", *given)[0] == 0
    assert judged(desk / "most.yaml", "--object", desk / "bad.yaml", *given)[0] == 1


def test_shipped_policies_go_by_their_names_and_a_wrong_name_is_told(desk: Path) -> None:
    code, value = judged("no-latest", "limits", "--object", desk / "good.yaml")
    assert code == 1
    assert {one["policy"] for one in value["verdicts"]} == {"no-latest", "limits"}
    wrong = run("judge", "no-lates", "--object", desk / "good.yaml")
    assert wrong.exit_code == 2
    assert "did you mean no-latest?" in wrong.stderr


def test_a_kyverno_policy_is_judged_the_same_and_a_field_without_meaning_is_named(desk: Path) -> None:
    write(desk, {"kyverno.yaml": KYVERNO, "mutates.yaml": KYVERNO + "  evaluation: {mode: JSON}\n"})
    for name in ("good.yaml", "bad.yaml"):
        same = [judged(desk / policy, "--object", desk / name) for policy in ("few.yaml", "kyverno.yaml")]
        assert same[0][0] == same[1][0]
        assert [one["message"] for one in same[0][1]["verdicts"]] == [one["message"] for one in same[1][1]["verdicts"]]
    code, value = judged(desk / "mutates.yaml", "--object", desk / "good.yaml")
    assert code == 1
    assert "evaluation.mode" in value["problems"][0]["message"]


def test_explain_says_what_it_is_about_and_the_value_of_each_expression(desk: Path) -> None:
    code, value = answered("policy-explain", "policy", "explain", "no-latest",
                           "--object", desk / "good.yaml")  # fmt: skip
    assert code == 0
    itself, pod = value["seen"]
    assert itself["left_out"] == "its rules are about other kinds or operations"
    steps = {one["name"] or one["part"]: one["value"] for one in pod["steps"]}
    assert steps["unversioned"] == '["a"]'
    assert (steps["validations[0]"], steps["validations[1]"]) == ("false", "true")
    assert [one["part"] for one in value["verdicts"]] == ["validations[0]"]


def test_explain_without_an_object_tells_the_policy() -> None:
    done = run("explain", "replicas-in-production")
    assert done.exit_code == 0
    assert "CREATE, UPDATE of workloads" in done.stdout
    assert "runs-all-the-time" in done.stdout
