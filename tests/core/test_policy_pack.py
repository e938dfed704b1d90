"""The shipped pack: its own cases hold, whatever we render passes it, and its page is made from its files."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from bot.cli.example import example_files
from bot.core.build import Memo, build
from bot.core.kit import Kit, kit_of
from bot.core.parse import parse_stream
from bot.core.policy.examples import Example, example_in, try_examples
from bot.core.policy.judge import judge_cases
from bot.core.policy.load import load_policies
from bot.core.policy.model import PolicySet
from bot.core.problem import Refusal
from bot.core.rules.cases import objects_in, of_unit
from bot.core.tree import MemoryTree
from tests.core.language_world import shipped
from tests.core.pack_page import PAGE as PAGE_OF_PACK
from tests.core.pack_page import page
from tests.core.rich import RICH
from tests.reference import DATA

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


def _refused(files: Mapping[str, str]) -> tuple[list[str], list[str]]:
    """(problems of the units, what the pack denies of all that is rendered)."""
    tree, memo = MemoryTree({path: text.encode() for path, text in files.items()}), Memo()
    kit = kit_of(tree, shipped())
    assert isinstance(kit, Kit), kit
    made = build(tree, kit, memo)
    assert not isinstance(made, Refusal), made
    problems = [one.message for state in made.units.values() for one in state.problems if one.severity == "error"]
    cases = [case for folder in made.units for case in of_unit(made, folder, objects_in(memo))]
    assert problems or cases
    denied = [one for one in judge_cases(pack(), cases) if one.effect == "deny"]
    return problems, [f"{one.case}: {one.message} ({one.policy})" for one in denied]


EXAMPLE = {path: data.decode() for path, data in example_files("acme/gitops").items() if path.endswith(".yaml")}


def test_what_init_writes_passes() -> None:
    assert _refused(EXAMPLE) == ([], [])


def test_a_platform_that_uses_every_field_passes() -> None:
    assert _refused(RICH) == ([], [])


PAGE = DATA.parent / "design" / "manifest.md"
NOT_EVERYWHERE = {"needs": ("cache", "jobs"), "allow": ("share",), "egress": ()}
"""Parts of the page's examples that not every version can render: an example is tried without them, too."""


def _page() -> list[dict[str, Any]]:
    """The manifests that the page of the language shows."""
    found = []
    for block in re.findall(r"```yaml\n(.*?)```", PAGE.read_text(), re.DOTALL) if PAGE.is_file() else ():
        docs = parse_stream("page.yaml", block.encode())
        found += [] if isinstance(docs, Refusal) else [doc.value for doc in docs]
    return [one for one in found if isinstance(one, dict) and {"name", "owner", "type", "image"} <= one.keys()]


@pytest.mark.skipif(not PAGE.is_file(), reason="absent: the page of the language, beside CAUSEWAY_DATA")
def test_every_example_of_the_language_passes() -> None:
    manifests = _page()
    assert len(manifests) >= 5
    tried = []
    for manifest in manifests:
        for one in (manifest, _less(manifest)):
            problems, denied = _refused(_world(one))
            if not problems:
                assert denied == []
                tried.append(one["name"])
                break
    assert tried.count("checkout") == 2, "the page's first two examples are web services, which render"


def _less(manifest: dict[str, Any]) -> dict[str, Any]:
    left = {key: value for key, value in manifest.items() if NOT_EVERYWHERE.get(key) != ()}
    for key, names in NOT_EVERYWHERE.items():
        if names and isinstance(left.get(key), dict):
            left[key] = {name: value for name, value in left[key].items() if name not in names}
    return left


def _world(manifest: dict[str, Any]) -> dict[str, str]:
    """The manifest, and around it whoever it calls and is called by."""
    others = {*manifest.get("uses", ()), *manifest.get("allow", {}).get("callers", ())}
    teams = {"payments", "finance", "devex", "platform"}
    platform = {path: text for path, text in EXAMPLE.items() if path.startswith("platform/")}
    stubs = {
        name: {
            "name": name,
            "owner": "payments",
            "type": "web",
            "image": f"ghcr.io/acme/{name}:1",
            "allow": {"callers": [manifest["name"]]},
        }
        for name in others
    }
    return {
        **platform,
        "platform/teams.yaml": json.dumps({"teams": {
            team: {"forge_team": f"acme/{team}", "hosts": ["*.acme.com"]} for team in sorted(teams)
        }}),
        **{f"services/{one['name']}/platform.yaml": json.dumps(one, default=dict)
           for one in (*stubs.values(), manifest)},
    }  # fmt: skip


@pytest.mark.parametrize(
    ("team", "service", "denied"),
    [("", "", False), ("budget: 100", "", True), ("budget: 100", "budget: 900\n", False),
     ("budget: 900.5", "budget: 10\n", True)],
)  # fmt: skip
def test_the_budget_is_the_services_else_its_teams(team: str, service: str, denied: bool) -> None:
    checkout, teams = "services/checkout/platform.yaml", "platform/teams.yaml"
    text = EXAMPLE[teams].replace("  payments:\n", f"  payments:\n    {team}\n")
    problems, said = _refused({**EXAMPLE, teams: text, checkout: EXAMPLE[checkout] + service})
    assert problems == []
    assert [one for one in said if "(budget)" not in one] == []
    assert (f"{checkout.rpartition('/')[0]}@prod" in "".join(said)) == denied


def test_the_page_is_made_from_the_files() -> None:
    assert PAGE_OF_PACK.read_text(encoding="utf-8") == page(), "write it anew: python -m tests.core.pack_page"
