"""Every address of the sandbox: the API under `/api/v3` as on GitHub Enterprise, pages and git at the root."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import quote

API = "/api/v3"


@dataclass(frozen=True, slots=True)
class Urls:
    """Built from the root, `http://127.0.0.1:<port>`, without a slash at its end."""

    root: str

    @property
    def api(self) -> str:
        """What clients take as their base URL."""
        return self.root + API

    def repo_api(self, full_name: str) -> str:
        return f"{self.api}/repos/{full_name}"

    def user_api(self, login: str) -> str:
        return f"{self.api}/users/{quote(login)}"

    def page(self, full_name: str, *parts: object) -> str:
        """A page of a repository; the last part may hold slashes."""
        return "/".join((f"{self.root}/{full_name}", *(quote(str(part)) for part in parts)))

    def clone(self, full_name: str) -> str:
        return f"{self.root}/{full_name}.git"
