"""The forges that Causeway can talk to.

Adding a forge: write `forges/<kind>.py` (every verb of `ports.Forge`, held by `tests/world/contract` once it has a line
in its `FACES`) and `forges/<kind>_delivery.py` (its webhooks, pure), then name the kind in four places: the parser
here, the adapter in `_ADAPTERS` of `wiring.py`, `ForgeSettings.kind` in `settings.py` (with the default of `api_url`),
and `Dialect` in `core/model/conversation.py` with what `core/words` writes differently for it. The adapter is not named
here, so that the door starts without any forge's library.
"""

from __future__ import annotations

from collections.abc import Mapping

from bot.forges.github_delivery import parse_delivery as github_delivery
from bot.forges.gitlab_delivery import parse_delivery as gitlab_delivery
from bot.ports import DeliveryParser

FORGES: Mapping[str, DeliveryParser] = {
    "github": github_delivery,
    "gitlab": gitlab_delivery,
}
