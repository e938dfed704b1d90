"""A small local forge for demo and tests: GitHub's REST subset, real git over HTTP, signed webhooks, a web page.

Adding a verb: one function in the `rest_*.py` of its topic and one row in that file's `ROUTES`; its answer must hold
against GitHub's OpenAPI (`tests/world/test_sandbox_openapi.py`).
"""

from bot.sandbox.faults import Fault, Request
from bot.sandbox.sandbox import Sandbox
from bot.sandbox.world import WorldError

__all__ = ["Fault", "Request", "Sandbox", "WorldError"]
