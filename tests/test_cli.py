"""The commands that need no bot: init, check, plan, render, verify."""

from __future__ import annotations

import json
import os
import re
import subprocess
from collections.abc import Mapping
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from jsonschema import Draft202012Validator  # type: ignore[import-untyped]  # it ships no types

from bot.cli.app import COMMANDS, causeway
from bot.cli.published import FOLDER
from bot.disk import LISTING

CHECKOUT = "services/checkout/platform.yaml"
PRICING = "services/pricing/platform.yaml"


def run(*words: str | Path) -> Result:
    """The command line, as a person calls it; what it does not foresee fails the test."""
    return CliRunner().invoke(causeway, [str(word) for word in words], catch_exceptions=False)


def answered(name: str, *words: str | Path) -> tuple[int, dict[str, object]]:
    """Exit code and JSON answer, which must be what is published."""
    done = run(*words, "--json")
    value = json.loads(done.stdout)
    schema = json.loads((FOLDER / f"{name}.schema.json").read_text())
    Draft202012Validator(schema).validate(value)
    return done.exit_code, value


def git(folder: Path, *words: str) -> str:
    named = ("-c", "user.name=Robin", "-c", "user.email=robin@example.com", "-c", "init.defaultBranch=main")
    done = subprocess.run(["git", *named, "-C", str(folder), *words], check=True, capture_output=True, text=True)
    return done.stdout.strip()


def edit(folder: Path, path: str, changes: Mapping[str, str]) -> None:
    text = (folder / path).read_text()
    for old, new in changes.items():
        assert old in text
        text = text.replace(old, new)
    (folder / path).write_text(text)


@pytest.fixture
def platform(tmp_path: Path) -> Path:
    """What `init` writes, not in git."""
    folder = tmp_path / "platform"
    assert run("init", folder).exit_code == 0
    return folder


@pytest.fixture
def cloned(platform: Path) -> Path:
    """The same with one commit."""
    git(platform, "init", "--quiet")
    git(platform, "add", ".")
    git(platform, "commit", "--quiet", "-m", "Start")
    return platform


# init


def test_a_new_platform_repo_has_nothing_wrong(platform: Path) -> None:
    done = run("check", platform)
    assert (done.exit_code, done.stdout.count("CW0")) == (0, 1)
    assert done.stdout.startswith("Nothing is wrong: 4 services.\n4 pieces of advice in 4 files\n")


def test_a_new_platform_repo_is_what_its_promise_says(platform: Path) -> None:
    code, planned = answered("plan", "plan", platform)
    assert code == 0
    services = planned["services"]
    assert isinstance(services, list)
    assert [service["name"] for service in services] == ["checkout", "inventory", "pricing", "storefront"]
    assert {service["owner"] for service in services} == {"payments", "shop"}
    assert {env["environment"] for service in services for env in service["environments"]} == {"dev", "staging", "prod"}
    assert (platform / PRICING).read_text().count("\n") == 4


def test_init_overwrites_nothing(platform: Path) -> None:
    before = (platform / "platform/config.yaml").read_bytes()
    done = run("init", platform, "--gitops", "other/repo")
    assert done.exit_code == 2
    assert "nothing is overwritten" in done.stderr
    assert (platform / "platform/config.yaml").read_bytes() == before


def test_init_names_the_gitops_repo_that_it_is_given(tmp_path: Path) -> None:
    code, value = answered("init", "init", tmp_path / "new", "--gitops", "shop/what-runs")
    assert code == 0
    assert "repo: shop/what-runs," in (tmp_path / "new/platform/config.yaml").read_text()
    assert "platform/config.yaml" in list(value["files"])  # type: ignore[call-overload]


@pytest.mark.parametrize("name", ["gitops", "a/b}", "a/b\nmode: observe", "../x", ""])
def test_init_refuses_what_is_no_repository(tmp_path: Path, name: str) -> None:
    done = run("init", tmp_path / "new", "--gitops", name)
    assert done.exit_code == 2
    assert not (tmp_path / "new").exists()


# check


def test_check_tells_every_problem_at_once_with_its_place(platform: Path) -> None:
    edit(platform, PRICING, {"owner: payments": "owner: paymets", ":2.7.0": ":latest"})
    edit(platform, CHECKOUT, {"tier: 1": "teir: 1"})
    code, value = answered("check", "check", platform)
    found = value["problems"]
    assert isinstance(found, list)
    assert code == 1
    assert value["ok"] is False
    errors = [one for one in found if one["severity"] == "error"]
    assert {(one["path"], one["line"]) for one in errors} == {(PRICING, 2), (PRICING, 4), (CHECKOUT, 8)}
    assert all(one["message"] and one["why"] and one["fix"] for one in found)


def test_check_says_nothing_of_neighbours_of_a_broken_service(platform: Path) -> None:
    edit(platform, CHECKOUT, {"type: web": "type: webb"})
    _, value = answered("check", "check", platform)
    assert {one["path"] for one in value["problems"] if one["severity"] == "error"} == {CHECKOUT}  # type: ignore[attr-defined]


def test_check_names_a_service_that_is_used_and_not_there(platform: Path) -> None:
    edit(platform, CHECKOUT, {"pricing]": "pricings]"})
    done = run("check", platform)
    assert done.exit_code == 1
    assert f"{CHECKOUT}:17:19" in done.stdout
    assert "CW0504" in done.stdout


def test_check_finds_a_literal_secret(platform: Path) -> None:
    edit(platform, CHECKOUT, {"env: {LOG_LEVEL: info}": "env: {API_TOKEN: hunter2hunter2}"})
    done = run("check", platform)
    assert done.exit_code == 1
    assert "CW0702" in done.stdout
    assert "hunter2" not in done.stdout


def test_check_against_a_commit_only_refuses_what_is_new(cloned: Path) -> None:
    edit(cloned, CHECKOUT, {"env: {LOG_LEVEL: info}": "env: {API_TOKEN: hunter2hunter2}"})
    git(cloned, "commit", "--quiet", "-am", "An old sin")
    edit(cloned, PRICING, {":2.7.0": ":2.8.0"})
    assert run("check", cloned).exit_code == 1
    code, value = answered("check", "check", cloned, "--base", "HEAD")
    assert code == 0
    assert value["compared_with"] == git(cloned, "rev-parse", "HEAD")
    assert run("check", cloned, "--base", "HEAD^").exit_code == 1


def test_check_ends_with_3_where_the_platforms_own_files_cannot_be_read(platform: Path) -> None:
    (platform / "platform/teams.yaml").write_text("teams: [")
    done = run("check", platform)
    assert done.exit_code == 3
    assert "platform/teams.yaml" in done.stdout


def test_a_folder_that_is_no_platform_repo_is_a_mistake_of_the_call(tmp_path: Path) -> None:
    for command in ("check", "plan"):
        done = run(command, tmp_path)
        assert done.exit_code == 2
        assert "causeway init" in done.stderr


def test_what_a_file_says_never_steers_the_terminal(platform: Path) -> None:
    (platform / "services/evil").mkdir()
    (platform / "services/evil/platform.yaml").write_bytes(b'name: "\x1b]0;gone\x07\x1b[31m"\nowner: payments\n')
    for words in ((), ("--json",)):
        done = run("check", platform, *words)
        assert done.exit_code == 1
        assert "\x1b" not in done.stdout
        assert "\x07" not in done.stdout


# plan


def test_plan_compares_uncommitted_work_with_head(cloned: Path) -> None:
    edit(cloned, PRICING, {":2.7.0": ":2.8.0"})
    done = run("plan", cloned)
    head = git(cloned, "rev-parse", "--short=7", "HEAD")
    assert done.exit_code == 0
    assert f"compared with HEAD ({head})" in done.stderr
    assert "2.7.0 → 2.8.0" in done.stdout
    assert "checkout" not in done.stdout.partition("Undo")[0]


def test_plan_of_a_clean_clone_shows_its_last_commit(cloned: Path) -> None:
    edit(cloned, PRICING, {":2.7.0": ":2.8.0"})
    git(cloned, "commit", "--quiet", "-am", "Pricing 2.8.0")
    done = run("plan", cloned)
    assert "compared with HEAD^" in done.stderr
    assert "2.7.0 → 2.8.0" in done.stdout


def test_plan_against_a_named_commit_or_branch(cloned: Path) -> None:
    git(cloned, "branch", "before")
    edit(cloned, PRICING, {":2.7.0": ":2.8.0"})
    git(cloned, "commit", "--quiet", "-am", "One")
    edit(cloned, PRICING, {"2.8.0": "2.9.0"})
    assert "2.7.0 → 2.9.0" in run("plan", cloned, "--base", "before").stdout
    assert "2.8.0 → 2.9.0" in run("plan", cloned, "--base", "HEAD").stdout


@pytest.mark.parametrize("ref", ["nowhere", "--upload-pack=touch x", "HEAD:platform", ""])
def test_a_base_that_is_no_commit_is_a_mistake_of_the_call(cloned: Path, ref: str) -> None:
    done = run("plan", cloned, f"--base={ref}")
    assert done.exit_code == 2
    assert "no commit" in done.stderr


def test_a_change_outside_of_the_platform_concerns_nobody(cloned: Path) -> None:
    (cloned / "README.md").write_text("Changed.\n")
    git(cloned, "commit", "--quiet", "-am", "Words")
    done = run("plan", cloned)
    assert (done.exit_code, done.stdout) == (0, "Nothing here concerns Causeway.\n")


def test_plan_reads_a_worktree_and_a_subfolder_of_a_repository(cloned: Path, tmp_path: Path) -> None:
    git(cloned, "worktree", "add", "--quiet", str(tmp_path / "tree"), "-b", "other")
    edit(tmp_path / "tree", PRICING, {":2.7.0": ":2.8.0"})
    assert "2.7.0 → 2.8.0" in run("plan", tmp_path / "tree").stdout
    outer = tmp_path / "outer"
    run("init", outer / "infra" / "platform-repo")
    git(outer, "init", "--quiet")
    git(outer, "add", ".")
    git(outer, "commit", "--quiet", "-m", "Start")
    edit(outer / "infra/platform-repo", PRICING, {":2.7.0": ":2.8.0"})
    assert "2.7.0 → 2.8.0" in run("plan", outer / "infra" / "platform-repo").stdout


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give files away")
def test_plan_reads_a_clone_that_another_user_owns(cloned: Path) -> None:
    edit(cloned, PRICING, {":2.7.0": ":2.8.0"})
    for path in (cloned, *cloned.rglob("*")):
        os.chown(path, 65534, 65534)
    assert "2.7.0 → 2.8.0" in run("plan", cloned).stdout


def test_plan_as_markdown_is_the_comment(cloned: Path) -> None:
    edit(cloned, PRICING, {":2.7.0": ":2.8.0"})
    done = run("plan", cloned, "--markdown")
    assert done.stdout.startswith("### ✅ Ready: ")
    assert "| image | `2.7.0` → **`2.8.0`** · `platform.yaml:4` |" in done.stdout
    assert "onto `HEAD@" in done.stdout


def test_plan_in_full_shows_every_object_that_differs(cloned: Path) -> None:
    edit(cloned, PRICING, {":2.7.0": ":2.8.0"})
    done = run("plan", cloned, "--full")
    assert "2.7.0 → 2.8.0" in done.stdout
    assert "/kubernetes/deployment-pricing.yaml\n@@" in done.stdout
    assert re.search(r'^\+ +image: .*pricing:2\.8\.0"?$', done.stdout, re.MULTILINE)
    assert run("plan", cloned, "--full", "--json").exit_code == 2


def test_plan_with_problems_ends_with_1_and_still_plans(cloned: Path) -> None:
    edit(cloned, PRICING, {":2.7.0": ":latest"})
    edit(cloned, CHECKOUT, {":1.4.2": ":1.5.0"})
    done = run("plan", cloned)
    assert done.exit_code == 1
    assert "CW0405" in done.stdout
    assert "1.4.2 → 1.5.0" in done.stdout


# render


def test_render_writes_the_same_bytes_twice_and_removes_what_went(platform: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"

    def files() -> dict[str, bytes]:
        return {path.relative_to(out).as_posix(): path.read_bytes() for path in out.rglob("*") if path.is_file()}

    code, value = answered("render", "render", platform, "-o", out)
    first = files()
    assert code == 0
    assert set(value["files"]) == first.keys() - {LISTING}  # type: ignore[call-overload]
    assert "apps/prod/services/payments/pricing.yaml" in first
    assert run("render", platform, "-o", out).exit_code == 0
    assert files() == first
    (platform / PRICING).unlink()
    edit(platform, CHECKOUT, {"uses: [inventory, pricing]": "uses: [inventory]"})
    assert run("render", platform, "-o", out).exit_code == 0
    assert "apps/prod/services/payments/pricing.yaml" not in files()


def test_render_of_one_service_in_one_environment(platform: Path, tmp_path: Path) -> None:
    done = run("render", platform, "-o", tmp_path / "out", "--env", "prod", "--service", "pricing")
    assert done.exit_code == 0
    paths = {path.relative_to(tmp_path / "out").as_posix() for path in (tmp_path / "out").rglob("*.yaml")}
    assert "apps/prod/services/payments/pricing.yaml" in paths
    assert all("/prod/" in path and "pricing" in path for path in paths)


def test_render_knows_which_names_there_are(platform: Path, tmp_path: Path) -> None:
    done = run("render", platform, "-o", tmp_path / "out", "--env", "production")
    assert done.exit_code == 2
    assert "there are dev, prod, staging" in done.stderr
    assert not (tmp_path / "out").exists()


def test_render_never_removes_what_it_did_not_write(platform: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    out.mkdir()
    (out / "mine.txt").write_text("mine")
    done = run("render", platform, "-o", out)
    assert done.exit_code == 2
    assert (out / "mine.txt").exists()
    assert run("render", platform, "-o", out, "--replace").exit_code == 0
    assert not (out / "mine.txt").exists()


def test_a_bad_service_renders_nothing_and_the_others_do(platform: Path, tmp_path: Path) -> None:
    edit(platform, PRICING, {":2.7.0": ":latest"})
    code, value = answered("render", "render", platform, "-o", tmp_path / "out")
    assert code == 1
    assert "apps/prod/services/shop/inventory.yaml" in value["files"]  # type: ignore[operator]
    assert not [path for path in value["files"] if "pricing" in path]  # type: ignore[attr-defined]


# verify


def test_verify_before_the_first_delivery_is_refused(cloned: Path) -> None:
    done = run("verify", "--platform", cloned, "--gitops", cloned)
    assert done.exit_code == 3
    assert "nothing was delivered" in done.stderr


# all


@pytest.mark.parametrize("name", [str(command.name) for command in COMMANDS])
def test_every_command_explains_itself(name: str) -> None:
    done = run(name, "--help")
    assert done.exit_code == 0
    assert len(done.stdout.splitlines()) > 6
    assert f"causeway {name}" in done.stdout
