"""`causeway explain`: why a value is what it is, and what a problem code means."""

from __future__ import annotations

import re
from collections.abc import Sequence
from difflib import get_close_matches
from pathlib import Path

import click
from rich.table import Table
from rich.text import Text

from bot.cli.answers import CodeAnswer, ExplainAnswer, ValueAnswer, answer
from bot.cli.desk import PROBLEMS, REFUSED, USAGE, Stop, json_option, progress, say, stdout, tell_problems
from bot.cli.folder import disk
from bot.cli.shapes import OriginAnswer, plain, problem_answers
from bot.cli.standing import built
from bot.core.build import Build
from bot.core.codes import ENTRIES
from bot.core.explain import Explained, Texts, Unknown, dotted, explain, unit_asked
from bot.core.model.values import Origin
from bot.core.problem import Problem, Refusal
from bot.core.tree import Tree
from bot.core.words import explained
from bot.shipped import shipped_tree

WIDE = 150
"""Columns that a table needs to be read; on less, each value has two lines."""
CODE = re.compile(r"[cC][wW]\d{4}")


@click.command(name="explain")
@click.argument("service", metavar="SERVICE|CODE")
@click.argument("environment", metavar="[ENV]", default="")
@click.argument("path", metavar="[PATH]", default="")
@click.option(
    "--dir",
    "folder",
    default=".",
    metavar="DIR",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="The platform repo (default: here).",
)
@json_option
@click.pass_context
def explain_command(ctx: click.Context, service: str, environment: str, path: str, folder: Path, as_json: bool) -> None:
    """Say who gave a value: file, line, layer and reason. Or what a problem code means.

    \b
    causeway explain checkout prod                            every field, with its origin
    causeway explain checkout prod scale.min                  one field
    causeway explain checkout prod deployment:spec.replicas   a value of what is written
    causeway explain checkout prod deployment                 all values of that file
    causeway explain CW0104                                   what this problem means

    The file is a path in the GitOps repo, the end of one, or a kind. What names more than one value answers for all.

    Exit code: 0 answered, 1 the service has problems, 2 nothing of that name, 3 the platform's files cannot be read.
    """
    if CODE.fullmatch(service) and not environment:
        _code(service.upper(), as_json)
        return
    tree = disk(folder)
    with progress("reading") as counted:
        made = built(tree, counted)
    if isinstance(made, Refusal):
        if as_json:
            answer(ExplainAnswer(service, environment, (), problem_answers(made.problems)))
        else:
            tell_problems(made.problems)
        ctx.exit(REFUSED)
    build = made[0]
    broken = _broken(service, [(state.folder, state.problems) for state in build.units.values()])
    if broken:
        if as_json:
            answer(ExplainAnswer(service, environment, (), problem_answers(broken)))
        else:
            tell_problems(broken)
        ctx.exit(PROBLEMS)
    if not environment:
        raise Stop(_which(build, service), USAGE)
    found = explain(build, service, environment, path, _texts(tree))
    if isinstance(found, Unknown):
        raise Stop(explained.unknown(found), USAGE)
    if as_json:
        answer(ExplainAnswer(service, environment, tuple(map(_value, found)), ()))
    else:
        _tell(found)


def _which(build: Build, service: str) -> str:
    """What to say where no environment is named."""
    asked = unit_asked(build, service, "")
    if isinstance(asked, Unknown) and asked.what == "environment":
        return f"name an environment too; {service} runs in {', '.join(asked.there) or 'none'}"
    return explained.unknown(asked) if isinstance(asked, Unknown) else f"name an environment of {service}"


def _broken(service: str, states: Sequence[tuple[str, Sequence[Problem]]]) -> tuple[Problem, ...]:
    """What is wrong with the service: of one that cannot be read nothing holds, so there is nothing to explain."""
    return tuple(
        problem
        for folder, problems in states
        if service in (folder, folder.rpartition("/")[2]) and any(p.severity == "error" for p in problems)
        for problem in problems
    )


def _tell(found: Sequence[Explained]) -> None:
    if len(found) == 1:
        say(explained.answer(found[0]).rstrip("\n"))
    elif not stdout().is_terminal:
        say(explained.listing(found).rstrip("\n"))
    elif stdout().width < WIDE:
        say(explained.lines(found).rstrip("\n"))
    else:
        for file in dict.fromkeys(row.file for row in found):
            stdout().print(_table(file, [row for row in found if row.file == file]))


def _table(file: str, rows: Sequence[Explained]) -> Table:
    table = Table(title=Text(file) if file else None, title_justify="left", box=None, pad_edge=False)
    for name in ("what", "value", "who", "where", "why"):
        # A path that is broken over two lines cannot be copied.
        table.add_column(name, overflow="fold", no_wrap=name == "where")
    for row in rows:
        table.add_row(*map(Text, explained.row(row)))
    return table


def _texts(tree: Tree) -> Texts:
    shipped = shipped_tree()

    def read(path: str) -> bytes | None:
        place: Tree = tree if path.startswith("platform/") else shipped
        entry = place.get(path)
        return place.read(path) if entry is not None and entry.kind == "file" else None

    return read


def _code(code: str, as_json: bool) -> None:
    if code not in ENTRIES:
        near = get_close_matches(code, list(ENTRIES), 3)
        raise Stop(f"there is no problem code {code}{'; near it: ' + ', '.join(near) if near else ''}", USAGE)
    found = ENTRIES[code]
    if as_json:
        answer(CodeAnswer(code, found.title, found.what, found.why, dict(found.wrong), dict(found.right)))
    else:
        say(explained.entry(code, found).rstrip("\n"))


def _value(found: Explained) -> ValueAnswer:
    template = found.template
    return ValueAnswer(
        file=found.file or None,
        pointer=tuple(found.pointer),
        path=dotted(found.pointer),
        value=plain(found.value),
        origin=_origin(found.origin),
        left_out=found.left_out or None,
        also=tuple(map(_origin, found.also)),
        template=None if template is None else f"{template.path}:{template.at.line}:{template.at.column}",
        fixed=found.fixed,
    )


def _origin(origin: Origin) -> OriginAnswer:
    return OriginAnswer(origin.layer, origin.path, origin.line, origin.column, origin.reason)
