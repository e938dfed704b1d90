"""What happens to state: each need of a service in an environment, and whether what is stored outlives the change."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from bot.core.kit import Kit
from bot.core.model.delivery import Kept
from bot.core.model.plan import DataAction, DataChange
from bot.core.model.values import Origin, Value
from bot.core.plan.rows import Seen, origin_at
from bot.core.plan.shape import as_list, as_map, same

FIELDS = ("type", "recipe", "recipe_version", "class", "size", "version")
"""What is told of a need that changes, beside its options."""


@dataclass(frozen=True, slots=True)
class Stakes:
    """What else decides: what is kept, what may be destroyed, and whether a root's own surroundings differ."""

    environment: str
    service: str
    kept: Kept
    destroys: frozenset[tuple[str, str]]
    """(`env/service/need`, `destroy` or `forget`) with its approvals in."""
    kit: Kit
    moved: frozenset[str]
    """Needs whose output differs."""
    elsewhere: bool
    """The environment's Terraform backend or providers differ: what a root makes may be made anew."""


def data_changes(before: Seen | None, after: Seen | None, stakes: Stakes) -> Iterator[DataChange]:
    """One entry for each need that comes, goes or changes, by name."""
    old, new = _needs(before), _needs(after)
    for name in sorted(old.keys() | new.keys()):
        was, now = old.get(name), new.get(name)
        action = _action(f"{stakes.environment}/{stakes.service}/{name}", name, was, now, stakes)
        if action is not None:
            need, seen = (now, after) if now is not None else (was or {}, before)
            yield DataChange(
                need=name,
                type=str(need.get("type")),
                recipe=str(need.get("recipe")),
                action=action,
                detail=_detail(was, now) if was is not None and now is not None else "",
                ready_in=str(need.get("ready_in") or "") if action in ("create", "replace") else "",
                cost=str(need.get("price") or "0"),
                origin=_origin(name, was, now, seen),
                protected=bool(need.get("stateful")) and bool(need.get("protected")),
            )


def returns(name: str, kept: Kept) -> bool:
    """True where `env/service/need` is kept with its data."""
    return any(entry.reason == "data" and entry.unit == name for entry in kept.values())


def _needs(seen: Seen | None) -> Mapping[str, Mapping[str, Value]]:
    found = as_map(seen.effective.value.get("needs")) if seen is not None and not seen.effective.waiting else {}
    return {name: as_map(need) for name, need in found.items()}


def _action(
    identity: str, name: str, was: Mapping[str, Value] | None, now: Mapping[str, Value] | None, stakes: Stakes
) -> DataAction | None:
    if was is None:
        return "return" if returns(identity, stakes.kept) else "create"
    if now is None:
        return _gone(identity, was, stakes)
    changed = frozenset(field for field, _, _ in _fields(was, now))
    if not changed:
        if name not in stakes.moved:
            return None
        return "unknown" if now.get("form") == "terraform" and stakes.elsewhere else "change"
    if "recipe" in changed or "type" in changed or changed & _replacing(now):
        return "replace"
    if now.get("form") == "terraform" and (
        "recipe_version" in changed or stakes.elsewhere or not _declares(now, stakes.kit)
    ):
        return "unknown"
    return "change"


def _gone(identity: str, was: Mapping[str, Value], stakes: Stakes) -> DataAction:
    if was.get("stateful") and was.get("protected"):
        if (identity, "forget") in stakes.destroys:
            return "forget"
        return "destroy" if (identity, "destroy") in stakes.destroys else "keep"
    return "drain" if was.get("form") == "terraform" else "prune"


def _replacing(need: Mapping[str, Value]) -> frozenset[str]:
    return frozenset(str(field) for field in as_list(need.get("replaces_on")))


def _declares(need: Mapping[str, Value], kit: Kit) -> bool:
    """True where the recipe says which fields replace, be it none of them: then all others change in place."""
    if _replacing(need):
        return True
    version = need.get("recipe_version")
    recipe = kit.recipes.get((str(need.get("recipe")), version)) if isinstance(version, int) else None
    return recipe is not None and "replaces_on" in recipe.meta


def _fields(was: Mapping[str, Value], now: Mapping[str, Value]) -> Iterator[tuple[str, Value, Value]]:
    for field in FIELDS:
        if not same(was.get(field), now.get(field)):
            yield field, was.get(field), now.get(field)
    old, new = as_map(was.get("options")), as_map(now.get("options"))
    for option in sorted(old.keys() | new.keys()):
        if option not in FIELDS and not same(old.get(option), new.get(option)):
            yield option, old.get(option), new.get(option)


def _detail(was: Mapping[str, Value], now: Mapping[str, Value]) -> str:
    return ", ".join(f"{field}: {_said(a)} → {_said(b)}" for field, a, b in _fields(was, now))


def _said(value: Value) -> str:
    if value is None or value == "":
        return "none"
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value)


def _origin(
    name: str, was: Mapping[str, Value] | None, now: Mapping[str, Value] | None, seen: Seen | None
) -> Origin | None:
    if seen is None:
        return None
    for field, _, _ in _fields(was, now) if was is not None and now is not None else ():
        pointer = ("needs", name, field) if field in now else ("needs", name, "options", field)  # type: ignore[operator]
        return origin_at(seen.origins, pointer)
    return origin_at(seen.origins, ("needs", name))
