"""Apps from a manifest: the page that takes one, and the exchange of its code for what is shown only once."""

from __future__ import annotations

import json
import secrets
from typing import Any
from urllib.parse import urlencode

from flask import Flask, redirect, request
from werkzeug.wrappers import Response

from bot.sandbox import bodies_apps
from bot.sandbox.github_desk import GithubDesk
from bot.sandbox.hooks import Hooks
from bot.sandbox.urls import API
from bot.sandbox.world import Json, World


def serve_manifests(app: Flask, world: World, hooks: Hooks) -> None:
    """GitHub's addresses for it: a person's or an organisation's settings, and the exchange, which asks nobody who they
    are: the code is the proof, and good for once."""
    desk = GithubDesk(world, hooks)

    @app.post("/settings/apps/new")
    @app.post("/organizations/<org>/settings/apps/new")
    def take(org: str = "") -> Response:
        return _take(world, org, request.form.get("manifest", ""), request.args.get("state", ""))

    @app.post(f"{API}/app-manifests/<code>/conversions")
    def exchange(code: str) -> tuple[Json, int]:
        with world.lock:
            manifest = world.guards.manifests.pop(code, None)
            if manifest is None:
                return {"message": "Not Found", "documentation_url": "https://docs.github.com/rest"}, 404
            return _made(world, desk, manifest), 201


def _take(world: World, org: str, text: str, state: str) -> Response:
    try:
        manifest: Any = json.loads(text)
    except ValueError:
        manifest = None
    if not isinstance(manifest, dict) or not manifest.get("url") or not manifest.get("redirect_url"):
        return Response("Error: manifest needs url and redirect_url", 422, content_type="text/plain")
    code = secrets.token_hex(20)
    with world.lock:
        world.guards.manifests[code] = manifest | {"owner": org or next(iter(world.users.values())).login}
    return redirect(f"{manifest['redirect_url']}?{urlencode({'code': code, 'state': state})}", 302)


def _made(world: World, desk: GithubDesk, manifest: Json) -> Json:
    slug = str(manifest.get("name") or "app").lower().replace(" ", "-")
    if world.users.get(manifest["owner"].lower()) is None:
        world.add_user(manifest["owner"], "Organization", "admin")
    made, key = desk.create_app(slug, manifest["owner"], manifest.get("default_permissions") or {})
    made.events = tuple(manifest.get("default_events") or ())
    secret = secrets.token_hex(20)
    if url := (manifest.get("hook_attributes") or {}).get("url"):
        world.guards.app_hooks[made.id] = (url, secret)
    once = {"client_id": f"Iv1.{made.id:016x}", "client_secret": secrets.token_hex(20)}
    return bodies_apps.app(world, made) | once | {"webhook_secret": secret, "pem": key}
