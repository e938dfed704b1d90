"""A whole platform tree, compiled: facts, links and the input digest of every part of the output.

Nothing is rendered here until somebody asks for bytes (`fill`), and only for what they name. A build can start from
another one; it then visits only what changed and equals a cold build.
"""

from bot.core.build.compile import build, written_state
from bot.core.build.fill import fill, keys_for, outlines
from bot.core.build.state import Build, Memo, UnitState, inputs_of

__all__ = ["Build", "Memo", "UnitState", "build", "fill", "inputs_of", "keys_for", "outlines", "written_state"]
