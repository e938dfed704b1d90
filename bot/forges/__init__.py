"""The forges that Causeway can talk to.

Adding a forge: its files here are `<kind>.py` (every verb of `ports.Forge`), `<kind>_delivery.py` (its webhooks, pure),
`<kind>_inspect.py` (every verb of `bot.inspects`, for the doctor) and one for each further topic. Then name the kind:

- its parser in `FORGES` here. The adapter is not named here, so that the door starts without any forge's library;
- its adapter in `_ADAPTERS` and its inspector in `_INSPECTORS` of `wiring.py`;
- `ForgeSettings.kind` and `API_URLS` in `settings.py`, with what excludes what there;
- `Dialect` in `core/model/conversation.py`, and what `core/words` writes otherwise for it;
- `PlatformSeen.kind` in `core/model/health.py`, and what `core/doctor.py` advises otherwise for it;
- a command in `cli/setup.py`, and a page in `deploy/`.

Its proof: a face of the sandbox (`bot/sandbox/<kind>_*.py`), held against the forge's published API or captured
answers, with a line in `FACES` of `tests/world/contract/faces.py`, whose tests run once for each face; captured
webhooks; its library in `ONE_DOOR` of `tests/test_house.py`.
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
