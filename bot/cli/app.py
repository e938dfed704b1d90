"""The command line: which commands there are, and which failure ends with which code."""

from __future__ import annotations

from collections.abc import Sequence

import click
from rich.text import Text

from bot import __version__
from bot.cli.answers import ErrorAnswer, answer
from bot.cli.check import check
from bot.cli.demo import demo
from bot.cli.desk import OUTSIDE, REFUSED, USAGE, Stop, stderr
from bot.cli.doctor import doctor
from bot.cli.explain import explain_command
from bot.cli.init import init
from bot.cli.plan import plan
from bot.cli.policy import policy
from bot.cli.render import render
from bot.cli.running import resume, serve, sweep, work
from bot.cli.setup import setup
from bot.cli.verify import verify
from bot.configured import SettingsError
from bot.core.text import visible
from bot.ports import OutsideWorldError, PoisonError

COMMANDS: Sequence[click.Command] = (
    init, check, plan, explain_command, policy, render, verify, demo, serve, work, sweep, resume, setup, doctor,
)  # fmt: skip
"""In the order in which a newcomer meets them."""


_JSON = "bot.cli.json"
"""Key in click's `meta`: the call asks for JSON."""


class _Group(click.Group):
    """Lists commands in their own order, and ends known failures with a sentence instead of a traceback; with `--json`
    every failure, one of the call itself included, is an `ErrorAnswer` on stdout as well."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click's signature
        return list(self.commands)

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        ctx.meta[_JSON] = "--json" in (args[: args.index("--")] if "--" in args else args)
        return super().parse_args(ctx, args)

    def invoke(self, ctx: click.Context) -> object:
        try:
            return super().invoke(ctx)
        except (Stop, SettingsError, OutsideWorldError, PoisonError) as failure:
            stop = _end_of(failure)
            stderr().print(Text(visible(str(stop))), soft_wrap=True)
            _answered(ctx, str(stop), stop.code)
            ctx.exit(stop.code)
        except click.ClickException as wrong:
            _answered(ctx, wrong.format_message(), wrong.exit_code)
            raise


def _answered(ctx: click.Context, why: str, code: int) -> None:
    if ctx.meta[_JSON]:
        answer(ErrorAnswer(why, code))


def _end_of(failure: Exception) -> Stop:
    match failure:
        case Stop():
            return failure
        case SettingsError():
            return Stop(str(failure), USAGE)
        case PoisonError():
            return Stop(f"{failure} (error {failure.error_id})", REFUSED)
        case _:
            return Stop(str(failure), OUTSIDE)


@click.group(cls=_Group, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(__version__, prog_name="causeway")
def causeway() -> None:
    """Causeway: an internal developer platform that lives in a pull request.

    Developers keep a small platform.yaml for each service. The bot reviews each pull request, and after the merge it
    writes what runs into the GitOps repo. Reverting a commit rolls back.

    Exit codes: 0 good · 1 problems · 2 usage · 3 refused or halted · 4 law broken · 5 the outside world failed.
    """


for _command in COMMANDS:
    causeway.add_command(_command)
