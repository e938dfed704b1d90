"""What a manifest means in one environment: layers, references, limits, and where each value comes from."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.core.emit import emit_yaml
from bot.core.kit.defaults import leaves
from bot.core.load import load_unit
from bot.core.model.unit import Unit
from bot.core.problem import Refusal
from bot.core.resolve import resolve
from bot.core.text import flaw_in
from tests.core.language_world import MINIMAL, codes, kit_for, manifest, platform_for, problems, repo

HEAD = "name: checkout\nowner: payments\ntype: web\nimage: ghcr.io/acme/checkout\n"
DIGEST = "ghcr.io/acme/checkout@sha256:" + "a" * 64


def _value(text: str, environment: str = "prod", **more: str) -> Any:
    return manifest(text, environment, **more)[0].value


def test_four_lines_are_enough_and_every_leaf_says_where_it_comes_from() -> None:
    for environment in ("dev", "prod"):
        effective, origins = manifest(MINIMAL, environment)
        assert not effective.waiting
        assert set(origins) == set(leaves(effective.value))
        assert origins["image", "tag"].layer == "manifest"
        assert (origins["image", "tag"].line, origins["image", "tag"].column) == (4, 8)
        assert origins["routes", 0, "host"].path == "platform/environments.yaml"
        assert origins["scale", "min"].reason


def test_layers_win_in_order_release_override_manifest_blueprint() -> None:
    text = HEAD + "size: m\nscale: {max: 9}\nenv: {A: one, B: two}\nenvironments:\n  prod: {size: l, env: {B: three}}\n"
    effective, origins = manifest(text, releases=f'prod: {{image: "{DIGEST}"}}\n')
    value: Any = effective.value
    assert value["size"]["name"] == "l"
    assert value["scale"] == {"min": 2, "max": 9, "cpu": 70}
    assert value["env"] == {"A": {"value": "one"}, "B": {"value": "three"}}
    assert value["image"]["version"] == "a" * 12
    layers = {pointer: origins[pointer].layer for pointer in origins}
    assert layers["image", "ref"] == "release"
    assert layers["size", "name"] == "override"
    assert layers["env", "B", "value"] == "override"
    assert layers["env", "A", "value"] == "manifest"
    assert layers["scale", "max"] == "manifest"
    assert layers["scale", "min"] == "blueprint"
    assert origins["image", "ref"].path == "services/checkout/releases.yaml"
    assert _value(text, "dev")["size"]["name"] == "m"


def test_without_a_release_a_service_waits_and_says_so() -> None:
    effective, _ = manifest(HEAD)
    assert effective.waiting
    assert effective.value["image"] == {
        "ref": "ghcr.io/acme/checkout", "repository": "ghcr.io/acme/checkout",
        "tag": None, "digest": None, "version": "",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("image", "repository", "tag", "digest"),
    [
        ("nginx:1", "nginx", "1", None),
        ("localhost:5000/a/b:1.2", "localhost:5000/a/b", "1.2", None),
        (f"r.io/a:1@sha256:{'b' * 64}", "r.io/a", "1", f"sha256:{'b' * 64}"),
        (f"r.io:80/a@sha256:{'b' * 64}", "r.io:80/a", None, f"sha256:{'b' * 64}"),
    ],
)
def test_images_are_taken_apart(image: str, repository: str, tag: str | None, digest: str | None) -> None:
    found = _value(HEAD.replace("ghcr.io/acme/checkout", f'"{image}"'))["image"]
    assert (found["repository"], found["tag"], found["digest"]) == (repository, tag, digest)


@pytest.mark.parametrize(
    ("image", "release", "expected"),
    [
        ("ghcr.io/acme/checkout:latest", None, ["CW0405"]),
        ("ghcr.io/acme/checkout:1", DIGEST, ["CW0406"]),
        ("ghcr.io/acme/checkout", "ghcr.io/acme/other:1", ["CW0406"]),
        ("ghcr.io/acme/checkout", "ghcr.io/acme/checkout", ["CW0405"]),
        ("ghcr.io/acme/checkout", "ghcr.io/acme/checkout:latest", ["CW0405"]),
        ("ghcr.io/acme/checkout", DIGEST, []),
    ],
)
def test_what_runs_is_decided_once_and_stays_the_same(image: str, release: str | None, expected: list[str]) -> None:
    more = {} if release is None else {"releases": f'prod: {{image: "{release}"}}\n'}
    assert codes(HEAD.replace("ghcr.io/acme/checkout", image), **more) == expected


def test_remove_drops_what_the_manifest_says_and_the_default_holds_again() -> None:
    text = MINIMAL + "tier: 1\nslo: {availability: 95}\nenv: {A: x}\nuses: [a, b]\nneeds: {db: postgres}\n"
    text += "environments:\n  prod: {remove: [slo, env.A, uses.a, needs.db, slo.availability]}\n"
    assert codes(text) == ["CW0404"], "the second `slo` has nothing left to remove"
    value = _value(text.replace(", slo.availability", ""))
    assert (value["slo"]["availability"], value["env"], list(value["uses"]), value["needs"]) == ("99.9", {}, ["b"], {})


def test_maps_merge_lists_replace_and_forms_of_size_and_scale_replace_each_other_whole() -> None:
    text = MINIMAL + "secrets: [A]\nargs: [a, b]\nscale: 3\nsize: {cpu: 1, memory: 1Gi}\nhealth: /up\n"
    text += "environments:\n"
    text += "  prod: {secrets: {B: x#y}, args: [c], scale: {max: 9}, size: {cpu: 2}, health: {live: /live}}\n"
    text += "  dev: {size: m, scale: {min: 2, max: 2}}\n"
    value = _value(text)
    assert list(value["secrets"]) == ["A", "B"]
    assert value["secrets"]["B"] == {"path": "/prod/checkout/x", "key": "y"}
    assert value["args"] == ["c"]
    assert value["scale"] == {"min": 2, "max": 9, "cpu": 70}
    assert value["size"] == {"name": None, "cpu": "2", "memory": "1Gi"}
    assert value["health"] == {"ready": "/up", "live": "/live", "start": "/up"}
    assert _value(text, "dev")["size"]["name"] == "m"


def test_an_end_of_the_scale_that_only_the_default_names_gives_way() -> None:
    effective, origins = manifest(MINIMAL + "scale: {min: 6}\n")
    assert effective.value["scale"] == {"min": 6, "max": 6, "cpu": 70}
    assert origins["scale", "max"].layer == "manifest"
    assert _value(MINIMAL + "scale: {max: 1}\n")["scale"]["min"] == 1
    assert codes(MINIMAL + "scale: {min: 3, max: 2}\n") == ["CW0416"]


def test_what_is_merged_must_still_be_a_manifest() -> None:
    assert codes(MINIMAL + "environments:\n  dev: {needs: {db: {size: m}}}\n") == ["CW0111"]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("env: {A: '${needs.db.host}'}\n", ["CW0408"]),
        ("needs: {db: postgres}\nenv: {A: '${needs.db.hots}'}\n", ["CW0408"]),
        ("needs: {db: postgres}\nenv: {A: '${needs.db.host}', DB_HOST: x}\n", ["CW0409"]),
        ("uses: [stock]\nsecrets: [STOCK_URL]\n", ["CW0409"]),
        ("uses: {stock: {variable: S}}\nsecrets: [STOCK_URL]\n", []),
        ("needs: {a: postgres, a-port: bucket}\nenv: {A_PORT_HOST: x}\n", ["CW0409"]),
        ("env: {A: '${x}'}\n", ["CW0407"]),
        ("env: {A: 'a ${ b'}\n", ["CW0407"]),
        ("env: {A: 'a $${ b', B: '$HOME', C: '$$'}\n", []),
        ("routes: [{host: elsewhere.org}]\n", ["CW0411"]),
        ("routes: [{host: xacme.com}]\n", ["CW0411"]),
        ("routes: [{path: /a}, {path: /a}]\n", ["CW0421"]),
        ("deploy_to: [prod]\nenvironments: {dev: {size: m}}\n", ["CW0403"]),
        ("deploy_to: [prod, prd]\n", ["CW0402"]),
        ("deploy_to: [dev]\nenvironments: {dev: {routes: [{public: true, host: a.dev.acme.io}]}}\n", ["CW0412"]),
        ("tier: 4\nslo: {latency_ms: 5}\n", ["CW0422"]),
        ("stop: {drain: 60}\n", []),
        ("stop: {grace: 5}\n", ["CW0416"]),
        ("uses: [checkout]\n", ["CW0420"]),
        ("deploy_to: [prod]\nneeds: {db: {type: postgres, class: gold}}\n", ["CW0414"]),
        ("deploy_to: [prod]\nneeds: {b: {type: bucket, size: m}}\n", ["CW0414"]),
        ("deploy_to: [prod]\nneeds: {b: {type: bucket, version: '17'}}\n", ["CW0414"]),
    ],
)
def test_what_cannot_work_is_a_problem_in_every_place_it_stands(text: str, expected: list[str]) -> None:
    assert sorted(set(codes(MINIMAL + text))) == expected


def test_a_public_route_in_the_manifest_means_the_places_that_have_a_public_gateway() -> None:
    text = MINIMAL + "routes: [{public: true}]\n"
    assert _value(text)["routes"][0]["public"] is True
    effective, origins = manifest(text, "dev")
    assert effective.value["routes"] == [
        {"host": "checkout.dev.acme.io", "path": "/", "public": False, "timeout": "30s"}
    ]
    assert origins["routes", 0, "public"].reason == "this environment has no public gateway"


def test_hosts_of_the_team_may_be_taken_everywhere() -> None:
    text = (
        MINIMAL.replace("payments", "storefront")
        + "deploy_to: [prod]\nroutes: [{host: a.acme.org}, {host: pay.example.net}]\n"
    )
    assert not codes(text)
    assert codes(text.replace("a.acme.org", "acme.org")) == ["CW0411"]


def test_an_unknown_owner_is_told_with_the_closest_team() -> None:
    [problem] = problems({"services/checkout/platform.yaml": MINIMAL.replace("payments", "paymets")})
    assert (problem.code, problem.line, problem.column, problem.fix) == ("CW0401", 2, 8, "did you mean `payments`?")


def test_text_reaches_the_program_as_it_was_written() -> None:
    value = _value(
        MINIMAL + "needs: {db: postgres}\nenv: {A: 'x $(B) $$ $${c} ${needs.db.host}${needs.db.port}'}\n", "dev"
    )
    assert value["env"]["A"]["value"] == "x $$(B) $$$$ ${c} $(DB_HOST)$(DB_PORT)"


_words = st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Cs"]), max_size=20).filter(
    lambda t: not flaw_in(t)
)


@given(st.lists(st.one_of(_words, st.just("${needs.db.host}"), st.just("$${"), st.sampled_from("$(){}")), max_size=6))
def test_kubelet_expands_only_references_whatever_stands_around_them(parts: list[str]) -> None:
    """Against kubelet's own algorithm: `$$` is `$`, `$(NAME)` a variable, all else itself."""
    text = "".join(parts)
    document = emit_yaml(
        {
            "name": "checkout",
            "owner": "payments",
            "type": "web",
            "image": "a/b:1",
            "needs": {"db": "postgres"},
            "env": {"A": text},
        }
    )
    tree = repo({"services/checkout/platform.yaml": document.decode()})
    unit = load_unit(tree, "services/checkout", kit_for(tree))
    assert isinstance(unit, Unit), unit
    found = resolve(unit, "dev", platform_for(tree), kit_for(tree))
    expected = _meant(text)
    if isinstance(found, Refusal):
        assert expected is None
    else:
        value: Any = found[0].value
        assert _expanded(value["env"]["A"]["value"]) == expected


def _meant(text: str) -> str | None:
    """Left to right by the manual's words; None where a `${` means nothing."""
    out, rest = "", text
    while rest:
        if rest.startswith("$${"):
            out, rest = out + "${", rest[3:]
        elif rest.startswith("${needs.db.host}"):
            out, rest = out + "<DB_HOST>", rest[16:]
        elif rest.startswith("${"):
            return None
        else:
            out, rest = out + rest[0], rest[1:]
    return out


def _expanded(text: str) -> str:
    out, at = "", 0
    while at < len(text):
        if text[at] != "$" or at + 1 == len(text):
            out, at = out + text[at], at + 1
        elif text[at + 1] == "$":
            out, at = out + "$", at + 2
        elif text[at + 1] == "(" and ")" in text[at:]:
            end = text.index(")", at)
            out, at = f"{out}<{text[at + 2 : end]}>", end + 1
        else:
            out, at = out + text[at : at + 2], at + 2
    return out


def test_the_order_of_a_file_says_nothing() -> None:
    one = MINIMAL + "env: {A: x, B: y}\nsecrets: [C, D]\nuses: [e, f]\nneeds: {db: postgres, files: bucket}\n"
    other = MINIMAL + "needs: {files: bucket, db: postgres}\nuses: [f, e]\nsecrets: [D, C]\nenv: {B: y, A: x}\n"
    assert emit_yaml(_value(one)) == emit_yaml(_value(other))


def test_a_blank_line_moves_origins_and_changes_no_value() -> None:
    (value, origins), (moved, later) = manifest(MINIMAL + "port: 1\n"), manifest("\n" + MINIMAL + "port: 1\n")
    assert value == moved
    assert later["port",].line == origins["port",].line + 1


def test_secrets_never_leave_the_services_own_prefix() -> None:
    assert codes(MINIMAL + "secrets: {A: ../other/x}\n") == ["CW0119"]
    assert codes(MINIMAL + "secrets: {A: /prod/other/x}\n") == ["CW0114"]
    assert _value(MINIMAL + "secrets: {A: a.b/c..d#k}\n")["secrets"]["A"] == {
        "path": "/prod/checkout/a.b/c..d",
        "key": "k",
    }


def test_pods_have_one_identity_so_one_need_may_bring_it() -> None:
    two = MINIMAL + "needs: {files: bucket, uploads: bucket}\n"
    assert codes(two) == []
    places = repo().read("platform/environments.yaml").decode()
    aws = "providers: {aws: {region: eu-west-1}}"
    files = {
        "platform/environments.yaml": places.replace(aws, f"{aws}, eks_cluster: eu-prod"),
        "services/checkout/platform.yaml": two,
    }
    (found,) = problems(files)
    assert (found.code, found.line, "`files` has it" in found.message) == ("CW0414", 5, True)


@pytest.mark.parametrize("name", ["dashboard", "migrate", "secrets", "shared"])
def test_a_need_never_takes_the_name_of_what_the_service_itself_has(name: str) -> None:
    assert codes(f"{MINIMAL}needs: {{{name}: postgres}}\n") == ["CW0424"]


def test_what_was_filled_in_is_nobodys_word_and_names_keep_theirs() -> None:
    text = MINIMAL + "allow: {callers: [zoo, shop]}\nenvironments:\n"
    text += "  prod: {routes: [{host: pay.acme.com}], allow: {callers: [till]}}\n"
    effective, origins = manifest(text, "prod")
    found = {at: (origin.layer, origin.reason) for at, origin in origins.items()}
    assert found["routes", 0, "host"] == ("override", "")
    for field in ("path", "public", "timeout"):
        layer, reason = found["routes", 0, field]
        assert layer != "override"
        assert reason
    names: Any = effective.value["allow"]
    layers = [found["allow", "callers", index][0] for index in range(3)]
    assert dict(zip(names["callers"], layers, strict=True)) == {
        "shop": "manifest",
        "till": "override",
        "zoo": "manifest",
    }
    assert found["image", "digest"] == ("blueprint", "the image is named without a digest")
    assert found["image", "repository"] == ("manifest", "")
