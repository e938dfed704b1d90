"""GitLab's addresses of pages, led to the sandbox's own: what the bot links to can be clicked on either face."""

from __future__ import annotations

from flask import Flask, redirect
from werkzeug.wrappers import Response as WerkzeugResponse


def serve_gitlab_pages(app: Flask) -> None:
    """Registers everything below `/<project>/-/`."""

    def view(project: str, rest: str) -> WerkzeugResponse:
        return redirect(f"/{project}/{rest.replace('merge_requests/', 'pull/', 1)}")

    app.add_url_rule("/<path:project>/-/<path:rest>", "gitlab-pages", view)
