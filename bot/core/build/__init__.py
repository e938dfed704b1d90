"""A whole platform tree, compiled: facts, links and the input digest of every part of the output.

Nothing is rendered here until somebody asks for bytes (`fill`), and only for what they name. A build can start from
another one; it then visits only what changed and equals a cold build.
"""

from bot.core.build.compile import written_state
from bot.core.build.fill import fill, keys_for, outlines
from bot.core.build.keys import keys_of_unit
from bot.core.build.state import Build, Delta, Memo, UnitState, difference, inputs_of
from bot.core.build.whole import build

__all__ = [
    "Build",
    "Delta",
    "Memo",
    "UnitState",
    "build",
    "difference",
    "fill",
    "inputs_of",
    "keys_for",
    "keys_of_unit",
    "outlines",
    "written_state",
]
