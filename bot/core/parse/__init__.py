"""The only reader of YAML: bytes to a value with a position for every key and list item, or all that is wrong.

`parse` never raises on content and never builds a value that is not plain JSON data. Positions count from 1, columns
in code points. YAML 1.2 core scalars; anchors, aliases, tags, merge keys, directives and second documents are refused;
`parse_stream` alone takes several documents.
"""

from bot.core.parse.document import assert_c_parser, parse, parse_stream
from bot.core.parse.source import DEFAULT, Limits

__all__ = ["DEFAULT", "Limits", "assert_c_parser", "parse", "parse_stream"]
