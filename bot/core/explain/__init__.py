"""Why a value is what it is: every value of a render, and every field of an effective manifest, with who gave it.

A value is followed from its place in an object to the expression of a template that made it, from there to what that
expression looked up, and from there to the line that somebody wrote. What a template fixes leads to the template.
"""

from bot.core.explain.answer import everything, explain
from bot.core.explain.asked import unit_asked
from bot.core.explain.places import Texts
from bot.core.explain.shapes import Explained, Spot, Unknown, dotted

__all__ = ["Explained", "Spot", "Texts", "Unknown", "dotted", "everything", "explain", "unit_asked"]
