"""The web page: what a person reads. Server-rendered, no script needed to read, everything escaped by the templates."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from flask import Flask, Response, render_template, request
from markupsafe import Markup, escape
from werkzeug.wrappers import Response as WerkzeugResponse

from bot.sandbox import markdown
from bot.sandbox.bodies_pull import pull_changes
from bot.sandbox.moves import test_merge
from bot.sandbox.repos import CommitView, FileChange, TreeEntry
from bot.sandbox.rest_commits import combined, newest
from bot.sandbox.world import Pull, Repository, User, World, WorldError

PAGES = Path(__file__).parent / "pages"
_POLICY = (
    "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; connect-src 'self'; form-action 'self'"
)
_SHOWN = 400_000
"""Bytes of a file that the page shows."""


@dataclass(frozen=True, slots=True)
class DiffLine:
    """One line of a difference, with its number on either side."""

    kind: str
    old: int | None
    new: int | None
    text: str


def serve_site(app: Flask, world: World, viewer: User) -> None:
    """Registers the pages that are read."""
    views: dict[str, Callable[..., str | WerkzeugResponse]] = {
        "/": lambda: home(world),
        "/both": lambda: both(world),
        "/pulse": lambda: Response(str(world.revision), content_type="text/plain"),
        "/style.css": lambda: asset("style.css", "text/css"),
        "/refresh.js": lambda: asset("refresh.js", "text/javascript"),
        "/favicon.ico": lambda: Response(status=204),
        "/avatars/<int:user_id>": lambda user_id: avatar(world, user_id),
        "/<owner>/<name>": lambda repo: folder(repo, ""),
        "/<owner>/<name>/tree/<path:rest>": folder,
        "/<owner>/<name>/blob/<path:rest>": file,
        "/<owner>/<name>/raw/<path:rest>": raw,
        "/<owner>/<name>/commits/<path:ref>": commits,
        "/<owner>/<name>/commit/<sha>": commit,
        "/<owner>/<name>/pulls": pulls,
        "/<owner>/<name>/pull/<int:number>": lambda repo, number: conversation(world, repo, number),
        "/<owner>/<name>/pull/<int:number>/files": pull_files,
        "/<owner>/<name>/issues": issues,
        "/<owner>/<name>/issues/<int:number>": issue,
    }
    for path, view in views.items():
        add_page(app, world, path, view, ["GET"])
    app.context_processor(lambda: {"viewer": viewer, "revision": world.revision})
    app.jinja_env.globals |= {"newest": newest, "combined": combined, "takes_services": takes_services}
    app.jinja_env.filters |= {"markdown": markdown.render, "ago": ago, "short": lambda sha: sha[:7], "diff": diff_lines}
    app.jinja_env.trim_blocks = app.jinja_env.lstrip_blocks = True
    app.after_request(_guard)


def add_page(
    app: Flask, world: World, path: str, view: Callable[..., str | WerkzeugResponse], methods: list[str]
) -> None:
    """One page or form. Views of a repository get it by id or name; a refusal becomes a page that says why."""

    def run(**names: Any) -> tuple[str, int] | str | WerkzeugResponse:
        with world.lock:
            try:
                if "owner" in names:
                    names["repo"] = world.repository(f"{names.pop('owner')}/{names.pop('name')}")
                return view(**names)
            except WorldError as refused:
                return render_template("refused.html", why=refused), refused.status

    app.add_url_rule(path, f"{methods[0]} {path}", run, methods=methods)


def takes_services(repo: Repository) -> bool:
    """True for a platform repository: it has a `platform/` folder."""
    sha = repo.heads.get(repo.default_branch)
    return sha is not None and repo.git.folder(sha, "platform") is not None


def _guard(answer: Response) -> Response:
    if answer.mimetype == "text/html":
        answer.headers["Content-Security-Policy"] = _POLICY
        answer.headers["Referrer-Policy"] = "same-origin"
    answer.headers["X-Content-Type-Options"] = "nosniff"
    return answer


def home(world: World) -> str:
    repos = list(world.repositories.values())
    last = {repo.id: _tip(repo) for repo in repos}
    return render_template("home.html", repos=repos, last=last)


def _tip(repo: Repository) -> CommitView | None:
    sha = repo.heads.get(repo.default_branch)
    return repo.git.commit(sha) if sha else None


def both(world: World) -> str:
    """Two repositories' trees side by side."""
    repos = list(world.repositories.values())
    wanted = (request.args.get("left"), request.args.get("right"))
    chosen = [next((r for r in repos if r.full_name == name), None) for name in wanted]
    sides = [found or (repos[n] if n < len(repos) else None) for n, found in enumerate(chosen)]
    trees = [(repo, _nested(repo, _tip(repo))) for repo in sides if repo]
    return render_template("both.html", trees=trees, repos=repos)


def _nested(repo: Repository, tip: CommitView | None) -> dict[str, Any]:
    """Folders as mappings, files as their paths."""
    root: dict[str, Any] = {}
    for path in repo.git.paths(tip.sha) if tip else []:
        *parents, name = path.split("/")
        place = root
        for parent in parents:
            place = place.setdefault(parent, {})
        place[name] = path
    return root


def split_ref(repo: Repository, rest: str) -> tuple[str, str, str]:
    """(ref, its commit, path) of what stands after `/tree/` or `/blob/`; the longest branch name wins."""
    names = sorted((name for name in repo.heads if f"{rest}/".startswith(f"{name}/")), key=len)
    ref = names[-1] if names else rest.partition("/")[0]
    sha = repo.git.resolve(ref)
    if sha is None:
        raise WorldError(404, f"There is no branch or commit {ref}")
    return ref, sha, rest.removeprefix(ref).strip("/")


def folder(repo: Repository, rest: str = "") -> str:
    if not rest and repo.default_branch not in repo.heads:
        return render_template("folder.html", repo=repo, ref=repo.default_branch, path="", entries=[], readme=None)
    ref, sha, path = split_ref(repo, rest or repo.default_branch)
    entries = repo.git.folder(sha, path)
    if entries is None:
        raise WorldError(404, f"There is no folder {path} at {ref}")
    view = next(repo.git.log(sha, most=1, path=path), None)
    readme = _readme(repo, sha, entries)
    return render_template("folder.html", repo=repo, ref=ref, path=path, entries=entries, readme=readme, last=view)


def _readme(repo: Repository, sha: str, entries: list[TreeEntry]) -> str | None:
    path = next((entry.path for entry in entries if entry.path.rpartition("/")[2] == "README.md"), None)
    found = repo.git.file(sha, path) if path else None
    return found[1].decode("utf-8", "replace") if found else None


def file(repo: Repository, rest: str) -> str:
    ref, sha, path = split_ref(repo, rest)
    found = repo.git.file(sha, path)
    if found is None:
        raise WorldError(404, f"There is no file {path} at {ref}")
    data = found[1]
    lines = None if b"\0" in data or len(data) > _SHOWN else data.decode("utf-8", "replace").splitlines()
    last = next(repo.git.log(sha, most=1, path=path), None)
    return render_template("file.html", repo=repo, ref=ref, path=path, lines=lines, size=len(data), last=last)


def raw(repo: Repository, rest: str) -> WerkzeugResponse:
    _, sha, path = split_ref(repo, rest)
    found = repo.git.file(sha, path)
    if found is None:
        raise WorldError(404, f"There is no file {path}")
    return Response(found[1], content_type="text/plain; charset=utf-8")


def commits(repo: Repository, ref: str) -> str:
    sha = repo.git.resolve(ref)
    if sha is None:
        raise WorldError(404, f"There is no branch or commit {ref}")
    return render_template("commits.html", repo=repo, ref=ref, views=list(repo.git.log(sha, most=100)))


def commit(repo: Repository, sha: str) -> str:
    full = repo.git.resolve(sha)
    if full is None:
        raise WorldError(404, f"There is no commit {sha}")
    view = repo.git.commit(full)
    changes = repo.git.changes(view.parents[0] if view.parents else None, full)
    return render_template("commit.html", repo=repo, view=view, changes=changes)


def pulls(repo: Repository) -> str:
    state = "closed" if request.args.get("state") == "closed" else "open"
    found = sorted((p for p in repo.pulls() if p.state == state), key=lambda p: -p.number)
    counts = {s: sum(p.state == s for p in repo.pulls()) for s in ("open", "closed")}
    return render_template("pulls.html", repo=repo, pulls=found, state=state, counts=counts)


def conversation(world: World, repo: Repository, number: int) -> str:
    pull = repo.pull(number)
    mergeable = pull.state == "open" and test_merge(repo, pull)
    comments = repo.comments_of(number)
    before = [one for one in comments if pull.closed_at is None or one.created_at <= pull.closed_at]
    return render_template(
        "conversation.html",
        repo=repo,
        pull=pull,
        mergeable=mergeable,
        changes=pull_changes(repo, pull),
        before=before,
        after=comments[len(before) :],
        reviews=[one for one in repo.reviews if one.number == number and one.state != "COMMENTED"],
        remarks=[one for one in repo.review_comments.values() if one.number == number and not one.resolved],
        runs={one.name: one for one in repo.check_runs.values() if one.sha == pull.head_sha}.values(),
        people=[one for one in world.users.values() if one.kind == "User" and one is not pull.user],
    )


def pull_files(repo: Repository, number: int) -> str:
    pull = repo.pull(number)
    return render_template("pull_files.html", repo=repo, pull=pull, changes=pull_changes(repo, pull))


def issues(repo: Repository) -> str:
    found = [one for one in repo.issues.values() if not isinstance(one, Pull)]
    return render_template("issues.html", repo=repo, issues=found[::-1])


def issue(repo: Repository, number: int) -> str:
    return render_template("issue.html", repo=repo, issue=repo.issue(number))


def asset(name: str, kind: str) -> WerkzeugResponse:
    return Response((PAGES / name).read_bytes(), content_type=f"{kind}; charset=utf-8")


def avatar(world: World, user_id: int) -> WerkzeugResponse:
    """A disc with the first letter of the login, its colour from the id."""
    user = next((user for user in world.users.values() if user.id == user_id), None)
    letter = escape(user.login[:1].upper() if user else "?")
    shape = '<rect width="40" height="40" rx="8"' if user and user.kind == "Bot" else '<circle cx="20" cy="20" r="20"'
    svg = Markup(
        '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 40 40">{} fill="hsl({} 45% 42%)"/>'
        '<text x="20" y="27" font-family="system-ui,sans-serif" font-size="20" fill="#fff" text-anchor="middle">{}'
        "</text></svg>"
    ).format(Markup(shape), user_id * 47 % 360, letter)  # noqa: S704
    return Response(svg, content_type="image/svg+xml")


def ago(when: datetime | str) -> str:
    """How long ago, in words."""
    at = datetime.fromisoformat(when) if isinstance(when, str) else when
    seconds = max(0, int((datetime.now(UTC) - at).total_seconds()))
    for size, word in ((86400, "day"), (3600, "hour"), (60, "minute")):
        if seconds >= size:
            n = seconds // size
            return f"{n} {word}{'s' if n > 1 else ''} ago"
    return "just now" if seconds < 10 else f"{seconds} seconds ago"


def diff_lines(change: FileChange) -> list[DiffLine]:
    """The lines of a patch with their numbers."""
    found, old, new = [], 0, 0
    for line in (change.patch or "").split("\n"):
        kind, text = line[:1], line[1:]
        if kind == "@":
            numbers = [part.split(",")[0] for part in line.split(" ")[1:3]]
            old, new = abs(int(numbers[0])), abs(int(numbers[1]))
            found.append(DiffLine("hunk", None, None, line))
        elif kind == "+":
            found.append(DiffLine("add", None, new, text))
            new += 1
        elif kind == "-":
            found.append(DiffLine("del", old, None, text))
            old += 1
        elif kind == " ":
            found.append(DiffLine("same", old, new, text))
            old, new = old + 1, new + 1
    return found
