"""Every row of the published table of policies, by its cases."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from bot.core.policy.load import load_policies
from bot.core.policy.model import PolicySet, Verdict
from bot.core.problem import Refusal
from tests.core.policy_page import PAGE, page, rows
from tests.core.policy_world import PARAMS, PATH, binding, document, judged, policy


def cases() -> Iterator[Any]:
    for row in rows():
        for at, one in enumerate(row.cases):
            yield pytest.param(one, id=f"{row.file}:{row.what[:40]}:{at}")


def files(one: Any) -> dict[str, bytes]:
    if "documents" in one:
        own = one["documents"]
    elif "kyverno" in one:
        own = [{**policy(**one["kyverno"]), "apiVersion": "policies.kyverno.io/v1", "kind": "ValidatingPolicy"}]
    else:
        bound = [] if one.get("binding", {}) is None else [binding(**one.get("binding", {}))]
        own = [policy(**one["spec"]), *bound]
    params = {PARAMS: document(*one["params"])} if "params" in one else {}
    return {PATH: document(*own), **params}


def holds(found: Verdict, wanted: Any) -> bool:
    shown = {
        "policy": found.policy, "binding": found.binding, "validation": found.validation, "effect": found.effect,
        "message": found.message, "kind": found.kind, "audit": dict(found.audit),
        "pointers": [list(pointer) for pointer in found.pointers],
    }  # fmt: skip
    return all(
        wanted[key] in shown[key] if key in ("message", "pointers") else wanted[key] == shown[key] for key in wanted
    )


@pytest.mark.parametrize("one", list(cases()))
def test_a_row_of_the_table_is_true(one: Any) -> None:
    made = load_policies(files(one))
    if "problems" in one:
        assert isinstance(made, Refusal), "it was taken"
        assert [problem.code for problem in made.problems] == one["problems"], made
        for text in one.get("say", ()):
            assert any(text in f"{problem.message} {problem.fix}" for problem in made.problems), made
        return
    assert isinstance(made, PolicySet), made
    assert [problem.code for problem in made.problems] == one.get("warnings", []), made.problems
    for asked in one.get("judge", ()):
        found = judged(made, asked.get("object"), asked.get("old"), asked.get("namespace", "namespace"))
        wanted = [] if asked["expect"] == "pass" else asked["expect"]
        assert len(found) == len(wanted), found
        assert all(holds(verdict, want) for verdict, want in zip(found, wanted, strict=True)), found


def test_the_published_page_is_what_the_cases_say() -> None:
    assert PAGE.read_text(encoding="utf-8") == page(), "run `python -m tests.core.policy_page`"
