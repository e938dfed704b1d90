"""Hostile text in every place of a manifest is only text wherever it comes out."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

import pytest
from markdown_it import MarkdownIt

from bot.core import words
from bot.core.parse import parse
from bot.core.problem import Refusal
from bot.core.propose import Proposal
from bot.core.text import kubelet, terraform
from tests.core.made import PLATFORM, Delivery, service, tree_of
from tests.core.test_abuse import BEFORE, _land, _proposed, _told


@pytest.fixture
def world() -> Delivery:
    made = Delivery()
    made.land(BEFORE)
    return made


HOSTILE = (
    '$${file("/etc/passwd")}', "%{ if true }x%{ endif }", "{{7*7}}", "{{ .Values.x }}", "</details><script>x</script>",
    "```\n# out", "@everyone", "/merge", "\n/merge\n", "x\nPlatform-Commit: " + "6" * 40, "$(SECRET)", "$$(SECRET)",
    "[[ __from ]]", "![x](http://evil.example/x.png)", "<!-- causeway:plan -->", "${__interval}",
)  # fmt: skip


MARKDOWN = MarkdownIt("commonmark", {"html": True}).enable("table")


OUR_TAGS = {"<details>", "</details>", "<summary>", "</summary>", "<b>", "</b>", "<code>", "</code>", "<br>"}


def _strings(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for key, inner in value.items():
            yield key
            yield from _strings(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _strings(inner)


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_text_is_only_text_in_every_place_that_it_reaches(world: Delivery, text: str) -> None:
    plain = text.replace("$${", "${")  # how the language writes a literal `${`
    env = json.dumps(text.replace("${__", "$${__"))
    shop = service(
        "shop", f"description: {json.dumps(plain)}", f"env: {{A: {env}}}", f"args: [{json.dumps(plain)}]",
        "needs: {db: postgres, files: bucket}", image="2.0.0",
    )  # fmt: skip
    teams = PLATFORM["platform/teams.yaml"].replace(
        "payments: {", f"payments: {{contacts: {{chat: {json.dumps(plain)}}}, "
    )
    files = {**BEFORE, **shop, "platform/teams.yaml": teams}
    found = _proposed(world, tree_of(files))
    assert isinstance(found, Proposal), found
    assert found.plan.errors == (), found.plan.errors
    _, status, comment = _told(found)
    assert "\n" not in status
    _harmless(comment)
    done = _land(world, tree_of(files))
    message = words.commit_message(done)
    trailers = message.rstrip().rpartition("\n\n")[2].splitlines()
    assert [line.partition(":")[0] for line in trailers] == [name for name, _ in done.trailers]
    assert [line[:16] for line in message.splitlines()].count("Platform-Commit:") == 1
    deployment = world.files["environments/prod/payments/shop/kubernetes/deployment-shop.yaml"]
    container = _object(deployment)["spec"]["template"]["spec"]["containers"][0]
    assert container["args"] == [kubelet(plain)]
    assert next(item for item in container["env"] if item["name"] == "A")["value"] == kubelet(plain)
    for path, data in world.files.items():
        if path.endswith(".tf.json"):
            for one in _strings(json.loads(data)):
                assert plain not in one or plain == terraform(plain) or terraform(plain) in one, (path, one)


def _harmless(comment: str) -> None:
    """What a forge would make of it holds no mention, no image, and no markup but our own."""
    for token in (inner for block in MARKDOWN.parse(comment) for inner in (block, *(block.children or ()))):
        assert token.type != "image"
        if token.type in ("html_block", "html_inline"):
            assert set(re.findall(r"<[^>]*>", token.content)) <= OUR_TAGS, token.content
        elif token.type == "text":
            assert re.search(r"@[a-z]", token.content) is None, token.content
    assert comment.count("<details>") == comment.count("\n</details>")
    assert not [line for line in comment.splitlines() if line.startswith("/")]


def _object(data: bytes) -> Any:
    found = parse("f.yaml", data)
    assert not isinstance(found, Refusal), found
    return found.value
