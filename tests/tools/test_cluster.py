"""The evaluator that other tests hold Causeway against does what it is asked."""

from __future__ import annotations

import pytest

from tests.tools.cluster import ask


@pytest.mark.tools
@pytest.mark.timeout(1800)
def test_the_clusters_evaluator_tells_values_errors_and_what_does_not_compile_apart() -> None:
    value, error, unknown = ask(
        {"op": "eval", "expression": text, "bindings": {"object": {"a": 3}}}
        for text in ("object.a + 1", "object.b", "nothing(1)")
    )
    assert value == {"type": "int", "value": 4}
    assert "no such key" in error["error"]
    assert "undeclared reference to 'nothing'" in unknown["compile"]
