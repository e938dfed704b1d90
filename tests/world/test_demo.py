"""The demo: the whole story over real HTTP and real git, and nothing left behind."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from jsonschema import Draft202012Validator  # type: ignore[import-untyped]  # it ships no types

from bot.cli.app import causeway
from bot.cli.published import FOLDER

pytestmark = pytest.mark.world


def schema(name: str) -> Draft202012Validator:
    return Draft202012Validator(json.loads((FOLDER / f"{name}.schema.json").read_text()))


@contextmanager
def demo(*words: str) -> Iterator[subprocess.Popen[bytes]]:
    """The demo as a process of its own."""
    process = subprocess.Popen(
        [sys.executable, "-m", "bot", "demo", *words], stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    try:
        yield process
    finally:
        if process.poll() is None:
            process.kill()
        process.communicate()


def living() -> dict[int, tuple[int, bytes]]:
    """Every process that is no zombie: its parent, and its command line."""
    found: dict[int, tuple[int, bytes]] = {}
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            after = (folder / "stat").read_text().rpartition(")")[2].split()
            line = (folder / "cmdline").read_bytes()
        except (FileNotFoundError, ProcessLookupError):
            continue
        if after[0] != "Z":
            found[int(folder.name)] = (int(after[1]), line)
    return found


def with_core(pid: int) -> set[int]:
    """The demo's descendants once the queue and the child that thinks are among them."""
    until = time.monotonic() + 30
    while time.monotonic() < until:
        processes, below = living(), {pid}
        while more := {child for child, (parent, _) in processes.items() if parent in below} - below:
            below |= more
        lines = b" ".join(processes[child][1] for child in below if child in processes)
        if b"valkey" in lines and b"bot.isolated" in lines:
            return below - {pid}
        time.sleep(0.1)
    raise AssertionError("queue or core did not start")


@pytest.fixture(scope="module")
def story(tmp_path_factory: pytest.TempPathFactory) -> tuple[dict[str, Any], Path]:
    """What the story told, and the folder that it left."""
    folder = tmp_path_factory.mktemp("story") / "demo"
    with demo("--story", "--json", "--dir", str(folder)) as process:
        out, err = process.communicate(timeout=100)
    assert process.returncode == 0, err.decode() + out.decode()
    return json.loads(out), folder


def test_the_story_goes_well_and_the_law_holds_after_each_delivery(story: tuple[dict[str, Any], Path]) -> None:
    told, _ = story
    schema("demo-story").validate(told)
    steps = {step["step"]: step for step in told["steps"]}
    assert told["ok"]
    assert all(step["law"] for step in told["steps"])
    assert steps["open"]["status"].startswith("Ready: 1 service, 3 environments")
    new, gone = steps["merge"], steps["merge the revert"]
    assert "apps/prod/services/shop/loyalty.yaml" in new["added"]
    assert "data/prod/loyalty/db/terraform/main.tf.json" in new["added"]
    assert not [path for path in new["removed"] + new["changed"] if not path.startswith(".causeway/")]
    stays = {path for path in new["added"] if path.startswith("data/prod/")}
    assert stays, "there is data to keep"
    assert set(gone["removed"]) == set(new["added"]) - stays, "all that it brought goes, but its data"


def test_the_story_goes_as_well_where_the_bot_speaks_to_gitlab(tmp_path: Path) -> None:
    with demo("--story", "--json", "--forge", "gitlab", "--dir", str(tmp_path / "demo")) as process:
        out, err = process.communicate(timeout=100)
    assert process.returncode == 0, err.decode() + out.decode()
    told = json.loads(out)
    schema("demo-story").validate(told)
    assert told["ok"]
    assert [step["step"] for step in told["steps"] if step["gitops_commit"]] == [
        "first delivery", "merge", "merge the change", "merge the revert",
    ]  # fmt: skip
    assert all(step["law"] for step in told["steps"])
    heard = (tmp_path / "demo" / "causeway.log").read_text()
    for kind in ("Push Hook", "Merge Request Hook", "Note Hook"):
        assert f'kind="{kind}"' in heard


def test_the_delivered_repo_passes_verify_and_a_foreign_edit_breaks_the_law(
    story: tuple[dict[str, Any], Path], tmp_path: Path
) -> None:
    bare = sorted((story[1] / "forge").glob("*.git"))
    heads = {path: subprocess.run(["git", "--git-dir", str(path), "ls-tree", "--name-only", "main"],
                                  capture_output=True, text=True, check=True).stdout for path in bare}  # fmt: skip
    platform = next(path for path, names in heads.items() if "services" in names)
    gitops = next(path for path, names in heads.items() if ".causeway" in names)
    words = ["verify", "--platform", str(platform), "--gitops"]
    done = CliRunner().invoke(causeway, [*words, str(gitops), "--all", "--json"])
    value = json.loads(done.stdout)
    schema("verify").validate(value)
    assert (done.exit_code, value["holds"], value["commits"]) == (0, True, 4)

    clone = tmp_path / "clone"
    subprocess.run(["git", "clone", "--quiet", str(gitops), str(clone)], check=True)
    edited = clone / "environments/prod/payments/pricing/kubernetes/deployment-pricing.yaml"
    edited.write_text(edited.read_text() + "# by hand\n")
    named = ["-c", "user.name=Robin", "-c", "user.email=robin@example.com"]
    subprocess.run(["git", *named, "-C", str(clone), "commit", "--quiet", "-am", "By hand"], check=True)
    done = CliRunner().invoke(causeway, [*words, str(clone), "--json"])
    value = json.loads(done.stdout)
    schema("verify").validate(value)
    assert done.exit_code == 4
    assert [one["path"] for one in value["breaches"]] == ["environments/prod/payments/pricing"]


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_the_demo_says_what_to_click_and_ends_whole(number: signal.Signals) -> None:
    with demo("--json") as process:
        assert process.stdout is not None
        text = b""
        while not text.endswith(b"}\n"):
            text += os.read(process.stdout.fileno(), 65536)
        told = json.loads(text)
        schema("demo").validate(told)
        with urllib.request.urlopen(told["platform"], timeout=10) as page:  # noqa: S310 - our own server
            assert b"New service" in page.read()
        children = with_core(process.pid)
        process.send_signal(number)
        process.communicate(timeout=30)
    assert process.returncode == 0
    assert not children & living().keys()
    assert not Path(told["folder"]).exists()


def test_a_demo_that_is_killed_leaves_no_process() -> None:
    with demo("--json") as process:
        assert process.stdout is not None
        text = b""
        while not text.endswith(b"}\n"):
            text += os.read(process.stdout.fileno(), 65536)
        children = with_core(process.pid)
        process.kill()
        process.communicate(timeout=10)
        until = time.monotonic() + 10
        while children & living().keys() and time.monotonic() < until:
            time.sleep(0.1)
    assert not children & living().keys()
