"""The kit: versioned content that interprets a platform tree, and how it is found."""

from bot.core.kit.reading import CARRIED, kit_of
from bot.core.kit.shapes import Blueprint, Kit, Output, Recipe, Settled

__all__ = ["CARRIED", "Blueprint", "Kit", "Output", "Recipe", "Settled", "kit_of"]
