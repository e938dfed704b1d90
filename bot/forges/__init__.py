"""The forges that Causeway can talk to.

Adding a forge: write `forges/<kind>.py` (every verb of `ports.Forge`, held by tests against the sandbox) and
`forges/<kind>_delivery.py` (its webhooks, pure), then add the parser's line here and the adapter's in `wiring.py`.
The adapter is not named here, so that the door starts without any forge's library.
"""

from __future__ import annotations

from collections.abc import Mapping

from bot.forges.github_delivery import parse_delivery as github_delivery
from bot.ports import DeliveryParser

FORGES: Mapping[str, DeliveryParser] = {
    "github": github_delivery,
}
