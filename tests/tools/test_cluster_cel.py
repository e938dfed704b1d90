"""Every example of the functions of CEL gives in a cluster what it gives here, or is refused here by name."""

from __future__ import annotations

import json
from typing import Any

import pytest

from bot.core.cel import CelError, CelFault, CelValue
from tests.core.test_cel import OBJECT, cases, run
from tests.tools.cluster import ask

pytestmark = [pytest.mark.tools, pytest.mark.timeout(1800)]

BEYOND = {
    "google.protobuf.Timestamp{seconds: 1}", "[1, 2].slice(0, 1)", "[2, 1].sort()", "[1, 1].distinct()",
    "[[1]].flatten()",
}  # fmt: skip
"""Refused here, where a cluster goes on."""
STRICTER = {'[quantity("1")] == dyn([1])', '[quantity("1")] != dyn([1])'}
"""An error here, where a cluster takes an error for a value."""


def test_every_example_of_the_conformance_table_is_the_clusters_answer() -> None:
    examples = [text for _, text, _ in cases()]
    answers = ask({"op": "eval", "expression": text, "bindings": {"object": OBJECT}} for text in examples)
    wrong = {text: (run(text), there) for text, there in zip(examples, answers, strict=True) if not same(text, there)}
    assert not wrong
    assert len(examples) > 500


def same(text: str, there: dict[str, Any]) -> bool:
    here = run(text)
    if text in BEYOND:
        return isinstance(here, CelFault) and "type" in there
    if text in STRICTER:
        return isinstance(here, CelError) and "type" in there
    if isinstance(here, CelFault):
        return "compile" in there
    if isinstance(here, CelError):
        return "error" in there
    return here.type == there.get("type") and value(here, there["value"])


def value(here: CelValue, there: Any) -> bool:
    """Equal as JSON; of doubles the evaluator gives the text, and of Kubernetes' own types none that is ours."""
    if here.type == "double":
        return float(there) == float(here.value)
    return (isinstance(there, str) and here.type not in ("string", "bytes")) or json.dumps(here.value) == json.dumps(
        there
    )
