"""A small platform for tests of rendering: the real blueprints, and hand-made effective manifests."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any, cast

from bot.core.build import Build, build
from bot.core.build.fill import fill
from bot.core.build.state import Memo
from bot.core.kit import Kit, kit_of
from bot.core.model.platform import Environment, Platform, Target, Team
from bot.core.model.render import Inputs, Key, Rendered
from bot.core.model.unit import DataFact, Effective, Facts, Links
from bot.core.model.values import UnitEnv, Value
from bot.core.problem import Refusal
from bot.core.render import RENDERERS, World, rendered
from bot.core.tree import MemoryTree

ROOT = Path(__file__).parents[2]

CONFIG = b"platform_team: platform\ngitops: {repo: acme/gitops}\n"


@lru_cache(maxsize=1)
def shipped() -> MemoryTree:
    """The schemas and blueprints of this repository."""
    files: dict[str, bytes] = {}
    for folder in ("schemas", "blueprints"):
        for path in sorted((ROOT / folder).rglob("*")):
            if path.is_file():
                files[path.relative_to(ROOT).as_posix()] = path.read_bytes()
    return MemoryTree(files)


def kit(overrides: Mapping[str, bytes] | None = None) -> Kit:
    """The kit that a platform repository with these extra files gets."""
    made = kit_of(MemoryTree({"platform/config.yaml": CONFIG, **(overrides or {})}), shipped())
    if isinstance(made, Refusal):
        raise AssertionError("\n".join(f"{p.path}:{p.line}:{p.column} {p.message}" for p in made.problems))
    return made


def effective(**changes: Value) -> dict[str, Value]:
    """The long form of a four-line manifest in production, changed by keyword."""
    return {
        "name": "checkout", "owner": "payments", "type": "web", "tier": 3,
        "description": "", "system": None, "lifecycle": "production", "urls": {},
        "image": {
            "ref": "ghcr.io/acme/checkout:1.4.2", "repository": "ghcr.io/acme/checkout",
            "tag": "1.4.2", "digest": None, "version": "1.4.2",
        },
        "port": 8080, "metrics": None, "command": [], "args": [], "migrate": None,
        "user": 10001, "writable": ["/tmp"],  # noqa: S108
        "health": {"ready": None, "live": None, "start": None},
        "size": {"name": "s", "cpu": "100m", "memory": "256Mi"},
        "scale": {"min": 2, "max": 4, "cpu": 70},
        "stop": {"grace": 45, "drain": 10},
        "routes": [{"host": "checkout.acme.com", "path": "/", "public": False, "timeout": "30s"}],
        "env": {}, "secrets": {}, "needs": {}, "uses": {}, "allow": {"callers": []},
        "slo": {"availability": "99", "latency_ms": 300}, "cost": "8", "pull_secrets": [],
        **changes,
    }  # fmt: skip


def environment(name: str = "prod", **changes: Value) -> Environment:
    """An environment whose cluster has everything, changed by keyword."""
    value: dict[str, Value] = {
        "name": name, "kind": "production", "default": True,
        "cluster": {"name": f"eu-{name}", "argocd": "argocd"}, "domain": "acme.com", "namespace": "{service}-{env}",
        "features": {
            "gateway": True, "external_secrets": True, "prometheus_operator": True, "keda": True, "cert_manager": True,
        },
        "gateway": {
            "internal": {"name": "internal", "namespace": "gateways"},
            "public": {"name": "public", "namespace": "gateways"},
        },
        "secrets": {
            "store": "aws-secretsmanager", "region": "eu-west-1",
            "role": "arn:aws:iam::123456789012:role/{service}-{env}",
        },
        "registries": {"ghcr.io/acme": {"pull_secret": "platform/ghcr#dockerconfigjson"}},
        "terraform": {
            "backend": {"s3": {"bucket": "acme-state-prod", "region": "eu-west-1"}},
            "providers": {"aws": {"region": "eu-west-1"}},
        },
        "otlp": "http://otel-collector.observability:4317",
        "networks": {"data": ["10.20.0.0/16"]},
        "reserved_namespaces": [], "priority_classes": {}, "protect_data": True,
        **changes,
    }  # fmt: skip
    return Environment(name, str(value["kind"]), True, bool(value["protect_data"]), "main", value)


def platform(*environments: Environment) -> Platform:
    """A platform with two teams."""
    teams = {
        slug: Team(slug, {"slug": slug, "forge_team": f"acme/{slug}", "contacts": {}, "cost_centre": "cc-42",
                          "hosts": [], "runbook": "https://runbooks.acme.io"})
        for slug in ("payments", "platform")
    }  # fmt: skip
    known = {one.name: one for one in environments or (environment(),)}
    targets = {"main": Target("main", "acme/gitops", "main", "restore")}
    config: dict[str, Value] = {"platform_team": "platform", "gitops": {"repo": "acme/gitops", "branch": "main"}}
    return Platform(config, known, teams, (), (), {}, targets)


@dataclass
class Small:
    """A world of a few unit-environments, each given by its effective value."""

    platform: Platform
    kit: Kit
    units: dict[UnitEnv, Mapping[str, Value]]
    links: dict[UnitEnv, Links] = field(default_factory=dict)

    def facts(self, unit: UnitEnv) -> Facts:
        value = cast("Mapping[str, Any]", self.units[unit])
        data = tuple(
            DataFact(name, need["type"], need["recipe"], need["stateful"], need["protected"], need["form"])
            for name, need in sorted(value["needs"].items())
        )
        rule = str(self.platform.environments[unit[1]].value["namespace"])
        namespace = rule.format(service=value["name"], env=unit[1], team=value["owner"])
        hosts = tuple((route["host"], route["path"], route["public"]) for route in value["routes"])
        return Facts(
            unit, value["name"], value["owner"], value["type"], namespace, "main", {"http": value["port"]}, hosts,
            tuple(sorted(value["uses"])), tuple(value["allow"]["callers"]), data, False, value["cost"],
            migrates=value["migrate"] is not None, system=value["system"],
        )  # fmt: skip

    def effective(self, unit: UnitEnv) -> Effective:
        value = self.units[unit]
        return Effective(unit[0], unit[1], str(value["name"]), str(value["owner"]), str(value["type"]), 1, value)

    def keys(self) -> dict[Key, tuple[UnitEnv, ...]]:
        """Every key, with its members."""
        found: dict[Key, list[UnitEnv]] = {}
        for renderer in RENDERERS.values():
            for key in renderer.keys_of_platform(self.platform):
                found[key] = []
            for unit in sorted(self.units):
                for key in renderer.keys_of_facts(self.facts(unit)):
                    found.setdefault(key, []).append(unit)
        return {key: tuple(units) for key, units in found.items()}

    def world(self) -> World:
        members = self.keys()
        return World(
            self.platform, self.kit, self.effective, self.facts,
            lambda unit: self.links.get(unit, Links()), lambda key: members.get(key, ()),
        )  # fmt: skip

    def inputs(self, key: Key) -> Inputs:
        return RENDERERS[key[0]].inputs(key, self.world())

    def render(self, key: Key) -> Rendered:
        done = rendered(self.inputs(key), self.kit)
        if isinstance(done, Refusal):
            raise AssertionError("\n".join(f"{p.path}:{p.line}:{p.column} {p.message} {p.fix}" for p in done.problems))
        return done

    def files(self) -> dict[str, bytes]:
        """The bytes of everything."""
        return {path: data for key in self.keys() for path, data in self.render(key).files.items()}


def small(*units: Mapping[str, Value], env: Environment | None = None) -> Small:
    """A world of services in one environment."""
    here = env or environment()
    return Small(platform(here), kit(), {(f"services/{unit['name']}", here.name): unit for unit in units})


CASES = tuple(sorted(path.name for path in (ROOT / "tests" / "cases" / "render").iterdir()))


@lru_cache(maxsize=8)
def case_named(name: str) -> Build:
    """The build of a case's platform repository."""
    root = ROOT / "tests" / "cases" / "render" / name / "in"
    files = {path.relative_to(root).as_posix(): path.read_bytes() for path in root.rglob("*") if path.is_file()}
    return built(files)


def built(files: Mapping[str, bytes]) -> Build:
    """The build of a platform repository; whatever is wrong with it fails the test."""
    tree = MemoryTree(files)
    known = kit_of(tree, shipped())
    made = known if isinstance(known, Refusal) else build(tree, known, Memo())
    if isinstance(made, Refusal):
        raise AssertionError("\n".join(map(str, made.problems)))
    found = [problem for state in made.units.values() for problem in state.problems if problem.severity == "error"]
    found += [problem for problems in made.linked.problems.values() for problem in problems]
    if found:
        raise AssertionError("\n".join(map(str, found)))
    return made


def case_files(made: Build) -> dict[str, bytes]:
    """Every file that a build renders."""
    files: dict[str, bytes] = {}
    for done in fill(made, made.digests, Memo()).values():
        if isinstance(done, Refusal):
            raise AssertionError("\n".join(map(str, done.problems)))
        files |= done.files
    return files
