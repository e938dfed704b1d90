"""How the bot is set up at a GitLab: which project a path means, and a webhook that leads to the door."""

from __future__ import annotations

import base64
import secrets
from urllib.parse import quote

from bot.forges.gitlab_calls import Calls, Credentials, Json


class GitLabSetup:
    """One GitLab, by a token that may administer the project."""

    def __init__(self, api_url: str, credentials: Credentials) -> None:
        self._calls = Calls(api_url, credentials)

    def close(self) -> None:
        """Closes its connections."""
        self._calls.close()

    def project(self, path: str) -> str:
        """The numeric id of the project that this path means now. `GoneError` where there is none for this token."""
        where = f"/projects/{quote(path, safe='')}"
        return self._calls.read(f"looking for {path}", lambda: str(int(self._calls.get(where)["id"])))

    def ensure_hook(self, project: str, url: str) -> str:
        """Afterwards one webhook of the project leads to `url`; returns the secret that proves it, made anew. GitLab
        signs with it where it knows how to, and else sends it along. An older one to the same URL goes, after the new
        one is there."""
        where = f"/projects/{int(project)}/hooks"
        older = [one for one in self._hooks(where) if one.get("url") == url]
        token, signing = secrets.token_hex(32), f"whsec_{base64.b64encode(secrets.token_bytes(32)).decode()}"
        self._calls.write(
            "adding the webhook",
            "post",
            where,
            url=url,
            push_events=True,
            merge_requests_events=True,
            note_events=True,
            enable_ssl_verification=True,
            token=token,
            signing_token=signing,
        )
        known = {int(one["id"]) for one in older}
        made = [one for one in self._hooks(where) if one.get("url") == url and int(one["id"]) not in known]
        for one in older:
            self._calls.write("removing the older webhook", "delete", f"{where}/{int(one['id'])}")
        return signing if any(one.get("signing_token_present") is True for one in made) else token

    def _hooks(self, where: str) -> list[Json]:
        return self._calls.read("listing webhooks", lambda: self._calls.all(where))
