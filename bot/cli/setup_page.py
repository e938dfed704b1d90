"""The page on this machine that hands an App's manifest to GitHub, and takes back the code that GitHub answers with."""

from __future__ import annotations

import html
import json
import secrets
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from flask import Flask, Response, abort, request

from bot.listen import Listening

_PAGE = """<!doctype html>
<html lang="en"><meta charset="utf-8"><title>Causeway: a GitHub App</title>
<style>body{{font:16px/1.5 system-ui,sans-serif;max-width:40rem;margin:4rem auto;padding:0 1rem}}
button{{font:inherit;padding:.6rem 1.2rem}}</style>
<h1>{title}</h1>{body}"""

_FORM = """<p>GitHub shows what the App may do and asks for its name. Afterwards it comes back to this page.</p>
<form method="post" action="{action}"><input type="hidden" name="manifest" value="{manifest}">
<button autofocus>Create the App at {host}</button></form>"""


class ManifestPage:
    """Serves on 127.0.0.1 while `served` runs. `code` is what GitHub sent back, once somebody came with our state."""

    def __init__(self, action: str, host: str, manifest: Callable[[str], dict[str, Any]]) -> None:
        self.code = ""
        self._state = secrets.token_urlsafe(32)
        self._came = threading.Event()
        self._action = f"{action}?state={self._state}"
        self._host = host
        self._manifest = manifest
        self._root = ""

    @contextmanager
    def served(self, port: int) -> Iterator[str]:
        """Gives the page's address. OSError where the port is taken."""
        listening = Listening(self._app(), "127.0.0.1", port, threads=2)
        self._root = f"http://127.0.0.1:{listening.port}"
        thread = threading.Thread(target=listening.run, name="setup", daemon=True)
        thread.start()
        try:
            yield self._root
        finally:
            listening.close()
            thread.join(10)

    def wait(self, seconds: float) -> bool:
        """True once the code came."""
        return self._came.wait(seconds)

    def _app(self) -> Flask:
        app = Flask(__name__, static_folder=None)

        @app.before_request
        def only_from_here() -> None:
            # A page elsewhere whose name is made to mean 127.0.0.1 would come with that name.
            if f"http://{request.host}" != self._root:
                abort(403)

        @app.get("/")
        def offer() -> Response:
            manifest = json.dumps(self._manifest(f"{self._root}/created"))
            form = _FORM.format(
                action=html.escape(self._action), manifest=html.escape(manifest), host=html.escape(self._host)
            )
            return self._shown("A GitHub App for Causeway", form)

        @app.get("/created")
        def created() -> Response:
            code, state = request.args.get("code", ""), request.args.get("state", "")
            if not code or not secrets.compare_digest(state.encode(), self._state.encode()):
                abort(403)
            self.code = code
            self._came.set()
            return self._shown("The App is made", "<p>The terminal says what comes next. This page can be closed.</p>")

        return app

    def _shown(self, title: str, body: str) -> Response:
        answer = Response(_PAGE.format(title=title, body=body), content_type="text/html; charset=utf-8")
        answer.headers["Content-Security-Policy"] = "default-src 'none'; style-src 'unsafe-inline'"
        answer.headers["Referrer-Policy"] = "no-referrer"
        answer.headers["Cache-Control"] = "no-store"
        return answer
