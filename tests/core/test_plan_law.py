"""What holds of every plan: it names each changed path once, and nothing depends on the order of a mapping."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import replace

from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from bot.core.build import Build, fill
from bot.core.model.plan import ObjectChange, Plan
from bot.core.overlay import Overlay
from bot.core.plan import plan
from bot.core.problem import Refusal
from tests.core.plan_world import CHECKOUT, ENVIRONMENTS, FILES, MEMO, RECIPES, STOREFRONT, built

TEAM = "platform/teams.yaml"
MANIFESTS = {
    CHECKOUT: (
        "",
        "scale: {min: 2, max: 9}\n",
        "uses: [storefront]\n",
        "secrets: [A_KEY]\n",
        "env: {B: '1', A: 'x'}\n",
        "deploy_to: [dev]\n",
        "routes: [{public: true}]\ndeploy_to: [prod]\n",
        "metrics: {port: 9090}\nsize: m\n",
        'needs: {db: {type: postgres, version: "16"}}\n',
        "needs: {db: {type: postgres, class: ha}, files: bucket}\n",
        None,
    ),
    STOREFRONT: (
        "",
        "uses: [checkout]\n",
        "description: What people see\n",
        "tier: 1\n",
        "environments: {dev: {size: l}}\nhealth: /healthz\n",
        None,
    ),
}
HEADS = {
    CHECKOUT: (
        "name: checkout\nowner: payments\ntype: web\nimage: ghcr.io/acme/checkout:1\nallow: {callers: [storefront]}\n",
        "name: checkout\nowner: shop\ntype: web\nimage: ghcr.io/acme/checkout:1\nallow: {callers: [storefront]}\n",
        "name: checkout\nowner: payments\ntype: web\nimage: ghcr.io/acme/checkout:2\nmigrate: [run]\n",
    ),
    STOREFRONT: ("name: storefront\nowner: shop\ntype: web\nimage: ghcr.io/acme/storefront:7\n",),
}
PLATFORM = (
    {},
    {TEAM: FILES[TEAM] + "  growth: {forge_team: acme/growth, cost_centre: cc-7}\n"},
    {
        "platform/environments.yaml": ENVIRONMENTS.replace(
            "domain: acme.com", "domain: acme.net\n    otlp: http://o.o:4317"
        )
    },
    {"platform/environments.yaml": ENVIRONMENTS.replace("external_secrets: true", "external_secrets: false")},
    {"platform/config.yaml": "platform_team: platform\ngitops: {repo: acme/other}\n"},
)


@st.composite
def trees(draw: st.DrawFn) -> dict[str, str | None]:
    """A platform repo out of pieces that go together."""
    files: dict[str, str | None] = {**RECIPES, **draw(st.sampled_from(PLATFORM))}
    for path, pieces in MANIFESTS.items():
        piece = draw(st.sampled_from(pieces))
        where = draw(st.sampled_from((path, path.replace("services/", "services/moved/"))))
        files[path] = None
        if piece is not None:
            files[where] = draw(st.sampled_from(HEADS[path])) + piece
    return files


SETTINGS = settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])


@SETTINGS
@given(trees())
def test_a_build_against_itself_is_an_empty_plan(files: Mapping[str, str | None]) -> None:
    here = built(files)
    found = plan(here, here, MEMO)
    assert (found.services, found.platform, found.concerns) == ((), (), False)


@SETTINGS
@given(trees(), trees())
def test_every_path_that_differs_is_named_by_exactly_one_object(
    one: Mapping[str, str | None], two: Mapping[str, str | None]
) -> None:
    before = built(one)
    after = built(two, held=before)
    was, now = _files(before), _files(after)
    differs = Counter(path for path in was.keys() | now.keys() if was.get(path) != now.get(path))
    named: Counter[str] = Counter()
    for change in _changes(plan(before, after, MEMO)):
        named.update([change.path] if change.was in ("", change.path) else [change.path, change.was])
    assert named == differs


@SETTINGS
@given(trees(), trees())
def test_what_happens_to_a_path_is_what_the_plan_says(
    one: Mapping[str, str | None], two: Mapping[str, str | None]
) -> None:
    before = built(one)
    after = built(two, held=before)
    was, now = _files(before), _files(after)
    for change in _changes(plan(before, after, MEMO)):
        old = change.was or change.path
        assert (old in was) == (change.action in ("change", "delete", "keep"))
        assert (change.path in now) == (change.action in ("change", "create"))


@SETTINGS
@given(trees(), trees())
def test_no_plan_depends_on_the_order_of_a_mapping(
    one: Mapping[str, str | None], two: Mapping[str, str | None]
) -> None:
    before = built(one)
    after = built(two, held=before)
    assert plan(_turned(before), _turned(after), MEMO) == plan(before, after, MEMO)


@SETTINGS
@given(trees(), trees())
def test_the_way_back_has_the_same_facts_turned_round(
    one: Mapping[str, str | None], two: Mapping[str, str | None]
) -> None:
    a, b = built(one), built(two)
    assume(not a.failing() and not b.failing())
    assert _facts(plan(a, b, MEMO)) == {
        (place, fact, after, before) for place, fact, before, after in _facts(plan(b, a, MEMO))
    }


def _files(build: Build) -> dict[str, bytes]:
    """Every output file of a build without a broken unit; not the provenance, which names inputs and no object."""
    assume(not build.failing())  # what was refused keeps its output, which is not this render's
    out: dict[str, bytes] = {}
    for done in fill(build, build.digests, MEMO).values():
        assert not isinstance(done, Refusal)
        out.update((path, data) for path, data in done.files.items() if not path.endswith("/provenance.json"))
    return out


def _changes(found: Plan) -> list[ObjectChange]:
    services = [c for s in found.services for c in (*s.objects, *(o for e in s.environments for o in e.objects))]
    return [*services, *(c for part in found.platform for c in part.objects)]


def _facts(found: Plan) -> set[tuple[tuple[str, str], str, str, str]]:
    return {
        ((s.name, e.environment), r.fact, repr(r.before), repr(r.after))
        for s in found.services
        for e in s.environments
        for r in e.rows
    }


def _turned(build: Build) -> Build:
    platform = replace(
        build.platform,
        environments=dict(reversed(build.platform.environments.items())),
        teams=dict(reversed(build.platform.teams.items())),
        docs=dict(reversed(build.platform.docs.items())),
    )
    units = {
        folder: replace(state, environments=dict(reversed(state.environments.items())))
        for folder, state in reversed(list(build.units.items()))
    }
    return replace(
        build,
        platform=platform,
        units=Overlay(units),
        members=Overlay(dict(reversed(list(build.members.items())))),
        digests=Overlay(dict(reversed(list(build.digests.items())))),
    )
