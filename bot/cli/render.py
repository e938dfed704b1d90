"""`causeway render`: all that would be written, in a folder."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

import click

from bot.cli.answers import RenderAnswer, answer
from bot.cli.desk import GOOD, PROBLEMS, REFUSED, USAGE, Stop, json_option, progress, say, tell_problems
from bot.cli.folder import disk
from bot.cli.shapes import problem_answers
from bot.cli.standing import Standing, standing
from bot.core.build import Build, fill
from bot.core.model.render import Key
from bot.core.problem import Refusal
from bot.core.render import environment_of
from bot.core.settle import unit_of
from bot.core.words.amounts import count as how_many
from bot.disk import write_out


@click.command()
@click.argument("folder", metavar="[DIR]", default=".", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.option("-o", "--out", required=True, type=click.Path(path_type=Path), help="Folder to write; made if absent.")
@click.option("--env", "environments", multiple=True, metavar="NAME", help="Only this environment; may be repeated.")
@click.option("--service", "services", multiple=True, metavar="NAME", help="Only this service; may be repeated.")
@click.option("--replace", is_flag=True, help="OUT may hold files that no render wrote; they are removed.")
@json_option
@click.pass_context
def render(
    ctx: click.Context,
    folder: Path,
    out: Path,
    environments: tuple[str, ...],
    services: tuple[str, ...],
    replace: bool,
    as_json: bool,
) -> None:
    """Write all that the platform repo DIR (default: here) renders to into the folder OUT.

    The same files, byte for byte, that a delivery of it would put into an empty GitOps repo, without its cursor. A
    second render into the same folder removes what is no longer rendered. A service with problems renders nothing.

    Exit code: 0 all written, 1 some services have problems, 3 the platform's own files cannot be read.
    """
    tree = disk(folder)
    with progress("rendering") as counted:
        found = standing(tree, counted)
        if isinstance(found, Refusal):
            if as_json:
                answer(RenderAnswer(str(out), (), problem_answers(found.problems)))
            else:
                tell_problems(found.problems)
            ctx.exit(REFUSED)
        files = _files(found, _chosen(found.build, environments, services))
    try:
        write_out(out, files, replace)
    except FileExistsError as there:
        raise Stop(f"{there} (--replace)", USAGE) from there
    if as_json:
        answer(RenderAnswer(str(out), tuple(sorted(files)), problem_answers(found.problems)))
    else:
        if found.problems:
            tell_problems(found.problems)
        say(f"{how_many(len(files), 'file')} in {out}", "green")
    errors = any(problem.severity == "error" for problem in found.problems)
    ctx.exit(PROBLEMS if errors else GOOD)


def _chosen(made: Build, environments: tuple[str, ...], services: tuple[str, ...]) -> Iterator[Key]:
    names = {state.unit.name: folder for folder, state in made.units.items() if state.unit is not None}
    _known("environment", environments, made.platform.environments)
    _known("service", services, names)
    folders = {names[name] for name in services}
    for key in made.digests:
        if (not environments or environment_of(key) in environments) and (not services or unit_of(key) in folders):
            yield key


def _known(what: str, given: Iterable[str], names: Iterable[str]) -> None:
    for name in given:
        if name not in names:
            raise Stop(f"there is no {what} {name}; there are {', '.join(sorted(names))}", USAGE)


def _files(found: Standing, keys: Iterable[Key]) -> dict[str, bytes]:
    files: dict[str, bytes] = {}
    for done in fill(found.build, keys, found.memo).values():
        if not isinstance(done, Refusal):
            files |= done.files
    return files
