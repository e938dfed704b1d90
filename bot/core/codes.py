"""Every problem code and its short title. A code never changes meaning and is never used again."""

from __future__ import annotations

from collections.abc import Mapping

CODES: Mapping[str, str] = {
    "CW0101": "the file is not YAML",
}
