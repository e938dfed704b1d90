"""`causeway doctor`: what is wrong with this installation, and how each fault is mended."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping

import click

from bot.cli.answers import DoctorAnswer, FindingAnswer, answer
from bot.cli.desk import GOOD, PROBLEMS, json_option, progress, say
from bot.cli.running import log_to_stderr
from bot.configured import read_settings
from bot.core.doctor import examine, examine_queue, examine_tenants, worst
from bot.core.model.health import Finding, Standing
from bot.core.text import visible
from bot.flows.doctor import look
from bot.git import require_git
from bot.wiring import Wiring

_SHOWN: Mapping[Standing, tuple[str, str]] = {
    "bad": ("MEND", "bold red"),
    "unknown": ("UNKNOWN", "yellow"),
    "look": ("LOOK", "cyan"),
    "good": ("good", "green"),
}
"""Standing -> its word, and a colour that only repeats it."""


@click.command()
@click.option("--url", metavar="URL", default="", help="Public address of the door, as https://causeway.acme.com.")
@json_option
@click.pass_context
def doctor(ctx: click.Context, url: str, as_json: bool) -> None:
    """Examine this installation: webhooks, rights, branch protection, GitOps push, queue, clock, operators.

    Only reads, and pushes that change nothing. Settings come from CAUSEWAY_CONFIG and CAUSEWAY_* variables. MEND must
    be mended, UNKNOWN is what the bot may not see, LOOK is what only a person can see.

    Exit code: 0 nothing to mend, 1 something is.
    """
    settings = read_settings()
    require_git()
    log_to_stderr()
    wiring = Wiring(settings)
    try:
        findings = [examine_queue(wiring.wakeups.reasons_not_ready())]
        places = wiring.places()
        findings.append(examine_tenants(len(places)))
        with progress("examining", len(places)) as step:
            for place in places:
                door = f"{url.rstrip('/')}/webhooks/{place.forge_name}" if url else ""
                findings += examine(look(place, wiring.inspecting(place.forge_name)), door)
                step()
    finally:
        wiring.close()
    standing = worst(findings)
    if as_json:
        answer(DoctorAnswer(standing != "bad", tuple(_answered(one) for one in findings)))
    else:
        _tell(findings)
    ctx.exit(PROBLEMS if standing == "bad" else GOOD)


def _tell(findings: list[Finding]) -> None:
    by: dict[Standing, list[Finding]] = defaultdict(list)
    for one in findings:
        by[one.standing].append(one)
    for standing, (word, colour) in _SHOWN.items():
        for one in by[standing]:
            where = f" {one.where}:" if one.where else ""
            say(visible(f"{word:<8}{one.check}:{where} {one.what}"), colour)
            if one.mend:
                say(visible(f"        {one.mend}"))
    counts = ", ".join(f"{len(by[standing])} {word}" for standing, (word, _) in _SHOWN.items() if by[standing])
    say(f"{len(findings)} checks: {counts}")


def _answered(one: Finding) -> FindingAnswer:
    return FindingAnswer(one.check, one.standing, one.where, one.what, one.mend)
