"""`causeway init`: a platform repo to start from."""

from __future__ import annotations

from pathlib import Path

import click

from bot.cli.answers import InitAnswer, answer
from bot.cli.desk import USAGE, Stop, json_option, say
from bot.cli.example import example_files
from bot.core.words.amounts import count as how_many


@click.command()
@click.argument("folder", metavar="DIR", type=click.Path(file_okay=False, path_type=Path))
@click.option("--gitops", default="acme/gitops", metavar="OWNER/NAME", help="The repository that receives what runs.")
@json_option
def init(folder: Path, gitops: str, as_json: bool) -> None:
    """Write a platform repo into DIR: 4 services, 3 environments, 2 teams and the platform team.

    DIR is made where it is absent; a git repository without files of these names is welcome. Nothing is overwritten.
    """
    try:
        files = example_files(gitops)
    except ValueError as wrong:
        raise Stop(str(wrong), USAGE) from wrong
    there = sorted(path for path in files if (folder / path).exists())
    if there:
        raise Stop(
            f"{folder} has {', '.join(there[:3])} already, and nothing is overwritten; name another folder", USAGE
        )
    for path, data in files.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_bytes(data)
    if as_json:
        answer(InitAnswer(str(folder), tuple(sorted(files))))
        return
    say(f"A platform repo is in {folder}: {how_many(len(files), 'file')}.", "green")
    say(f"Next: causeway check {folder}, then read {folder / 'README.md'}.")
