"""The whole answer: values, each with who gave it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from bot.core.build import Build, inputs_of
from bot.core.explain.asked import files_asked, fits, steps, unit_asked, unknown
from bot.core.explain.places import Texts
from bot.core.explain.shapes import Explained, Spot, Unknown, dotted
from bot.core.explain.sheet import Made, made_by, sheets
from bot.core.explain.sources import Sources, told
from bot.core.kit.defaults import leaves
from bot.core.model.render import Key, Objects
from bot.core.model.values import Layer, ObjectKey, Origin, Pointer, Pos, UnitEnv, Value
from bot.core.problem import Refusal
from bot.core.render import RENDERERS


def explain(build: Build, service: str, environment: str, path: str, texts: Texts) -> tuple[Explained, ...] | Unknown:
    """Who gave the values at `path` to a service in an environment, in the order of the file.

    `path` is a field of the effective manifest (`scale.min`, `needs.db`), or a file and a place in it
    (`deployment:spec.replicas`, `kubernetes/deployment-checkout.yaml:spec`), or empty for every field. A place that
    holds others stands for all of them. `texts` gives the templates' own text, for the exact line of what they fix.
    """
    unit = unit_asked(build, service, environment)
    if isinstance(unit, Unknown):
        return unit
    file, colon, place = path.partition(":")
    if not colon:
        fields = _fields(build, unit, path)
        if fields or not path:
            return fields
    rendered = dict(_rendered(build, unit))
    chosen = files_asked(file, rendered)
    if not chosen:
        known = sorted(rendered) if colon else [*_names(build, unit), *rendered]
        return unknown("path", file, known)
    found = [row for one in chosen for row in _in_file(build, unit, rendered[one], one, place, texts)]
    if found:
        return tuple(found)
    missing = [row for one in chosen for row in _left_out(build, unit, rendered[one], one, place)]
    if missing:
        return tuple(missing)
    there = [
        dotted(at[:size]) for one in chosen for at in _places(rendered[one][1][one]) for size in range(1, len(at) + 1)
    ]
    return unknown("path", place, list(dict.fromkeys(there)))


def everything(build: Build, unit: UnitEnv, texts: Texts) -> Iterator[Explained]:
    """Every value of every file that one service has a part in."""
    for path, (key, objects) in _rendered(build, unit):
        yield from _in_file(build, unit, (key, objects), path, "", texts)


def keys_of(build: Build, unit: UnitEnv) -> list[Key]:
    """The parts of the output that a service in an environment takes part in, its own first."""
    owner = build.effective(unit).owner
    frame: set[Key] = {("environment", unit[1]), ("project", unit[1], owner), ("group", owner)}
    own = [key for key, members in build.members.items() if unit in members]
    first = {"service": 0, "data": 1}
    return sorted([*own, *(key for key in build.members if key in frame)], key=lambda key: (first.get(key[0], 2), key))


def _fields(build: Build, unit: UnitEnv, asked: str) -> tuple[Explained, ...]:
    value, origins = build.effective(unit).value, build.origins(unit)
    return tuple(
        Explained("", at, _at(value, at), origins[at]) for at in leaves(value) if at in origins and fits(at, asked)
    )


def _names(build: Build, unit: UnitEnv) -> list[str]:
    known = leaves(build.effective(unit).value)
    return list(dict.fromkeys(dotted(at[:size]) for at in known for size in range(1, len(at) + 1)))


def _rendered(build: Build, unit: UnitEnv) -> Iterator[tuple[ObjectKey, tuple[Key, Objects]]]:
    for key in keys_of(build, unit):
        objects = RENDERERS[key[0]].objects(inputs_of(build, key), build.kit)
        if not isinstance(objects, Refusal):
            yield from ((path, (key, objects)) for path in objects)


def _in_file(
    build: Build, unit: UnitEnv, held: tuple[Key, Objects], path: ObjectKey, place: str, texts: Texts
) -> Iterator[Explained]:
    key, objects = held
    inputs, value = inputs_of(build, key), objects[path]
    if isinstance(value, str):
        yield _copied(build, key, path)
        return
    made, sources = made_by(sheets(inputs, build.kit), objects), Sources(build, inputs, unit)
    several = isinstance(value, list)
    for index, one in enumerate(value if isinstance(value, list) else [value]):
        for at in leaves(one):
            whole = (index, *at) if several else at
            if fits(whole, place) or (several and fits(at, place)):
                yield _explained(path, whole, at, _at(one, at), made[path, index], sources, texts)


def _explained(
    path: ObjectKey, whole: Pointer, at: Pointer, value: Value, made: Made, sources: Sources, texts: Texts
) -> Explained:
    inside = (*made.at, *at)
    sync = at == ("metadata", "annotations", "argocd.argoproj.io/sync-options")
    if at == ("metadata", "name") and made.sheet.has(made.template, (*made.at, "metadata", "generateName")):
        inside = (*made.at, "metadata", "generateName")
    found = made.sheet.find(made.template, inside, texts)
    given = told(origin for read in found.reads for origin in sources.of(read))
    around = told(origin for read in found.around for origin in sources.of(read))
    if sync and sources.inputs.key[0] == "data":
        kept = sources.field(("needs", sources.inputs.key[3], "protected"))
        given = told([*given, *([] if kept is None else [kept])])
    if not given and not found.fixed:
        given, around = around, ()
    origin = given[0] if given else _own(found.spot)
    also = tuple(one for one in dict.fromkeys((*given[1:], *around)) if one != origin)
    return Explained(path, whole, value, origin, also, found.spot, fixed=not given)


def _left_out(
    build: Build, unit: UnitEnv, held: tuple[Key, Objects], path: ObjectKey, place: str
) -> Iterator[Explained]:
    """What the template of a file says of a place that is not there: the condition that does not hold."""
    key, objects = held
    inputs = inputs_of(build, key)
    sources, pointer = Sources(build, inputs, unit), steps(place)
    for (made_path, _), made in made_by(sheets(inputs, build.kit), objects).items():
        found = made.sheet.left_out(made.template, (*made.at, *pointer)) if made_path == path else None
        if found is not None:
            given = told(origin for read in found[0].reads for origin in sources.of(read))
            origin = given[0] if given else _own(found[0].spot)
            yield Explained(path, pointer, None, origin, given[1:], found[0].spot, found[1], not given)


def _own(spot: Spot) -> Origin:
    """What a template says itself."""
    layer: Layer = "blueprint"
    if "/recipes/" in f"/{spot.path}":
        layer = "recipe"
    elif "/blueprints/platform/" in f"/{spot.path}":
        layer = "platform"
    return Origin(layer, spot.path, spot.at.line, spot.at.column, f"the {layer}'s own")


def _copied(build: Build, key: Key, path: ObjectKey) -> Explained:
    """A file that is written as it is: one of a recipe's module, or a word to whoever opens the folder."""
    start = Pos(1, 1)
    if key[0] == "data":
        need = build.effective((key[1], key[2])).value["needs"]
        assert isinstance(need, Mapping)  # noqa: S101  the schema of effective manifests says so
        row = need[key[3]]
        assert isinstance(row, Mapping)  # noqa: S101
        recipe = build.kit.recipes[str(row["recipe"]), int(str(row["recipe_version"]))]
        name = next((name for name in recipe.files if path.endswith(f"/{name}")), "")
        source = f"{recipe.path.rpartition('/')[0]}/{name}"
        origin = Origin("recipe", source, 1, 1, "copied from the recipe as it is")
        return Explained(path, (), path.rpartition("/")[2], origin, (), Spot(source, start), fixed=True)
    source = f"{build.kit.platform.path}"
    origin = Origin("platform", source, 1, 1, "a word to whoever opens the folder; it also keeps the folder in git")
    return Explained(path, (), path.rpartition("/")[2], origin, (), Spot(source, start), fixed=True)


def _places(value: Value) -> list[Pointer]:
    return leaves(value) if not isinstance(value, str) else []


def _at(value: Value, pointer: Pointer) -> Value:
    for step in pointer:
        value = value[step]  # type: ignore[index]  # the pointer came from this very value
    return value
