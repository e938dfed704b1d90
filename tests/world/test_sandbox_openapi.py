"""What the sandbox answers and posts is what GitHub's own descriptions allow."""

from __future__ import annotations

import hashlib
import hmac
import http.client
import json
import re
from base64 import b64encode
from collections.abc import Iterator
from functools import cache
from typing import Any, NamedTuple

import pytest
from jsonschema_rs import Draft7Validator, Draft202012Validator

from bot.core.tree import Oid
from bot.forges.github import GitHub
from bot.forges.github_app import PLATFORM_RIGHTS, AppCredentials
from bot.ports import Status
from bot.sandbox import Sandbox
from bot.sandbox.app import REPO_ROUTES, ROOT_ROUTES
from bot.sandbox.rest import Route
from tests.reference import folder, needs
from tests.world.sandbox_calls import app_calls, commit_calls, review_calls
from tests.world.sandbox_fixture import Mailbox

DATA = folder("github-openapi")
pytestmark = [
    pytest.mark.world,
    needs("github-openapi"),
]
PLATFORM = "acme/platform"
SECRET = "a secret of this test"
BEYOND = {
    ("GET", "/orgs/{org}/members/{username}"),
    ("GET", "/orgs/{org}/teams"),
    ("GET", "/repos/{owner}/{repo}/git/refs"),
    ("GET", "/repos/{owner}/{repo}/activity"),
    ("GET", "/app/installations"),
    ("PUT", "/repos/{owner}/{repo}/pulls/{pull_number}/reviews/{review_id}/dismissals"),
    ("PATCH", "/repos/{owner}/{repo}/pulls/comments/{comment_id}"),
    ("DELETE", "/repos/{owner}/{repo}/pulls/comments/{comment_id}"),
}
"""Verbs that the reference leaves out, or describes as nobody answers: an installation's account cannot be a user and
an enterprise at once."""


class Said(NamedTuple):
    """One answer."""

    method: str
    path: str
    status: int
    body: Any


class Caller:
    """Speaks plain HTTP with the sandbox and keeps what it answered."""

    def __init__(self, forge: Sandbox) -> None:
        self.said: list[Said] = []
        self._forge = forge

    def __call__(self, method: str, path: str, body: object = None, login: str | None = "root") -> Any:
        connection = http.client.HTTPConnection(self._forge.url.removeprefix("http://"), timeout=10)
        headers = {} if login is None else {"Authorization": f"Bearer {self._token(login)}"}
        data = None if body is None else json.dumps(body)
        connection.request(method, f"/api/v3{path}", data, headers)
        answer = connection.getresponse()
        text = answer.read()
        connection.close()
        self.said.append(Said(method, path.partition("?")[0], answer.status, json.loads(text) if text else None))
        return self.said[-1].body

    def _token(self, login: str) -> str:
        """A login's token; anything else is one itself."""
        return self._forge.token_for(login) if login.lower() in self._forge.world.users else login


@pytest.fixture(scope="module")
def answers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[list[Said]]:
    """Every verb once or more, in good and in bad."""
    with Sandbox(tmp_path_factory.mktemp("openapi") / "forge") as forge:
        yield tell(forge)


def tell(forge: Sandbox) -> list[Said]:
    """Asks for everything that the sandbox serves."""
    forge.create_user("root", permission="admin")
    forge.create_user("reader", permission="read")
    bot = forge.create_user("causeway", kind="Bot")
    forge.create_repository(PLATFORM, {"README.md": "hello\n", "services/a/platform.yaml": "name: a\n"})
    ask, repo, sha = Caller(forge), f"/repos/{PLATFORM}", forge.head(PLATFORM)
    for path in ("/user", f"/user/{bot.id}", "/users/causeway", "/users/none", "/rate_limit"):
        ask("GET", path)
    ask("GET", "/orgs/acme/members/causeway")
    ask("GET", "/user", login=None)
    for path in ("", "/branches", "/branches/main", "/branches/none", "/git/ref/heads/main", "/git/ref/heads/none"):
        ask("GET", repo + path)
    ask("GET", "/repos/acme/none")
    ask("POST", f"{repo}/git/refs", {"ref": "refs/heads/topic", "sha": sha})
    ask("POST", f"{repo}/git/refs", {"ref": "refs/heads/topic", "sha": sha})
    ask("POST", f"{repo}/git/refs", {"ref": "refs/heads/gone", "sha": sha})
    ask("DELETE", f"{repo}/git/refs/heads/gone")
    ask("GET", f"{repo}/git/matching-refs/heads/")
    ask("GET", f"{repo}/git/refs")
    file = ask("GET", f"{repo}/contents/README.md?ref=topic")
    for path in ("/contents/", "/contents/services", "/contents/none"):
        ask("GET", repo + path)
    write = {"message": "Write", "branch": "topic", "content": b64encode(b"more\n").decode()}
    ask("PUT", f"{repo}/contents/README.md", write | {"sha": file["sha"]})
    ask("PUT", f"{repo}/contents/README.md", write | {"sha": sha})
    ask("PUT", f"{repo}/contents/new/file.txt", write)
    pulls_and_issues(ask, repo, forge)
    return ask.said


def pulls_and_issues(ask: Caller, repo: str, forge: Sandbox) -> None:
    wanted = {"title": "Change", "head": "topic", "base": "main", "body": "Why"}
    pull = ask("POST", f"{repo}/pulls", wanted)
    ask("POST", f"{repo}/pulls", wanted)
    ask("POST", f"{repo}/pulls", wanted, login="reader")
    own, issue, head = f"{repo}/pulls/{pull['number']}", f"{repo}/issues/{pull['number']}", pull["head"]["sha"]
    for path in ("", "/files", "/commits", "/merge"):
        ask("GET", own + path)
    ask("GET", f"{repo}/pulls/99")
    ask("PATCH", own, {"title": "Better", "body": "Because"})
    ask("GET", f"{repo}/pulls?state=all&sort=updated&direction=desc&base=main&head=acme:topic")
    status = {"state": "success", "context": "causeway", "description": "Ready", "target_url": "https://example.org"}
    ask("POST", f"{repo}/statuses/{head}", status)
    ask("POST", f"{repo}/statuses/{head}", {"state": "pending"})
    for path in ("", "/status", "/statuses", "/pulls"):
        ask("GET", f"{repo}/commits/{head}{path}")
    ask("GET", f"{repo}/commits")
    comment = ask("POST", f"{issue}/comments", {"body": "A plan"})
    on = f"{repo}/issues/comments/{comment['id']}"
    ask("GET", f"{issue}/comments")
    ask("GET", on)
    ask("POST", f"{on}/reactions", {"content": "eyes"})
    ask("POST", f"{on}/reactions", {"content": "eyes"})
    ask("GET", f"{on}/reactions")
    ask("PATCH", on, {"body": "A better plan"})
    ask("PATCH", on, {"body": "x" * 65_537})
    ask("DELETE", on)
    ask("GET", on)
    review_calls(ask, repo, pull["number"], forge)
    commit_calls(ask, repo, head)
    app_calls(ask, repo, head, forge)
    halted = ask("POST", f"{repo}/issues", {"title": "Halted", "body": "Why"})
    ask("PATCH", f"{repo}/issues/{halted['number']}", {"state": "closed"})
    ask("GET", f"{repo}/issues/{halted['number']}")
    ask("GET", f"{repo}/issues?state=all&creator=root")
    ask("GET", f"{repo}/collaborators/reader")
    ask("GET", f"{repo}/collaborators/reader/permission")
    hook = ask(
        "POST", f"{repo}/hooks", {"config": {"url": "http://127.0.0.1:9/none", "secret": SECRET}, "events": ["push"]}
    )
    ask("GET", f"{repo}/hooks")
    ask("GET", f"{repo}/hooks/{hook['id']}")
    forge.wait_for_webhooks()
    sent = ask("GET", f"{repo}/hooks/{hook['id']}/deliveries")
    ask("POST", f"{repo}/hooks/{hook['id']}/deliveries/{sent[0]['id']}/attempts")
    ask("PUT", f"{own}/merge", {"sha": "0" * 40})
    ask("PUT", f"{own}/merge", {"merge_method": "none"})
    ask("PUT", f"{own}/merge", {"merge_method": "squash", "sha": head})
    ask("PUT", f"{own}/merge")
    ask("GET", f"{own}/merge")
    ask("GET", own)


def test_every_answer_is_one_that_github_could_give(answers: list[Said]) -> None:
    problems = []
    for said in answers:
        template = template_of(said.path)
        if (said.method, template) in BEYOND:
            continue
        problems += [f"{said.method} {template} {said.status}: {why}" for why in wrong(said, template)]
    assert problems == []


def test_every_verb_was_asked(answers: list[Said]) -> None:
    asked = {(said.method, said.path) for said in answers}
    missing = [
        f"{route.method} {prefix}{route.path}"
        for prefix, routes in ((f"/repos/{PLATFORM}", REPO_ROUTES), ("", ROOT_ROUTES))
        for route in routes
        if not any(method == route.method and matches(prefix, route, path) for method, path in asked)
    ]
    assert missing == []


def matches(prefix: str, route: Route, path: str) -> bool:
    kinds = {"int": r"[0-9]+", "path": r".+"}
    pattern = re.sub(r"<(?:(\w+):)?\w+>", lambda m: kinds.get(m[1], r"[^/]+"), route.path)
    return re.fullmatch(re.escape(prefix) + pattern, path) is not None


@cache
def api() -> Any:
    return nulls(json.loads((DATA / "api.json").read_text()))


def nulls(node: Any) -> Any:
    """OpenAPI 3.0's `nullable` in the words of JSON Schema. `oneOf` becomes `anyOf`: GitHub uses it for open objects
    of which every instance of one is an instance of the other."""
    if isinstance(node, list):
        return [nulls(item) for item in node]
    if not isinstance(node, dict):
        return node
    made = {"anyOf" if key == "oneOf" else key: nulls(value) for key, value in node.items()}
    if made.pop("nullable", None) is True:
        return {"anyOf": [made, {"type": "null"}]}
    return made


@cache
def template_of(path: str) -> str:
    """The reference's path for an address: the one with the fewest names in it."""
    found = []
    for template in [*api()["paths"], *(template for _, template in BEYOND)]:
        pattern = re.sub(r"\{(path|ref)\}", ".+", template)
        pattern = re.sub(r"\{\w+\}", "[^/]+", pattern)
        if re.fullmatch(pattern, path.rstrip("/") if not path.endswith("contents/") else path + "x"):
            found.append(template)
    assert found, f"GitHub knows no {path}"
    best: str = min(found, key=lambda template: (template.count("{"), -len(template)))
    return best


def wrong(said: Said, template: str) -> list[str]:
    responses = api()["paths"][template][said.method.lower()]["responses"]
    if str(said.status) not in responses:
        return (
            []
            if said.status in (401, 403, 404, 422) and error_shape(said.body)
            else ["GitHub never answers this status"]
        )
    response = responses[str(said.status)]
    if "$ref" in response:
        response = api()["components"]["responses"][response["$ref"].rpartition("/")[2]]
    content = response.get("content")
    if content is None:
        # GitHub explains every error, also where its description names no body.
        explained = said.status >= 400 and error_shape(said.body)
        return [] if said.body is None or explained else ["a body where none is due"]
    schema = content.get("application/json", {}).get("schema", {}) | {"components": api()["components"]}
    errors = Draft202012Validator(schema).iter_errors(said.body)
    return [f"{error.instance_path}: {error.message[-300:]}" for error in errors]


def error_shape(body: Any) -> bool:
    return isinstance(body, dict) and {"message", "documentation_url"} <= body.keys()


@pytest.fixture
def told(sandbox: Sandbox, mailbox: Mailbox) -> list[tuple[dict[str, str], bytes]]:
    """Every kind of webhook that the sandbox sends."""
    sandbox.create_user("ada")
    repository = str(sandbox.create_repository(PLATFORM, {"README.md": "hello\n"}))
    sandbox.create_webhook(PLATFORM, mailbox.url, SECRET, ["*"])
    sandbox.commit(PLATFORM, "topic", {"a.txt": "a\n"}, "One", "ada")
    number = sandbox.open_pull(PLATFORM, "Change", "topic", "main", "ada", draft=True)
    sandbox.commit(PLATFORM, "topic", {"a.txt": "b\n", "README.md": None}, "Two", "ada")
    sandbox.edit_pull(PLATFORM, number, "ada", title="Better", draft=False)
    sandbox.comment(PLATFORM, number, "Hello", "ada")
    sandbox.create_user("bob")
    sandbox.dismiss(PLATFORM, sandbox.review(PLATFORM, number, "bob"), "ada")
    head = sandbox.pull(PLATFORM, number).head_sha
    beside = {"body": "Better so", "commit_id": head, "path": "a.txt", "line": 1}
    said = Caller(sandbox)("POST", f"/repos/{PLATFORM}/pulls/{number}/comments", beside, login="bob")
    Caller(sandbox)("DELETE", f"/repos/{PLATFORM}/pulls/comments/{said['id']}", login="bob")
    app, key = sandbox.github.create_app("causeway-app", "acme", PLATFORM_RIGHTS)
    sandbox.github.install(app, [PLATFORM])
    adapter = GitHub(sandbox.api_url, repository, AppCredentials(sandbox.api_url, app.id, key, repository), SECRET)
    adapter.ensure_status(Oid(head), Status("causeway", "success", "Ready"))
    sandbox.github.rerequest(PLATFORM, sandbox.github.checks(PLATFORM, head)[0], "ada")
    sandbox.github.enqueue(PLATFORM, number, "ada")
    sandbox.close(PLATFORM, number, "ada")
    sandbox.edit_pull(PLATFORM, number, "ada", state="open")
    sandbox.merge(PLATFORM, number, "merge", "ada")
    sandbox.set_branch(PLATFORM, "topic", None, "ada")
    ask, repo = Caller(sandbox), f"/repos/{PLATFORM}"
    issue = ask("POST", f"{repo}/issues", {"title": "Halted", "body": "Why"}, login="ada")
    ask("PATCH", f"{repo}/issues/{issue['number']}", {"state": "closed"}, login="ada")
    comment = ask("POST", f"{repo}/issues/{issue['number']}/comments", {"body": "x"}, login="ada")
    ask("PATCH", f"{repo}/issues/comments/{comment['id']}", {"body": "y"}, login="ada")
    ask("DELETE", f"{repo}/issues/comments/{comment['id']}", login="ada")
    assert sandbox.wait_for_webhooks()
    return mailbox.received


def test_every_webhook_has_githubs_shape(told: list[tuple[dict[str, str], bytes]]) -> None:
    definitions = json.loads((DATA / "webhooks.schema.json").read_text())["definitions"]
    seen, problems = set(), []
    for headers, body in told:
        event, payload = headers["x-github-event"], json.loads(body)
        name = f"{event}${payload.get('action', 'event')}"
        seen.add(name)
        schema = definitions[name] | {"definitions": definitions}
        problems += [
            f"{name} {e.instance_path}: {e.message[-300:]}" for e in Draft7Validator(schema).iter_errors(payload)
        ]
    assert problems == []
    actions = ("opened", "synchronize", "edited", "ready_for_review", "closed", "reopened")
    assert seen >= {"ping$event", "push$event", "issue_comment$created", *(f"pull_request${a}" for a in actions)}
    assert seen >= {"pull_request_review$submitted", "pull_request_review$dismissed", "merge_group$checks_requested"}
    assert seen >= {"check_run$created", "check_run$rerequested", "pull_request_review_comment$created"}


def test_every_webhook_is_signed_over_its_bytes_and_named_once(told: list[tuple[dict[str, str], bytes]]) -> None:
    for headers, body in told:
        expected = hmac.new(SECRET.encode(), body, hashlib.sha256).hexdigest()
        assert headers["x-hub-signature-256"] == f"sha256={expected}"
        assert headers["user-agent"].startswith("GitHub-Hookshot/")
    assert len({headers["x-github-delivery"] for headers, _ in told}) == len(told)


def test_a_merge_is_told_as_closed_and_as_a_push(told: list[tuple[dict[str, str], bytes]]) -> None:
    payloads = [(headers["x-github-event"], json.loads(body)) for headers, body in told]
    closed = [p for event, p in payloads if event == "pull_request" and p["action"] == "closed"]
    assert [p["pull_request"]["merged"] for p in closed] == [False, True]
    landed = closed[1]["pull_request"]["merge_commit_sha"]
    pushes = [p for event, p in payloads if event == "push" and p["ref"] == "refs/heads/main"]
    assert [(p["after"], len(p["commits"]), p["forced"]) for p in pushes] == [(landed, 3, False)]


def test_webhooks_can_be_lost_and_sent_again(sandbox: Sandbox, mailbox: Mailbox) -> None:
    sandbox.create_user("ada")
    sandbox.create_repository(PLATFORM, {"README.md": "hello\n"})
    sandbox.create_webhook(PLATFORM, mailbox.url, SECRET, ["push"])
    sandbox.webhooks_on = False
    sandbox.commit(PLATFORM, "main", {"a": "1"}, "Lost", "ada")
    sandbox.webhooks_on = True
    mailbox.answer = 500
    sandbox.commit(PLATFORM, "main", {"a": "2"}, "Told", "ada")
    assert sandbox.wait_for_webhooks()
    assert [one.event for one in sandbox.deliveries] == ["ping", "push"]
    assert sandbox.deliveries[-1].status == 500
    sandbox.redeliver(sandbox.deliveries[-1].guid)
    assert sandbox.wait_for_webhooks()
    first, again = mailbox.received[-2:]
    assert (first[1], first[0]["x-github-delivery"]) == (again[1], again[0]["x-github-delivery"])
