"""What a change means to the service, fact by fact: the two effective manifests side by side.

Adding a fact: a line in `FACTS`, in the place where a careful reader would want it. Its first form is what people see;
further forms are looked at only where the first is the same on both sides and the value still differs.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from bot.core.model.plan import Row
from bot.core.model.unit import Effective, Facts, Links, Origins
from bot.core.model.values import Layer, Origin, Pointer, Value
from bot.core.plan.diff import differences
from bot.core.plan.shape import as_list, as_map, at, same


@dataclass(frozen=True, slots=True)
class Seen:
    """A unit-environment as rows look at it."""

    effective: Effective
    origins: Origins
    facts: Facts
    links: Links


Form = Callable[[Seen], Value]


@dataclass(frozen=True, slots=True)
class Fact:
    """One line of FACTS. `places` are where in the effective manifest it is written; `always` tells it of a service
    that is new or goes, too; `leaves_out` are fields of its value that another fact tells; `nothing` is a value that is
    not worth telling where neither side has another."""

    name: str
    places: tuple[Pointer, ...]
    forms: tuple[Form, ...]
    always: bool = False
    leaves_out: frozenset[str] = frozenset()
    nothing: Value = None


def rows(before: Seen | None, after: Seen | None) -> Iterator[Row]:
    """The facts that differ, in the order of FACTS; of a service that is new or goes, those worth telling."""
    for fact in FACTS:
        if fact.always or (before is not None and after is not None):
            yield from _row(fact, before, after)
        if fact.name == "runs":
            yield from _named("need", "needs", _need_forms, before, after, always=True)
        if fact.name == "args":
            yield from _named("env", "env", _env_forms, before, after)
            yield from _named("secret", "secrets", _secret_forms, before, after)


def _row(fact: Fact, before: Seen | None, after: Seen | None) -> Iterator[Row]:
    for form in fact.forms:
        was = form(before) if before is not None else None
        now = form(after) if after is not None else None
        if not same(_less(was, fact), _less(now, fact)) and not (_nothing(was, fact) and _nothing(now, fact)):
            yield Row(fact.name, was, now, _origin(fact.places, before, after))
            return


def _less(value: Value, fact: Fact) -> Value:
    if not fact.leaves_out or not isinstance(value, Mapping):
        return value
    return {name: item for name, item in value.items() if name not in fact.leaves_out}


def _nothing(value: Value, fact: Fact) -> bool:
    return value is None or value == [] or value == {} or value == () or value == fact.nothing


def _origin(places: Sequence[Pointer], before: Seen | None, after: Seen | None) -> Origin | None:
    """The side after says who gave it; the side before where it is gone. Of several leaves that differ, the one that
    a person is most likely to have written."""
    found: list[tuple[int, Origin]] = []
    for place in places:
        was = at(before.effective.value, place) if before is not None else None
        now = at(after.effective.value, place) if after is not None else None
        for difference in differences(was, now):
            gone = after is None or (difference.after is None and before is not None)
            side = before if gone else after
            pointer = (*place, *(difference.was if gone else difference.now))
            origin = origin_at(side.origins, pointer) if side is not None else None
            if origin is not None:
                found.append((LAYERS[origin.layer], origin))
    return min(found, key=lambda item: item[0])[1] if found else None


def origin_at(origins: Origins, pointer: Pointer) -> Origin | None:
    """Who gave the value at `pointer`: itself, the first leaf below it, or the nearest place above it."""
    if pointer in origins:
        return origins[pointer]
    below = [place for place in origins if place[: len(pointer)] == pointer]
    if below:
        return min((origins[place] for place in below), key=lambda o: (LAYERS[o.layer], o.path, o.line))
    return next((origins[pointer[:n]] for n in range(len(pointer) - 1, 0, -1) if pointer[:n] in origins), None)


LAYERS: Mapping[Layer, int] = {
    layer: rank
    for rank, layer in enumerate[Layer](
        ("release", "override", "manifest", "link", "team", "environment", "recipe", "platform", "blueprint")
    )
}
"""The nearer to the person who writes the pull request, the earlier."""


def _value(*pointer: str) -> Form:
    return lambda seen: at(seen.effective.value, pointer)


def _simple(name: str, *pointer: str) -> Fact:
    place = pointer or (name,)
    return Fact(name, (place,), (_value(*place),))


def _image(seen: Seen) -> Value:
    return at(seen.effective.value, ("image", "version")) or None


def _image_named(seen: Seen) -> Value:
    image = as_map(seen.effective.value.get("image"))
    return f"{image['repository']}:{image['version']}" if image.get("version") else None


def _image_exact(seen: Seen) -> Value:
    return at(seen.effective.value, ("image", "ref")) or None


def _runs(seen: Seen) -> Value:
    scale, size = as_map(seen.effective.value.get("scale")), as_map(seen.effective.value.get("size"))
    named = size.get("name") or {"cpu": size.get("cpu"), "memory": size.get("memory")}
    return {"min": scale.get("min"), "max": scale.get("max"), "size": named}


def _resources(seen: Seen) -> Value:
    size = as_map(seen.effective.value.get("size"))
    return {"cpu": size.get("cpu"), "memory": size.get("memory")}


def _size_alone(seen: Seen) -> Value:
    """What a size name means; where the sizes have no name, `runs` has told it."""
    return _resources(seen) if at(seen.effective.value, ("size", "name")) is not None else None


def _reached(seen: Seen) -> Value:
    return {
        "callers": sorted({peer.service for peer in seen.links.callers}),
        "public": any(public for _, _, public in seen.facts.hosts),
        "team": seen.effective.owner,
    }


def _routes(seen: Seen) -> Value:
    return [
        {"host": route.get("host"), "path": route.get("path"), "public": route.get("public")}
        for route in (as_map(item) for item in as_list(seen.effective.value.get("routes")))
    ]


def _uses(seen: Seen) -> Value:
    return sorted(as_map(seen.effective.value.get("uses")))


def _blueprint(seen: Seen) -> Value:
    return f"{seen.effective.type} v{seen.effective.blueprint}"


def _namespace(seen: Seen) -> Value:
    return seen.facts.namespace


def _folder(seen: Seen) -> Value:
    return seen.effective.folder


def _owner(seen: Seen) -> Value:
    return seen.effective.owner


FACTS: tuple[Fact, ...] = (
    Fact("image", (("image",),), (_image, _image_named, _image_exact), always=True),
    Fact("namespace", (), (_namespace,)),
    Fact("runs", (("scale", "min"), ("scale", "max"), ("size",)), (_runs,), always=True),
    Fact("size", (("size",),), (_size_alone,)),
    _simple("scale_at", "scale", "cpu"),
    Fact("reached_by", (("allow",), ("routes",)), (_reached,), always=True, leaves_out=frozenset({"team"})),
    Fact("routes", (("routes",),), (_routes, _value("routes")), always=True),
    Fact("uses", (("uses",),), (_uses,)),
    Fact("migrate", (("migrate",),), (_value("migrate"),), always=True),
    _simple("command"),
    _simple("args"),
    _simple("port"),
    _simple("metrics"),
    _simple("health"),
    _simple("stop"),
    _simple("user"),
    _simple("writable"),
    _simple("tier"),
    Fact("owner", (("owner",),), (_owner,)),
    _simple("slo"),
    Fact("blueprint", (), (_blueprint,)),
    Fact("folder", (), (_folder,)),
    _simple("lifecycle"),
    _simple("system"),
    _simple("description"),
    _simple("urls"),
    # Without prices everything costs nothing, which says nothing.
    Fact("cost", (("cost",),), (_value("cost"),), always=True, nothing="0"),
)
"""Every fact with a fixed name, the most important first. Needs stand after `runs`, variables and secrets after
`args`."""


def _named(
    prefix: str,
    place: str,
    forms: Callable[[str], tuple[Form, ...]],
    before: Seen | None,
    after: Seen | None,
    always: bool = False,
) -> Iterator[Row]:
    if not always and (before is None or after is None):
        return
    names = {name for seen in (before, after) if seen is not None for name in as_map(seen.effective.value.get(place))}
    for name in sorted(names):
        yield from _row(Fact(f"{prefix}.{name}", ((place, name),), forms(name)), before, after)


def _need_forms(name: str) -> tuple[Form, ...]:
    fields = ("type", "class", "size", "version", "form", "ready_in")

    def form(seen: Seen) -> Value:
        need = as_map(at(seen.effective.value, ("needs", name)))
        return {field: need.get(field) for field in fields} if need else None

    return (form,)


def _env_forms(name: str) -> tuple[Form, ...]:
    return (_value("env", name, "value"),)


def _secret_forms(name: str) -> tuple[Form, ...]:
    def form(seen: Seen) -> Value:
        secret = as_map(at(seen.effective.value, ("secrets", name)))
        return secret_path(secret) if secret else None

    return (form,)


def secret_path(secret: Mapping[str, Value]) -> str:
    """`/prod/checkout/KEY`, or `…#field` where it is one field of a value."""
    return f"{secret.get('path')}" + (f"#{secret['key']}" if secret.get("key") else "")
