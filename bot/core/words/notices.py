"""What is said where there is no plan: other branches, deliveries that stand still, how to go on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from hashlib import sha256

from bot.core.memory import CURSOR
from bot.core.model.conversation import Said
from bot.core.problem import Problem
from bot.core.rules.shrink import SHRINK
from bot.core.rules.unreviewed import UNREVIEWED
from bot.core.text import markdown_code
from bot.core.words.inline import bold, markdown, prose
from bot.core.words.status import LIMIT

_SAFE = "Going on by guessing could remove what runs, so nothing is pushed until a person has looked."


def other_branch(default: str) -> Said:
    """For a pull request against a branch that is never delivered."""
    return _quiet(f"Nothing to do: only {default} is delivered")


def not_judged(default: str, observing: bool) -> Said:
    """The same, for a head that would change something if it were merged into the default branch."""
    said = f"ot judged: only {default} is delivered. A pull request against {default} gets a verdict"
    if observing:
        return _quiet(f"Observing: n{said}"[:LIMIT])
    return Said("pending", f"N{said}"[:LIMIT], None, "")


def not_on_branch(base: str) -> Said:
    """For a pull request that the forge calls merged, and whose commit the branch does not hold."""
    return _quiet(f"Merged, but {base} does not hold its commit")


def fork_waits(sha: str, observing: bool = False) -> Said:
    """For a pull request from a fork that nobody of us has asked to look at yet. It blocks nothing where Causeway only
    watches."""
    command = f"/plan {sha[:12]}"
    body = (
        f"### {'👁 Observing: waits' if observing else '⏳ Waits'} for a member: this comes from a fork\n\n"
        f"Somebody who may write here reads it first, then comments {markdown_code(command)} to have exactly this head "
        "looked at. A later push waits again.\n"
    )
    waits = f"aits for a member to comment {command}: this comes from a fork"
    status = f"Observing: w{waits}" if observing else f"W{waits}"
    return Said("success" if observing else "pending", status[:LIMIT], body, sha256(body.encode()).hexdigest())


def claimed(claim: Sequence[str]) -> str:
    """What two pull requests want: `the name `checkout``, in prose with backticks."""
    quoted = ["`" + part.replace("`", "'") + "`" for part in claim]
    match claim[0]:
        case "host":
            path = claim[3] if claim[3] != "/" else ""
            return "the address `" + f"{claim[2]}{path}".replace("`", "'") + f"` in {quoted[1]}"
        case "object":
            return f"objects called {quoted[3]} in namespace {quoted[2]}"
        case _:
            return f"the name {quoted[-1]}"


def never_looked_at(sha: str) -> str:
    """A note on what was delivered: nobody could have read the plan of its last push."""
    return f"The last push, `{sha[:7]}`, was merged before it was looked at: what was reviewed was the push before it"


def _quiet(status: str) -> Said:
    return Said("success", status[:LIMIT], None, "")


def lag(seconds: int) -> str:
    """How far deliveries are behind, in the largest unit that fits."""
    minutes = seconds // 60
    if minutes < 120:
        return f"deliveries are {minutes} minutes behind"
    return f"deliveries are {minutes // 60} hours behind"


def resume(commit: str) -> str:
    """The command that goes on with exactly this platform commit."""
    return f"causeway resume {commit}"


def stuck(problem: Problem, commit: str) -> Problem:
    """A problem that keeps a landed commit from being delivered; a large removal, and what nobody reviewed, can be
    confirmed by command, too."""
    if problem.code not in (SHRINK, UNREVIEWED):
        return problem
    return replace(problem, fix=f"{problem.fix} Where it has landed already and was meant: `{resume(commit)}`.")


def halted(halts: Sequence[Problem]) -> tuple[str, str | None]:
    """Title and body of the one issue; the body is None where nothing stands still."""
    title = "Causeway: deliveries stand still"
    if not halts:
        return title, None
    parts = [_halt(problem) for problem in halts]
    return title, "\n\n".join([*parts, "This issue closes by itself when deliveries go on."])


def _halt(problem: Problem) -> str:
    return (
        f"{markdown(bold(prose(problem.message)))} ({markdown_code(problem.path)}, {problem.code})\n\n"
        f"{markdown(prose(problem.why))}\n\n{markdown(prose(problem.fix))}"
    )


def failed_delivery(error_id: str) -> tuple[str, str]:
    """Title and body of the issue after an unexpected error."""
    return (
        "Causeway: deliveries stand still",
        f"An unexpected error stopped the delivery; the log knows it as {markdown_code(error_id)}.\n\n"
        "It is tried again with the next change and every sweep. This issue closes by itself when deliveries go on.",
    )


def target_not_allowed(repo: str) -> Problem:
    """config.yaml names a GitOps repository that the bot's own settings do not allow for this platform repository."""
    return Problem(
        "platform/config.yaml",
        1,
        1,
        "CW0901",
        f"this bot may not write to `{repo}` for this platform repository",
        "Which repositories a platform may write to is decided where the bot runs: no pull request can widen it.",
        "Name an allowed repository, or add the numeric id of this one to the tenant's `gitops` in the bot's settings.",
    )


def always_refused(repo: str, branch: str) -> Problem:
    """Every try to push lost the race, or was refused."""
    return Problem(
        "platform/config.yaml",
        1,
        1,
        "CW0902",
        f"`{branch}` of `{repo}` did not take the delivery",
        "Its head moved under every try, or its rules refuse the bot.",
        "Let only the bot push there; it tries again by itself within a minute.",
    )


def cursor_lost(target: str, tip: str) -> Problem:
    """Our provenance is there, the cursor is not."""
    return Problem(
        CURSOR,
        1,
        1,
        "CW0805",
        f"{CURSOR} is missing from the GitOps repo of target `{target}`, though Causeway wrote what is there",
        _SAFE,
        f"Restore the file from that repo's history, or let Causeway take over at the newest commit: `{resume(tip)}`.",
    )


def foreign_cursor(target: str, repository: str) -> Problem:
    """The cursor names another platform repository."""
    return Problem(
        CURSOR,
        1,
        1,
        "CW0806",
        f"the GitOps repo of target `{target}` belongs to the platform repository with id {repository}",
        "Two platform repositories that write to one GitOps repo would remove each other's services.",
        "Give this platform a GitOps repository of its own in platform/config.yaml.",
    )


def cursor_left(cursor: str, tip: str) -> Problem:
    """The cursor's commit is not in the branch's history."""
    return Problem(
        CURSOR,
        1,
        1,
        "CW0807",
        f"the commit that is live, {cursor[:12]}, is no longer in the history of the platform's default branch",
        f"The branch was rewritten. {_SAFE}",
        f"Bring the commit back into the branch, or accept the branch as it is now: `{resume(tip)}`.",
    )
