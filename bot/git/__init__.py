"""Git behind the port `bot.ports.Git`: bare mirrors read by pygit2, transport by the git command."""

from bot.git.command import Limits, require_git
from bot.git.mirror import Mirror, open_tree
from bot.git.transport import DamagedError

__all__ = ["DamagedError", "Limits", "Mirror", "open_tree", "require_git"]
