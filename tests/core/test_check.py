"""Schemas: the verdict of the reference, every error at once, each in plain words at its place."""

from __future__ import annotations

import http.server
import json
import threading
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import jsonschema  # type: ignore[import-untyped]  # it has no types, and only tests use it
import pytest
import referencing
import referencing.jsonschema

from bot.core.check import BadSchemaError, check, compile_schema
from bot.core.codes import CODES
from bot.core.model.values import Doc
from bot.core.parse import parse
from bot.core.problem import Problem

SHARED: Mapping[str, Any] = {
    "$id": "https://causeway.dev/schemas/words",
    "$defs": {
        "slug": {"type": "string", "pattern": "^[a-z]+$", "examples": ["payments"]},
        "size": {"enum": ["s", "m", "l", "xl"]},
    },
}
SCHEMA: Mapping[str, Any] = {
    "$schema": "https://json-schema.org/draft/2020-12/schema",
    "$id": "https://causeway.dev/schemas/manifest",
    "type": "object",
    "required": ["name", "owner"],
    "additionalProperties": False,
    "properties": {
        "name": {
            "type": "string",
            "pattern": "^[a-z][a-z0-9-]*$",
            "maxLength": 10,
            "x-words": "begin with a letter, then letters, digits and `-`",
            "x-why": "it becomes a name in Kubernetes",
            "examples": ["checkout"],
        },
        "owner": {"$ref": "words#/$defs/slug", "description": "The team that answers for it. Its slug in teams.yaml."},
        "type": {"enum": ["web", "worker", "cron"]},
        "port": {"type": "integer", "minimum": 1, "maximum": 65535, "examples": [8080]},
        "ratio": {"type": "number", "exclusiveMinimum": 0, "exclusiveMaximum": 1, "multipleOf": 0.25},
        "public": {"type": "boolean"},
        "uses": {"type": "array", "items": {"$ref": "words#/$defs/slug"}, "uniqueItems": True, "maxItems": 3},
        "scale": {
            "x-aliases": ["replica", "replicas", "instances"],
            "examples": [{"min": 2, "max": 4}],
            "oneOf": [
                {"type": "integer"},
                {
                    "type": "object",
                    "properties": {"min": {"type": "integer"}, "max": {"type": "integer"}},
                    "additionalProperties": False,
                },
                {
                    "type": "object",
                    "properties": {"queue": {"type": "string"}, "target": {"type": "integer"}},
                    "required": ["queue"],
                    "additionalProperties": False,
                },
            ],
        },
        "needs": {
            "type": "object",
            "minProperties": 1,
            "propertyNames": {"pattern": "^[a-z]+$", "x-words": "use small letters"},
            "additionalProperties": {
                "anyOf": [
                    {"enum": ["postgres", "redis"]},
                    {
                        "type": "object",
                        "required": ["type"],
                        "properties": {
                            "type": {"enum": ["postgres", "redis"]},
                            "size": {"$ref": "words#/$defs/size"},
                            "version": {"type": "string", "examples": ["17"]},
                        },
                        "additionalProperties": False,
                    },
                ]
            },
        },
        "env": {"type": "object", "additionalProperties": {"type": ["string", "integer", "boolean"]}},
        "image": {"oneOf": [{"type": "string"}, {"type": "object", "required": ["same_as"]}]},
        "file": {
            "type": "object",
            "properties": {"content": {"type": "string", "examples": ["x"]}, "path": {"type": "string"}},
            "oneOf": [{"required": ["content"]}, {"required": ["path"]}],
        },
        "api": {"const": "v1"},
        "job": {"allOf": [{"properties": {"retries": {"type": "integer"}}}], "unevaluatedProperties": False},
        "tags": {"type": "array", "contains": {"const": "main"}, "prefixItems": [{"type": "string"}], "minItems": 1},
        "odd": {"not": {"required": ["never"]}, "x-words": "leave `never` out"},
        "gone": False,
    },
    "dependentRequired": {"port": ["type"]},
    "if": {"properties": {"type": {"const": "cron"}}, "required": ["type"]},
    "then": {"properties": {"port": False}},
}
_COMPILED = compile_schema(SCHEMA, {str(SHARED["$id"]): SHARED})
_REFERENCE = jsonschema.Draft202012Validator(
    dict(SCHEMA),
    registry=referencing.Registry().with_resource(
        str(SHARED["$id"]), referencing.Resource.from_contents(dict(SHARED), referencing.jsonschema.DRAFT202012)
    ),
)


def _check(text: str) -> tuple[Problem, ...]:
    doc = parse("services/checkout/platform.yaml", text.encode())
    assert isinstance(doc, Doc), doc
    return check(doc, _COMPILED)


def _one(text: str) -> Problem:
    (problem,) = _check(f"name: a\nowner: b\n{text}")
    return problem


def _complete(problems: tuple[Problem, ...], text: str) -> None:
    lines = text.split("\n")
    assert list(problems) == sorted(set(problems))
    for problem in problems:
        assert problem.code in CODES
        assert all((problem.message, problem.why, problem.fix))
        assert not any(sentence.count("`") % 2 for sentence in (problem.message, problem.fix))
        assert "under any of the" not in problem.message
        assert problem.column <= len(lines[problem.line - 1]) + 1


def test_all_errors_of_a_file_are_reported_at_once_in_the_order_of_the_file() -> None:
    text = (
        "name: Check_Out\n"
        "typ: web\n"
        'port: "8080"\n'
        "uses: [a, b, a]\n"
        "scale: {min: 1, maxx: 2}\n"
        "needs:\n"
        "  db: {type: postgres, version: 17}\n"
        "  DB: postgress\n"
    )
    found = [(problem.line, problem.column, problem.code) for problem in _check(text)]
    assert found == [
        (1, 1, "CW0111"),  # owner
        (1, 7, "CW0114"),
        (2, 1, "CW0104"),
        (3, 7, "CW0112"),
        (4, 7, "CW0117"),
        (5, 17, "CW0104"),
        (7, 33, "CW0112"),
        (8, 3, "CW0114"),
        (8, 7, "CW0113"),
    ]


@pytest.mark.parametrize(
    ("text", "place", "code", "message", "fix"),
    [
        (
            "replica: 3",
            (3, 1),
            "CW0104",
            "unknown field `replica`",
            "did you mean `scale`? write `scale: {min: 2, max: 4}`",
        ),
        ("deploy: 3", (3, 1), "CW0104", "unknown field `deploy`", "the fields here are `api`, `env`"),
        ("scale: {mni: 1}", (3, 9), "CW0104", "unknown field `mni` in `scale`", "did you mean `min`? write `min: 1`"),
        ("job: {retry: 1}", (3, 7), "CW0104", "unknown field `retry` in `job`", "did you mean `retries`?"),
        (
            "port: eighty\ntype: web",
            (3, 7),
            "CW0112",
            '`port` is the text "eighty"; a whole number',
            "write `port: 8080`",
        ),
        ('port: "80"\ntype: web', (3, 7), "CW0112", '`port` is the text "80"', "write it without quotes: `port: 80`"),
        ("port:\ntype: web", (3, 6), "CW0112", "`port` has no value", "write `port: 8080`, or remove the line"),
        ("public: yes", (3, 9), "CW0112", '`public` is the text "yes"; `true` or `false`', "write `public: true`"),
        ("uses: inventory", (3, 7), "CW0112", "a list is wanted", "write a list: `uses: [inventory]`"),
        ("uses: [a, 7]", (3, 11), "CW0112", "`uses[1]` is the number `7`", 'put it in quotes: `- "7"`'),
        ("env: {A: [1]}", (3, 10), "CW0112", "text, a whole number or `true` or `false` is wanted", "write `A:"),
        (
            "scale: x",
            (3, 8),
            "CW0112",
            "a whole number or a map of fields is wanted",
            "write `scale: {min: 2, max: 4}`",
        ),
        ("type: wev", (3, 7), "CW0113", "`wev` is not a value of `type`", "did you mean `web`? write `type: web`"),
        ("type: 7", (3, 7), "CW0113", "`7` is not a value of `type`", "write one of `web`, `worker`, `cron`"),
        ("api: v2", (3, 6), "CW0113", "`v2` is not a value of `api`", "write `api: v1`"),
        ("needs: {db: {type: mysql}}", (3, 20), "CW0113", "`mysql` is not a value of `needs.db.type`", "write one of"),
        ("needs: {db: mysql}", (3, 13), "CW0113", "`mysql` is not a value of `needs.db`", "`postgres`, `redis`"),
        ("needs:\n  db:", (4, 6), "CW0113", "`needs.db` has no value", "write one of `postgres`, `redis`"),
        ("port: 0\ntype: web", (3, 7), "CW0115", "`port` is 0; it must be at least 1", "at least 1"),
        ("ratio: 1", (3, 8), "CW0115", "it must be less than 1", "less than 1"),
        ("ratio: 0.3", (3, 8), "CW0115", "it must be a multiple of 0.25", "a multiple of 0.25"),
        ("needs: {}", (3, 8), "CW0116", "`needs` is empty; it must have at least 1 field", "remove it, or"),
        ("uses: [a, b, c, d]", (3, 7), "CW0116", "`uses` has 4 items; it must have at most 3 items", "write"),
        ("uses: [a, b, b]", (3, 7), "CW0117", "`b` stands twice in `uses`", "keep one"),
        (
            "file: {content: a, path: b}",
            (3, 7),
            "CW0118",
            "only one of `content`, `path` may stand",
            "keep one of them",
        ),
        ("file: {}", (3, 1), "CW0111", "one of `content`, `path` is missing in `file`", "write `content: x` or"),
        ("image: {}", (3, 1), "CW0111", "`image.same_as` is missing", "write `same_as:"),
        ("port: 80", (1, 1), "CW0111", "`type` is missing", "write `type: web`"),
        ("odd: {never: 1}", (3, 6), "CW0119", "`odd` is not allowed as it is", "leave `never` out"),
        ("gone: 1", (3, 1), "CW0119", "`gone` may not stand here", "remove it"),
        ("type: cron\nport: 1", (4, 1), "CW0119", "`port` may not stand here", "remove it"),
        ("tags: [a]", (3, 7), "CW0119", "`tags` is not allowed as it is", "write"),
    ],
)
def test_a_problem_says_where_what_and_what_to_write_instead(
    text: str, place: tuple[int, int], code: str, message: str, fix: str
) -> None:
    problem = _one(text)
    assert (problem.line, problem.column) == place
    assert problem.code == code
    assert message in problem.message
    assert fix in problem.fix


def test_why_comes_from_the_schema() -> None:
    first, second = _check("name: A\nowner: 7\n")
    assert first.why == "it becomes a name in Kubernetes"
    assert first.fix == "begin with a letter, then letters, digits and `-`; for example `checkout`"
    assert second.fix == 'put it in quotes: `owner: "7"`'
    (missing,) = _check("name: a\n")
    assert missing.why == "The team that answers for it."
    assert missing.fix == "write `owner: payments`"


def test_a_value_of_the_wrong_kind_is_not_also_reported_as_not_listed() -> None:
    schema = compile_schema({"properties": {"version": {"type": "string", "enum": ["16", "17"]}}})
    doc = parse("f.yaml", b"version: 17")
    assert isinstance(doc, Doc)
    (problem,) = check(doc, schema)
    assert (problem.code, problem.fix) == ("CW0112", 'put it in quotes: `version: "17"`')


def test_a_misspelt_required_field_is_one_problem() -> None:
    (problem,) = _check("name: a\nowenr: b\n")
    assert (problem.code, problem.line) == ("CW0104", 2)
    assert "did you mean `owner`?" in problem.fix


def test_hostile_text_in_a_sentence_is_short_one_line_and_without_backticks() -> None:
    long = "x`|<b>@me\\n" * 50
    for problem in _check(f'name: "{long}"\nowner: b\n"{long}": 1\ntype: "{long}"\n'):
        assert len(problem.message) < 200
        assert "\n" not in problem.message
        assert problem.message.count("`") in (2, 4)


@pytest.mark.parametrize(
    "schema",
    [
        {"type": "objekt"},
        {"$ref": "#/$defs/none"},
        {"$ref": "https://causeway.dev/schemas/none"},
        {"properties": {"a": {"pattern": "("}}},
        {"minLength": -1},
    ],
)
def test_a_wrong_schema_is_refused_when_it_is_compiled(schema: dict[str, Any]) -> None:
    with pytest.raises(BadSchemaError):
        compile_schema(schema)


def test_no_reference_is_ever_fetched_or_opened(tmp_path: Path) -> None:
    asked: list[str] = []

    class Door(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append(self.path)
            self.send_response(200)
            self.end_headers()
            self.wfile.write(b"{}")

        def log_message(self, *_: object) -> None:
            """Quiet."""

    server = http.server.HTTPServer(("127.0.0.1", 0), Door)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        local = tmp_path / "schema.json"
        local.write_text("{}")
        url = f"http://127.0.0.1:{server.server_port}/schema"
        for reference in (url, local.as_uri()):
            for schema in ({"$ref": reference}, {"$id": reference, "$ref": "other"}, {"$dynamicRef": reference}):
                with pytest.raises(BadSchemaError, match="not present in a registry"):
                    compile_schema(schema)
            # An unknown dialect is read as the one we use; what counts is that no one asks for it.
            compile_schema({"$schema": reference, "type": "string"})
    finally:
        server.shutdown()
        server.server_close()
    assert asked == []


def test_words_are_found_in_a_schema_embedded_in_another() -> None:
    inner = {"$id": "inner", "$defs": {"x": {"type": "string", "examples": ["deep"]}}, "$ref": "#/$defs/x"}
    schema = compile_schema({"$id": "https://a.b/c", "properties": {"k": {"$ref": "inner"}}, "$defs": {"i": inner}})
    doc = parse("f.yaml", b"k: [1]")
    assert isinstance(doc, Doc)
    (problem,) = check(doc, schema)
    assert problem.fix == "write `k: deep`"


def test_a_pumped_pattern_does_not_hang() -> None:
    schema = compile_schema({"properties": {"k": {"pattern": "^(a+)+$"}}})
    doc = Doc("f", {"k": "a" * 50_000 + "!"}, {})
    assert [problem.code for problem in check(doc, schema)] == ["CW0114"]


def test_a_list_or_text_at_the_root_is_one_problem_about_the_file() -> None:
    for text in ("[]", "x", "7", "~"):
        (problem,) = _check(text)
        assert "the file" in problem.message
        assert (problem.line, problem.column) == (1, 1)


def test_the_schema_used_here_is_itself_valid() -> None:
    jsonschema.Draft202012Validator.check_schema(json.loads(json.dumps(SCHEMA)))
