"""Changing one leaf of a platform repository, and holding the bytes that come of it against the input digests."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache

from bot.core.build import Build, Memo, build, fill
from bot.core.emit import emit_yaml
from bot.core.kit import kit_of
from bot.core.model.render import Key
from bot.core.model.values import Doc, Pointer, Value
from bot.core.parse import parse
from bot.core.problem import Refusal
from bot.core.tree import MemoryTree
from bot.shipped import shipped_tree

Files = Mapping[str, str]
Leaf = tuple[str, Pointer]
"""File, and place in it."""

PROVENANCE = "/provenance.json"
_MEMO = Memo()

WORDS: Mapping[str, Sequence[Value]] = {
    "kind": ("staging", "production", "development"), "drift": ("hold", "restore"), "mode": ("observe", "enforce"),
    "lifecycle": ("deprecated",), "memory": ("1Gi",), "cpu": ("300m", 80), "cluster": ("eu-two",),
    "class": ("ha", "default"), "size": ("l", "s"), "version": ("16",), "until": ("2098-01-31",),
    "action": ("forget",), "timezone": ("Europe/Paris",), "cron": ("0 17 * * 5",), "for": ("61h",),
    "owner": ("payments", "shop", "platform"), "team": ("payments",), "platform_team": ("shop",),
    "environment": ("prod", "dev"), "recipe": ("aws-rds", "cnpg-small", "aws-s3", "obc-bucket"),
    "promote_from": ("edge",), "data": ("prod/old/cache", "10.40.0.0/16", "text"), "from": ("config", "store"),
    "timeout": ("25s",), "ready_in": ("9m",), "path": ("/other",), "repo": ("acme/other",), "host": ("a.pay.example",),
    "image": (f"ghcr.io/acme/checkout@sha256:{'9c' * 32}", "ghcr.io/acme/other:8"), "commit": ("5d" * 20,),
    "namespace": ("{service}-{env}", "elsewhere"), "pull_secret": ("platform/other#json",), "otlp": ("http://o.o:1", "https://o.o.svc:7/x"),
    "role": ("arn:aws:iam::1:role/{team}-{env}",), "callers": ("inventory",), "uses": ("inventory",),
    "deploy_to": ("dev", "edge"), "domain": ("other.acme.com",), "keys": ("host",), "remove": ("env.RETRIES", "slo"),
    "command": ("ruby",), "writable": ("/srv/data",), "secrets": ("OTHER_KEY",), "STRIPE_KEY": ("stripe#other",),
    "form": ("terraform",), "type": ("bucket", "web", "string"), "STOCK": ("X_URL",), "variable": ("OTHER_URL",),
    "ready": ("/r",), "live": ("/l",), "start": ("/s",), "health": ("/other",), "name": ("other", "x-{{ env.name }}"),
    "runbook": ("https://r.acme.com",), "board": ("https://b.acme.com",), "url": ("https://git.acme.com/o.git",),
    "availability": (98, "97.5"), "hosts": ("*.other.example", "other.example"), "region": ("eu-north-1",),
}  # fmt: skip
"""What else could stand at a place, by the nearest key; a wrong guess is refused and the next one tried."""


@dataclass(frozen=True, slots=True)
class Made:
    """All that a platform renders: digest and files by key. `refused` are keys that have no render."""

    digests: Mapping[Key, str]
    files: Mapping[Key, Mapping[str, bytes]]
    whole: bool
    """No unit is refused."""


def built(files: Files) -> Build | Refusal:
    tree = MemoryTree({path: text.encode() for path, text in files.items()})
    kit = kit_of(tree, shipped_tree())
    return kit if isinstance(kit, Refusal) else build(tree, kit, _MEMO)


def everything(files: Files, render: bool = True) -> Made:
    """The digests, and every key rendered from its own inputs. AssertionError where anything is refused."""
    found = built(files)
    assert isinstance(found, Build), found
    made = _made(found, render)
    problems = [problem for state in found.units.values() for problem in state.problems]
    assert made.whole, problems
    return made


def _made(found: Build, render: bool = True) -> Made:
    done = fill(found, found.digests, Memo()) if render else {}
    files = {key: one.files for key, one in done.items() if not isinstance(one, Refusal)}
    return Made(dict(found.digests), files, not found.failing() and not found.linked.losers)


def leaves_of(files: Files) -> list[Leaf]:
    """Every scalar of every file that is YAML, in the order of the files."""
    return [(path, pointer) for path, text in files.items() for pointer in _leaves(value_of(path, text), ())]


def value_of(path: str, text: str) -> Value:
    """What a file says."""
    doc = parse(path, text.encode())
    assert isinstance(doc, Doc), doc
    return doc.value


def _leaves(value: Value, at: Pointer) -> Iterator[Pointer]:
    if isinstance(value, Mapping):
        for key, inner in value.items():
            yield from _leaves(inner, (*at, key))
    elif isinstance(value, list):
        for index, inner in enumerate(value):
            yield from _leaves(inner, (*at, index))
    else:
        yield at


def changed(files: Files, leaf: Leaf) -> Iterator[dict[str, str]]:
    """The repository with this leaf replaced by something else, and without it, most telling first."""
    path, pointer = leaf
    value = value_of(path, files[path])
    for other in _others(pointer, _at(value, pointer)):
        yield {**files, path: emit_yaml(with_leaf(value, pointer, other)).decode()}
    yield {**files, path: emit_yaml(_without(value, pointer)).decode()}


def _others(pointer: Pointer, value: Value) -> Iterator[Value]:
    name = next((str(part) for part in reversed(pointer) if isinstance(part, str)), "")
    yield from (word for word in WORDS.get(name, ()) if word != value)
    if isinstance(value, bool):
        yield not value
    elif isinstance(value, int | float):
        yield value + 1
        yield value - 1
    elif isinstance(value, str):
        yield f"{value}x"
        yield f"{value[:-1]}7"


def _at(value: Value, pointer: Pointer) -> Value:
    for part in pointer:
        value = value[part]  # type: ignore[index]  # the pointer came from this value
    return value


def with_leaf(value: Value, pointer: Pointer, other: Value) -> Value:
    """The value with `other` at `pointer`."""
    if not pointer:
        return other
    head, rest = pointer[0], pointer[1:]
    if isinstance(value, Mapping):
        return {key: with_leaf(inner, rest, other) if key == head else inner for key, inner in value.items()}
    assert isinstance(value, list)
    return [with_leaf(inner, rest, other) if index == head else inner for index, inner in enumerate(value)]


def _without(value: Value, pointer: Pointer) -> Value:
    head, rest = pointer[0], pointer[1:]
    if isinstance(value, Mapping):
        return {
            key: _without(inner, rest) if key == head else inner for key, inner in value.items() if rest or key != head
        }
    assert isinstance(value, list)
    return [
        _without(inner, rest) if index == head else inner for index, inner in enumerate(value) if rest or index != head
    ]


@dataclass(slots=True)
class Tally:
    """What came of changing leaves one by one."""

    leaves: int = 0
    tried: int = 0
    """Leaves with at least one change that the platform accepts."""
    changes: int = 0
    compared: int = 0
    """Keys that both sides have."""
    rendered: int = 0
    """Of those, keys whose digest differs, so that a bot renders them again."""
    needless: int = 0
    """Of those, keys whose bytes are the same but for the provenance."""
    missed: list[str] = field(default_factory=list)
    wasted: Counter[str] = field(default_factory=Counter)
    """Needless ones by kind of key and field."""
    refused: list[str] = field(default_factory=list)
    """Leaves of which every change is refused."""

    def __str__(self) -> str:
        share = self.needless / self.rendered if self.rendered else 0
        worst = ", ".join(f"{what} {count}" for what, count in self.wasted.most_common(6))
        return (
            f"input digests: {self.tried} of {self.leaves} leaves changed in {self.changes} ways, {self.compared} keys"
            f" compared, {len(self.missed)} missed, {self.rendered} rendered again, {self.needless} of them needlessly"
            f" ({share:.1%}){': ' + worst if worst else ''}"
        )


def tally(files: Files, leaves: Sequence[Leaf], most: int = 2) -> Tally:
    """Changes each leaf in up to `most` ways that the platform accepts."""
    before = everything(files)
    found = Tally()
    for leaf in leaves:
        found.leaves += 1
        accepted = 0
        for after in changed(files, leaf):
            made = _outcome(tuple(after.items()))
            if made is not None and accepted < most:
                accepted += 1
                _compare(before, made, leaf, found)
        found.changes += accepted
        found.tried += accepted > 0
        if not accepted:
            found.refused.append(f"{leaf[0]}:{'.'.join(map(str, leaf[1]))}")
    return found


@lru_cache(maxsize=1)
def _outcome(files: tuple[tuple[str, str], ...]) -> Made | None:
    found = built(dict(files))
    return None if isinstance(found, Refusal) else _made(found)


def _compare(before: Made, after: Made, leaf: Leaf, found: Tally) -> None:
    for key in before.files.keys() & after.files.keys():
        found.compared += 1
        if before.digests[key] == after.digests[key]:
            if before.files[key] != after.files[key]:
                found.missed.append(f"{leaf}: {key}")
        else:
            found.rendered += 1
            if _told(before.files[key]) == _told(after.files[key]):
                found.needless += 1
                named = ".".join(str(part) for part in leaf[1] if isinstance(part, str))
                found.wasted[f"{key[0]} by {leaf[0]}:{named}"] += 1


def _told(files: Mapping[str, bytes]) -> dict[str, bytes]:
    return {path: data for path, data in files.items() if not path.endswith(PROVENANCE)}


def reworded(text: str) -> Iterator[str]:
    """Other ways to write the same file: with comments, blank lines, other line ends, and its keys in another order."""
    yield f"# a comment\n\n{text}\n# another\n"
    yield text.replace("\n", "\r\n")
    yield text.replace("\n", "  # why\n", 1)
    value = value_of("", text)
    yield emit_yaml(value).decode() + "\n"
    yield emit_yaml(_turned(value)).decode()


def _turned(value: Value) -> Value:
    if isinstance(value, Mapping):
        return {key: _turned(inner) for key, inner in reversed([*value.items()])}
    return [_turned(inner) for inner in value] if isinstance(value, list) else value
