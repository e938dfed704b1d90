"""The kit: shipped parts at the pin, the tree's own on top."""

from __future__ import annotations

from typing import Any

from bot.core.kit import Kit, kit_of
from bot.core.problem import Problem, Refusal
from bot.core.tree import MemoryTree, walk
from tests.core.language_world import kit_for, manifest, repo, resolved, shipped

CONFIG = "platform_team: platform\ngitops: {repo: acme/gitops}\n"
OWN = """title: Our bucket
description: A bucket as we like it.
type: vault
form: kubernetes
stateful: false
options:
  floor: {type: integer, minimum: 0, default: 1, description: Where it stands.}
outputs:
  door: {from: value, value: "{need}.{env}"}
"""


def _config(kit: str) -> dict[str, str]:
    return {"platform/config.yaml": CONFIG + f"kit: {kit}\n"}


def _refused(files: dict[str, str]) -> list[Problem]:
    found = kit_of(repo(files), shipped())
    assert isinstance(found, Refusal)
    return list(found.problems)


def test_without_a_pin_the_newest_shipped_parts_hold() -> None:
    kit = kit_for(repo({"platform/config.yaml": CONFIG}))
    assert kit.pins == {"web": 1}
    assert set(kit.recipe_pins) == {"aws-rds", "aws-s3", "cnpg-small", "obc-bucket"}
    assert kit.renderer == 1


def test_an_empty_tree_has_a_kit_so_that_what_is_missing_can_be_told_in_one_place() -> None:
    assert isinstance(kit_of(MemoryTree({}), shipped()), Kit)


def test_the_same_pin_and_content_give_the_same_kit_object() -> None:
    assert kit_for(repo()) is kit_for(repo({"services/x/platform.yaml": "name: x\n"}))


def test_a_pin_of_what_nobody_has_is_a_problem_at_its_line() -> None:
    [problem] = _refused(_config("{renderer: 1, recipes: {aws-rds: 7}}"))
    assert (problem.code, problem.line, problem.column) == ("CW0201", 3, 39)
    assert "aws-rds 1" in problem.fix
    [problem] = _refused(_config("{renderer: 99}"))
    assert problem.message.startswith("the kit pin names renderer 99")
    [problem] = _refused(_config("{platform: 2}"))
    assert "platform 1" in problem.fix


def test_a_tree_may_bring_a_recipe_and_the_manifest_then_knows_its_type_and_options() -> None:
    files = {
        "platform/recipes/strongroom/v1/recipe.yaml": OWN,
        "platform/recipes.yaml": "recipes:\n- {provides: vault, recipe: strongroom}\n",
        "services/checkout/platform.yaml": "name: checkout\nowner: payments\ntype: web\nimage: a/b:1\n"
        "needs: {gold: {type: vault, floor: 3}}\n",
    }
    value: Any = resolved(repo(files), "prod")[0].value
    need = value["needs"]["gold"]
    assert need["options"] == {"floor": 3}
    [output] = need["outputs"]
    assert (output["variable"], output["value"]) == ("GOLD_DOOR", "gold.prod")


def test_an_override_replaces_the_shipped_version_and_leaves_the_shipped_digest_alone() -> None:
    text = shipped().read("blueprints/workloads/web/v1/blueprint.yaml").decode().replace("port: 8080", "port: 3000")
    files = {"platform/blueprints/workloads/web/v1/blueprint.yaml": text}
    tree = repo(
        {**files, "services/checkout/platform.yaml": "name: checkout\nowner: payments\ntype: web\nimage: a:1\n"}
    )
    effective, origins = resolved(tree, "prod")
    assert effective.value["port"] == 3000
    assert origins["port",].path == "platform/blueprints/workloads/web/v1/blueprint.yaml"
    assert kit_for(tree).digest != kit_for(repo()).digest, "web is no shipped part any more"


def test_the_digest_names_the_shipped_parts_at_the_pin_and_nothing_of_the_tree() -> None:
    plain = kit_for(repo())
    with_own = kit_for(repo({"platform/recipes/strongroom/v1/recipe.yaml": OWN}))
    assert with_own.digest == plain.digest
    content = {
        path: shipped().read(path) for path in _paths(shipped()) if not path.startswith("blueprints/recipes/aws-s3/")
    }
    less = kit_of(repo(), MemoryTree(content))
    assert isinstance(less, Kit)
    assert less.digest != plain.digest


def test_what_is_wrong_with_an_own_part_is_told_with_its_file() -> None:
    files = {
        "platform/recipes/strongroom/v1/recipe.yaml": OWN.replace("form: kubernetes", "form: magic"),
        "platform/recipes/strongroom/v1/templates/x.yaml": "kind: '{{ broken'\n",
        "platform/recipes/strongroom/latest/recipe.yaml": OWN,
        "platform/recipes/empty/v1/other.yaml": "a: 1\n",
        "platform/blueprints/workloads/web/v2/blueprint.yaml": "title: Web\ndescription: No defaults.\n",
    }
    found = {(problem.path.removeprefix("platform/"), problem.code) for problem in _refused(files)}
    assert ("recipes/strongroom/v1/recipe.yaml", "CW0113") in found
    assert ("recipes/strongroom/latest", "CW0203") in found
    assert ("recipes/empty/v1/recipe.yaml", "CW0202") in found
    assert ("blueprints/workloads/web/v2/blueprint.yaml", "CW0204") in found
    assert any(path == "recipes/strongroom/v1/templates/x.yaml" for path, _ in found)


def test_defaults_follow_tier_kind_and_size_and_say_why() -> None:
    text = "name: checkout\nowner: payments\ntype: web\nimage: a/b:1\ntier: 1\nsize: m\n"
    effective, origins = manifest(text)
    assert effective.value["scale"] == {"min": 3, "max": 12, "cpu": 70}
    assert effective.value["size"] == {"name": "m", "cpu": "250m", "memory": "512Mi"}
    assert "zone" in origins["scale", "min"].reason
    assert origins["size", "name"].layer == "manifest"
    assert origins["size", "cpu"].layer == "manifest", "the line that chose the size is what one would change"
    assert manifest(text, "dev")[0].value["scale"] == {"min": 1, "max": 1, "cpu": 70}


def _paths(tree: MemoryTree) -> list[str]:
    return [path for path, _ in walk(tree)]
