"""The one WSGI application of the sandbox: API, git, pages."""

from __future__ import annotations

from flask import Flask

from bot.sandbox import (
    gitlab_guards,
    gitlab_merges,
    gitlab_notes,
    gitlab_project,
    rest_apps,
    rest_commits,
    rest_git,
    rest_guards,
    rest_issues,
    rest_people,
    rest_pulls,
    rest_reviews,
)
from bot.sandbox.gitlab_pages import serve_gitlab_pages
from bot.sandbox.gitlab_rest import GitLabApi
from bot.sandbox.gitlab_state import GitLabState
from bot.sandbox.gitserver import serve_git
from bot.sandbox.hooks import Hooks
from bot.sandbox.rest import Api
from bot.sandbox.site import PAGES, serve_site
from bot.sandbox.site_forms import serve_forms
from bot.sandbox.site_manifests import serve_manifests
from bot.sandbox.world import User, World

REPO_ROUTES = (
    *rest_git.ROUTES,
    *rest_pulls.ROUTES,
    *rest_reviews.ROUTES,
    *rest_issues.ROUTES,
    *rest_commits.ROUTES,
    *rest_people.ROUTES,
    *rest_apps.ROUTES,
    *rest_guards.ROUTES,
)
ROOT_ROUTES = (*rest_people.ROOT_ROUTES, *rest_apps.ROOT_ROUTES, *rest_guards.ROOT_ROUTES)


GITLAB_ROUTES = (*gitlab_merges.ROUTES, *gitlab_notes.ROUTES, *gitlab_project.ROUTES, *gitlab_guards.ROUTES)


def make_app(world: World, hooks: Hooks, viewer: User, gitlab: GitLabState) -> Flask:
    """Everything that answers. `viewer` is who acts on the pages."""
    app = Flask("bot.sandbox", static_folder=None, template_folder=str(PAGES))
    app.url_map.strict_slashes = False
    Api(world, hooks).serve(app, REPO_ROUTES, ROOT_ROUTES)
    GitLabApi(world, hooks, gitlab, GITLAB_ROUTES).serve(app)
    serve_gitlab_pages(app)
    serve_git(app, world)
    serve_site(app, world, viewer)
    serve_forms(app, world, viewer)
    serve_manifests(app, world, hooks)
    return app
