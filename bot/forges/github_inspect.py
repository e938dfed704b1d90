"""GitHub, examined for the doctor: webhooks, rights, protection, clock. Reads, and one write that cannot succeed."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from email.utils import parsedate_to_datetime
from types import MappingProxyType
from typing import Any
from urllib.parse import quote

from bot.core.model.health import HookSeen, ProtectionSeen, RightsSeen
from bot.forges.github_app import AppCredentials
from bot.forges.github_bodies import number, text
from bot.forges.github_calls import UnacceptableError
from bot.forges.github_line import Credentials, Json, Line
from bot.forges.github_pace import Pace
from bot.ports import GoneError, OutsideWorldError

EVENTS = ("push", "pull_request", "issue_comment", "pull_request_review")
"""What every review depends on. A merge queue's `merge_group` is looked at beside them. What "Re-run" sends comes to
every App that may write checks, and is in no list."""

_NOWHERE = "0" * 40
_NEWEST = 10
_LEVELS = ("none", "read", "write", "admin")


class GitHubInspect:
    """`inspects.Inspects` for one repository. With `AppCredentials`, webhook and rights are the App's own."""

    def __init__(
        self,
        api_url: str,
        repository: str,
        credentials: Credentials,
        needed: Mapping[str, str],
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._repo = f"/repositories/{int(repository)}"
        self._id = int(repository)
        self._app = credentials if isinstance(credentials, AppCredentials) else None
        self._needed = MappingProxyType(dict(needed))
        # What the App may ask about itself goes over its own line; a person's token has one for both.
        self._line = Line(api_url, credentials, Pace(None, None), sleep)
        self._own = self._app.as_app() if self._app is not None else self._line

    def close(self) -> None:
        """Closes its connections."""
        self._line.close()
        self._own.close()

    def name(self) -> str:
        return self._line.one("reading the repository", self._repo, lambda found: text(found["full_name"]))

    def app(self) -> str:
        return str(self._app.app_id) if self._app is not None else ""

    def skew(self) -> float:
        self._own.one("asking for the time", "/rate_limit" if self._app is None else "/app", lambda found: found)
        try:
            there = parsedate_to_datetime(self._own.date).timestamp()
        except ValueError as unreadable:
            raise OutsideWorldError("asking for the time: GitHub's Date header cannot be read") from unreadable
        # The header is cut to the second; half of one is the fair guess.
        return time.time() - there - 0.5

    # Webhooks

    def hooks(self) -> tuple[HookSeen, ...]:
        if self._app is not None:
            return (self._app_hook(),)
        found = self._line.every("listing webhooks", f"{self._repo}/hooks", lambda one: one)
        return tuple(self._hook(one) for one in found)

    def _app_hook(self) -> HookSeen:
        config = self._own.one("reading the App's webhook", "/app/hook/config", lambda found: found)
        heard = self._own.one("reading the App", "/app", lambda found: {text(one) for one in found["events"]})
        answers = self._answers("/app/hook/deliveries")
        return _hook_seen(config, heard, EVENTS, active=True, answers=answers)

    def _hook(self, found: Json) -> HookSeen:
        heard = {text(one) for one in found["events"]}
        answers = self._answers(f"{self._repo}/hooks/{number(found['id'])}/deliveries")
        return _hook_seen(found["config"], heard, EVENTS, active=found["active"] is True, answers=answers)

    def _answers(self, path: str) -> tuple[int, ...]:
        """Newest first, of the first page. An App's webhook serves other repositories too."""
        newest = next(self._own.pages("listing deliveries", path, _delivery), [])
        return tuple(status for status, where in newest if where in (self._id, None))[:_NEWEST]

    # Rights

    def rights(self) -> RightsSeen:
        return self._token_rights() if self._app is None else self._app_rights(self._app)

    def _app_rights(self, app: AppCredentials) -> RightsSeen:
        who = app.login()
        found = self._installation()
        if found is None:
            return RightsSeen(who, ("its installation in this repository",))
        granted: Mapping[str, Any] = found["permissions"]
        if found.get("suspended_at"):
            return RightsSeen(who, ("its installation, which is suspended",))
        less = {
            f"{area}: {level}"
            for area, level in self._needed.items()
            if _LEVELS.index(str(granted.get(area, "none"))) < _LEVELS.index(level)
        }
        return RightsSeen(who, tuple(sorted(less)))

    def _installation(self) -> Json | None:
        what = "reading the App's installation"
        try:
            return self._own.one(what, f"{self._repo}/installation", dict)
        except GoneError:
            # Not every server answers by id. Where the App is installed once, it is that one.
            every = self._own.every(what, "/app/installations", dict)
            return every[0] if len(every) == 1 else None

    def _token_rights(self) -> RightsSeen:
        who = self._line.one("asking who we are", "/user", lambda found: text(found["login"]))
        here = self._line.one("reading the repository", self._repo, lambda found: dict(found))
        owner: Mapping[str, Any] = here["owner"]
        less = set() if here["permissions"].get("push") else {"contents: write"}
        # A person's repository has no teams.
        if "members" in self._needed and owner["type"] == "Organization":
            path = f"/orgs/{quote(text(owner['login']), safe='')}/teams?per_page=1"
            less |= set() if self._may("reading teams", path) else {f"members: {self._needed['members']}"}
        reads = {"pull_requests": "/pulls?per_page=1", "issues": "/issues?per_page=1"}
        for area, path in reads.items():
            if area in self._needed and not self._may(f"reading {area}", self._repo + path):
                less.add(f"{area}: {self._needed[area]}")
        if "statuses" in self._needed and not self._may_set_statuses():
            less.add("statuses: write")
        return RightsSeen(who, tuple(sorted(less)))

    def _may(self, what: str, path: str) -> bool:
        try:
            self._line.one(what, path, lambda found: found)
        except OutsideWorldError as refused:
            if _is_refusal(refused):
                return False
            raise
        return True

    def _may_set_statuses(self) -> bool:
        """Asked with a commit that is none: who may is told that, who may not is told no."""
        body = {"state": "pending", "context": "causeway-doctor"}
        try:
            self._line.ask("asking for statuses", f"{self._repo}/statuses/{_NOWHERE}", body, lambda found: found)
        except UnacceptableError:
            return True
        except OutsideWorldError as refused:
            if "No commit found" in str(refused):
                return True
            if _is_refusal(refused):
                return False
            raise
        return True

    # Protection

    def protection(self, branch: str) -> ProtectionSeen:
        what = f"reading the rules of {branch}"
        rules = self._line.every(what, f"{self._repo}/rules/branches/{branch}", dict)
        classic = self._line.one(what, f"{self._repo}/branches/{branch}", dict)
        kinds = {text(rule["type"]) for rule in rules}
        required = _classic_checks(classic)
        for rule in rules:
            if rule["type"] == "required_status_checks":
                checks = rule["parameters"]["required_status_checks"]
                required |= {text(one["context"]): _pinned(one.get("integration_id")) for one in checks}
        only_pulls = True if "pull_request" in kinds else self._classic_pulls(branch, classic)
        return ProtectionSeen(branch, only_pulls, required, "merge_queue" in kinds)

    def _classic_pulls(self, branch: str, classic: Json) -> bool | None:
        if classic.get("protected") is not True:
            return False
        try:
            path = f"{self._repo}/branches/{branch}/protection"
            return self._line.one(f"reading the protection of {branch}", path, _asks_for_pulls)
        except OutsideWorldError:
            # Only an administrator's token may; what follows from it is not worth that right.
            return None


def _hook_seen(
    config: Json, heard: set[str], wanted: tuple[str, ...], *, active: bool, answers: tuple[int, ...]
) -> HookSeen:
    every = "*" in heard
    return HookSeen(
        url=text(config.get("url") or ""),
        active=active,
        signed=bool(config.get("secret")),
        json=config.get("content_type") == "json",
        deaf=() if every else tuple(one for one in wanted if one not in heard),
        hears_queue=every or "merge_group" in heard,
        answers=answers,
    )


def _delivery(found: Json) -> tuple[int, int | None]:
    return int(found["status_code"]), found.get("repository_id")


def _classic_checks(branch: Json) -> dict[str, str]:
    found = (branch.get("protection") or {}).get("required_status_checks") or {}
    if found.get("enforcement_level") == "off":
        return {}
    return {text(one): "" for one in found.get("contexts", ())} | {
        text(one["context"]): _pinned(one.get("app_id")) for one in found.get("checks", ())
    }


def _pinned(app: Any) -> str:
    # GitHub writes -1 where any source counts.
    return str(app) if isinstance(app, int) and app > 0 else ""


def _asks_for_pulls(found: Json) -> bool:
    return "required_pull_request_reviews" in found


def _is_refusal(error: OutsideWorldError) -> bool:
    return isinstance(error, GoneError) or "answered 403" in str(error)
