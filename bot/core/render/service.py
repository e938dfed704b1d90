"""A service in one environment: its objects, and the Application that runs them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final, cast

from bot.core.kit import Kit
from bot.core.model.platform import Platform
from bot.core.model.render import Inputs, Key, Objects
from bot.core.model.unit import Facts, Peer
from bot.core.model.values import Value
from bot.core.problem import Problem, Refusal
from bot.core.render.exceptions import excused, labelled
from bot.core.render.expanding import expanded, in_folder, wanted_parts, with_parts
from bot.core.render.reading import (
    NEED_NOT_IN_BYTES,
    NOT_IN_BYTES,
    OF_PLACE,
    OF_SERVICE,
    Map,
    blueprint_content,
    collector_of,
    content,
    gitops_of,
    group_of,
    of_environment,
    of_team,
    recipe_content,
)
from bot.core.render.shapes import Renderer, World


def keys_of_facts(facts: Facts) -> Iterable[Key]:
    return () if facts.waiting else (("service", *facts.unit),)


def keys_of_platform(platform: Platform) -> Iterable[Key]:  # noqa: ARG001
    return ()


def inputs(key: Key, world: World) -> Inputs:
    """The effective manifest less what changes no byte, and the few fields of environment, team and links it meets."""
    unit = (key[1], key[2])
    effective, facts, links = world.effective(unit), world.facts(unit), world.links(unit)
    service = {name: value for name, value in effective.value.items() if name not in NOT_IN_BYTES}
    needs = {name: _need(cast(Map, need)) for name, need in cast(Map, service["needs"]).items()}
    names, digest = content(
        world.kit,
        blueprint_content(world.kit, effective.type, effective.blueprint),
        *(recipe_content(world.kit, need) for need in needs.values()),
    )
    value: dict[str, Value] = {
        "service": {**service, "needs": needs},
        "blueprint": effective.blueprint,
        "namespace": facts.namespace,
        "env": of_environment(world.platform, key[2], dict.fromkeys((*OF_SERVICE, *OF_PLACE))),
        "team": of_team(world.platform, effective.owner),
        "links": {"callers": [_peer(peer) for peer in links.callers], "uses": [_peer(peer) for peer in links.uses]},
        "gitops": gitops_of(world.platform, key[2]),
    }
    return Inputs(key, value | excused(key, world), names, digest, world.kit.renderer)


def _need(need: Map) -> dict[str, Value]:
    return {name: value for name, value in need.items() if name not in NEED_NOT_IN_BYTES}


def _peer(peer: Peer) -> Value:
    ports: Value = [{"name": name, "port": port} for name, port in peer.ports]
    return {"service": peer.service, "namespace": peer.namespace, "ports": ports}


def folder(inputs: Inputs) -> str:
    """`environments/<env>/<team>/<service>`."""
    service = cast(Map, inputs.value["service"])
    return f"environments/{inputs.key[2]}/{service['owner']}/{service['name']}"


def scope_of(inputs: Inputs, kit: Kit) -> dict[str, Value] | Refusal:
    """What the workload's templates see (blueprints/README.md lists it)."""
    value = inputs.value
    service, env = cast(Map, value["service"]), cast(Map, value["env"])
    needs = cast(Mapping[str, Map], service["needs"])
    reaches: list[Value] = []
    carried = [row for name in sorted(needs) if (row := _carried(name, needs[name], value)) is not None]
    for name in sorted(needs):
        found = _reaches(inputs, kit, name, needs[name])
        if isinstance(found, Refusal):
            return found
        reaches += found
    return {
        **value,
        "outputs": [output for name in sorted(needs) for output in _outputs(value, name, needs[name])],
        "carried": carried,
        "stores": _stores(service, env, carried),
        "gateways": _gateways(service, env),
        "otlp": collector_of(env["otlp"]),
        "reaches": reaches,
        "reaches_data": any(need["form"] == "terraform" for need in needs.values()),
    }


def objects(inputs: Inputs, kit: Kit) -> Objects | Refusal:
    service = cast(Map, inputs.value["service"])
    blueprint = kit.blueprints[str(service["type"]), cast(int, inputs.value["blueprint"])]
    stuck = _stuck(inputs, service)
    if stuck:
        return Refusal(stuck)
    scope = scope_of(inputs, kit)
    if isinstance(scope, Refusal):
        return scope
    own = expanded(blueprint.templates, scope, in_folder(f"{folder(inputs)}/kubernetes"))
    if isinstance(own, Refusal):
        return own
    own = labelled(own, inputs)
    path = f"apps/{inputs.key[2]}/services/{service['owner']}/{service['name']}.yaml"
    runs = expanded(group_of(kit, "service"), {**scope, "folder": folder(inputs)}, lambda name, item: path)  # noqa: ARG005
    return runs if isinstance(runs, Refusal) else {**own, **runs}


def _outputs(value: Map, need: str, said: Map) -> list[Value]:
    """The outputs of a need, each with the Secret or ConfigMap in which the pods find it."""
    service = str(cast(Map, value["service"])["name"])
    rows: list[Value] = []
    for output in cast("list[Map]", said["outputs"]):
        carried = output["from"] == "store" or (output["from"] == "secret" and apart(said))
        rows.append({
            "need": need,
            "variable": output["variable"],
            "from": "secret" if carried else output["from"],
            "name": f"{service}-{need}" if carried else output["source"],
            "key": output["name"] if carried else output["key"],
            "value": None if output["value"] is None else _filled(str(output["value"]), value, need, said),
        })  # fmt: skip
    return rows


def _filled(text: str, value: Map, need: str, said: Map) -> str:
    """An output that is the same text for every need but for names."""
    names = {
        "{service}": str(cast(Map, value["service"])["name"]),
        "{env}": str(cast(Map, value["env"])["name"]),
        "{need}": need,
        "{place}": place_of(value, said),
    }
    for name, word in names.items():
        text = text.replace(name, word)
    return text


def _carried(name: str, need: Map, value: Map) -> Map | None:
    """A need whose outputs the secrets operator brings over: what it reads, and what it puts together from that."""
    outputs = [output for output in cast("list[Map]", need["outputs"]) if output["from"] in ("store", "secret")]
    if not (apart(need) or any(output["from"] == "store" for output in outputs)):
        return None
    return {
        "name": name,
        "apart": apart(need),
        "place": place_of(value, need),
        "read": [
            {"name": output["name"], "source": output["source"], "key": output["key"]}
            for output in outputs
            if output["key"] is not None
        ],
        "composed": [{"name": output["name"], "value": output["value"]} for output in outputs if output["key"] is None],
    }


def _stores(service: Map, env: Map, carried: list[Map]) -> Map:
    """Which SecretStores a service needs: its own (limited to its prefix), a shared one, one for each need apart.
    None where the cluster has no secrets operator or the environment no store."""
    features = cast(Map, env["features"])
    on = bool(features["external_secrets"])
    store = on and env["secrets"] is not None
    start = f"/{env['name']}/{service['name']}/"
    secrets = [cast(Map, secret) for secret in cast(Map, service["secrets"]).values()]
    foreign = any(not str(secret["path"]).startswith(start) for secret in secrets)
    pulls = bool(service["pull_secrets"])
    from_store = any(not need["apart"] for need in carried)
    return {
        "own": store and (from_store or (bool(secrets) and not foreign)),
        # One ExternalSecret reads through one store: a single path beyond the prefix takes all of them there.
        "own_secrets": not foreign,
        "shared": store and (foreign or pulls),
        "apart": [need for need in carried if need["apart"]] if on else [],
    }


def apart(need: Map) -> bool:
    """Whether a need stands in the namespace of its own that outlives the service."""
    return need["form"] == "kubernetes" and bool(need["protected"]) and bool(need["stateful"])


def _stuck(inputs: Inputs, service: Map) -> tuple[Problem, ...]:
    """Needs that would stand apart from the service with outputs that nothing can carry over."""
    return tuple(
        Problem(
            f"{inputs.key[1]}/platform.yaml",
            1,
            1,
            "CW0605",
            f"`{name}` cannot be protected in {inputs.key[2]}: recipe `{need['recipe']}` writes a ConfigMap",
            "Protected data stands in a namespace of its own, and only Secrets are carried over from there.",
            "Choose another recipe for it in platform/recipes.yaml, or `protect_data: false` for the environment.",
        )
        for name, need in sorted(cast("Mapping[str, Map]", service["needs"]).items())
        if apart(need) and any(output["from"] == "config" for output in cast("list[Map]", need["outputs"]))
    )


def _gateways(service: Map, env: Map) -> list[Value]:
    features, gateways = cast(Map, env["features"]), cast("Mapping[str, Map]", env["gateway"])
    routes = cast("list[Map]", service["routes"])
    kinds = {"public" if route["public"] else "internal" for route in routes} if features["gateway"] else set()
    return [*sorted({str(gateways[kind]["namespace"]) for kind in kinds if kind in gateways})]


def _reaches(inputs: Inputs, kit: Kit, name: str, need: Map) -> list[Value] | Refusal:
    """What a need adds to the egress of its service: its recipe's part `reaches`."""
    recipe = kit.recipes[str(need["recipe"]), cast(int, need["recipe_version"])]
    parts = wanted_parts(recipe.templates, _REACHES)
    if not parts:
        return []
    scope = {**inputs.value, "need": {"name": name, **need}, "place": place_of(inputs.value, need), "phase": "live"}
    made = with_parts(parts, scope)
    if isinstance(made, Refusal):
        return made
    return list(cast("list[Value]", cast(Map, made["parts"])["reaches"]))


_REACHES: Final = frozenset({"reaches"})


def place_of(value: Map, need: Map) -> str:
    """The namespace that the objects of a need stand in."""
    return f"{value['namespace']}-data" if apart(need) else str(value["namespace"])


SERVICE = Renderer("service", keys_of_facts, keys_of_platform, inputs, objects, folder)
