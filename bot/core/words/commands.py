"""Answers to commands, and the pull requests that they open. Markdown; whatever somebody wrote passes an encoder."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Final

from bot.core.model.command import HoldCommand, RollbackCommand, UnholdCommand, WaiveCommand
from bot.core.text import markdown, markdown_code, markdown_fence
from bot.core.words.amounts import unique

USAGE: Final[Mapping[str, tuple[str, str, str]]] = {
    "plan": ("/plan", "look again; `/plan <sha>` lets exactly that head of a fork be looked at", "may write here"),
    "explain": ("/explain <service> <env> [path]", "who gave a value: file, line and reason", "may write here"),
    "rollback": (
        "/rollback <service> [env] [to <sha>]",
        "open the pull request that brings back what ran before",
        "is in the owning team or the platform team",
    ),
    "waive": (
        "/waive <policy> [for <service>] until <YYYY-MM-DD> because <reason>",
        "open the pull request that lets a service pass a policy for a while",
        "may write here",
    ),
    "hold": (
        "/hold <env> because <reason>",
        "open the pull request that keeps an environment as it is",
        "is in the platform team",
    ),
    "unhold": ("/unhold <env>", "open the pull request that lifts a hold", "is in the platform team"),
    "help": ("/help", "this", "can comment"),
}
"""Word -> what to write, what it does, and who may."""

_FEW = 20
# A forge looks for commands of its own at line starts, in fences too.
_CALM = re.compile(r"^/", re.MULTILINE)


def helped() -> str:
    """What there is."""
    rows = [f"| {markdown_code(usage)} | {what} | who {may} |" for usage, what, may in USAGE.values()]
    return "\n".join(["| write | to | for anyone |", "|---|---|---|", *rows]) + (
        "\n\nA command stands at the start of a line of its own. One that is edited later, or written by a bot, is not "
        "read.\n"
    )


def unknown(word: str) -> str:
    """No such command, and what there is."""
    return f"{markdown_code('/' + word)} is no command of Causeway. This is what there is:\n\n{helped()}"


def malformed(word: str) -> str:
    """A command with something else behind it than it takes."""
    usage, what, _ = USAGE[word]
    return f"Not understood. {markdown_code(usage)}: {what}.\n"


def denied(word: str, teams: Sequence[str]) -> str:
    """Whoever asked may not."""
    if teams:
        who = " or ".join(markdown_code(f"@{team}") for team in unique(teams))
        return f"{markdown_code('/' + word)} is for members of {who}; nothing was done.\n"
    return f"{markdown_code('/' + word)} is for people who may write to this repository; nothing was done.\n"


def one_only(rest: int) -> str:
    """After the answer to the first of several commands in one comment."""
    more = "The other command" if rest == 1 else f"The other {rest} commands"
    return f"\n{more} of this comment {'was' if rest == 1 else 'were'} not read: one command a comment.\n"


def failed(error_id: str) -> str:
    """An unexpected error."""
    return (
        "Causeway could not do this, and that is its own fault; nothing was changed. The log knows it as "
        f"{markdown_code(error_id)}.\n"
    )


def looked(sha: str, status: str) -> str:
    """After `/plan`."""
    # As code: a status may name a command, and what is copied must be exactly that.
    return f"Looked at {markdown_code(sha[:7])} again: {markdown_code(status)}.\n"


def nothing_to_plan() -> str:
    """`/plan` where there is no open pull request."""
    return "There is nothing to plan here: this is no open pull request.\n"


def older_head(given: str, head: str) -> str:
    """`/plan <sha>` for another head than the newest."""
    return f"The newest head is {markdown_code(head[:12])}, not {markdown_code(given)}; nothing was done.\n"


def opened(number: str, title: str, teams: Sequence[str] = ()) -> str:
    """A pull request was opened."""
    who = f" {' and '.join(markdown_code(f'@{team}') for team in unique(teams))} must approve it." if teams else ""
    what = f"Opened {number}: {markdown_code(title)}."
    return f"{what} Its verdict stands there; nothing changes before it is merged.{who}\n"


def not_pushed(branch: str) -> str:
    """The branch could not be made."""
    return (
        f"The branch {markdown_code(branch)} could not be pushed: the bot may not create it, or somebody else's stands "
        "there. Nothing was done.\n"
    )


def asked_before(number: str) -> str:
    """The same thing was asked for in other words, or by somebody else, and is not merged yet."""
    return (
        f"Asked for already, in other words: {number} is open. Merge it, or close it and delete its branch and ask "
        "again. Nothing was done.\n"
    )


def no_platform() -> str:
    """The default branch cannot be read."""
    return "The platform's own files on the default branch cannot be read, so nothing was done.\n"


def explained(text: str) -> str:
    """The answer of explain, as it stands in a terminal."""
    shown = text if len(text) <= 8_000 else text[:8_000].rpartition("\n")[0] + "\n… name a path to see the rest"
    return markdown_fence(_CALM.sub(" /", shown.rstrip("\n"))) + "\n"


# Pull requests


def asked(by: str, where: str) -> str:
    """`Asked for by dana in #42.`"""
    return f"Asked for by {markdown(by)} in {where}."


def rollback_pull(command: RollbackCommand, commit: str, by: str) -> tuple[str, str]:
    """Title and body."""
    env = f" in {command.environment}" if command.environment else ""
    what = "its release there" if command.environment else "its whole folder"
    body = (
        f"Brings {markdown_code(command.service)}{env} back to what commit {markdown_code(commit[:12])} said: {what}, "
        f"nothing else.\n\n{by}\n"
    )
    return f"Roll back {command.service}{env} to {commit[:7]}", body


def waive_pull(command: WaiveCommand, service: str, by: str) -> tuple[str, str]:
    """Title and body."""
    body = (
        f"Lets {markdown_code(service)} pass the policy {markdown_code(command.policy)} until {command.until}, because "
        f"{markdown(command.reason)}.\n\n{by}\n"
    )
    return f"Waive {command.policy} for {service} until {command.until}", body


def hold_pull(command: HoldCommand, by: str) -> tuple[str, str]:
    """Title and body."""
    env = markdown_code(command.environment)
    body = f"Nothing that runs in {env} may be changed from then on, because {markdown(command.reason)}.\n\n{by}\n"
    return f"Hold {command.environment}", body


def unhold_pull(command: UnholdCommand, by: str) -> tuple[str, str]:
    """Title and body."""
    return (
        f"Lift the hold on {command.environment}",
        f"{markdown_code(command.environment)} may change again.\n\n{by}\n",
    )


# Why there is none


def no_service(service: str) -> str:
    """Nothing of that name, now or lately."""
    return f"There is no service {markdown_code(service)}, and there was none lately.\n"


def no_commit(command: RollbackCommand) -> str:
    """`to` names nothing that has the service."""
    return (
        f"No commit {markdown_code(command.to)} among the last 2,000 of the default branch has "
        f"{markdown_code(command.service)}.\n"
    )


def as_it_was(command: RollbackCommand) -> str:
    """`to` names a commit that says what stands there now."""
    env = f" in {markdown_code(command.environment)}" if command.environment else ""
    return (
        f"{markdown_code(command.service)}{env} is what commit {markdown_code(command.to)} said, so there is nothing "
        "to bring back.\n"
    )


def nothing_earlier(command: RollbackCommand) -> str:
    """Nothing to go back to."""
    env = f" in {markdown_code(command.environment)}" if command.environment else ""
    return (
        f"No other version of {markdown_code(command.service)}{env} was delivered in the last 30 days. "
        f"{markdown_code(f'/rollback {command.service} to <sha>')} names an older one.\n"
    )


def not_by_release(command: RollbackCommand) -> str:
    """One environment cannot go back alone."""
    service, env = markdown_code(command.service), markdown_code(command.environment)
    return (
        f"What {service} runs in {env} is not decided by its {markdown_code('releases.yaml')} but by one file for all "
        f"environments: {markdown_code(f'/rollback {command.service}')} takes all of it back.\n"
    )


def day_is_over(command: WaiveCommand) -> str:
    """A waiver that would be over already."""
    return f"{command.until} is over; name a day to come.\n"


def which_service(command: WaiveCommand, services: Sequence[str]) -> str:
    """No service, or more than one."""
    usage = f"/waive {command.policy} for <service> until {command.until} because …"
    if command.service:
        return f"There is no service {markdown_code(command.service)} on the default branch.\n"
    named = ", ".join(markdown_code(name) for name in services[:_FEW])
    some = f"More than one service is changed here: {named}." if services else "No service is changed here."
    return f"{some} Say which one: {markdown_code(usage)}\n"


def by_hand(path: str, lines: str) -> str:
    """The file is not on the default branch, or cannot be edited line by line."""
    return (
        f"{markdown_code(path)} on the default branch cannot be edited without touching other lines, or is not there "
        f"yet. Put this into it yourself:\n\n{markdown_fence(_CALM.sub(' /', lines.rstrip()), 'yaml')}\n"
    )


def no_environment(name: str, there: Sequence[str]) -> str:
    """No such environment."""
    known = ", ".join(markdown_code(one) for one in there[:_FEW])
    return f"There is no environment {markdown_code(name)}. There is: {known}.\n"


def held_already(name: str) -> str:
    """On hold already."""
    return f"{markdown_code(name)} is on hold already.\n"


def not_held(name: str, there: Sequence[str]) -> str:
    """Not on hold."""
    known = ", ".join(markdown_code(one) for one in there[:_FEW])
    return f"{markdown_code(name)} is not on hold. {'On hold: ' + known if known else 'Nothing is'}.\n"
