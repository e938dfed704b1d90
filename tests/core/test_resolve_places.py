"""What depends on the place: which recipe serves a need there, and what that environment must have."""

from __future__ import annotations

from typing import Any

import pytest

from bot.core.resolve import environments_of, misfits
from tests.core.language_world import MINIMAL, platform_for, problems, repo, resolved, unit_in


def test_the_most_specific_recipe_wins() -> None:
    recipes = """recipes:
- {provides: postgres, recipe: cnpg-small}
- {provides: postgres, match: {team: payments}, recipe: cnpg-small, price: {per_size: {any: 1}}}
- {provides: postgres, match: {class: ha, team: payments}, recipe: cnpg-small, price: {per_size: {any: 2}}}
- {provides: postgres, match: {kind: production}, recipe: aws-rds, price: {per_size: {any: 3}}}
- {provides: postgres, match: {environment: prod, team: payments}, recipe: aws-rds, price: {per_size: {any: 4}}}
- {provides: postgres, match: {service: ledger}, recipe: aws-rds, price: {per_size: {any: 5}}}
"""

    def price(text: str, environment: str) -> str:
        files = {"platform/recipes.yaml": recipes, "services/checkout/platform.yaml": text}
        value: Any = resolved(repo(files), environment)[0].value
        return str(value["needs"]["db"]["price"])

    small, ha = MINIMAL + "needs: {db: postgres}\n", MINIMAL + "needs: {db: {type: postgres, class: ha}}\n"
    assert price(small, "dev") == "1"
    assert price(ha, "dev") == "2"
    assert price(ha, "prod") == "4"
    assert price(ha.replace("payments", "storefront"), "prod") == "3"
    assert price(small.replace("payments", "storefront"), "dev") == "4", "the recipe's own price for size s"


def _prod(*, features: str = "", **fields: str) -> dict[str, str]:
    lines = "".join(f"    {key}: {value}\n" for key, value in fields.items())
    text = "environments:\n  prod:\n    default: true\n    kind: production\n    cluster: {name: c}\n"
    text += f"    features: {{{features}}}\n{lines}"
    recipes = "recipes:\n- {provides: bucket, recipe: obc-bucket}\n"
    recipes += "- {provides: postgres, match: {class: default}, recipe: cnpg-small}\n"
    recipes += "- {provides: postgres, match: {class: ha}, recipe: aws-rds}\n"
    return {"platform/environments.yaml": text, "platform/recipes.yaml": recipes}


@pytest.mark.parametrize(
    ("need", "environment", "expected"),
    [
        ("postgres", {"protect_data": "true"}, ["CW0415"]),
        ("postgres", {"protect_data": "false"}, []),
        ("{type: postgres, class: ha}", {}, ["CW0415", "CW0415"]),
        ("bucket", {"protect_data": "true"}, ["CW0415", "CW0415"]),
    ],
)
def test_an_environment_must_have_what_the_recipe_needs(
    need: str, environment: dict[str, str], expected: list[str]
) -> None:
    files = {**_prod(**environment), "services/checkout/platform.yaml": MINIMAL + f"needs: {{db: {need}}}\n"}
    assert [problem.code for problem in problems(files)] == expected


def test_protected_data_in_the_cluster_stands_in_a_namespace_of_its_own() -> None:
    more = {"secrets": "{store: aws-secretsmanager, region: r}", "protect_data": "true"}
    files = {
        **_prod(features="external_secrets: true", **more),
        "services/checkout/platform.yaml": MINIMAL + "needs: {db: postgres}\n",
    }
    value: Any = resolved(repo(files), "prod")[0].value
    host = next(output for output in value["needs"]["db"]["outputs"] if output["name"] == "host")
    assert host["value"] == "checkout-db-rw.checkout-prod-data.svc.cluster.local"


def test_composed_names_and_reserved_namespaces_are_told_before_kubernetes_does() -> None:
    name = "a" + "b" * 39
    text = MINIMAL.replace("checkout\n", f"{name}\n", 1)
    files = {**_prod(namespace='"{service}-of-{team}-in-{env}"'), f"services/{name}/platform.yaml": text}
    assert not problems(files, f"services/{name}")
    files = {**_prod(namespace='"the-namespace-of-{service}-of-{team}"'), f"services/{name}/platform.yaml": text}
    [problem] = problems(files, f"services/{name}")
    assert (problem.code, "6 too many" in problem.message) == ("CW0410", True)
    files = {
        **_prod(namespace='"{service}"', reserved_namespaces="[checkout]"),
        "services/checkout/platform.yaml": MINIMAL,
    }
    assert [problem.code for problem in problems(files)] == ["CW0419"]


def test_a_service_that_runs_nowhere_is_told_so() -> None:
    text = (
        "environments: {dev: {kind: development, cluster: {name: c}}, prod: {kind: production, cluster: {name: d}}}\n"
    )
    tree = repo({"platform/environments.yaml": text, "services/checkout/platform.yaml": MINIMAL})
    unit, platform = unit_in(tree), platform_for(tree)
    assert environments_of(unit, platform) == ()
    assert [problem.code for problem in misfits(unit, platform)] == ["CW0417"]
