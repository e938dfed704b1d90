"""REST verbs of the repository itself, its branches, refs and contents."""

from __future__ import annotations

import base64
from urllib.parse import quote

from bot.sandbox import bodies
from bot.sandbox.moves import settle
from bot.sandbox.pulls import validation, who
from bot.sandbox.repos import TreeEntry
from bot.sandbox.rest import Answer, Ask, Route, field_of, paged
from bot.sandbox.world import Json, Repository, WorldError


def get_repository(ask: Ask, repo: Repository) -> Answer:
    return Answer(200, bodies.full_repository(ask.world, repo, ask.user))


def list_branches(ask: Ask, repo: Repository) -> Answer:
    api = ask.world.urls.repo_api(repo.full_name)

    def short(pair: tuple[str, str]) -> Json:
        name, sha = pair
        commit = {"sha": sha, "url": f"{api}/commits/{sha}"}
        return {"name": name, "commit": commit, "protected": name in repo.protected}

    return paged(ask, sorted(repo.git.heads().items()), short)


def get_branch(ask: Ask, repo: Repository, branch: str) -> Answer:
    sha = repo.git.heads().get(branch)
    if sha is None:
        raise WorldError(404, "Branch not found")
    api = f"{ask.world.urls.repo_api(repo.full_name)}/branches/{quote(branch)}"
    page = ask.world.urls.page(repo.full_name, "tree", branch)
    body: Json = {"name": branch, "commit": bodies.commit(ask.world, repo, repo.git.commit(sha))}
    body |= {"_links": {"self": api, "html": page}, "protected": branch in repo.protected}
    return Answer(200, body | {"protection": {"enabled": False}, "protection_url": f"{api}/protection"})


def _ref(ask: Ask, repo: Repository, ref: str, sha: str) -> Json:
    api = ask.world.urls.repo_api(repo.full_name)
    target = {"sha": sha, "type": "commit", "url": f"{api}/git/commits/{sha}"}
    return {
        "ref": ref,
        "node_id": bodies.node_id("Ref", ref),
        "url": f"{api}/git/{quote(ref)}",
        "object": target,
    }


def get_ref(ask: Ask, repo: Repository, ref: str) -> Answer:
    full = f"refs/{ref}"
    found = repo.git.run("for-each-ref", "--format=%(refname) %(objectname)", full).split("\n")
    for line in found:
        name, _, sha = line.rpartition(" ")
        if name == full:
            return Answer(200, _ref(ask, repo, full, sha))
    raise WorldError(404, "Not Found")


def matching_refs(ask: Ask, repo: Repository, ref: str = "") -> Answer:
    lines = repo.git.run("for-each-ref", "--format=%(refname) %(objectname)").splitlines()
    pairs = [tuple(line.rsplit(" ", 1)) for line in lines if line.startswith(f"refs/{ref}")]
    return paged(ask, pairs, lambda pair: _ref(ask, repo, pair[0], pair[1]))


def create_ref(ask: Ask, repo: Repository) -> Answer:
    ref, sha = field_of(ask, "ref", "Reference"), field_of(ask, "sha", "Reference")
    if not ref.startswith("refs/heads/") or not repo.git.valid_branch(ref.removeprefix("refs/heads/")):
        raise validation("Reference name is not valid", "Reference")
    if not repo.git.has_commit(sha):
        raise WorldError(422, "Object does not exist")
    if not repo.git.move(ref, sha, None):
        raise WorldError(422, "Reference already exists")
    settle(ask.world, repo, ask.user)
    return Answer(201, _ref(ask, repo, ref, sha))


def delete_ref(ask: Ask, repo: Repository, ref: str) -> Answer:
    branch = ref.removeprefix("heads/")
    if branch == ref or branch not in repo.git.heads():
        raise WorldError(422, "Reference does not exist")
    _writable(ask, repo, branch)
    repo.git.run("update-ref", "-d", f"refs/{ref}")
    settle(ask.world, repo, ask.user)
    return Answer(204)


def get_contents(ask: Ask, repo: Repository, path: str = "") -> Answer:
    ref = ask.args.get("ref") or repo.default_branch
    commit = repo.git.resolve(ref)
    if commit is None:
        raise WorldError(404, f"No commit found for the ref {ref}")
    path = path.strip("/")
    folder = repo.git.folder(commit, path)
    if folder is not None:
        return Answer(200, [bodies.content(ask.world, repo, ref, entry) for entry in folder])
    file = repo.git.file(commit, path)
    if file is None:
        raise WorldError(404, "Not Found")
    entry = TreeEntry(path, "file", file[0], len(file[1]))
    return Answer(200, bodies.content(ask.world, repo, ref, entry, file[1]))


def put_contents(ask: Ask, repo: Repository, path: str) -> Answer:
    """Writes one file as one commit. `sha` must name the blob that is replaced."""
    branch, message = ask.body.get("branch") or repo.default_branch, field_of(ask, "message", "Commit")
    tip = repo.git.heads().get(branch)
    if tip is None:
        raise WorldError(404, f"Branch {branch} not found")
    _writable(ask, repo, branch)
    try:
        data = base64.b64decode(str(ask.body.get("content", "")), validate=False)
    except ValueError as broken:
        raise WorldError(422, "content is not valid Base64") from broken
    present, given = repo.git.file(tip, path), ask.body.get("sha")
    if present is not None and given is None:
        raise WorldError(422, 'Invalid request.\n\n"sha" wasn\'t supplied.')
    if (present[0] if present else None) != given:
        raise WorldError(409, f"{path} does not match {given}")
    tree = repo.git.write_tree(tip, {path: data})
    made = repo.git.write_commit(tree, (tip,), message, (who(ask.user), who(ask.user)))
    if not repo.git.move(f"refs/heads/{branch}", made, tip):
        raise WorldError(409, f"{branch} moved meanwhile")
    settle(ask.world, repo, ask.user)
    blob = repo.git.file(made, path)
    entry = TreeEntry(path, "file", blob[0] if blob else "", len(data))
    content = bodies.content(ask.world, repo, branch, entry)
    commit = bodies.file_commit(ask.world, repo, repo.git.commit(made))
    return Answer(200 if present else 201, {"content": content, "commit": commit})


def _writable(ask: Ask, repo: Repository, branch: str) -> None:
    if branch in repo.protected and ask.world.permission(repo, ask.user) != "admin":
        raise WorldError(409, "Repository rule violations found\n\nChanges must be made through a pull request.\n\n")


ROUTES: tuple[Route, ...] = (
    Route("GET", "", get_repository),
    Route("GET", "/branches", list_branches),
    Route("GET", "/branches/<path:branch>", get_branch),
    Route("GET", "/git/ref/<path:ref>", get_ref),
    Route("GET", "/git/matching-refs/<path:ref>", matching_refs),
    Route("GET", "/git/refs", matching_refs),
    Route("POST", "/git/refs", create_ref, "write"),
    Route("DELETE", "/git/refs/<path:ref>", delete_ref, "write"),
    Route("GET", "/contents/", get_contents),
    Route("GET", "/contents/<path:path>", get_contents),
    Route("PUT", "/contents/<path:path>", put_contents, "write"),
)
