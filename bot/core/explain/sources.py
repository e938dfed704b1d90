"""Who gave what a render looked up: from a pointer into its scope to a line that somebody wrote."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Final, cast

from bot.core.build import Build
from bot.core.model.render import Inputs
from bot.core.model.values import Layer, Origin, Pointer, UnitEnv, Value
from bot.core.problem import Refusal
from bot.core.render.expanding import wanted_parts, with_parts
from bot.core.render.service import place_of as place_of_need
from bot.core.resolve import place_of

_Map = Mapping[str, Value]

_TELLING: Final = ("release", "override", "manifest", "team", "environment", "recipe", "link", "platform", "blueprint")
"""What a person wrote for this service is told before what holds by default."""


def told(origins: Iterable[Origin]) -> tuple[Origin, ...]:
    """Each once, the most telling first."""
    return tuple(sorted(dict.fromkeys(origins), key=lambda origin: _TELLING.index(origin.layer)))


class Sources:
    """Origins of what the render of one key can see. `unit` is the service in the environment that is asked about."""

    def __init__(self, build: Build, inputs: Inputs, unit: UnitEnv) -> None:
        self.build, self.inputs, self.unit = build, inputs, unit
        self.environment = unit[1]
        self.origins = build.origins(unit)
        self.owner = build.effective(unit).owner

    def of(self, read: Pointer) -> tuple[Origin, ...]:
        """Who gave what stands at `read` in the scope; nobody where a renderer made it out of nothing but the kit."""
        find = _ROOTS.get(str(read[0]))
        return () if find is None else tuple(find(self, read))

    def field(self, pointer: Pointer) -> Origin | None:
        """Who gave a field of the effective manifest: itself, what it is part of, or the first thing in it."""
        for size in range(len(pointer), 0, -1):
            if pointer[:size] in self.origins:
                return self.origins[pointer[:size]]
        return next((origin for at, origin in self.origins.items() if at[: len(pointer)] == pointer), None)

    def in_environment(self, field: str, reason: str = "", rest: Pointer = ()) -> Origin:
        """A field of the environment's entry; the entry itself where the field is left to its default."""
        pointer: Pointer = ("environments", self.environment, field, *rest)
        doc = self.build.platform.docs["platform/environments.yaml"]
        left_out = pointer[:3] not in doc.marks and field != "name"
        why = reason or (f"`{field}` is left to its default there" if left_out else "")
        return self.line("environment", doc.path, pointer[:2] if field == "name" else pointer, why, key=field == "name")

    def line(self, layer: Layer, path: str, pointer: Pointer, reason: str = "", *, key: bool = False) -> Origin:
        """A line of one of the platform's own files."""
        pos = self.build.platform.docs[path].at(pointer, key=key)
        return Origin(layer, path, pos.line, pos.column, reason)

    def folder_of(self, name: str) -> str | None:
        """The folder of a neighbour in the same environment."""
        for folder, state in self.build.units.items():
            found = state.environments.get(self.environment)
            if found is not None and found.facts.name == name and (folder, self.environment) != self.unit:
                return folder
        return None

    def asked(self, asker: str, pointer: Pointer, layer: Layer, reason: str) -> list[Origin]:
        """What a service's manifest asks of others."""
        unit = self.build.units[asker].unit
        if unit is None:
            return []
        pos = place_of(unit, self.environment, pointer)
        return [Origin(layer, unit.manifest.path, pos.line, pos.column, reason)]


_Found = Iterable[Origin]


def _service(sources: Sources, read: Pointer) -> _Found:
    found = sources.field(read[1:]) if len(read) > 1 else None
    return () if found is None else (found,)


def _need(sources: Sources, read: Pointer) -> _Found:
    return _of_need(sources, sources.inputs.key[3], read[1:])


def _of_need(sources: Sources, name: str, rest: Pointer = ()) -> list[Origin]:
    found = sources.field(("needs", name, *rest)) or sources.field(("needs", name))
    return [] if found is None else [found]


def _listed(sources: Sources, read: Pointer) -> _Found:
    """`outputs` and `carried`: rows that each belong to a need, in the order of the needs' names."""
    needs = cast("Mapping[str, _Map]", cast(_Map, sources.inputs.value["service"])["needs"])
    if len(read) < 2:
        return [origin for name in sorted(needs) for origin in _of_need(sources, name)]
    rows: list[tuple[str, Pointer]] = []
    for name in sorted(needs):
        outputs = len(cast("Sequence[Value]", needs[name]["outputs"]))
        rows += [(name, ("outputs", at)) for at in range(outputs)] if read[0] == "outputs" else [(name, ())]
    at = cast(int, read[1])
    return _of_need(sources, *rows[at]) if at < len(rows) else []


def _reaches(sources: Sources, read: Pointer) -> _Found:
    """Egress that the recipes of needs add, one after another."""
    value, kit = sources.inputs.value, sources.build.kit
    needs = cast("Mapping[str, _Map]", cast(_Map, value["service"])["needs"])
    names: list[str] = []
    for name in sorted(needs):
        need = needs[name]
        recipe = kit.recipes[str(need["recipe"]), cast(int, need["recipe_version"])]
        scope = {**value, "need": {"name": name, **need}, "place": place_of_need(value, need), "phase": "live"}
        made = with_parts(wanted_parts(recipe.templates, frozenset({"reaches"})), scope)
        if not isinstance(made, Refusal):
            names += [name] * len(cast("Sequence[Value]", cast(_Map, made["parts"]).get("reaches", ())))
    chosen = names[cast(int, read[1]) : cast(int, read[1]) + 1] if len(read) > 1 else names
    return [origin for name in dict.fromkeys(chosen) for origin in _of_need(sources, name, ("recipe",))]


def _needs(sources: Sources, read: Pointer) -> _Found:  # noqa: ARG001  the shape of a row
    return _service(sources, ("service", "needs"))


def _namespace(sources: Sources, read: Pointer) -> _Found:  # noqa: ARG001
    return (sources.in_environment("namespace", "the environment's rule for namespaces"), *_name(sources, ()))


def _name(sources: Sources, read: Pointer) -> _Found:  # noqa: ARG001
    return _service(sources, ("service", "name"))


def _environment(sources: Sources, read: Pointer) -> _Found:
    return (sources.in_environment(str(read[1]), rest=read[2:]),) if len(read) > 1 else ()


def _stores(sources: Sources, read: Pointer) -> _Found:  # noqa: ARG001
    return (sources.in_environment("features", rest=("external_secrets",)), sources.in_environment("secrets"))


def _gateways(sources: Sources, read: Pointer) -> _Found:  # noqa: ARG001
    return (sources.in_environment("gateway"), *_service(sources, ("service", "routes")))


def _otlp(sources: Sources, read: Pointer) -> _Found:  # noqa: ARG001
    return (sources.in_environment("otlp"),)


def _team(sources: Sources, read: Pointer) -> _Found:
    own = sources.inputs.value.get("team")
    slug = str(own["slug"]) if isinstance(own, Mapping) else sources.owner
    field = read[1:] if read[1:] != ("slug",) else ()
    return (sources.line("team", "platform/teams.yaml", ("teams", slug, *field), key=not field),)


def _gitops(sources: Sources, read: Pointer) -> _Found:
    if sources.build.platform.environments[sources.environment].target != "main":
        return (sources.in_environment("gitops", rest=read[1:]),)
    return (sources.line("platform", "platform/config.yaml", ("gitops", *read[1:])),)


def _links(sources: Sources, read: Pointer) -> _Found:
    """A caller is there because it says `uses`; where a used service answers, its own manifest says."""
    if len(read) < 3:
        return _service(sources, ("service", "uses" if read[1:] == ("uses",) else "allow"))
    peers = cast("Mapping[str, Sequence[_Map]]", sources.inputs.value["links"])[str(read[1])]
    peer = str(peers[cast(int, read[2])]["service"])
    folder, me = sources.folder_of(peer), sources.build.effective(sources.unit).name
    if folder is None:
        return ()
    if read[1] == "callers":
        return sources.asked(folder, ("uses", me), "link", f"`{peer}` uses `{me}`")
    if read[3:4] == ("ports",):
        port = sources.build.origins((folder, sources.environment))["port",]
        return [replace(port, layer="link", reason=f"the port of `{peer}`")]
    if read[3:4] == ("namespace",):
        return sources.asked(folder, ("name",), "link", f"where `{peer}` runs")
    own = sources.field(("uses", peer))
    return [] if own is None else [own]


def _blueprint(sources: Sources, read: Pointer) -> _Found:  # noqa: ARG001
    return (sources.line("platform", "platform/config.yaml", ("kit", "blueprints"), "the kit's pin"),)


def _members(sources: Sources, read: Pointer) -> _Found:
    """What an aggregate shows of its services: the one that is asked about stands for all of them."""
    field = {"migrating": "migrate", "hosts": "routes", "uses": "uses", "system": "system", "owner": "owner"}
    return _service(sources, ("service", field.get(str(read[0]), "needs")))


_ROOTS: Final[Mapping[str, Callable[[Sources, Pointer], _Found]]] = {
    "blueprint": _blueprint,
    "carried": _listed,
    "data": _members,
    "env": _environment,
    "folder": _name,
    "for_data": _members,
    "gateways": _gateways,
    "gitops": _gitops,
    "hosts": _members,
    "links": _links,
    "migrating": _members,
    "namespace": _namespace,
    "need": _need,
    "otlp": _otlp,
    "outputs": _listed,
    "owner": _members,
    "patterns": _namespace,
    "place": _namespace,
    "reaches": _reaches,
    "reaches_data": _needs,
    "service": _service,
    "stores": _stores,
    "system": _members,
    "team": _team,
    "uses": _members,
}
"""First step of a pointer into a scope -> who gave it. What is missing here (`kinds`, `phase`, `pods`) is the kit's."""
