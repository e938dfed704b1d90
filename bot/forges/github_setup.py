"""How a GitHub App for the bot comes into being: its manifest, the exchange for its key, where it was installed."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote, urlsplit

import requests

from bot.forges.github_app import PLATFORM_RIGHTS, AppCredentials
from bot.forges.github_bodies import number, text
from bot.forges.github_inspect import EVENTS
from bot.forges.github_line import Json, Line
from bot.forges.github_pace import Pace
from bot.ports import OutsideWorldError

_TIMEOUT_SECONDS = 20
_CODE = re.compile(r"[0-9A-Za-z_-]{1,100}")


@dataclass(frozen=True, slots=True)
class MadeApp:
    """An App as GitHub shows it once."""

    id: str
    slug: str
    page: str
    """Where a person installs it, without `/installations/new`."""
    private_key: str = field(repr=False)
    webhook_secret: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Installed:
    """A repository in which the App is installed."""

    repository: str
    installation: str


def manifest(name: str, door: str, redirect: str) -> Json:
    """What the App is to be. `door` is the webhook's public URL, `redirect` where GitHub sends the person back to."""
    return {
        "name": name,
        "url": door.partition("/webhooks/")[0],
        "description": "Reviews pull requests of the platform repository and delivers what lands.",
        "public": False,
        "redirect_url": redirect,
        "hook_attributes": {"url": door, "active": True},
        # A token never needs the last one: GitHub sends `merge_group` to Apps only that have it.
        "default_permissions": {**PLATFORM_RIGHTS, "merge_queues": "read"},
        "default_events": [*EVENTS, "merge_group"],
    }


def page_of(api_url: str, organisation: str) -> str:
    """The page that takes a manifest: of an organisation, or of the person who is signed in."""
    there = urlsplit(api_url)
    root = "https://github.com" if there.hostname == "api.github.com" else f"{there.scheme}://{there.netloc}"
    whose = f"organizations/{quote(organisation, safe='')}/" if organisation else ""
    return f"{root}/{whose}settings/apps/new"


def exchange(api_url: str, code: str) -> MadeApp:
    """The App for the code that GitHub sent along. The code is good once, for an hour. OutsideWorldError where GitHub
    does not take it."""
    if _CODE.fullmatch(code) is None:
        raise OutsideWorldError("exchanging the manifest's code: that is not a code")
    try:
        answer = requests.post(
            f"{api_url.rstrip('/')}/app-manifests/{code}/conversions",
            headers={"Accept": "application/vnd.github+json", "User-Agent": "causeway"},
            timeout=_TIMEOUT_SECONDS,
            allow_redirects=False,
        )
    except requests.RequestException as failed:
        raise OutsideWorldError(f"exchanging the manifest's code: no answer ({type(failed).__name__})") from failed
    if answer.status_code != 201:
        raise OutsideWorldError(f"exchanging the manifest's code: GitHub answered {answer.status_code}")
    try:
        return _made(answer.json())
    except (ValueError, TypeError, KeyError) as unreadable:
        raise OutsideWorldError("exchanging the manifest's code: GitHub's answer could not be read") from unreadable


def _made(found: Any) -> MadeApp:
    return MadeApp(
        str(number(found["id"])),
        text(found["slug"]),
        text(found["html_url"]),
        text(found["pem"]),
        text(found["webhook_secret"]),
    )


def find_installed(api_url: str, app_id: str, private_key: str, full_name: str) -> Installed:
    """The repository of that name now, and the App's installation there. `GoneError` where it is not installed."""
    credentials = AppCredentials(api_url, app_id, private_key, "1")
    own = credentials.as_app()
    where = "/repos/" + "/".join(quote(part, safe="") for part in full_name.split("/"))
    try:
        what = f"looking for the App in {full_name}"
        installation = own.one(what, f"{where}/installation", lambda found: number(found["id"]))
        path = f"/app/installations/{installation}/access_tokens"
        token = own.ask(what, path, {"permissions": {"metadata": "read"}}, lambda found: text(found["token"]))
        line = Line(api_url, lambda: token, Pace(None, None))
        try:
            repository = line.one(f"reading {full_name}", where, lambda found: number(found["id"]))
        finally:
            line.close()
    finally:
        credentials.close()
    return Installed(str(repository), str(installation))
