"""Documents against JSON Schema (draft 2020-12), with problems a person can act on.

Beside the standard's words, a schema may carry annotations that only shape the sentences:

- `x-words`: the rule of a `pattern`, `not` or other hard keyword as advice: "begin with a letter, then …".
- `x-why`: why the rule exists. Where it is absent the first sentence of `description` serves.
- `x-aliases`: other words that people write for this property (`[replicas, replica]` on `scale`).
- `examples`: the first one is shown as what to write.
"""

from bot.core.check.findings import check
from bot.core.check.schema import BadSchemaError, Schema, compile_schema

__all__ = ["BadSchemaError", "Schema", "check", "compile_schema"]
