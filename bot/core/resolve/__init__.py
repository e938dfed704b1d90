"""From a unit and the platform to what holds in one environment."""

from bot.core.resolve.names import namespace_of
from bot.core.resolve.scene import Scene, place_of
from bot.core.resolve.whole import environments_of, misfits, resolve

__all__ = ["Scene", "environments_of", "misfits", "namespace_of", "place_of", "resolve"]
