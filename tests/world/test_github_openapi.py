"""What the adapter really sends is what GitHub's own description of its API takes: paths, queries, bodies, headers."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest
import requests
from jsonschema_rs import Draft202012Validator

from bot.core.model.conversation import Annotation, Remark
from bot.core.tree import Oid
from bot.forges.github import GitHub
from bot.forges.github_app import PLATFORM_RIGHTS, AppCredentials
from bot.forges.marker import Marker
from bot.ports import Opening, Status
from bot.sandbox import Fault, Sandbox
from tests.reference import needs
from tests.world.test_sandbox_openapi import BEYOND, Said, api, template_of, wrong

pytestmark = [
    pytest.mark.world,
    needs("github-openapi"),
]
NAME = "acme/platform"
SECRET = "a secret of sixteen characters"


@pytest.fixture(scope="module")
def traffic(tmp_path_factory: pytest.TempPathFactory) -> Iterator[list[requests.Response]]:
    """Every verb of the adapter, with each of its writes, as it went over the wire."""
    seen: list[requests.Response] = []
    real = requests.adapters.HTTPAdapter.send

    def send(self: requests.adapters.HTTPAdapter, *args: Any, **more: Any) -> requests.Response:
        seen.append(real(self, *args, **more))
        return seen[-1]

    with pytest.MonkeyPatch.context() as patch, Sandbox(tmp_path_factory.mktemp("traffic") / "forge") as forge:
        patch.setattr(requests.adapters.HTTPAdapter, "send", send)
        use_every_verb(forge)
        yield seen


def use_every_verb(forge: Sandbox) -> None:
    forge.create_user("ada")
    bot = forge.create_user("causeway")
    repository = str(forge.create_repository(NAME, {"README.md": "hello\n"}))
    forge.commit(NAME, "topic", {"a.txt": "1\n"}, "Add a", "ada")
    number = forge.open_pull(NAME, "Add a", "topic", "main", "ada")
    github = GitHub(forge.api_url, repository, lambda: bot.token, SECRET)
    github.repository()
    pull = github.pull(number)
    github.open_pulls()
    github.changed_since(github.changed_since("").mark)
    github.ensure_status(pull.head_sha, Status("causeway", "pending", "Looks", "https://causeway.example.com/1"))
    github.ensure_status(pull.head_sha, Status("causeway", "success", "Ready"))
    github.status(pull.head_sha, "causeway")
    github.ensure_comment(number, "plan", "aa" * 8, "One")
    twin = Marker(SECRET, f"comment:{repository}:{number}").sign("One", "plan", "aa" * 8)
    forge.comment(NAME, number, twin, "causeway")
    github.ensure_comment(number, "plan", "bb" * 8, "Two")
    github.comment_digest(number, "plan")
    for body in ("One", "Two", None):
        github.ensure_issue("halt", "Delivery halted", body)
    people(forge, github, number)
    forge.commit(NAME, "ours", {"b.txt": "1\n"}, "Add b", "ada", base="main")
    github.open_pull(Opening("ours", "main", "Add b", "Because."))
    as_app(forge, repository, pull.head_sha)
    github.pulls_of_commit(Oid(forge.merge(NAME, number, "merge", "ada")))
    github.close()


def people(forge: Sandbox, github: GitHub, number: int) -> None:
    bob, head = forge.create_user("bob"), Oid(forge.pull(NAME, number).head_sha)
    forge.review(NAME, number, "bob")
    forge.join("acme/payments", "bob")
    said = forge.comment(NAME, number, "/plan", "bob")
    github.react(number, str(said.id), "seen")
    github.comments(number)
    github.approvals(number, head)
    github.authors(number)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("bot.forges.github_people._LISTED_COMMITS", 0)
        github.authors(number)
    github.member_of("acme/payments", str(bob.id))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("bot.forges.github_people.PAGE", 1)
        github.member_of("acme/payments", str(forge.world.user("ada").id))
    github.permission(str(bob.id))
    github.ensure_remarks(number, head, "fix", (Remark("a.txt", 1, "Better so."),))
    github.ensure_remarks(number, head, "fix", ())


def as_app(forge: Sandbox, repository: str, head: Oid) -> None:
    app, key = forge.github.create_app("causeway-app", "acme", PLATFORM_RIGHTS)
    forge.github.install(app, [NAME])
    github = GitHub(forge.api_url, repository, AppCredentials(forge.api_url, app.id, key, repository), SECRET)
    github.ensure_status(head, Status("causeway", "pending", "Looks", "https://causeway.example.com/1"))
    noted = Annotation("a.txt", 1, 1, "failure", "CW0101", "Wrong")
    github.ensure_status(head, Status("causeway", "failure", "1 problem"), (noted,))
    github.ensure_issue("app", "As an App", "Said.")
    forge.faults.append(Fault("GET", r".*/installation", before=404))
    AppCredentials(forge.api_url, app.id, key, repository)()


def template(request: requests.PreparedRequest) -> str:
    """The reference's path. It writes names where we write the id; GitHub takes both, and its own links use the id."""
    path = urlsplit(request.url or "").path.removeprefix("/api/v3")
    return template_of(re.sub(r"^/repositories/[0-9]+", f"/repos/{NAME}", path))


def resolved(node: dict[str, Any]) -> dict[str, Any]:
    if "$ref" not in node:
        return node
    found = api()
    for key in node["$ref"].removeprefix("#/").split("/"):
        found = found[key]
    assert isinstance(found, dict)
    return found


def test_each_request_is_one_that_github_describes(traffic: list[requests.Response]) -> None:
    problems: list[str] = []
    for answer in traffic:
        request = answer.request
        assert request.method is not None
        path = template(request)
        where = f"{request.method} {path}"
        if (request.method, path) in BEYOND:
            continue
        operation = api()["paths"][path].get(request.method.lower())
        if operation is None:
            problems.append(f"{where}: GitHub has no such verb")
            continue
        known = {resolved(one)["name"]: resolved(one) for one in operation.get("parameters", ())}
        for name, value in parse_qsl(urlsplit(request.url or "").query):
            if name not in known:
                problems.append(f"{where}: no parameter {name}")
                continue
            schema = known[name]["schema"]
            typed: object = int(value) if schema.get("type") == "integer" else value
            problems += [
                f"{where} {name}: {error.message}" for error in Draft202012Validator(schema).iter_errors(typed)
            ]
        problems += [f"{where} body: {why}" for why in wrong_body(request.body, operation)]
    assert problems == []


def wrong_body(body: str | bytes | None, operation: dict[str, Any]) -> list[str]:
    described = operation.get("requestBody")
    if described is None:
        return [] if body is None else ["none is due"]
    if body is None:
        return ["is missing"] if described.get("required") else []
    schema = described["content"]["application/json"]["schema"]
    sent = json.loads(body)
    unknown = [f"field {name} is not described" for name in sent.keys() - schema.get("properties", sent).keys()]
    errors = Draft202012Validator(schema | {"components": api()["components"]}).iter_errors(sent)
    return unknown + [f"{error.instance_path}: {error.message[-300:]}" for error in errors]


def test_each_answer_the_adapter_was_tested_with_is_one_that_github_could_give(
    traffic: list[requests.Response],
) -> None:
    problems: list[str] = []
    for answer in traffic:
        if answer.status_code == 304:
            # No operation describes it; conditional requests are described for the whole API.
            assert answer.text == ""
            continue
        body = json.loads(answer.text) if answer.text else None
        path = template(answer.request)
        if (answer.request.method, path) in BEYOND:
            continue
        said = Said(answer.request.method or "", path, answer.status_code, body)
        problems += [f"{said.method} {path} {said.status}: {why}" for why in wrong(said, path)]
    assert problems == []


def test_every_kind_of_request_was_seen(traffic: list[requests.Response]) -> None:
    repo = "/repos/{owner}/{repo}"
    assert {(answer.request.method, template(answer.request)) for answer in traffic} == {
        ("GET", "/user"),
        ("GET", repo),
        ("GET", f"{repo}/pulls"),
        ("GET", f"{repo}/pulls/{{pull_number}}"),
        ("GET", f"{repo}/commits/{{commit_sha}}/pulls"),
        ("GET", f"{repo}/commits/{{ref}}/statuses"),
        ("POST", f"{repo}/statuses/{{sha}}"),
        ("GET", f"{repo}/issues"),
        ("POST", f"{repo}/issues"),
        ("PATCH", f"{repo}/issues/{{issue_number}}"),
        ("GET", f"{repo}/issues/{{issue_number}}/comments"),
        ("POST", f"{repo}/issues/{{issue_number}}/comments"),
        ("PATCH", f"{repo}/issues/comments/{{comment_id}}"),
        ("DELETE", f"{repo}/issues/comments/{{comment_id}}"),
        ("GET", f"{repo}/issues/comments/{{comment_id}}/reactions"),
        ("POST", f"{repo}/issues/comments/{{comment_id}}/reactions"),
        ("GET", f"{repo}/pulls/{{pull_number}}/reviews"),
        ("GET", f"{repo}/pulls/{{pull_number}}/commits"),
        ("GET", f"{repo}/pulls/{{pull_number}}/files"),
        ("GET", f"{repo}/pulls/{{pull_number}}/comments"),
        ("POST", f"{repo}/pulls/{{pull_number}}/comments"),
        ("DELETE", f"{repo}/pulls/comments/{{comment_id}}"),
        ("POST", f"{repo}/pulls"),
        ("GET", f"{repo}/compare/{{basehead}}"),
        ("GET", f"{repo}/activity"),
        ("GET", f"{repo}/collaborators/{{username}}/permission"),
        ("GET", f"{repo}/commits/{{ref}}/check-runs"),
        ("POST", f"{repo}/check-runs"),
        ("PATCH", f"{repo}/check-runs/{{check_run_id}}"),
        ("GET", f"{repo}/installation"),
        ("GET", "/orgs/{org}/teams/{team_slug}/members"),
        ("GET", "/orgs/{org}/teams/{team_slug}/memberships/{username}"),
        ("GET", "/user/{account_id}"),
        ("GET", "/users/{username}"),
        ("GET", "/app"),
        ("GET", "/app/installations"),
        ("POST", "/app/installations/{installation_id}/access_tokens"),
    }
    assert any(answer.status_code == 304 for answer in traffic)


def test_each_request_says_who_asks_and_keeps_the_token_out_of_the_address(traffic: list[requests.Response]) -> None:
    for answer in traffic:
        headers = answer.request.headers
        scheme, _, token = headers["Authorization"].partition(" ")
        assert scheme == "Bearer"
        assert token not in (answer.request.url or "")
        assert headers["User-Agent"] == "causeway"
