"""By what the bot's own words are found again at the forge."""

from __future__ import annotations

CONTEXT = "causeway"
"""The status's name; branch protection requires it."""

COMMENT = "plan"
"""Key of the one comment."""

REMARKS = "line"
"""Key of what stands beside lines."""
