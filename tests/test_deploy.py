"""What is under deploy/ is what it says: hardened, locked, and made of parts that exist."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import kubernetes_validate  # type: ignore[import-untyped]  # ships no types
import pytest
import yaml

from bot.cli.app import COMMANDS
from bot.settings import Settings
from tests import runtime_lock

ROOT = Path(__file__).parents[1]
DEPLOY = ROOT / "deploy"
KUBERNETES = DEPLOY / "kubernetes"
KUBECTL = shutil.which("kubectl")
VARIABLES = {"CAUSEWAY_CONFIG", *(f"CAUSEWAY_{name.upper()}" for name in Settings.model_fields)}

OBJECTS: list[dict[str, Any]] = [
    yaml.safe_load(path.read_text()) for path in sorted(KUBERNETES.glob("*.yaml")) if path.name != "kustomization.yaml"
]
WORKLOADS = [one for one in OBJECTS if one["kind"] in ("Deployment", "StatefulSet")]
COMPOSE: dict[str, Any] = yaml.safe_load((DEPLOY / "compose.yaml").read_text())


def name_of(item: dict[str, Any]) -> str:
    return f"{item['kind']} {item['metadata']['name']}"


def test_the_image_holds_what_the_project_locks_and_nothing_that_only_tests_need() -> None:
    assert runtime_lock.LOCK.read_text(encoding="utf-8") == runtime_lock.text(), "python -m tests.runtime_lock"
    names = set(re.findall(r"^([a-z0-9.-]+)==", runtime_lock.LOCK.read_text(), re.MULTILINE))
    assert {"flask", "gunicorn", "pygit2"} <= names
    assert not names & {"pytest", "mypy", "ruff", "hypothesis"}


def test_the_image_runs_as_nobody_special_from_locked_wheels_and_without_build_tools() -> None:
    text = (DEPLOY / "Containerfile").read_text()
    assert "--require-hashes --only-binary :all:" in text
    final = text.rpartition("FROM ")[2]
    assert re.search(r"^USER 10001:10001$", final, re.MULTILINE)
    assert not re.search(r"\b(pip|gcc|build-essential|python3-dev|python3-venv|curl)\b", final)
    assert "git" in final
    assert ":latest" not in text
    for source in re.findall(r"^COPY (?!--from)(\S+) ", text, re.MULTILINE):
        assert (ROOT / source).exists(), source
    kept = (DEPLOY / "Containerfile.dockerignore").read_text().split()
    assert [one[1:] for one in kept if one[0] == "!" and not (ROOT / one[1:]).exists()] == []


@pytest.mark.parametrize("item", OBJECTS, ids=name_of)
def test_every_object_is_one_that_kubernetes_takes(item: dict[str, Any]) -> None:
    kubernetes_validate.validate(item, kubernetes_validate.latest_version(), strict=True)


@pytest.mark.parametrize("item", WORKLOADS, ids=name_of)
def test_every_pod_is_hardened_like_those_that_causeway_renders(item: dict[str, Any]) -> None:
    pod = item["spec"]["template"]["spec"]
    assert pod["automountServiceAccountToken"] is False
    assert pod["enableServiceLinks"] is False
    assert pod["securityContext"]["runAsNonRoot"] is True
    assert pod["securityContext"]["runAsUser"] > 0
    assert pod["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
    for container in pod["containers"]:
        security = container["securityContext"]
        assert security == {
            "allowPrivilegeEscalation": False,
            "readOnlyRootFilesystem": True,
            "capabilities": {"drop": ["ALL"]},
        }
        assert {"cpu", "memory", "ephemeral-storage"} == set(container["resources"]["requests"])
        assert {"memory", "ephemeral-storage"} == set(container["resources"]["limits"])
    for volume in pod.get("volumes", ()):
        assert "emptyDir" not in volume or volume["emptyDir"]["sizeLimit"], volume


def test_namespace_network_and_budgets_are_those_of_a_golden_path() -> None:
    kinds = {name_of(one): one for one in OBJECTS}
    labels = kinds["Namespace causeway"]["metadata"]["labels"]
    assert labels["pod-security.kubernetes.io/enforce"] == "restricted"
    assert kinds["NetworkPolicy causeway-default-deny"]["spec"] == {
        "podSelector": {},
        "policyTypes": ["Ingress", "Egress"],
    }
    for part in ("web", "worker"):
        budget = kinds[f"PodDisruptionBudget causeway-{part}"]["spec"]
        assert budget["unhealthyPodEvictionPolicy"] == "AlwaysAllow"
        assert kinds[f"Deployment causeway-{part}"]["spec"]["replicas"] >= 2
    blocks = [to for rule in kinds["NetworkPolicy causeway-workers"]["spec"]["egress"] for to in rule["to"]]
    (internet,) = (one["ipBlock"] for one in blocks if "ipBlock" in one)
    assert "169.254.0.0/16" in internet["except"]
    assert not [
        one for one in kinds["NetworkPolicy causeway-web"]["spec"]["egress"] for to in one["to"] if "ipBlock" in to
    ]


def test_the_door_is_probed_where_it_answers() -> None:
    (web,) = (one for one in WORKLOADS if one["metadata"]["name"] == "causeway-web")
    (container,) = web["spec"]["template"]["spec"]["containers"]
    probed = {key: container[key]["httpGet"]["path"] for key in ("startupProbe", "readinessProbe", "livenessProbe")}
    assert probed == {"startupProbe": "/healthz", "readinessProbe": "/readyz", "livenessProbe": "/healthz"}
    assert container["command"][:3] == ["gunicorn", "--config", "deploy/gunicorn.conf.py"]


def test_every_selector_finds_the_pods_of_its_part() -> None:
    pods = [one["spec"]["template"]["metadata"]["labels"] for one in WORKLOADS]
    for item in OBJECTS:
        selector = item.get("spec", {}).get("selector")
        if selector:
            wanted = selector.get("matchLabels", selector)
            assert len([labels for labels in pods if wanted.items() <= labels.items()]) == 1, name_of(item)


def test_every_part_calls_a_command_and_settings_that_exist() -> None:
    known = {str(command.name) for command in COMMANDS}
    containers = [
        c for one in WORKLOADS for c in one["spec"]["template"]["spec"]["containers"] if c["image"] == "causeway"
    ]
    calls = [one["args"] for one in containers if "args" in one]
    calls += [
        one["command"] for one in COMPOSE["services"].values() if one.get("image") == "causeway" and one["command"]
    ]
    assert {call[0] for call in calls} == {"work", "sweep"} <= known
    named = {entry["name"] for one in containers for entry in one["env"]}
    named |= set(COMPOSE["x-part"]["environment"])
    assert named <= VARIABLES


def test_compose_has_the_four_parts_and_each_is_locked_down() -> None:
    services = COMPOSE["services"]
    assert set(services) == {"web", "worker", "sweep", "valkey"}
    for name, part in services.items():
        assert part["read_only"] is True, name
        assert part["cap_drop"] == ["ALL"], name
        assert part["security_opt"] == ["no-new-privileges:true"], name
        assert not part["user"].startswith("0"), name
        assert part["mem_limit"], name
    assert services["valkey"]["networks"] == ["inside"]
    assert COMPOSE["networks"]["inside"] == {"internal": True}
    assert services["valkey"]["volumes"] == ["queue:/data"]
    assert all(port.startswith("127.0.0.1:") for port in services["web"]["ports"])


@pytest.mark.tools
@pytest.mark.skipif(KUBECTL is None, reason="kubectl is not on PATH")
def test_kustomize_builds_the_base() -> None:
    done = subprocess.run([str(KUBECTL), "kustomize", str(KUBERNETES)], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    built = list(yaml.safe_load_all(done.stdout))
    assert sorted(map(name_of, built)) == sorted(map(name_of, OBJECTS))
    assert all(one["metadata"].get("namespace") == "causeway" for one in built if one["kind"] != "Namespace")
    assert "image: causeway\n" not in done.stdout
