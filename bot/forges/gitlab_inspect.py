"""GitLab, examined for the doctor: webhooks, rights, protection, clock. Reads alone."""

from __future__ import annotations

import time
from collections.abc import Callable
from email.utils import parsedate_to_datetime
from urllib.parse import quote

from bot.core.model.health import HookSeen, ProtectionSeen, RightsSeen
from bot.forges.gitlab_calls import Calls, Credentials, ForbiddenError, Json, RefusedError
from bot.ports import GoneError, OutsideWorldError

EVENTS = {"push_events": "push events", "merge_requests_events": "merge request events", "note_events": "comments"}
"""Field of a webhook -> what GitLab's page calls it."""

_NEWEST = 10
_DEVELOPER, _MAINTAINER, _NOBODY = 30, 40, 0


class GitLabInspect:
    """`inspects.Inspects` for one project."""

    def __init__(
        self,
        api_url: str,
        repository: str,
        credentials: Credentials,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._path = f"/projects/{int(repository)}"
        self._calls = Calls(api_url, credentials, sleep)

    def close(self) -> None:
        """Closes its connections."""
        self._calls.close()

    def name(self) -> str:
        return str(self._project()["path_with_namespace"])

    def app(self) -> str:
        return ""

    def skew(self) -> float:
        self._project()
        try:
            there = parsedate_to_datetime(self._calls.date).timestamp()
        except ValueError as unreadable:
            raise OutsideWorldError("asking for the time: GitLab's Date header cannot be read") from unreadable
        # The header is cut to the second; half of one is the fair guess.
        return time.time() - there - 0.5

    def hooks(self) -> tuple[HookSeen, ...]:
        found = self._calls.read("listing webhooks", lambda: self._calls.all(f"{self._path}/hooks"))
        return tuple(self._hook(one) for one in found)

    def _hook(self, found: Json) -> HookSeen:
        told = [found[key] for key in ("token_present", "signing_token_present") if key in found]
        return HookSeen(
            url=str(found["url"]),
            active=found.get("alert_status", "executable") == "executable",
            signed=any(told) if told else None,
            json=True,
            deaf=tuple(word for field, word in EVENTS.items() if found.get(field) is not True),
            hears_queue=True,
            answers=self._answers(int(found["id"])),
        )

    def _answers(self, hook: int) -> tuple[int, ...]:
        """Newest first; none where this GitLab keeps no record of them that we may see."""

        def ask() -> tuple[int, ...]:
            newest = self._calls.page(f"{self._path}/hooks/{hook}/events", 1, {}).value
            return tuple(_status(one.get("response_status")) for one in newest)[:_NEWEST]

        try:
            return self._calls.read("listing deliveries", ask)
        except (GoneError, ForbiddenError):
            return ()

    def rights(self) -> RightsSeen:
        who = self._calls.read("asking who we are", lambda: str(self._calls.get("/user")["username"]))
        token = self._own_token()
        missing = set() if token is None or "api" in token.get("scopes", ()) else {"scope: api"}
        if _level(self._project()) < _DEVELOPER:
            missing.add("role: Developer (Maintainer where Developers may not push to the branch)")
        return RightsSeen(who, tuple(sorted(missing)), str((token or {}).get("expires_at") or ""))

    def _own_token(self) -> Json | None:
        """None for what is no personal, project or group token."""
        try:
            return self._calls.read("reading our token", lambda: dict(self._calls.get("/personal_access_tokens/self")))
        except (GoneError, ForbiddenError, RefusedError):
            return None

    def protection(self, branch: str) -> ProtectionSeen:
        project = self._project()
        required = {"pipeline": ""} if project.get("only_allow_merge_if_pipeline_succeeds") is True else {}
        return ProtectionSeen(
            branch,
            self._only_pulls(branch),
            required,
            queue=project.get("merge_trains_enabled") is True,
            can_push=self._can_push(branch),
            approvals_reset=self._approvals_reset(),
        )

    def _only_pulls(self, branch: str) -> bool | None:
        path = f"{self._path}/protected_branches/{quote(branch, safe='')}"
        try:
            found = self._calls.read(f"reading the protection of {branch}", lambda: dict(self._calls.get(path)))
        except ForbiddenError:
            return None
        except GoneError:
            return False
        pushers = [one for one in found["push_access_levels"] if one.get("access_level") != _NOBODY]
        return not pushers

    def _can_push(self, branch: str) -> bool | None:
        path = f"{self._path}/repository/branches/{quote(branch, safe='')}"
        try:
            found = self._calls.read(f"reading the branch {branch}", lambda: self._calls.get(path).get("can_push"))
        except GoneError:
            # The first delivery makes it.
            return None
        return found if isinstance(found, bool) else None

    def _approvals_reset(self) -> bool | None:
        def ask() -> bool | None:
            found = self._calls.get(f"{self._path}/approvals").get("reset_approvals_on_push")
            return found if isinstance(found, bool) else None

        try:
            return self._calls.read("reading the approval rules", ask)
        except (GoneError, ForbiddenError):
            return None

    def _project(self) -> Json:
        return self._calls.read("reading the project", lambda: dict(self._calls.get(self._path)))


def _level(project: Json) -> int:
    """The higher of what the project and its group grant. Without either it is a public project's visitor."""
    granted = project.get("permissions") or {}
    levels = [part["access_level"] for key in ("project_access", "group_access") if (part := granted.get(key))]
    return max(levels, default=0)


def _status(told: object) -> int:
    """GitLab writes the answer's number, or in words why there is none."""
    return int(told) if isinstance(told, int | str) and str(told).isdigit() else 0
