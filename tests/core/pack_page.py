"""The page of the shipped policies, made from their files: `python -m tests.core.pack_page`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from bot.core.parse import parse_stream
from bot.core.problem import Refusal

ROOT = Path(__file__).parents[2]
PACK = ROOT / "blueprints" / "policies" / "v1"
PAGE = PACK.parent / "README.md"
HEAD = """\
# The shipped policies

They judge every platform repository, in the pull request; with `cluster_policies: true` those over Kubernetes' own
kinds go into the clusters, too. `kit: {policies: 1}` pins the pack. A file in `platform/policies` with a policy of the
same name replaces one, binding and all; a waiver in a manifest lets one service off until a day.

`denies`: a service that newly fails is refused. `advises`: it is told once. `causeway policy explain NAME` says what
one asks and why, `causeway policy judge NAME --object FILE` tries it. Each has cases in `v1/cases/<name>`, which
`causeway policy test` runs.

The table is made from the files: `python -m tests.core.pack_page`.

| policy | effect | judged on | what | why |
|---|---|---|---|---|
"""
EFFECTS = {"Deny": "denies", "Warn": "advises", "Audit": "notes"}


def page() -> str:
    """The whole page."""
    return HEAD + "".join(_row(path) for path in sorted(PACK.glob("*.yaml")))


def _row(path: Path) -> str:
    docs = parse_stream(path.name, path.read_bytes())
    assert not isinstance(docs, Refusal), docs
    policy: Any = docs[0].value
    binding: Any = docs[1].value
    notes = policy["metadata"]["annotations"]
    rules = policy["spec"]["matchConstraints"]["resourceRules"]
    kinds = ["the manifest" if kind == "workloads" else kind for rule in rules for kind in rule["resources"]]
    effect = EFFECTS[binding["spec"]["validationActions"][0]]
    about = ", ".join(sorted(kinds)) if len(kinds) <= 5 else "what lies in namespaces"
    cells = [f"`{path.stem}`", effect, about, notes["causeway.dev/what"], notes["causeway.dev/why"]]
    return f"| {' | '.join(cells)} |\n"


def main() -> None:
    PAGE.write_text(page(), encoding="utf-8")


if __name__ == "__main__":
    main()
