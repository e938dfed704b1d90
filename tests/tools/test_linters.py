"""What public linters say of every object that is rendered, less what blueprints/README.md defends.

Each runs where its binary is on PATH and is skipped elsewhere: promtool, kube-score, kube-linter.
"""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from pathlib import Path

import pytest
import yaml

from tests.core.render_world import CASES, case_files, case_named

README = Path(__file__).parents[2] / "blueprints" / "README.md"


def tool(name: str) -> str:
    """The path of a binary; the test is skipped where there is none."""
    found = shutil.which(name)
    if found is None:
        pytest.skip(f"{name} is not on PATH")
    return found


def run(*words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(words, capture_output=True, text=True, timeout=110, check=False)


def manifests(case: str, folder: Path) -> list[Path]:
    """Everything of a case that is applied to a cluster, on disk."""
    paths = []
    for name, data in case_files(case_named(case)).items():
        if "/kubernetes/" in name:
            path = folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(data)
            paths.append(path)
    assert paths
    return sorted(paths)


def defended() -> set[str]:
    """The checks that the README's table gives a reason for."""
    section = README.read_text().partition("## What linters say")[2].partition("\n## ")[0]
    rows = [line.split("|")[1] for line in section.splitlines() if line.startswith("|")]
    return {name for row in rows for name in re.findall(r"`([^`]+)`", row)}


def rule_files(folder: Path) -> dict[str, Path]:
    """Rules as Prometheus reads them, by `<namespace>.<name>`."""
    made: dict[str, Path] = {}
    for case in CASES:
        for name, data in case_files(case_named(case)).items():
            if "/prometheusrule-" in name:
                item = yaml.safe_load(data)
                path = folder / f"{item['metadata']['namespace']}.{item['metadata']['name']}.yaml"
                path.write_text(yaml.safe_dump({"groups": item["spec"]["groups"]}))
                made[path.stem] = path
    assert made
    return made


@pytest.mark.tools
def test_prometheus_reads_every_rule_and_finds_nothing_to_say(tmp_path: Path) -> None:
    promtool = tool("promtool")
    paths = [str(path) for path in rule_files(tmp_path).values()]
    done = run(promtool, "check", "rules", "--lint=all", "--lint-fatal", *paths)
    assert done.returncode == 0, done.stdout + done.stderr


def requests(code: int, values: str) -> dict[str, str]:
    """Requests answered with `code`, as promtool writes series: `0+5x180` counts five a minute for three hours."""
    labels = f'http_response_status_code="{code}",job="checkout",namespace="checkout-prod"'
    return {"series": f"http_server_request_duration_seconds_count{{{labels}}}", "values": values}


def fires(promtool: str, rules: Path, counted: list[dict[str, str]], *alerts: str) -> None:
    """Prometheus itself says that exactly these alerts (`name severity`) fire after two hours of such requests."""
    samples = [
        {"labels": f'{{alertname="{name}",severity="{severity}"}}', "value": 1}
        for name, severity in map(str.split, alerts)
    ]
    firing = 'count by (alertname, severity) (ALERTS{alertstate="firing"})'
    case = {
        "interval": "1m",
        "input_series": counted,
        "promql_expr_test": [{"expr": firing, "eval_time": "2h", "exp_samples": samples}],
    }
    plan = rules.with_suffix(".test.yaml")
    plan.write_text(yaml.safe_dump({"rule_files": [rules.name], "evaluation_interval": "30s", "tests": [case]}))
    done = run(promtool, "test", "rules", str(plan))
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.tools
def test_alerts_follow_how_fast_the_allowance_is_spent(tmp_path: Path) -> None:
    promtool = tool("promtool")
    rules = rule_files(tmp_path)["checkout-prod.checkout"]
    fast, slow = "ServiceLevelBurnsFast page", "ServiceLevelBurnsSlowly ticket"
    # 99.9 % of requests: one in a thousand may fail. 1.44 % in the last hour wakes somebody, 0.3 % in two is a ticket.
    good = requests(200, "0+10000x180")
    fires(promtool, rules, [good, requests(500, "0+150x180")], fast, slow)
    fires(promtool, rules, [good, requests(500, "0+140x180")], fast, slow)  # more than 0.6 % in six hours
    fires(promtool, rules, [good, requests(500, "0+40x180")], slow)
    fires(promtool, rules, [good, requests(500, "0+5x180")])


@pytest.mark.tools
def test_nobody_is_woken_where_nothing_is_asked_for(tmp_path: Path) -> None:
    promtool = tool("promtool")
    rules = rule_files(tmp_path)["checkout-prod.checkout"]
    fires(promtool, rules, [])
    fires(promtool, rules, [requests(200, "7x180"), requests(500, "3x180")])


@pytest.mark.tools
@pytest.mark.parametrize("case", CASES)
def test_kube_score_finds_only_what_is_defended(case: str, tmp_path: Path) -> None:
    score = tool("kube-score")
    paths = [str(path) for path in manifests(case, tmp_path)]
    done = run(score, "score", "--kubernetes-version", "v1.34", "--ignore-container-cpu-limit", "-o", "json", *paths)
    found = {
        f"{check['check']['id']}: {item['object_name']}: {check['comments']}"
        for item in json.loads(done.stdout)
        for check in item["checks"]
        if not check["skipped"] and check["grade"] < 7 and check["check"]["id"] not in defended()
    }
    assert not found


KUBE_LINTER = (
    "dangling-service", "drop-net-raw-capability", "duplicate-env-var", "env-var-secret", "host-ipc", "host-network",
    "host-pid", "latest-tag", "liveness-port", "mismatching-selector", "no-read-only-root-fs", "pdb-max-unavailable",
    "privilege-escalation-container", "privileged-container", "readiness-port", "run-as-non-root", "startup-port",
    "unset-memory-requirements",
)  # fmt: skip
"""Named one by one: a newer kube-linter's new opinions are no failure of ours."""


@pytest.mark.tools
@pytest.mark.parametrize("case", CASES)
def test_kube_linter_finds_nothing(case: str, tmp_path: Path) -> None:
    linter = tool("kube-linter")
    manifests(case, tmp_path)
    words = ["--do-not-auto-add-defaults", *(word for check in KUBE_LINTER for word in ("--include", check))]
    done = run(linter, "lint", *words, "--format", "plain", str(tmp_path))
    assert done.returncode == 0, done.stdout + done.stderr
