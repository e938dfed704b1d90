"""From a command to the pull request that it means: which files change how, and who may ask for it. Pure."""

from bot.core.draft.whole import Scene, draft

__all__ = ["Scene", "draft"]
