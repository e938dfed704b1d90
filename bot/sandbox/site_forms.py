"""The web page: what a person does. Each form acts as the viewer and leads to the page that shows the result."""

from __future__ import annotations

import re
from collections.abc import Mapping

from flask import Flask, redirect, render_template, request
from werkzeug.wrappers import Response

from bot.sandbox import pulls
from bot.sandbox.moves import settle
from bot.sandbox.rest_apps import ask_again
from bot.sandbox.rest_issues import add_comment
from bot.sandbox.reviews import add_review
from bot.sandbox.site import add_page, split_ref
from bot.sandbox.world import MergeMethod, Repository, User, World, WorldError

NEW_SERVICE = """\
name: hello
owner: payments
type: web
image: ghcr.io/acme/hello:1.0.0
"""
"""What the form for a new service starts with."""
_METHODS: Mapping[str, MergeMethod] = {"merge": "merge", "squash": "squash", "rebase": "rebase"}


def serve_forms(app: Flask, world: World, viewer: User) -> None:
    """Registers forms and what they post to."""
    get, post = ["GET"], ["POST"]
    for path, view, methods in (
        ("/<owner>/<name>/new", lambda repo: new_file(repo), get),
        ("/<owner>/<name>/edit/<path:rest>", lambda repo, rest: edit_file(repo, rest), get),
        ("/<owner>/<name>/propose", lambda repo: propose(world, repo, viewer), post),
        ("/<owner>/<name>/pull/<int:number>/merge", lambda repo, number: merge(world, repo, viewer, number), post),
        ("/<owner>/<name>/pull/<int:number>/revert", lambda repo, number: revert(world, repo, viewer, number), post),
        ("/<owner>/<name>/pull/<int:number>/state", lambda repo, number: state(world, repo, viewer, number), post),
        ("/<owner>/<name>/pull/<int:number>/review", lambda repo, number: review(world, repo, number), post),
        (
            "/<owner>/<name>/pull/<int:number>/rerun/<int:run_id>",
            lambda repo, number, run_id: rerun(world, repo, viewer, number, run_id),
            post,
        ),
        ("/<owner>/<name>/pull/<int:number>/comment", lambda repo, number: comment(world, repo, viewer, number), post),
    ):
        add_page(app, world, path, view, methods)


def new_file(repo: Repository) -> str:
    name = (re.search(r"^name: (\S+)$", NEW_SERVICE, re.MULTILINE) or ["", "hello"])[1]
    return render_template(
        "edit.html",
        repo=repo,
        ref=repo.default_branch,
        path=f"services/{name}/platform.yaml",
        content=NEW_SERVICE,
        is_new=True,
    )


def edit_file(repo: Repository, rest: str) -> str:
    ref, sha, path = split_ref(repo, rest)
    found = repo.git.file(sha, path)
    if found is None:
        raise WorldError(404, f"There is no file {path} at {ref}")
    content = found[1].decode("utf-8", "replace")
    return render_template("edit.html", repo=repo, ref=ref, path=path, content=content, is_new=False)


def propose(world: World, repo: Repository, viewer: User) -> Response:
    """Writes or removes one file: on a branch of its own with a pull request, or on the branch of an open one."""
    path, ref = request.form.get("path", "").strip().strip("/"), request.form.get("ref", repo.default_branch)
    if not path or any(part in ("", ".", "..", ".git") for part in path.split("/")):
        raise WorldError(422, f"{path or 'nothing'} is no path for a file")
    if ref not in repo.heads:
        raise WorldError(422, f"There is no branch {ref}")
    tip, remove = repo.heads[ref], request.form.get("remove") == "yes"
    content = request.form.get("content", "").replace("\r\n", "\n").encode()
    tree = repo.git.write_tree(tip, {path: None if remove else content})
    if tree == repo.git.commit(tip).tree:
        raise WorldError(422, "Nothing was changed")
    title = request.form.get("title", "").strip() or f"{'Remove' if remove else 'Change'} {path}"
    who = pulls.who(viewer)
    made = repo.git.write_commit(tree, (tip,), title + "\n", (who, who))
    open_on_ref = next((p for p in repo.pulls() if p.state == "open" and p.head_ref == ref), None)
    branch = ref if open_on_ref else pulls.free_branch(repo, _slug(title))
    if not repo.git.move(f"refs/heads/{branch}", made, tip if open_on_ref else None):
        raise WorldError(409, f"{branch} moved meanwhile; try again")
    settle(world, repo, viewer)
    if open_on_ref:
        return _to(repo, open_on_ref.number)
    pull = pulls.open_pull(world, repo, title=title, head=branch, base=ref, author=viewer)
    return _to(repo, pull.number)


def _slug(title: str) -> str:
    return re.sub(r"[^a-z0-9]+", "-", title.lower()).strip("-")[:40].strip("-") or "change"


def merge(world: World, repo: Repository, viewer: User, number: int) -> Response:
    method = _METHODS.get(request.form.get("method", ""), "merge")
    pulls.merge(world, repo, repo.pull(number), method, viewer, sha=request.form.get("sha") or None)
    return _to(repo, number)


def revert(world: World, repo: Repository, viewer: User, number: int) -> Response:
    return _to(repo, pulls.revert(world, repo, repo.pull(number), viewer).number)


def state(world: World, repo: Repository, viewer: User, number: int) -> Response:
    wanted = "open" if request.form.get("state") == "open" else "closed"
    pulls.edit_pull(world, repo, repo.pull(number), viewer, {"state": wanted})
    return _to(repo, number)


def comment(world: World, repo: Repository, viewer: User, number: int) -> Response:
    body = request.form.get("body", "").replace("\r\n", "\n").strip()
    if not body:
        raise WorldError(422, "The comment is empty")
    add_comment(world, repo, number, viewer, body)
    return _to(repo, number)


def review(world: World, repo: Repository, number: int) -> Response:
    """The page has one viewer; who approves is chosen, since nobody approves what they opened themselves."""
    by = world.user(request.form.get("by", ""))
    if by.kind != "User":
        raise WorldError(422, f"{by.login} is no person")
    add_review(world, repo, repo.pull(number), by, "APPROVED", sha=request.form.get("sha") or None)
    return _to(repo, number)


def rerun(world: World, repo: Repository, viewer: User, number: int, run_id: int) -> Response:
    if run_id not in repo.check_runs:
        raise WorldError(404, "There is no such check")
    ask_again(world, repo, repo.check_runs[run_id], viewer)
    return _to(repo, number)


def _to(repo: Repository, number: int) -> Response:
    return redirect(f"/{repo.full_name}/pull/{number}", 303)
