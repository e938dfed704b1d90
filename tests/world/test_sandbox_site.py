"""The sandbox's web page: what a person sees and does there, and what hostile text cannot do."""

from __future__ import annotations

import http.client
import re
from html.parser import HTMLParser
from urllib.parse import urlencode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.core.model.conversation import Annotation, Remark
from bot.core.tree import Oid
from bot.forges.github import GitHub
from bot.forges.github_app import PLATFORM_RIGHTS, AppCredentials
from bot.ports import Status
from bot.sandbox import Sandbox
from bot.sandbox.markdown import render

pytestmark = pytest.mark.world
PLATFORM = "acme/platform"
SERVICE = "services/checkout/platform.yaml"
HOSTILE = '"><script>alert(1)</script><img src=x onerror=alert(1)>'


@pytest.fixture
def acme(sandbox: Sandbox) -> Sandbox:
    """A platform repository and an empty GitOps repository."""
    sandbox.create_user("ada")
    files = {"README.md": "# Hello\n", SERVICE: "name: checkout\nimage: a:1\n", "platform/config.yaml": "{}\n"}
    sandbox.create_repository(PLATFORM, files)
    sandbox.create_repository("acme/gitops", {})
    return sandbox


def ask(forge: Sandbox, path: str, form: dict[str, str] | None = None) -> tuple[int, str, str]:
    """Status, text and where it leads, as a browser asks."""
    connection = http.client.HTTPConnection(forge.url.removeprefix("http://"), timeout=10)
    headers = {"Content-Type": "application/x-www-form-urlencoded"} if form else {}
    connection.request("POST" if form else "GET", path, urlencode(form) if form else None, headers)
    answer = connection.getresponse()
    text = answer.read().decode()
    connection.close()
    return answer.status, text, answer.headers.get("Location", "")


def test_a_person_adds_a_service_changes_it_merges_and_reverts(acme: Sandbox) -> None:
    before = acme.files(PLATFORM)
    assert "ghcr.io/acme/hello" in ask(acme, f"/{PLATFORM}/new")[1]
    new = {"ref": "main", "path": "services/hello/platform.yaml", "content": "name: hello\r\n", "title": "Add hello"}
    status, _, place = ask(acme, f"/{PLATFORM}/propose", new)
    assert (status, place) == (303, f"/{PLATFORM}/pull/1")
    page = ask(acme, place)[1]
    assert "Add hello" in page
    assert "No check has answered yet." in page
    branch = acme.pull(PLATFORM, 1).head_ref
    change = new | {"ref": branch, "content": "name: hello\r\nscale: 2\r\n", "title": "Scale"}
    assert ask(acme, f"/{PLATFORM}/propose", change)[2] == place
    assert "scale: 2" in ask(acme, f"{place}/files")[1]
    sha = acme.pull(PLATFORM, 1).head_sha
    assert ask(acme, f"{place}/merge", {"method": "squash", "sha": sha})[0] == 303
    assert acme.files(PLATFORM)["services/hello/platform.yaml"] == b"name: hello\nscale: 2\n"
    assert "Revert" in ask(acme, place)[1]
    assert ask(acme, f"{place}/revert", {"go": "1"})[2] == f"/{PLATFORM}/pull/2"
    ask(acme, f"/{PLATFORM}/pull/2/merge", {"method": "merge"})
    assert acme.files(PLATFORM) == before


def test_a_person_removes_a_service_by_a_pull_request(acme: Sandbox) -> None:
    ask(acme, f"/{PLATFORM}/propose", {"ref": "main", "path": SERVICE, "remove": "yes"})
    assert SERVICE in acme.files(PLATFORM)
    acme.merge(PLATFORM, 1)
    assert SERVICE not in acme.files(PLATFORM)


def test_closing_and_reopening_and_commenting_work_from_the_page(acme: Sandbox) -> None:
    ask(acme, f"/{PLATFORM}/propose", {"ref": "main", "path": "x", "content": "x"})
    place = f"/{PLATFORM}/pull/1"
    ask(acme, f"{place}/state", {"state": "closed"})
    assert acme.pull(PLATFORM, 1).state == "closed"
    ask(acme, f"{place}/state", {"state": "open"})
    assert acme.pull(PLATFORM, 1).state == "open"
    ask(acme, f"{place}/comment", {"body": "**bold** words\n\n<b>fold</b>"})
    page = ask(acme, place)[1]
    assert "<strong>bold</strong> words" in page
    assert "<b>fold</b>" in page


def test_every_page_answers_and_a_wrong_address_says_so(acme: Sandbox) -> None:
    ask(
        acme, f"/{PLATFORM}/propose", {"ref": "main", "path": SERVICE, "content": "name: checkout\n", "title": "feat/x"}
    )
    acme.comment(PLATFORM, 1, "hello", "ada")
    sha = acme.head(PLATFORM)
    for path in (
        "/",
        "/both",
        "/style.css",
        "/refresh.js",
        "/acme/gitops",
        "/acme/gitops/pulls",
        f"/avatars/{acme.viewer.id}",
        *(
            f"/{PLATFORM}{rest}"
            for rest in (
                *("", "/pulls", "/pulls?state=closed", "/pull/1", "/pull/1/files", "/commits/main", f"/commit/{sha}"),
                *("/issues", "/tree/main/services", f"/tree/{sha}", f"/blob/main/{SERVICE}", f"/blob/{sha}/{SERVICE}"),
                *(f"/raw/main/{SERVICE}", f"/edit/main/{SERVICE}", "/new"),
            )
        ),
    ):
        assert ask(acme, path)[0] == 200, path
    for path in ("/acme/none", f"/{PLATFORM}/pull/9", f"/{PLATFORM}/blob/main/none", f"/{PLATFORM}/tree/none"):
        status, text, _ = ask(acme, path)
        assert (status, "That did not work" in text) == (404, True), path


def test_a_branch_with_a_slash_is_told_from_a_folder(acme: Sandbox) -> None:
    acme.commit(PLATFORM, "feat/one", {"services/checkout/deep/file.txt": "found\n"}, "Deep", "ada")
    assert "found" in ask(acme, f"/{PLATFORM}/blob/feat/one/services/checkout/deep/file.txt")[1]


def test_what_is_not_possible_is_refused_with_a_reason(acme: Sandbox) -> None:
    for form in (
        {"ref": "main", "path": "../../etc/passwd", "content": "x"},
        {"ref": "main", "path": ".git/config", "content": "x"},
        {"ref": "none", "path": "x", "content": "x"},
        {"ref": "main", "path": SERVICE, "content": "name: checkout\nimage: a:1\n"},
    ):
        assert ask(acme, f"/{PLATFORM}/propose", form)[0] == 422, form
    assert list(acme.world.repository(PLATFORM).pulls()) == []


def test_hostile_text_stays_text_everywhere(acme: Sandbox) -> None:
    acme.commit(PLATFORM, "evil", {f"services/{HOSTILE.replace('/', '')}": HOSTILE}, HOSTILE, "ada")
    acme.open_pull(PLATFORM, HOSTILE, "evil", "main", "ada")
    acme.comment(PLATFORM, 1, HOSTILE, "ada")
    head = acme.head(PLATFORM, "evil")
    pages = ["/", f"/{PLATFORM}/pulls", f"/{PLATFORM}/pull/1", f"/{PLATFORM}/pull/1/files", f"/{PLATFORM}/commits/evil"]
    for path in [*pages, f"/{PLATFORM}/commit/{head}", f"/{PLATFORM}/tree/evil/services"]:
        text = ask(acme, path)[1]
        assert "<img src=x" not in text, path
        assert "<script>" not in text, path
        assert "alert(1)" in text, path


def test_a_plan_comment_keeps_its_tables_folds_and_colours() -> None:
    html = render(
        "### Ready\n\n| a | b |\n|---|--:|\n| 1 | 2 |\n\n<details><summary>More</summary>\n\n"
        "```diff\n-old <b>\n+new\n```\n\n</details>\n\n<!-- marker -->\n\n[x](https://example.org/a?b=1&c=2)"
    )
    assert "<h3>Ready</h3>" in html
    assert '<td class="right">2</td>' in html
    assert "<details><summary>More</summary>" in html
    assert '<span class="del">-old &lt;b&gt;</span>' in html
    assert 'href="https://example.org/a?b=1&amp;c=2"' in html
    assert "marker" not in html


@pytest.mark.parametrize(
    "text",
    [
        "<script>alert(1)</script>",
        "<a href='javascript:alert(1)'>x</a>",
        "[x](javascript:alert(1))",
        "<a href=' javascript:alert(1)'>x</a>",
        "<a href='//evil.example'>x</a>",
        "<details ontoggle=alert(1) open>x</details>",
        "<svg onload=alert(1)>",
        "<td style='background:url(//x)'>",
        "<math><mi><style></math><img src onerror=alert(1)>",
        "<!--><img src=x onerror=alert(1)>-->",
        "<![CDATA[<img src=x onerror=alert(1)>]]>",
        "</div></main></body>",
        "<textarea></textarea><plaintext>",
        "![x](x' onerror='alert(1))",
    ],
)
def test_known_tricks_come_out_as_text(text: str) -> None:
    assert faults(render(text)) == []


PIECES = st.sampled_from(
    [
        *(
            "<",
            ">",
            "</",
            "<!--",
            "-->",
            "<details open>",
            "</details>",
            "<script>",
            "</script>",
            "<p",
            "/>",
            "<a href=",
        ),
        *("`", "```", "\n", "| a |", "[x](", ")", "javascript:", "onerror=", "<img ", '"', "'", "&lt;", "&#x3c;", " "),
    ]
)


@given(st.lists(PIECES | st.text(max_size=4), max_size=30).map("".join))
def test_whatever_is_written_only_listed_tags_come_out_and_they_balance(text: str) -> None:
    assert faults(render(text)) == []


def faults(html: str) -> list[str]:
    """What a browser would find in it that must not be there."""
    reader = Reader()
    reader.feed(html)
    reader.close()
    return reader.wrong + [f"{tag} stays open" for tag in reader.open]


class Reader(HTMLParser):
    """Reads a page as a browser does, and objects."""

    allowed = frozenset(
        [
            *("p", "ul", "ol", "li", "blockquote", "pre", "code", "b", "em", "strong", "s", "del", "ins", "sub", "sup"),
            *("kbd", "a", "h1", "h2", "h3", "h4", "h5", "h6", "br", "hr", "details", "summary", "span"),
            *("table", "thead", "tbody", "tr", "th", "td"),
        ]
    )

    def __init__(self) -> None:
        super().__init__()
        self.wrong: list[str] = []
        self.open: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag not in self.allowed:
            self.wrong.append(f"<{tag}>")
        for name, value in attrs:
            link = name == "href" and re.match(r"https?://|#|/(?!/)", value or "", re.IGNORECASE)
            if not link and name not in ("class", "open", "start", "rel"):
                self.wrong.append(f"{name}={value!r} on <{tag}>")
        if tag not in ("br", "hr"):
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if not self.open or self.open.pop() != tag:
            self.wrong.append(f"</{tag}> closes nothing")

    def handle_comment(self, data: str) -> None:
        self.wrong.append(f"a comment {data!r}")


def test_a_person_is_chosen_to_approve_and_the_page_tells_who_and_what(acme: Sandbox) -> None:
    acme.create_user("bob")
    acme.commit(PLATFORM, "topic", {SERVICE: "name: checkout\nimage: a:2\n"}, "Two", "ada")
    number = acme.open_pull(PLATFORM, "Two", "topic", "main", "ada")
    place, sha = f"/{PLATFORM}/pull/{number}", acme.pull(PLATFORM, number).head_sha
    page = ask(acme, place)[1]
    assert "<option>bob</option>" in page
    assert "<option>ada</option>" not in page, "nobody approves what they opened"
    assert ask(acme, f"{place}/review", {"by": "bob", "sha": sha})[0] == 303
    assert "approved" in ask(acme, place)[1]
    assert ask(acme, f"{place}/review", {"by": "ada", "sha": sha})[0] == 422
    assert ask(acme, f"{place}/review", {"by": "nobody", "sha": sha})[0] == 404
    acme.commit(PLATFORM, "topic", {SERVICE: "name: checkout\nimage: a:3\n"}, "Three", "ada")
    assert "not the head" in ask(acme, place)[1]


def test_remarks_and_checks_stand_on_the_page_escaped_and_a_check_runs_again(acme: Sandbox) -> None:
    acme.commit(PLATFORM, "topic", {SERVICE: "name: checkout\nimage: a:2\n"}, "Two", "ada")
    number = acme.open_pull(PLATFORM, "Two", "topic", "main", "ada")
    repository = str(acme.world.repository(PLATFORM).id)
    app, key = acme.github.create_app("causeway-app", "acme", PLATFORM_RIGHTS)
    acme.github.install(app, [PLATFORM])
    bot = GitHub(acme.api_url, repository, AppCredentials(acme.api_url, app.id, key, repository), HOSTILE)
    head = Oid(acme.pull(PLATFORM, number).head_sha)
    noted = (Annotation(SERVICE, 2, 1, "failure", HOSTILE, HOSTILE),)
    bot.ensure_status(head, Status("causeway", "failure", HOSTILE), noted)
    bot.ensure_remarks(number, head, "fix", (Remark(SERVICE, 2, HOSTILE),))
    place = f"/{PLATFORM}/pull/{number}"
    page = ask(acme, place)[1]
    assert "1 annotations" in page
    assert f"{SERVICE}:2" in page
    assert "<script>alert" not in page
    (run,) = acme.github.checks(PLATFORM, head)
    assert ask(acme, f"{place}/rerun/{run.id}", {"x": "y"})[0] == 303
    assert run.status == "queued"
    assert ask(acme, f"{place}/rerun/1", {"x": "y"})[0] == 404
