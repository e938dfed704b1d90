"""The table of what a policy means here, made from the cases that hold it: `python -m tests.core.policy_page`.

Each file of `tests/cases/policy` is one or more rows: what stands in a policy, what that means here, and cases. A case
has `spec` (of a policy on everything), `binding`, `params`, `kyverno` or whole `documents`, and either `problems`
(codes, or texts of them, of a refusal), `warnings`, or `judge`: a list of objects by the short names of
`policy_world.OBJECTS` with what is expected: `pass`, or a list of parts of verdicts.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bot.core.model.values import Doc
from bot.core.parse import parse

ROOT = Path(__file__).parents[2]
CASES = ROOT / "tests" / "cases" / "policy"
PAGE = ROOT / "schemas" / "policies.md"
HEAD = """\
# Policies: what stands in one, and what it means here

The files of `platform/policies` are the cluster's own: `ValidatingAdmissionPolicy` and its bindings
(admissionregistration.k8s.io/v1), parameters below `params/`, and Kyverno's `ValidatingPolicy`
(policies.kyverno.io/v1). A review judges with them what a change renders, in the order and with the meaning of
Kubernetes 1.34. What a review cannot know is refused when the files are read, so no policy means something else here
than in a cluster. The functions of CEL have a page of their own.

Each row is held by cases in `tests/cases/policy`. Made by `python -m tests.core.policy_page`; edit the cases.
"""

TAIL = """\

## Rego

Files `*.rego` are judged by the real OPA (version 1 or later) where the bot's setting `opa` names its command, in a
terminal `CAUSEWAY_OPA`; without it they are a problem (CW0740). The shape is conftest's: `package main`, sets `deny`
and `warn` of texts or of objects with a text `msg`; `input` is the object with its defaults, or the pod that it makes,
and never one that goes away. Other rules of such a file, and files that judge nothing, are a problem (CW0741); files in
other packages are what those share. All objects of a review are one call, in a process without a token, with limits of
time and memory; functions that reach the network, the environment, the clock or chance are not there (CW0742). An
error, a rule that is undefined, a value that is no set, and time or memory that run out deny. A waiver names the file
without its end; what only several files together say cannot be waived.
"""


@dataclass(frozen=True, slots=True)
class Row:
    """A row of the table with its cases."""

    file: str
    group: str
    what: str
    here: str
    cases: tuple[Any, ...]


def rows() -> tuple[Row, ...]:
    """Every row, in the order of the files."""
    found: list[Row] = []
    for path in sorted(CASES.glob("*.yaml")):
        read = parse(path.name, path.read_bytes())
        assert isinstance(read, Doc), read
        value: Any = read.value
        found += [
            Row(path.stem, value["group"], one["in_a_policy"], one["here"], tuple(one["cases"]))
            for one in value["rows"]
        ]
    return tuple(found)


def page() -> str:
    """The whole page."""
    lines, group = [HEAD], ""
    for row in rows():
        if row.group != group:
            group = row.group
            lines.append(f"\n## {group}\n\n| in a policy | here |\n|---|---|\n")
        lines.append(f"| {_cell(row.what)} | {_cell(row.here)} |\n")
    return "".join([*lines, TAIL])


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")


def main() -> None:
    """Writes the page."""
    PAGE.write_text(page(), encoding="utf-8")


if __name__ == "__main__":
    main()
