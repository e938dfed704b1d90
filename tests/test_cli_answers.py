"""What machines read: every `--json` answer, refusals and errors too, is what is published, and nothing beside it."""

from __future__ import annotations

import io
import json
from dataclasses import fields, is_dataclass
from pathlib import Path
from typing import Any, get_args, get_type_hints

import pytest
from click.testing import CliRunner
from jsonschema import Draft202012Validator  # type: ignore[import-untyped]  # it ships no types
from rich.console import Console
from rich.progress import Progress

from bot.cli import desk
from bot.cli.app import COMMANDS, causeway
from bot.cli.plan_answer import PlatformAnswer, ServiceAnswer
from bot.cli.published import FOLDER, texts
from bot.core.model.plan import PlatformChange, ServicePlan

PRICING = "services/pricing/platform.yaml"


def closed(schema: Any) -> Any:
    """The schema with every object shut: a name that is not published fails."""
    if isinstance(schema, list):
        return [closed(item) for item in schema]
    if not isinstance(schema, dict):
        return schema
    shut = {key: closed(item) for key, item in schema.items()}
    return {**shut, "additionalProperties": False} if isinstance(schema.get("properties"), dict) else shut


def answered(name: str, *words: str | Path) -> tuple[int, dict[str, Any]]:
    """Exit code and JSON answer, which holds exactly what is published."""
    done = CliRunner().invoke(causeway, [*map(str, words), "--json"], catch_exceptions=False)
    value = json.loads(done.stdout)
    schema = json.loads((FOLDER / f"{name}.schema.json").read_text())
    Draft202012Validator(closed(schema)).validate(value)
    return done.exit_code, value


@pytest.fixture
def platform(tmp_path: Path) -> Path:
    """What `init` writes."""
    folder = tmp_path / "platform"
    assert CliRunner().invoke(causeway, ["init", str(folder)]).exit_code == 0
    return folder


def test_the_published_schemas_are_those_of_the_answers() -> None:
    assert {path.name: path.read_text(encoding="utf-8") for path in FOLDER.iterdir()} == texts()


def test_a_plan_with_all_its_parts_has_only_published_names(platform: Path) -> None:
    code, value = answered("plan", "plan", platform)
    assert code == 0
    checkout = next(one for one in value["services"] if one["name"] == "checkout")
    prod = next(one for one in checkout["environments"] if one["environment"] == "prod")
    assert prod["rows"]
    assert prod["data"]
    assert prod["waits"]
    assert prod["objects"]
    assert value["platform"]
    assert value["totals"]["create"] > 0


@pytest.mark.parametrize(("model", "shape"), [(ServicePlan, ServiceAnswer), (PlatformChange, PlatformAnswer)])
def test_no_fact_of_a_plan_is_left_out_of_its_answer(model: type, shape: type) -> None:
    def names(one: type) -> dict[str, object]:
        hints = get_type_hints(one, localns={"Value": Any})
        return {field.name: [names(part) for part in parts(hints[field.name])] for field in fields(one)}

    def parts(hint: object) -> list[Any]:
        if isinstance(hint, type) and is_dataclass(hint):
            return [hint]
        return [part for inner in get_args(hint) for part in parts(inner)]

    assert names(model) == names(shape)


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("check", ("check",)),
        ("plan", ("plan",)),
        ("render", ("render", "-o", "out")),
        ("explain", ("explain", "checkout", "prod", "--dir")),
    ],
)
def test_a_platform_that_cannot_be_read_is_refused_in_the_shape_of_the_answer(
    name: str, words: tuple[str, ...], platform: Path, tmp_path: Path
) -> None:
    (platform / "platform/teams.yaml").write_text("teams: [")
    call = [str(tmp_path / word) if word == "out" else word for word in words]
    code, value = answered(name, *call, platform)
    assert code == 3
    assert [problem["path"] for problem in value["problems"]] == ["platform/teams.yaml"]
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("words", "code", "says"),
    [
        (("check", "/nowhere/at/all"), 2, "does not exist"),
        (("check", "--no-such-option"), 2, "--no-such-option"),
        (("no-such-command",), 2, "no-such-command"),
        (("explain", "CW9999"), 2, "there is no problem code CW9999"),
        (("resume", "main"), 2, "all 40 digits"),
        (("serve",), 2, "--json"),
    ],
)
def test_what_ends_without_an_answer_ends_with_the_error_that_is_published(
    words: tuple[str, ...], code: int, says: str
) -> None:
    ended, value = answered("error", *words)
    assert (ended, value["code"]) == (code, code)
    assert says in value["error"]


def test_without_json_an_error_leaves_stdout_alone() -> None:
    for words in (["check", "/nowhere/at/all"], ["explain", "CW9999"], ["explain", "--", "--json"]):
        assert CliRunner().invoke(causeway, words).stdout == ""


def test_long_work_counts_its_steps_on_a_terminal(platform: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Reading and rendering count: a fleet of a thousand services is seen to move."""
    steps: dict[str, int] = {}

    class Counting(Progress):
        def advance(self, task_id: Any, advance: float = 1) -> None:
            described = self.tasks[task_id].description
            steps[described] = steps.get(described, 0) + int(advance)
            super().advance(task_id, advance)

    terminal = Console(force_terminal=True, file=io.StringIO())
    monkeypatch.setattr(desk, "Progress", Counting)
    monkeypatch.setattr(desk, "stderr", lambda: terminal)
    for words in (["plan"], ["check"], ["explain", "checkout", "prod", "--dir"]):
        done = CliRunner().invoke(causeway, [*words, str(platform)], catch_exceptions=False)
        assert done.exit_code == 0
    assert steps["planning"] > 20
    assert steps["checking"] > 20
    assert steps["reading"] >= 4


def test_every_command_that_answers_machines_has_a_published_shape() -> None:
    speak = {str(one.name) for one in COMMANDS if any(option.name == "as_json" for option in one.params)}
    assert speak == {"init", "check", "plan", "explain", "render", "verify", "demo", "sweep", "resume", "doctor"}
    assert all(f"{name}.schema.json" in texts() for name in speak)
