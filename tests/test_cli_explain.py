"""`causeway explain`, as a person calls it."""

from __future__ import annotations

from pathlib import Path

import pytest

from bot.core.codes import ENTRIES
from tests.test_cli import CHECKOUT, answered, edit, platform, run

__all__ = ["platform"]


def test_one_value_is_answered_with_file_line_layer_and_reason(platform: Path) -> None:
    done = run("explain", "storefront", "prod", "scale.min", "--dir", platform)
    assert done.exit_code == 0
    assert "scale.min = " in done.stdout
    assert "blueprints/workloads/web/v1/blueprint.yaml:" in done.stdout
    assert "because" in done.stdout


def test_without_a_path_every_field_is_listed(platform: Path) -> None:
    done = run("explain", "checkout", "prod", "--dir", platform)
    assert done.exit_code == 0
    assert any(line.startswith("name | checkout | manifest | ") for line in done.stdout.splitlines())


def test_the_json_answer_is_what_is_published(platform: Path) -> None:
    code, found = answered("explain", "explain", "checkout", "prod", "deployment:spec.template", "--dir", platform)
    assert code == 0
    values = found["values"]
    assert isinstance(values, list)
    assert {"metadata", "spec"} == {value["pointer"][2] for value in values}


def test_every_code_can_be_explained_without_a_platform_repo(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for code, entry in ENTRIES.items():
        done = run("explain", code.lower())
        assert done.exit_code == 0
        assert done.stdout.startswith(f"{code}: {entry.title}\n")
        assert "Wrong" in done.stdout
        assert "Right" in done.stdout
    assert answered("explain-code", "explain", "CW0104")[1]["title"] == ENTRIES["CW0104"].title


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("chekout", "prod"), "Did you mean `checkout`"),
        (("checkout", "pord"), "Did you mean `prod`"),
        (("checkout", "prod", "scale.mni"), "`scale.min`"),
        (("checkout", "prod", "deployment:spec.stratgy"), "Did you mean `spec.strategy`"),
        (("checkout",), "name an environment too; checkout runs in dev, prod, staging"),
        (("CW0105x",), "There is no service `CW0105x`"),
        (("CW9999",), "there is no problem code CW9999"),
    ],
)
def test_a_slip_ends_with_what_was_probably_meant(platform: Path, words: tuple[str, ...], says: str) -> None:
    done = run("explain", *words, "--dir", platform)
    assert done.exit_code == 2
    assert says in done.stderr
    assert done.stdout == ""


def test_a_service_with_problems_is_answered_with_them(platform: Path) -> None:
    edit(platform, CHECKOUT, {"tier: 1": "tier: 1\nreplica: 3"})
    done = run("explain", "checkout", "prod", "--dir", platform)
    assert done.exit_code == 1
    assert "CW0104" in done.stdout
    code, found = answered("explain", "explain", "checkout", "prod", "--dir", platform)
    assert code == 1
    assert found["problems"]


def test_what_a_person_wrote_cannot_steer_a_terminal(platform: Path) -> None:
    edit(platform, CHECKOUT, {"LOG_LEVEL: info": 'LOG_LEVEL: "[bold]x[/bold] :tada:"'})
    done = run("explain", "checkout", "dev", "env.LOG_LEVEL", "--dir", platform)
    assert "[bold]x[/bold] :tada:" in done.stdout
