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


def below(pid: int) -> set[int]:
    """The process's living descendants."""
    found: set[int] = set()
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            after = stat.read_text().rpartition(")")[2].split()
        except (FileNotFoundError, ProcessLookupError):
            continue
        if after[0] != "Z" and int(after[1]) == pid:
            found |= {int(stat.parent.name)} | below(int(stat.parent.name))
    return found


def alive(pids: set[int]) -> set[int]:
    found = set()
    for pid in pids:
        try:
            state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
        except (FileNotFoundError, ProcessLookupError):
            continue
        if state != "Z":
            found.add(pid)
    return found


def test_the_story_goes_well_and_the_law_holds_after_each_delivery(tmp_path: Path) -> None:
    with demo("--story", "--json", "--dir", str(tmp_path / "demo")) as process:
        out, err = process.communicate(timeout=100)
    assert process.returncode == 0, err.decode() + out.decode()
    told = json.loads(out)
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
    gitops = next((tmp_path / "demo/forge").glob("*.git"))
    repositories = {path.name: path for path in (tmp_path / "demo/forge").glob("*.git")}
    assert gitops.name in repositories


def test_the_delivered_repo_passes_verify_and_a_foreign_edit_breaks_the_law(tmp_path: Path) -> None:
    with demo("--story", "--json", "--dir", str(tmp_path / "demo")) as process:
        process.communicate(timeout=100)
    bare = sorted((tmp_path / "demo/forge").glob("*.git"))
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
            assert b"checkout" in page.read() or page.status == 200
        until = time.monotonic() + 20
        while len(below(process.pid)) < 2 and time.monotonic() < until:
            time.sleep(0.05)
        children = below(process.pid)
        assert len(children) >= 2, "queue and core"
        process.send_signal(number)
        process.communicate(timeout=30)
    assert process.returncode == 0
    assert not alive(children)
    assert not Path(told["folder"]).exists()


def test_a_demo_that_is_killed_leaves_no_process() -> None:
    with demo("--json") as process:
        assert process.stdout is not None
        text = b""
        while not text.endswith(b"}\n"):
            text += os.read(process.stdout.fileno(), 65536)
        until = time.monotonic() + 20
        while len(below(process.pid)) < 2 and time.monotonic() < until:
            time.sleep(0.05)
        children = below(process.pid)
        process.kill()
        process.communicate(timeout=10)
        until = time.monotonic() + 10
        while alive(children) and time.monotonic() < until:
            time.sleep(0.1)
    assert not alive(children)
