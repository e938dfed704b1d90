"""A small local forge for demo and tests: GitHub's REST subset, real git over HTTP, signed webhooks, a web page.

Adding a verb: one function in the `rest_*.py` of its topic and one row in that file's `ROUTES`; its answer must hold
against GitHub's OpenAPI (`tests/world/test_sandbox_openapi.py`).

The same world has a second face: GitLab's REST subset under `/api/v4` and its webhooks, in `gitlab_*.py`. A verb there
is added in the same way, and held against captured answers (`tests/world/test_gitlab_shapes.py`). What only GitLab has
(pipelines, the states of their jobs) is in `gitlab_state.py`; approvals are reviews, groups are teams. One thing is not
as there: issues and merge requests share their numbers.
"""

from bot.sandbox.faults import Fault, Request
from bot.sandbox.sandbox import Sandbox
from bot.sandbox.world import WorldError

__all__ = ["Fault", "Request", "Sandbox", "WorldError"]
