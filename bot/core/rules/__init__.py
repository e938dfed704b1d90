"""What a change is judged by, beside the language itself.

Adding a rule: write a function in a file of this folder that yields `Finding`s, add one line to `RULES`, one row for
its code in `core/codes/`, and a case in `tests/core/test_rules.py`. A `state` rule looks at one build and is run over
both sides; what it finds on both stands already and only warns. A `change` rule looks at the pair; all that it finds is
new. Both look only at what differs between the sides, so that the cost follows the change.
"""

from bot.core.rules.finding import Finding, Judges, Rule
from bot.core.rules.judge import RULES, Judged, judge

__all__ = ["RULES", "Finding", "Judged", "Judges", "Rule", "judge"]
