"""The page of everything that an expression may call: `python -m tests.core.cel_page` writes it."""

from __future__ import annotations

import re
from itertools import groupby
from pathlib import Path

from bot.core.cel import MOST_COST
from bot.core.cel.functions import LIBRARIES, MACROS, Library
from bot.core.cel.operators import BINARY

PAGE = Path(__file__).parents[2] / "schemas" / "cel.md"
CASES = Path(__file__).parents[1] / "cases" / "cel"

HEAD = f"""\
# CEL in policies

What an expression of a policy may use: the environment of Kubernetes 1.34 for new policies, without its authorizer.
Anything else is refused when the policy is loaded, and named. Every line of examples is run by a test; those of the
Kubernetes documentation are among them.

Built: *checker* means that cel-expr-python declares the function and this project runs it; *own*, that this project
declares it too. The checker parses and type-checks every expression, and its RE2 runs every pattern.

One evaluation may cost {MOST_COST:,}: about one for each step, a tenth for each character or item that a step reads. An
error, a value of another type than bool, and a cost beyond the limit all deny.

Made from `bot/core/cel/functions.py` and `tests/cases/cel` by `python -m tests.core.cel_page`; a test holds it current.
"""

TAIL = """\

## Where this differs from a cluster

All but the last deny here, or are refused when the policy is loaded, where a cluster would go on.

- `exists_one` with two variables: write `existsOne`. Messages such as `google.protobuf.Timestamp{}` cannot be made.
- An expression nests at most 32 deep in the checker (250 in a cluster), so a sum of more than 30 parts is refused; it
  has at most 16,384 characters.
- Where the type of an optional is not known, as in `variables.x.value().all(…)`, write `dyn(variables.x.value())`.
- Named time zones (`'Europe/Paris'`) are an error; `'+01:00'` works. A shift beyond the years 1 to 9999 is an error.
- A quantity with an exponent beyond 1,000 is an error, and so is a text of more than 1,000,000 characters.
- A NUL in a text that is bound, searched or given as a result is an error.
- `==` between lists or maps is an error where one holds a quantity, URL, address or version and the other something
  else; a cluster takes the two for equal.
- A list or a map whose parts are of unlike types, one of them an optional of something unknown, is refused.
- Maps go through their entries in the order of the file; a cluster has no order.
"""


def page() -> str:
    """The whole page."""
    return f"{HEAD}{_operators()}{_macros()}{''.join(map(_library, LIBRARIES))}{TAIL}"


def _operators() -> str:
    listed = " ".join(
        f"`{name.strip('_').replace('_', ' ').strip()}`" for name in BINARY if re.fullmatch("_[^?\\[]+_", name)
    )
    return (
        f"\n## Operators\n\n{listed} `&&` `||` `!` `-` `in` `? :` `e.f` `e[i]` `e.?f` `e[?i]`. `&&` and `||` absorb an"
        " error beside a value that decides. Numbers of different kinds compare; they add only with their own kind.\n"
    )


def _macros() -> str:
    rows = "".join(f"| `{one.form}` | {one.meaning} | {one.since} |\n" for one in MACROS)
    return f"\n## Macros\n\n| form | gives | since |\n|---|---|---|\n{rows}"


def _library(library: Library) -> str:
    lines = [line for line in (CASES / f"{library.cases}.txt").read_text(encoding="utf-8").splitlines() if line]
    names = groupby(library.rows, key=lambda row: (row.signature.name, row.signature.member, row.standard))
    rows = "".join(
        f"| {'<br>'.join(f'`{row.signature.text}`' for row in group)} | {'checker' if standard else 'own'}"
        f" | {_example(name, member, lines)} |\n"
        for (name, member, standard), group in names
    )
    return (
        f"\n## {library.name}\n\n{library.where}; since Kubernetes {library.since}. More examples:"
        f" `tests/cases/cel/{library.cases}.txt`.\n\n| function | built | example |\n|---|---|---|\n{rows}"
    )


def _example(name: str, member: bool, lines: list[str]) -> str:
    """The shortest line of the library's examples that calls the function so and gives a value."""
    call = re.compile(rf"{'' if member else '(?<![A-Za-z.])'}{re.escape(('.' if member else '') + name)}\(")
    fitting = [line.rpartition(" => ") for line in lines if not line.startswith("#") and call.search(line)]
    shown = [(text, answer) for text, _, answer in fitting if not answer.startswith(("refused", "error"))]
    text, answer = min(shown, key=lambda one: len(one[0]))
    return f"`{text.replace('|', chr(92) + '|')}` gives `{answer.replace('|', chr(92) + '|')}`"


def main() -> None:
    """Writes the page."""
    PAGE.write_text(page(), encoding="utf-8")


if __name__ == "__main__":
    main()
