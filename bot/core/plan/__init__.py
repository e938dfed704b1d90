"""What a change would do, as facts: services, environments, objects, data, and what must exist before.

A plan is one build against another, both on the platform side. Its cost follows what differs: units that are the same
state, and keys whose digest is the same, are never looked into. `sides` says what differs and which part is which,
`rows`, `data`, `waits` and `pods` say what it means, `objects` what becomes of each file, `compose` puts it together.
"""

from bot.core.plan.compose import plan

__all__ = ["plan"]
