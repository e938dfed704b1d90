"""A build that starts from any other build equals a cold one, field by field."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import fields

from hypothesis import HealthCheck, given, settings

from bot.core.build import Build, Memo, build, inputs_of
from bot.core.kit import Kit, kit_of
from bot.core.problem import Refusal
from bot.core.render import digest
from bot.core.tree import Tree
from bot.shipped import shipped_tree
from tests.core.fleets import Chance, histories, tree_of

SETTINGS = settings(max_examples=50, deadline=None, suppress_health_check=list(HealthCheck))


@SETTINGS
@given(histories())
def test_a_build_from_any_other_build_equals_a_cold_build(history: list[Chance]) -> None:
    hold_to_the_law(history)


def hold_to_the_law(history: list[Chance]) -> int:
    """Builds every moment warm, from whichever moment it names, and cold; AssertionError where they differ. Gives the
    number of comparisons."""
    memo = Memo()
    trees: list[Tree] = []
    done: list[Build | None] = []
    for moment in history:
        tree = tree_of(moment.files)
        trees.append(tree)
        kit = kit_of(tree, shipped_tree())
        assert isinstance(kit, Kit), kit
        good = {folder: None if at is None else trees[at % len(trees)] for folder, at in moment.last_good.items()}
        held = _earlier(done, moment.held)
        cold = build(tree, kit, Memo(), held=held, last_good=good)
        for since in (None, *_starts(done, moment.since)):
            warm = build(tree, kit, memo, since=since, held=held, last_good=good)
            differs = list(differences(cold, warm))
            assert not differs, differs
        done.append(None if isinstance(cold, Refusal) else warm if isinstance(warm, Build) else None)
    return len(history)


def _earlier(done: list[Build | None], at: int | None) -> Build | None:
    return done[at % len(done)] if done and at is not None else None


def _starts(done: list[Build | None], at: int | None) -> Iterator[Build]:
    """The build just before, which is the usual start, and any other."""
    yield from {id(one): one for one in (done[-1] if done else None, _earlier(done, at)) if one is not None}.values()


def differences(cold: Build | Refusal, warm: Build | Refusal) -> Iterator[str]:
    """Names of the fields that are not the same, and of keys whose digest is not that of their inputs."""
    if isinstance(cold, Refusal) or isinstance(warm, Refusal):
        if cold != warm:
            yield f"{cold} is not {warm}"
        return
    for field in fields(Build):
        if field.compare:
            one, other = _plain(getattr(cold, field.name)), _plain(getattr(warm, field.name))
            if one != other:
                yield f"{field.name}: {_first(one, other)}"
    for key in warm.digests:
        if digest(inputs_of(warm, key)) != cold.digests.get(key):
            yield f"the inputs of {key}"


def _plain(value: object) -> object:
    """Whatever mapping a field uses, as a dict: how it is kept is no part of what it says."""
    return dict(value) if isinstance(value, Mapping) else value


def _first(one: object, other: object) -> str:
    if isinstance(one, dict) and isinstance(other, dict):
        for key in one.keys() | other.keys():
            if one.get(key) != other.get(key):
                return f"{key}: cold {one.get(key)!r}, warm {other.get(key)!r}"[:2000]
    return f"cold {one!r}, warm {other!r}"[:2000]


def test_the_comparison_sees_a_difference() -> None:
    """The guard itself is guarded: a build of another tree is not equal."""
    files = {
        "platform/config.yaml": "platform_team: platform\ngitops: {repo: acme/gitops}\n",
        "platform/teams.yaml": "teams: {platform: {forge_team: acme/platform}}\n",
        "platform/environments.yaml": "environments: {dev: {kind: development, default: true, cluster: {name: d}}}\n",
        "services/a/platform.yaml": "name: a\nowner: platform\ntype: web\nimage: a/b:1\n",
    }
    kit = kit_of(tree_of(files), shipped_tree())
    assert isinstance(kit, Kit)
    one = build(tree_of(files), kit, Memo())
    two = build(
        tree_of({**files, "services/a/platform.yaml": files["services/a/platform.yaml"] + "tier: 1\n"}), kit, Memo()
    )
    found = list(differences(one, two))
    assert [line.partition(":")[0] for line in found][:3] == ["tree_id", "units", "digests"]
