"""The published schemas in an editor: a real YAML language server completes, explains and marks."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.tools.language_server import Editor, install, missing

SCHEMAS = Path(__file__).parents[2] / "schemas"
PLATFORM = json.loads((SCHEMAS / "platform.schema.json").read_text(encoding="utf-8"))
HEAD = "name: checkout\nowner: payments\ntype: web\nimage: ghcr.io/acme/checkout:1.4.2\n"

pytestmark = pytest.mark.tools


@pytest.fixture(scope="module")
def editor(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Editor]:
    if missing():
        pytest.skip(missing())
    program = install(tmp_path_factory.mktemp("language-server"))
    if isinstance(program, str):
        pytest.skip(f"the YAML language server could not be installed: {program}")
    with Editor(program) as opened:
        yield opened


def file(editor: Editor, name: str, text: str, schema: str = "platform") -> str:
    """Opens a file that begins with the line that the reference page tells people to write."""
    line = f"# yaml-language-server: $schema={(SCHEMAS / f'{schema}.schema.json').as_uri()}\n"
    return editor.open(name, line + text)


def completed(editor: Editor, uri: str, line: int, column: int) -> dict[str, dict[str, Any]]:
    found = editor.at("completion", uri, line, column)
    items = found["items"] if isinstance(found, dict) else found
    return {item["label"]: item for item in items}


def documentation(item: dict[str, Any]) -> str:
    found = item.get("documentation", "")
    return str(found["value"] if isinstance(found, dict) else found)


def hovered(editor: Editor, uri: str, line: int, column: int) -> str:
    found = editor.at("hover", uri, line, column)
    contents = found["contents"]
    return str(contents["value"] if isinstance(contents, dict) else contents)


def described(field: str) -> str:
    """The description of a field of the manifest, its own or that of what it refers to."""
    node = PLATFORM["properties"][field]
    own = node.get("description")
    return str(own or PLATFORM["$defs"][node["$ref"].rpartition("/")[2]]["description"])


def plain(markdown: str) -> str:
    """Markdown without its escapes, on one line."""
    return " ".join(markdown.replace("\\", "").replace("&nbsp;", " ").replace("&gt;", ">").split())


def test_completion_offers_every_field_that_is_not_there_yet_with_its_description(editor: Editor) -> None:
    uri = file(editor, "new/platform.yaml", HEAD)
    offered = completed(editor, uri, 5, 0)
    wanted = set(PLATFORM["properties"]) - {"name", "owner", "type", "image"}
    assert wanted <= offered.keys()
    for field in wanted:
        assert plain(described(field)) in plain(documentation(offered[field])), field


def test_completion_goes_on_inside_a_need_and_offers_its_types(editor: Editor) -> None:
    uri = file(editor, "need/platform.yaml", HEAD + "needs:\n  db:\n    type: postgres\n    \n")
    assert {"class", "size", "version"} <= completed(editor, uri, 8, 4).keys()
    uri = file(editor, "type/platform.yaml", HEAD + "needs:\n  db:\n    type: \n")
    assert {"postgres", "bucket"} <= completed(editor, uri, 7, 10).keys()


def test_hover_says_what_a_field_means(editor: Editor) -> None:
    uri = file(editor, "hover/platform.yaml", HEAD + "scale: {min: 2, max: 4}\nhealth: /healthz\n")
    assert plain(described("scale")) in plain(hovered(editor, uri, 5, 2))
    assert plain(described("health")) in plain(hovered(editor, uri, 6, 3))
    assert "Team that owns it" in hovered(editor, uri, 2, 2)


def test_an_unknown_field_is_marked_where_it_stands(editor: Editor) -> None:
    uri = file(editor, "wrong/platform.yaml", HEAD + "replica: 3\n")
    marks = editor.diagnostics(uri)
    assert [mark["range"]["start"] for mark in marks] == [{"line": 5, "character": 0}]
    assert "replica" in marks[0]["message"]


def test_a_correct_manifest_is_marked_nowhere(editor: Editor) -> None:
    text = HEAD + "tier: 1\nscale: {min: 3, max: 9}\nneeds: {db: {type: postgres, version: '17'}, files: bucket}\n"
    uri = file(editor, "right/platform.yaml", text + "environments: {prod: {env: {LOG_LEVEL: warn}}}\n")
    assert editor.diagnostics(uri) == []


@pytest.mark.parametrize(
    ("schema", "text", "field"),
    [
        ("environments", "environments:\n  prod:\n    kind: production\n    cluster: {name: eu}\n    \n", "features"),
        ("teams", "teams:\n  payments:\n    forge_team: acme/payments\n    \n", "cost_centre"),
        ("config", "platform_team: platform\ngitops: {repo: acme/gitops}\n\n", "kit"),
    ],
)
def test_the_platform_teams_files_complete_too(editor: Editor, schema: str, text: str, field: str) -> None:
    uri = file(editor, f"platform/{schema}.yaml", text, schema)
    lines = text.split("\n")
    offered = completed(editor, uri, len(lines) - 1, len(lines[-2]))
    assert documentation(offered[field])
