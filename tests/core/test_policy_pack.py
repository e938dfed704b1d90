"""The shipped pack: its own cases hold, whatever we render passes it, and its page is made from its files."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from bot.core.parse import parse_stream
from bot.core.policy.examples import Example, example_in, try_examples
from bot.core.policy.judge import judge_cases
from bot.core.policy.load import load_policies
from bot.core.policy.model import PolicySet
from bot.core.problem import Refusal

ROOT = Path(__file__).parents[2]
FOLDER = "blueprints/policies/v1"
FILES: Mapping[str, bytes] = {
    f"{FOLDER}/{path.name}": path.read_bytes() for path in sorted((ROOT / FOLDER).glob("*.yaml"))
}


def _documents() -> dict[str, list[Any]]:
    found: dict[str, list[Any]] = {}
    for path, data in FILES.items():
        docs = parse_stream(path, data)
        assert not isinstance(docs, Refusal), docs
        found[Path(path).stem] = [doc.value for doc in docs]
    return found


def _examples() -> tuple[Example, ...]:
    found = []
    for path in sorted((ROOT / FOLDER / "cases").rglob("*.yaml")):
        one = example_in(path.relative_to(ROOT).as_posix(), path.read_bytes())
        assert not isinstance(one, Refusal), one
        found.append(one)
    return tuple(found)


PACK = _documents()
"""Policy -> the documents of its file: the policy and its binding."""
EXAMPLES = _examples()


def pack() -> PolicySet:
    made = load_policies({}, FILES)
    assert isinstance(made, PolicySet), made
    return made


def test_every_policy_is_bound_explains_itself_and_is_in_the_file_of_its_name() -> None:
    policies = pack()
    assert policies.problems == ()
    for name, documents in PACK.items():
        policy, binding = documents
        assert policy["metadata"]["name"] == binding["metadata"]["name"] == binding["spec"]["policyName"] == name
        assert {"causeway.dev/what", "causeway.dev/why", "causeway.dev/fix"} == set(policy["metadata"]["annotations"])
        assert policy["spec"]["failurePolicy"] == "Fail"
        assert all("message" in one or "messageExpression" in one for one in policy["spec"]["validations"])


def test_every_binding_leaves_out_what_is_waived() -> None:
    for name, (_, binding) in PACK.items():
        expressions = binding["spec"]["matchResources"]["objectSelector"]["matchExpressions"]
        assert {"key": f"waived.causeway.dev/{name}", "operator": "DoesNotExist"} in expressions


def test_every_case_goes_as_it_says() -> None:
    assert [one for one in try_examples(EXAMPLES, pack(), judge_cases) if one.why] == []


@pytest.mark.parametrize("name", PACK)
def test_every_policy_has_cases_that_pass_and_every_validation_one_that_fails(name: str) -> None:
    mine = [one for one in EXAMPLES if one.policy == name]
    assert any(one.expected == "pass" for one in mine)
    fired = Counter(verdict.validation for verdict in judge_cases(pack(), [one.case for one in mine])
                    if verdict.policy == name)  # fmt: skip
    assert set(fired) == {f"validations[{at}]" for at in range(len(PACK[name][0]["spec"]["validations"]))}
