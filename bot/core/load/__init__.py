"""From a tree to the platform's files and to units, read and checked."""

from bot.core.load.changed import changed_units
from bot.core.load.environments import MAIN
from bot.core.load.literals import literals
from bot.core.load.lookalikes import MANIFEST, RELEASES, overlooked
from bot.core.load.platform import load_platform
from bot.core.load.units import ROOT, is_unit, load_unit, unit_folders

__all__ = [
    "MAIN",
    "MANIFEST",
    "RELEASES",
    "ROOT",
    "changed_units",
    "is_unit",
    "literals",
    "load_platform",
    "load_unit",
    "overlooked",
    "unit_folders",
]
