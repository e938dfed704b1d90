"""Long tests run only where they are asked for: `pytest -m long`."""

from __future__ import annotations

from pathlib import Path

import pytest

HERE = Path(__file__).parent


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Deselects what lies here unless the command names the marker or a file of this folder."""
    named = any("long" in str(one) for one in (config.option.markexpr, *config.args))
    here = [item for item in items if HERE in item.path.parents]
    if here and not named:
        config.hook.pytest_deselected(items=here)
        items[:] = [item for item in items if item not in here]
