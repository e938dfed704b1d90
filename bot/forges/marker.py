"""The keyed marker: how the bot knows its own comment or issue again among whatever others write."""

from __future__ import annotations

import hmac
import re
from dataclasses import dataclass, field

HINT = "<!-- causeway:"
"""What every marker begins with. Proof of nothing: anyone can type it."""

_KEY = re.compile(r"[a-z][a-z0-9-]{0,39}")
_DIGEST = re.compile(r"[0-9a-f]{8,160}")
_LAST_LINE = re.compile(
    r"<!-- causeway:(?P<key>[a-z][a-z0-9-]{0,39}):(?P<mac>[0-9a-f]{32}) (?P<digest>[0-9a-f]{8,160}) -->\s*\Z"
)


@dataclass(frozen=True, slots=True)
class Marker:
    """Marks texts of one place (`<kind>:<repository id>:<number>`) with a secret that only the bot has.

    The code covers place and key, so a marker copied from elsewhere counts for nothing. The digest is outside it: who
    edits a comment and damages the digest gets the comment rewritten, never a second one beside it.
    """

    secret: str = field(repr=False)
    place: str

    def sign(self, body: str, key: str, digest: str) -> str:
        """`body` with its marker as last line. ValueError for a key or digest of another alphabet."""
        if _KEY.fullmatch(key) is None or _DIGEST.fullmatch(digest) is None:
            raise ValueError(f"a marker holds a key like `plan` and a hexadecimal digest, not {key!r} and {digest!r}")
        return f"{body}\n\n{HINT}{key}:{self._code(key)} {digest} -->"

    def digest(self, text: str, key: str) -> str | None:
        """The digest that `text` was signed with for `key`; None where it carries no marker of ours for it."""
        found = _LAST_LINE.search(text)
        if found is None or found["key"] != key or not hmac.compare_digest(found["mac"], self._code(key)):
            return None
        return found["digest"]

    def _code(self, key: str) -> str:
        return hmac.new(self.secret.encode(), f"{self.place}\n{key}".encode(), "sha256").hexdigest()[:32]
