"""A unit in one environment: every layer merged, every default written out, or every reason why not.

Maps in the result are sorted by name: the order of a file says nothing, so no output may depend on it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import cast

from bot.core.check import check
from bot.core.kit import Blueprint, Kit, Settled
from bot.core.load.reading import did_you_mean, problem_at
from bot.core.model.platform import Environment, Platform
from bot.core.model.unit import Effective, Origins, Unit
from bot.core.model.values import Doc, Pointer, Value
from bot.core.problem import Problem, Refusal
from bot.core.resolve import fields
from bot.core.resolve.image import image_of
from bot.core.resolve.names import LONGEST, namespace_of
from bot.core.resolve.needs import needs
from bot.core.resolve.origins import LazyOrigins
from bot.core.resolve.price import monthly
from bot.core.resolve.routes import routes
from bot.core.resolve.scene import Scene, as_doc, said_in
from bot.core.resolve.variables import collisions, env, outputs_of, secrets, uses

_Map = Mapping[str, Value]
_RESERVED = re.compile(r"kube-.*|default|argocd")


def environments_of(unit: Unit, platform: Platform) -> tuple[str, ...]:
    """Environments that run the unit: as `deploy_to` lists them, an unknown one too (resolving it says so), else those
    marked `default`, in the platform's order."""
    listed = cast("Sequence[str] | None", cast(_Map, unit.manifest.value).get("deploy_to"))
    if listed is not None:
        return tuple(listed)
    return tuple(name for name, environment in platform.environments.items() if environment.default)


def misfits(unit: Unit, platform: Platform) -> tuple[Problem, ...]:
    """What is wrong with the unit wherever it runs: owner, environments that it names, releases. `resolve` tells these
    too; asked alone they matter for a unit that runs nowhere."""
    return tuple(_misfits(unit, platform))


def resolve(unit: Unit, environment: str, platform: Platform, kit: Kit) -> tuple[Effective, Origins] | Refusal:
    """The effective manifest of `unit` in `environment` and the origin of its every leaf. Layers, the first that says
    something wins: releases.yaml, the environment's override, the manifest, the blueprint's defaults by tier, kind and
    size. The refusal carries all problems; those that name no environment are the same in each."""
    problems = list(_misfits(unit, platform))
    place = platform.environments.get(environment)
    if place is None:
        return Refusal(tuple(sorted(problems or [_no_environment(platform, unit.manifest, (), environment)])))
    scene = scene_of(unit, place, platform, kit, problems)
    if isinstance(scene, Refusal):
        return scene
    value, waiting = _effective(scene)
    if scene.problems:
        return Refusal(tuple(sorted(scene.problems)))
    version = scene.blueprint.version
    waived = _waived(unit)
    effective = Effective(unit.folder, environment, unit.name, unit.owner, unit.type, version, value, waiting, waived)
    return effective, LazyOrigins(scene_of, unit, place, platform, kit, value)


def _waived(unit: Unit) -> tuple[str, ...]:
    given = cast("Sequence[_Map]", cast(_Map, unit.manifest.value).get("waivers") or ())
    return tuple(sorted({str(waiver["policy"]) for waiver in given}))


def scene_of(
    unit: Unit, environment: Environment, platform: Platform, kit: Kit, problems: list[Problem]
) -> Scene | Refusal:
    """Manifest and override merged and checked, beside the defaults that hold here. Refused where what is merged is
    no manifest any more, since nothing further could be said of it."""
    said, spots, overridden = said_in(unit, environment.name, problems)
    if overridden:
        broken = check(as_doc(unit, environment.name, said, spots), kit.schemas["platform"])
        if broken:
            return Refusal(tuple(sorted({*problems, *broken})))
    release: _Map = {}
    if unit.releases is not None:
        release = cast(Mapping[str, _Map], unit.releases.value).get(environment.name) or {}
    version = cast(int, release.get("blueprint", kit.pins[unit.type]))
    blueprint = kit.blueprints.get((unit.type, version))
    if blueprint is None:
        return Refusal(tuple(sorted([*problems, _no_blueprint(unit, environment.name, version, kit)])))
    settled = _settled(blueprint, said, environment.kind)
    return Scene(unit, environment, platform, kit, blueprint, settled, said, spots, release, problems)


def _settled(blueprint: Blueprint, said: _Map, kind: str) -> Settled:
    """Defaults depend on tier and size, and both have defaults themselves."""
    tier = cast("int | None", said.get("tier"))
    if tier is None:
        tier = cast(int, blueprint.settled[3, kind, "s"].value.get("tier", 3))
    size = said.get("size")
    if not isinstance(size, str):
        size = str(cast(_Map, blueprint.settled[tier, kind, "s"].value["size"])["name"])
    return blueprint.settled[tier, kind, size]


def _effective(scene: Scene) -> tuple[_Map, bool]:
    image, _ = image_of(scene)
    plain = fields.plain(scene)
    found = needs(scene)
    outputs = outputs_of(found)
    collisions(scene, outputs)
    size, scale = fields.size(scene), fields.scale(scene)
    prices = cast(_Map, scene.environment.value["prices"])
    namespace_fits(scene, found)
    value: dict[str, Value] = {
        "name": scene.unit.name,
        "owner": scene.unit.owner,
        "type": scene.unit.type,
        "tier": scene.said.get("tier", scene.settled.value.get("tier", 3)),
        **fields.catalog(scene),
        "image": image.value(),
        **plain,
        "size": size,
        "scale": scale,
        "stop": fields.stop(scene),
        "routes": routes(scene),
        "env": env(scene, outputs),
        "secrets": secrets(scene),
        "needs": found,
        "uses": uses(scene),
        "allow": {"callers": sorted(cast(_Map, cast(_Map, scene.said.get("allow") or {}).get("callers") or {}))},
        "slo": fields.slo(scene),
        "cost": monthly(prices, size, scale, found),
        "pull_secrets": pull_secrets(scene.environment, image.repository),
    }
    return value, not image.fixed


def namespace_fits(scene: Scene, found: _Map) -> None:
    """Names that are put together must still be names."""
    namespace = namespace_of(scene.environment, scene.unit.name, scene.unit.owner)
    longest = namespace
    if any(cast(_Map, n)["form"] == "kubernetes" and cast(_Map, n)["protected"] for n in found.values()):
        longest = f"{namespace}-data"
    if len(longest) > LONGEST:
        over = len(longest) - LONGEST
        scene.refuse(
            ("name",), "CW0410", f"the namespace `{longest}` would have {len(longest)} characters, {over} too many",
            "Kubernetes allows 63", "choose a shorter name, or ask the platform team for a shorter namespace rule",
        )  # fmt: skip
    if _RESERVED.fullmatch(namespace) or namespace in cast(
        Sequence[str], scene.environment.value["reserved_namespaces"]
    ):
        scene.refuse(
            ("name",), "CW0419", f"the namespace `{namespace}` is reserved in {scene.environment.name}",
            "something else runs there", "choose another name",
        )  # fmt: skip


def pull_secrets(environment: Environment, repository: str) -> list[Value]:
    """Logins of the registries that the image comes from."""
    registries = cast(Mapping[str, Mapping[str, str]], environment.value["registries"])
    found: list[Value] = []
    for prefix in sorted(registries):
        if repository == prefix or repository.startswith(f"{prefix}/"):
            path, _, key = registries[prefix]["pull_secret"].partition("#")
            name = re.sub(r"[^a-z0-9]+", "-", prefix).strip("-")
            found.append({"name": name, "registry": prefix, "path": path, "key": key})
    return found


def _misfits(unit: Unit, platform: Platform) -> Iterator[Problem]:
    doc = unit.manifest
    value = cast(_Map, doc.value)
    if unit.owner not in platform.teams:
        yield problem_at(
            doc, ("owner",), "CW0401", f"there is no team `{unit.owner}`", "somebody must answer for the service",
            did_you_mean(unit.owner, platform.teams, "name a slug of platform/teams.yaml"),
        )  # fmt: skip
    runs = environments_of(unit, platform)
    if not runs:
        yield problem_at(
            doc, ("name",), "CW0417", f"`{unit.name}` runs nowhere", "no environment is marked `default: true`",
            did_you_mean("", platform.environments, "add `deploy_to: [...]`"),
        )  # fmt: skip
    for index, name in enumerate(cast(Sequence[str], value.get("deploy_to") or ())):
        if name not in platform.environments:
            yield _no_environment(platform, doc, ("deploy_to", index), name)
    for name in cast(_Map, value.get("environments") or {}):
        if name not in platform.environments:
            yield _no_environment(platform, doc, ("environments", name), name)
        elif name not in runs:
            yield problem_at(
                doc, ("environments", name), "CW0403", f"`{unit.name}` does not run in `{name}`",
                "an override there would do nothing",
                f"add `{name}` to `deploy_to`, or drop the override" if "deploy_to" in value
                else f"write `deploy_to: [{', '.join([*runs, name])}]`, or drop the override",
                key=True,
            )  # fmt: skip
    if unit.releases is not None:
        yield from _releases(unit, platform)


def _releases(unit: Unit, platform: Platform) -> Iterator[Problem]:
    """A release of an environment that the service does not run in is kept: it may come back."""
    doc = unit.releases
    assert doc is not None  # noqa: S101  asked only where there are releases
    for name in cast(_Map, doc.value):
        if name not in platform.environments:
            yield _no_environment(platform, doc, (name,), name)


def _no_environment(platform: Platform, doc: Doc, pointer: Pointer, name: str) -> Problem:
    return problem_at(
        doc, pointer, "CW0402", f"there is no environment `{name}`", "nothing could run there",
        did_you_mean(name, platform.environments, "name one of platform/environments.yaml"), key=True,
    )  # fmt: skip


def _no_blueprint(unit: Unit, environment: str, version: int, kit: Kit) -> Problem:
    doc = unit.releases
    assert doc is not None  # noqa: S101  only a release names a version that nobody has
    known = ", ".join(str(number) for name, number in sorted(kit.blueprints) if name == unit.type)
    return problem_at(
        doc, (environment, "blueprint"), "CW0418", f"`{unit.type}` has no version {version}",
        "without it nothing can be rendered the way it was", f"pin one of these: {known}",
    )  # fmt: skip
