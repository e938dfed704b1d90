"""What crosses services: claims, callers, neighbours. One round over facts; links never depend on links."""

from bot.core.link.again import Index, index_of, link_again
from bot.core.link.whole import Claim, Places, claims_of, link

__all__ = ["Claim", "Index", "Places", "claims_of", "index_of", "link", "link_again"]
