"""`causeway setup`: from nothing to settings for a forge."""

from __future__ import annotations

import time
from pathlib import Path
from urllib.parse import urlsplit

import click

from bot.cli import setup_file
from bot.cli.desk import OUTSIDE, USAGE, Stop, note, say
from bot.cli.setup_page import ManifestPage
from bot.forges.github_setup import Installed, MadeApp, exchange, find_installed, manifest, page_of
from bot.forges.gitlab_inspect import GitLabInspect
from bot.forges.gitlab_setup import GitLabSetup
from bot.ports import GoneError, OutsideWorldError
from bot.settings import API_URLS

_POLL_SECONDS = 2.0
_LONGEST_SECONDS = 3600.0
"""So long is a manifest's code good, and so long a person is waited for."""

_config = click.option(
    "--config", type=click.Path(dir_okay=False, path_type=Path), default=Path("causeway.json"), show_default=True,
    help="Settings to write, or to add to.",
)  # fmt: skip
_url = click.option("--url", required=True, help="Public address of the door, as https://causeway.acme.com.")
_platform = click.option("--platform", required=True, metavar="OWNER/NAME", help="The platform repository.")
_gitops = click.option("--gitops", required=True, multiple=True, metavar="OWNER/NAME", help="Where it may deliver.")
_redis = click.option("--redis-url", default="redis://127.0.0.1:6379/0", show_default=True, help="The queue.")


@click.group()
def setup() -> None:
    """Set the bot up at a forge and write its settings."""


@setup.command("github")
@_url
@_platform
@_gitops
@_config
@_redis
@click.option("--org", default="", help="Organisation that owns the App. Default: you.")
@click.option("--app-name", default="causeway", show_default=True, help="Names of Apps are unique at GitHub.")
@click.option("--name", default="github", show_default=True, help="Name of this forge in the settings.")
@click.option("--api-url", default=API_URLS["github"], show_default=True, help="https://HOST/api/v3 for Enterprise.")
@click.option("--port", default=0, type=click.IntRange(0, 65535), help="Of the page on this machine. Default: any.")
def setup_github(
    url: str, platform: str, gitops: tuple[str, ...], config: Path, redis_url: str, org: str, app_name: str, name: str,
    api_url: str, port: int,
) -> None:  # fmt: skip
    """Create a GitHub App from a page on this machine, wait until it is installed, and write the settings.

    The App's key is written to --config, readable by you alone, before anything else happens; run the same command
    again to go on where it was left, or for another platform repository.
    """
    door = _door(url, name)
    document = setup_file.opened(config, redis_url)
    forge = setup_file.forge_of(document, name)
    if forge is None:
        made = _made_app(api_url, org, app_name, door, port)
        forge = {
            "name": name,
            "kind": "github",
            "api_url": api_url,
            "app": {"id": made.id, "private_key": made.private_key},
            "webhook_secrets": [made.webhook_secret],
            "tenants": [],
        }
        document["forges"].append(forge)
        setup_file.write(config, document)
        say(f"The App {made.slug} is made; its key is in {config}.", "green")
        say(f"Install it for {', '.join((platform, *gitops))}: {made.page}/installations/new")
    app = forge.get("app")
    if not isinstance(app, dict) or not isinstance(app.get("private_key"), str):
        raise Stop(f"the forge {name} of {config} holds no App's key; name another forge with --name", USAGE)
    found = [_installed(str(forge["api_url"]), app, one) for one in (platform, *gitops)]
    setup_file.with_tenant(
        forge,
        {
            "repository": found[0].repository,
            "gitops": [one.repository for one in found[1:]],
            "installation": found[0].installation,
        },
    )
    setup_file.write(config, document)
    _end(config, "deploy/github.md")


@setup.command("gitlab")
@_url
@_platform
@_gitops
@_config
@_redis
@click.option("--name", default="gitlab", show_default=True, help="Name of this forge in the settings.")
@click.option("--api-url", default=API_URLS["gitlab"], show_default=True, help="https://HOST/api/v4 for your own.")
@click.option(
    "--token-file", type=click.Path(exists=True, dir_okay=False, path_type=Path), help="Default: it is asked."
)
def setup_gitlab(
    url: str, platform: str, gitops: tuple[str, ...], config: Path, redis_url: str, name: str, api_url: str,
    token_file: Path | None,
) -> None:  # fmt: skip
    """Register a webhook at the platform project, check the token's rights, and write the settings.

    The token is a group's or a project's, with scope `api` and role Maintainer (Developer is enough afterwards, where
    Developers may push to the GitOps branch).
    """
    door = _door(url, name)
    document = setup_file.opened(config, redis_url)
    forge = setup_file.forge_of(document, name)
    if forge is None:
        given = token_file.read_text(encoding="utf-8").strip() if token_file is not None else _asked_token()
        forge = {"name": name, "kind": "gitlab", "api_url": api_url, "token": given, "tenants": []}
        document["forges"].append(forge)
    token = forge.get("token")
    if not isinstance(token, str) or not token:
        raise Stop(f"the forge {name} of {config} holds no token; name another forge with --name", USAGE)
    at = GitLabSetup(str(forge["api_url"]), lambda: token)
    try:
        ids = [at.project(one) for one in (platform, *gitops)]
        _refuse_missing_rights(str(forge["api_url"]), token, ids, (platform, *gitops))
        secret = at.ensure_hook(ids[0], door)
    except GoneError as gone:
        why = (
            "There is no such project, or the token may not see it: look at --platform, --gitops and --api-url, and at "
        )
        raise Stop(f"{gone}. {why}which group or projects the token is of.", OUTSIDE) from gone
    except OutsideWorldError as refused:
        needed = "Needed are an --api-url that answers, and a token of it with scope `api` and role Maintainer"
        raise Stop(f"{refused}. {needed}.", OUTSIDE) from refused
    finally:
        at.close()
    setup_file.with_tenant(forge, {"repository": ids[0], "gitops": ids[1:], "webhook_secrets": [secret]})
    setup_file.write(config, document)
    say(f"The webhook of {platform} leads to {door}.", "green")
    _end(config, "deploy/gitlab.md")


def _door(url: str, name: str) -> str:
    there = urlsplit(url)
    if there.scheme not in ("https", "http") or not there.hostname or there.username or there.query or there.fragment:
        raise Stop(f"--url {url} is not an address; write it as https://causeway.acme.com", USAGE)
    return f"{url.rstrip('/')}/webhooks/{name}"


def _made_app(api_url: str, org: str, app_name: str, door: str, port: int) -> MadeApp:
    action = page_of(api_url, org)
    page = ManifestPage(action, urlsplit(action).netloc, lambda back: manifest(app_name, door, back))
    try:
        with page.served(port) as address:
            say(f"Open {address} in a browser on this machine.")
            if not page.wait(_LONGEST_SECONDS):
                raise Stop("nobody came back from GitHub within an hour; run this again", OUTSIDE)
            # Exchanged while the page still stands, so that a person who looks at it sees no error.
            return exchange(api_url, page.code)
    except OSError as taken:
        raise Stop(f"cannot listen on 127.0.0.1:{port}: {taken.strerror}", USAGE) from taken


def _installed(api_url: str, app: dict[str, str], full_name: str) -> Installed:
    until, told = time.monotonic() + _LONGEST_SECONDS, False
    while True:
        try:
            return find_installed(api_url, app["id"], app["private_key"], full_name)
        except GoneError as gone:
            if time.monotonic() > until:
                raise Stop(
                    f"the App is not installed for {full_name}; install it and run this again", OUTSIDE
                ) from gone
        if not told:
            note(f"waiting until the App is installed for {full_name} …")
            told = True
        time.sleep(_POLL_SECONDS)


def _asked_token() -> str:
    return str(click.prompt("Token (it is not shown)", hide_input=True, err=True)).strip()


def _refuse_missing_rights(api_url: str, token: str, ids: list[str], names: tuple[str, ...]) -> None:
    for number, name in zip(ids, names, strict=True):
        inspect = GitLabInspect(api_url, number, lambda: token)
        try:
            rights = inspect.rights()
        finally:
            inspect.close()
        if rights.missing:
            raise Stop(
                f"{rights.who} lacks in {name}: {', '.join(rights.missing)}. Grant it and run this again.", OUTSIDE
            )


def _end(config: Path, page: str) -> None:
    wrong = setup_file.check(config)
    if wrong:
        raise Stop(wrong, USAGE)
    say(f"The settings are in {config}, readable by you alone.", "green")
    say(f"Next: start the bot with them, then ask the doctor there: {page}, from step 3.")
