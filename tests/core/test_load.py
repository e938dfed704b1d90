"""The platform's own files and the units: read whole, or refused with every problem."""

from __future__ import annotations

import pytest

from bot.core.load import load_platform, load_unit, overlooked, unit_folders
from bot.core.problem import Problem, Refusal
from bot.core.tree import Entry, MemoryTree, Oid, walk
from tests.core.language_world import MINIMAL, Files, kit_for, platform_for, repo


def _problems(files: Files, *, without: tuple[str, ...] = ()) -> list[Problem]:
    tree = repo(files, without=without)
    found = load_platform(tree, kit_for(tree))
    assert isinstance(found, Refusal), "it was read"
    return list(found.problems)


def _codes(files: Files) -> list[tuple[str, str]]:
    return [(problem.path.removeprefix("platform/"), problem.code) for problem in _problems(files)]


ENVIRONMENT = "kind: development, cluster: {name: c}, domain: d.example"


def test_the_platform_is_read_with_every_default_written_out() -> None:
    platform = platform_for(repo())
    dev = platform.environments["dev"].value
    assert dev["namespace"] == "{service}-{env}"
    assert dev["secrets"] is None
    assert dev["protect_data"] is False
    assert platform.environments["prod"].protect_data is True
    assert platform.config["targets"] == {
        "main": {
            "repo": "acme/gitops",
            "branch": "main",
            "url": "https://github.com/acme/gitops.git",
            "drift": "restore",
        }
    }
    assert platform.teams["storefront"].value["hosts"] == ["*.acme.org", "pay.example.net"]
    assert platform.platform_team == "platform"


def test_required_files_that_are_missing_are_named_with_what_to_write() -> None:
    names = ("config", "environments", "teams", "recipes", "destroy", "holds")
    found = _problems({}, without=tuple(f"platform/{name}.yaml" for name in names))
    assert [(p.path, p.code) for p in found] == [
        (f"platform/{name}.yaml", "CW0301") for name in ("config", "environments", "teams")
    ]
    assert "platform_team" in found[0].fix


def test_optional_files_default_to_nothing() -> None:
    tree = repo(without=("platform/recipes.yaml",))
    platform = platform_for(tree)
    assert (platform.recipes, platform.destroy, platform.holds) == ((), (), {})


def test_problems_of_all_files_are_told_at_once() -> None:
    files = {
        "platform/teams.yaml": "teams: {}\n",
        "platform/holds.yaml": "holds: {dev: {}}\n",
        "platform/config.yaml": "a: 1\n",
    }
    assert {path for path, _ in _codes(files)} == {"config.yaml", "holds.yaml", "teams.yaml"}


TEAM = "{forge_team: a/b}"
DESTROY = "reason: x, until: '2026-12-31'"


@pytest.mark.parametrize(
    ("file", "text", "code"),
    [
        ("config", "platform_team: nobody\ngitops: {repo: a/b}", "CW0303"),
        ("teams", f"teams: {{platform: {TEAM}, root: {TEAM}}}", "CW0304"),
        ("teams", f"teams: {{platform: {TEAM}, project-x: {TEAM}}}", "CW0304"),
        ("recipes", "recipes: [{provides: postgres, recipe: aws-rd}]", "CW0307"),
        ("recipes", "recipes: [{provides: bucket, recipe: aws-rds}]", "CW0309"),
        ("recipes", "recipes: [{provides: postgres, recipe: aws-rds, stateful: false}]", "CW0309"),
        ("recipes", "recipes: [{provides: postgres, recipe: aws-rds, outputs: {from: secret}}]", "CW0309"),
        ("recipes", "recipes: [{provides: postgres, recipe: aws-rds, outputs: {keys: [hots]}}]", "CW0309"),
        ("recipes", "recipes: [{provides: bucket, match: {class: gold}, recipe: aws-s3}]", "CW0309"),
        ("recipes", "recipes: [{provides: bucket, match: {environment: prd}, recipe: aws-s3}]", "CW0310"),
        ("recipes", "recipes: [{provides: bucket, match: {team: paymnts}, recipe: aws-s3}]", "CW0303"),
        ("holds", "holds: {prd: {reason: x, by: y}}", "CW0310"),
        ("destroy", f"destroy: [{{data: prd/a/b, action: destroy, {DESTROY}}}]", "CW0310"),
        ("destroy", f"destroy: [{{removals: {{environment: prd, at_most: 3}}, {DESTROY}}}]", "CW0310"),
    ],
)
def test_names_must_be_known_to_the_other_files(file: str, text: str, code: str) -> None:
    assert (f"{file}.yaml", code) in _codes({f"platform/{file}.yaml": f"{text}\n"})


@pytest.mark.parametrize(
    ("environments", "code"),
    [
        (f"dev: {{{ENVIRONMENT}}}, prod: {{{ENVIRONMENT}, namespace: '{{service}}'}}", "CW0305"),
        (f"dev: {{{ENVIRONMENT}, namespace: apps}}, prod: {{{ENVIRONMENT}}}", "CW0305"),
        (f"dev: {{{ENVIRONMENT}}}, prod: {{{ENVIRONMENT}, promote_from: stage}}", "CW0306"),
        (f"dev: {{{ENVIRONMENT}}}, prod: {{{ENVIRONMENT}, promote_from: prod}}", "CW0306"),
        (f"dev: {{{ENVIRONMENT}, features: {{gateway: true}}}}, prod: {{{ENVIRONMENT}}}", "CW0311"),
        (f"dev: {{{ENVIRONMENT}, features: {{external_secrets: true}}}}, prod: {{{ENVIRONMENT}}}", "CW0311"),
        (f"dev: {{{ENVIRONMENT}, gitops: {{repo: Acme/gitops}}}}, prod: {{{ENVIRONMENT}}}", "CW0312"),
    ],
)
def test_environments_that_cannot_live_together_are_a_problem_of_their_file(environments: str, code: str) -> None:
    files = {"platform/environments.yaml": f"environments: {{{environments}}}\n"}
    assert {found for _, found in _codes(files)} == {code}


def test_two_lines_for_the_same_services_name_each_other() -> None:
    line = "- {provides: bucket, match: {kind: staging}, recipe: NAME}\n"
    text = "recipes:\n" + line.replace("NAME", "aws-s3") + line.replace("NAME", "obc-bucket")
    [problem] = _problems({"platform/recipes.yaml": text})
    assert (problem.code, problem.line) == ("CW0308", 3)
    assert "aws-s3` (line 2)" in problem.message


def test_an_environment_with_a_repository_of_its_own_is_a_target_of_its_own() -> None:
    own = "gitops: {repo: acme/other, drift: hold}"
    text = f"environments: {{dev: {{{ENVIRONMENT}, {own}}}, prod: {{{ENVIRONMENT}}}}}\n"
    platform = platform_for(repo({"platform/environments.yaml": text}))
    assert platform.environments["dev"].target == "dev"
    assert platform.environments["prod"].target == "main"
    assert (platform.targets["dev"].repo, platform.targets["dev"].drift) == ("acme/other", "hold")


class _Linked(MemoryTree):
    """A tree where some names are symlinks."""

    def get(self, path: str) -> Entry | None:
        found = super().get(path)
        linked = path in ("platform/teams.yaml", "services/checkout/platform.yaml")
        return Entry("symlink", Oid("0" * 40)) if linked else found


def test_symlinks_are_refused_where_files_are_read() -> None:
    plain = repo({"services/checkout/platform.yaml": MINIMAL})
    tree = _Linked({path: plain.read(path) for path in _all(plain)})
    platform = load_platform(tree, kit_for(plain))
    assert isinstance(platform, Refusal)
    assert [problem.code for problem in platform.problems] == ["CW0302"]
    unit = load_unit(tree, "services/checkout", kit_for(plain))
    assert isinstance(unit, Refusal)
    assert [problem.code for problem in unit.problems] == ["CW0302"]


def test_units_are_found_at_any_depth_and_other_folders_are_not_units() -> None:
    tree = repo(
        {
            "services/a/platform.yaml": "x",
            "services/group/b/platform.yaml": "x",
            "services/only-releases/releases.yaml": "{}",
            "services/platform.yaml": "x",
        }
    )
    found = unit_folders(tree)
    assert list(found) == ["services/a", "services/group/b"]
    entry = tree.get("services/group/b")
    assert entry is not None
    assert found["services/group/b"] == entry.id


def test_a_file_that_was_probably_meant_as_a_manifest_makes_a_service_with_a_problem() -> None:
    for name in ("platform.yml", "Platform.yaml", "platforms.yaml", "PLATFORM.YML"):
        files = {f"services/group/b/{name}": MINIMAL, "services/group/b/k8s/platform.yml": "x"}
        assert list(unit_folders(repo(files))) == ["services/group/b"]
        assert _unit_codes(files, "services/group/b") == ["CW0316"]


def test_only_the_outer_of_two_such_files_is_a_service() -> None:
    files = {"services/a/platform.yml": MINIMAL, "services/a/b/Platform.yaml": "x", "services/a/c/platform.yaml": "x"}
    assert list(unit_folders(repo(files))) == ["services/a", "services/a/c"]
    inner = {"services/a/platform.yaml": MINIMAL, "services/a/k8s/Platform.yaml": "kind: Platform"}
    assert list(unit_folders(repo(inner))) == ["services/a"]


def test_other_names_are_nobodys_mistake() -> None:
    names = ("platform.json", "platform.yaml.orig", "my-platform.yaml", "platform-notes.yml", "Platform.md")
    assert unit_folders(repo({f"services/b/{name}": "x" for name in names})) == {}
    assert overlooked(repo({f"services/b/{name}": "x" for name in (*names, "release-notes.yaml")}), "services/b") == ()


def test_a_file_beside_a_manifest_that_looks_like_one_that_is_read_is_told_and_refuses_nothing() -> None:
    files = {f"services/checkout/{name}": "x" for name in ("release.yaml", "releases.yml", "platform.yml")}
    found = overlooked(repo({"services/checkout/platform.yaml": MINIMAL, **files}), "services/checkout")
    assert [(problem.code, problem.severity) for problem in found] == [("CW0316", "warning")] * 3
    assert "`releases.yaml`" in found[-1].fix


def _unit_codes(files: Files, folder: str) -> list[str]:
    tree = repo(files)
    found = load_unit(tree, folder, kit_for(tree))
    return [problem.code for problem in found.problems] if isinstance(found, Refusal) else []


def test_a_service_is_called_like_its_folder() -> None:
    assert _unit_codes({"services/cart/platform.yaml": MINIMAL}, "services/cart") == ["CW0313"]


def test_a_service_inside_another_is_a_problem_of_the_inner_one() -> None:
    files = {"services/shop/platform.yaml": "x", "services/shop/deep/checkout/platform.yaml": MINIMAL}
    assert _unit_codes(files, "services/shop/deep/checkout") == ["CW0314"]


def test_folders_that_could_be_twins_on_another_machine_are_refused() -> None:
    assert _unit_codes({"services/Shop/checkout/platform.yaml": MINIMAL}, "services/Shop/checkout") == ["CW0315"]


def test_manifest_and_releases_tell_their_problems_together() -> None:
    files = {"services/checkout/platform.yaml": MINIMAL + "x: 1\n", "services/checkout/releases.yaml": "dev: {y: 1}\n"}
    assert _unit_codes(files, "services/checkout") == ["CW0104", "CW0104"]


def test_a_manifest_that_fails_its_schema_is_looked_through_for_secrets_too() -> None:
    text = MINIMAL + "replica: 3\nnotes: {key: AKIAIOSFODNN7EXAMPLE}\nenv: {API_TOKEN: hunter2}\n"
    tree = repo({"services/checkout/platform.yaml": text})
    found = load_unit(tree, "services/checkout", kit_for(tree))
    assert isinstance(found, Refusal)
    secrets = [(problem.line, problem.message) for problem in found.problems if problem.code == "CW0702"]
    assert secrets == [(6, "`key` looks like an AWS access key"), (7, "`API_TOKEN` looks like a secret by its name")]
    assert not any("hunter2" in str(problem) for problem in found.problems)


def _all(tree: MemoryTree) -> list[str]:
    return [path for path, _ in walk(tree)]
