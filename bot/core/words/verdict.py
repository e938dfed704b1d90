"""The verdict: first line, who or what unblocks, and what it is to the forge."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final, Literal

from bot.core.model.conversation import Conversation, Delivered, Halted
from bot.core.model.plan import Plan
from bot.core.model.rights import Agreement
from bot.core.policy.model import ADVICE
from bot.core.problem import Problem, Refusal
from bot.core.rules.gates import GATES
from bot.core.words import problems, waiting, what
from bot.core.words.amounts import count, money, names, places, unique
from bot.core.words.data import Stake, at_stake
from bot.core.words.inline import Line, bold, code, joined, line, link, prose, user
from bot.core.words.links import place
from bot.core.words.problems import sentence

State = Literal["success", "failure", "pending"]
_ASKS = re.compile(r"\bask\b", re.IGNORECASE)
"""In a fix: somebody else has to do something first."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """`says` follows the icon and the word in the first line; `brief` follows the word in a status."""

    icon: str
    word: str
    says: Line
    brief: Line
    state: State
    unblock: Line = ()

    @property
    def first(self) -> Line:
        """The first line without its icon: `Ready: checkout changes in prod`."""
        return line(f"{self.word}: " if self.word else "", self.says)

    @property
    def short(self) -> Line:
        """The status."""
        return line(f"{self.word}: " if self.word else "", self.brief)


NOBODY_ELSE: Final = Agreement()


def verdict(talk: Conversation) -> Verdict:
    """The verdict of the whole conversation: what went wrong outside first, then what was decided."""
    found = _verdict(talk)
    plan = talk.outcome
    if talk.stage == "open" and talk.changed:
        found = replace(found, brief=line(found.brief, " · changed since review"))
    if talk.stage == "open" and talk.contests:
        others = joined([line(talk.dialect.reference(one.number)) for one in talk.contests[:3]])
        found = replace(found, brief=line(found.brief, " · contested by ", others))
    observing = talk.observing or (isinstance(plan, Plan) and plan.mode == "observe")
    return _observed(found, over=talk.delivered is not None) if observing else found


def of_plan(plan: Plan) -> Verdict:
    """The verdict of a plan alone, as a terminal tells it."""
    return _observed(_decided(plan)) if plan.mode == "observe" else _decided(plan)


def _verdict(talk: Conversation) -> Verdict:
    if talk.error_id:
        return _error(talk.error_id)
    if talk.halted is not None:
        return _halted(talk.halted)
    if talk.delivered is not None:
        return _delivered(talk, talk.delivered)
    if talk.conflict:
        return _conflict(talk)
    match talk.outcome:
        case None if talk.stage != "closed":
            return _error("")
        case Refusal(problems=found):
            return refused(found)
        case Plan() as plan if talk.stage == "open" and not plan.errors and talk.agreement.missing:
            return _waits(plan, talk.agreement)
        case Plan() as plan if talk.stage == "open":
            return _problems(plan, talk.agreement) if plan.errors else _decided(plan)
        case Plan() as plan if plan.errors and talk.stage != "closed":
            return _landed_with_problems(plan)
        case _:
            return _landed(talk)


def _decided(plan: Plan) -> Verdict:
    if plan.errors:
        return _problems(plan)
    if not plan.concerns:
        nothing = line("nothing here concerns Causeway")
        return Verdict("✅", "Ready", nothing, nothing, "success")
    return Verdict("✅", "Ready", what.headline(plan), _figures(plan), "success")


def _figures(plan: Plan) -> Line:
    """`1 service, 3 environments, +$222 a month`."""
    services = [service for service in plan.services if service.action != "refused"]
    warned = sum(problem.code != ADVICE for problem in plan.problems)
    waiting = [s for s in services if s.environments and all(e.action == "waiting" for e in s.environments)]
    if services and len(waiting) == len(services):
        numbers = line(
            names([s.name for s in waiting], 2), " waits for its first release in ", places(what.environments(waiting))
        )
    elif services:
        dearer = what.cost(plan)
        numbers = line(
            f"{count(len(services), 'service')}, {count(len(what.environments(services)), 'environment')}",
            f", {money(dearer, signed=True)} a month" if dearer else "",
        )
    else:
        numbers = what.headline(plan)
    return line(numbers, f" · {count(warned, 'warning')}" if warned else "")


def _problems(plan: Plan, agreement: Agreement = NOBODY_ELSE) -> Verdict:
    stakes = at_stake(plan)
    if stakes:
        return _blocked(plan, stakes)
    if all(problem.code in GATES for problem in plan.errors):
        return _gated(plan.errors)
    runs = any(service.environments for service in plan.services)
    rest = " Everything else is fine: what is below holds once that is done." if runs else ""
    others = any(_ASKS.search(problem.fix) for problem in plan.errors)
    who = line("what needs another team says so" if others else "nobody else needs to act")
    if agreement.missing:
        who = line("then it waits for ", waiting.teams(agreement))
    unblock = line(f"Mend {_them(plan.errors)} and push; ", who, f".{rest}")
    return Verdict("❌", "", problems.headline(plan.errors), problems.summed(plan.errors), "failure", unblock)


def _gated(found: Sequence[Problem]) -> Verdict:
    """Nothing is to be mended: it only has to wait."""
    more = f", and {len(found) - 1:,} more" if len(found) > 1 else ""
    said = line(prose(found[0].message, 300), more)
    brief = line(user(found[0].message.replace("`", ""), 110), more)
    return Verdict("⛔", "Blocked", said, brief, "failure", line("The change itself is fine; it has to wait."))


def _waits(plan: Plan, agreement: Agreement) -> Verdict:
    doing = what.headline(plan) if plan.concerns else line("this changes who may do what, and nothing that runs")
    says = line("Waits for ", waiting.teams(agreement), ": ", doing)
    return Verdict("⏳", "", says, line("Waits for ", waiting.counted(agreement)), "pending", waiting.how(agreement))


def _them(found: Sequence[Problem]) -> str:
    return "it" if len(found) == 1 else "these"


def _blocked(plan: Plan, stakes: Sequence[Stake]) -> Verdict:
    where = places(unique(stake.plan.environment for stake in stakes))
    said = line(where, " would lose data")
    others = len(plan.errors) - len(stakes)
    more = f", and {count(others, 'other problem')}" if others > 0 else ""
    keep = line("Change it back to keep the data")
    entry = line(
        ", or list ", names([stake.path for stake in stakes], 3, as_code=True), " in ", code("platform/destroy.yaml")
    )
    unblock = line(keep, entry, " with a reason to lose it on purpose.")
    stores = names([f"{stake.service.name}/{stake.data.need}" for stake in stakes], 3)
    return Verdict("⛔", "Blocked", line(said, more), line(said, " (", stores, ")"), "failure", unblock)


def refused(found: Sequence[Problem]) -> Verdict:
    """The verdict where the platform's own files are no platform."""
    said = line("the platform's own files cannot be read")
    first = found[0]
    unblock = line("Nothing can be planned until ", code(place(first), 160), " is mended; the platform team can do it.")
    return Verdict(
        "⛔", "Refused", said, line(said, " (", user(f"{first.path}:{first.line}", 80), ")"), "failure", unblock
    )


def _conflict(talk: Conversation) -> Verdict:
    base = talk.shas.base_ref
    said = line("this cannot be merged into ", user(base, 60), " as it is")
    settle = line("Merge ", code(base, 60), " into this branch, settle it, and push.")
    # A flow that knows of no path says why between brackets.
    if talk.conflict[0].startswith("("):
        return Verdict("⛔", "Conflict", said, line(user(talk.conflict[0].strip("()"), 80)), "failure", settle)
    paths = names(talk.conflict, 5, as_code=True)
    clash = "conflicts" if len(talk.conflict) == 1 else "conflict"
    brief = line(f"{count(len(talk.conflict), 'file')} {clash} with ", user(base, 60))
    return Verdict("⛔", "Conflict", said, brief, "failure", line("Both sides changed ", paths, ". ", settle))


def _error(error_id: str) -> Verdict:
    said = line("Causeway could not look at this, and that is its own fault")
    if not error_id:
        return Verdict("⛔", "Failed", said, said, "failure", line("It is tried again when something changes here."))
    unblock = line(
        "Push again to try again. If it stays, give the platform team this id, which the log knows: ",
        code(error_id, 60),
        ".",
    )
    return Verdict("⛔", "Failed", said, line("unexpected error, id ", user(error_id, 60)), "failure", unblock)


def _halted(halted: Halted) -> Verdict:
    said = line("deliveries stand still")
    command = line("To go on: ", code(halted.command, 300)) if halted.command else ()
    unblock = line(sentence(halted.why), " ", command)
    return Verdict("⏸", "Halted", said, line(user(halted.why, 100)), "failure", unblock)


def _delivered(talk: Conversation, done: Delivered) -> Verdict:
    plan = talk.outcome if isinstance(talk.outcome, Plan) else None
    if what.nothing_written(talk):
        return _nothing()
    stayed = [service.name for service in plan.services if service.action == "refused"] if plan is not None else []
    if stayed:
        verb = "is not" if len(stayed) == 1 else "are not"
        said = line("delivered as ", link(done.sha[:7], done.url), ", but ", names(stayed, 3), f" {verb}")
        unblock = line("It keeps what ran before until what is named below is mended in another pull request.")
        return Verdict("❌", "Not whole", said, said, "failure", unblock)
    others = [line(", ", link(sha[:7], url)) for sha, url in done.others]
    told = line("Delivered as ", link(done.sha[:7], done.url), *others, " · ", user(done.at, 40))
    where = line(" to ", places(what.in_order(done.environments, plan))) if done.environments else ()
    shas = ", ".join([done.sha[:7], *(sha[:7] for sha, _ in done.others)])
    brief = line("Delivered as ", code(shas), where, " · differs from what was reviewed" if done.notes else "")
    return Verdict("🚚", "", told, brief, "success")


def _landed_with_problems(plan: Plan) -> Verdict:
    found = _decided(plan)
    if at_stake(plan):
        return found
    stays = line(f"It is merged: what ran before stays until {_them(plan.errors)} ")
    verb = "is" if len(plan.errors) == 1 else "are"
    return replace(found, unblock=line(stays, f"{verb} mended in another pull request."))


def _landed(talk: Conversation) -> Verdict:
    if talk.stage == "closed":
        said = line("nothing changes")
        return Verdict("🚪", "Closed without merging", said, said, "success")
    if talk.stage == "delivered" or what.nothing_written(talk):
        return _nothing()
    watching = isinstance(talk.outcome, Plan) and talk.outcome.mode == "observe"
    if watching or talk.observing:
        return _merged("nothing is delivered while it is so", "🚚")
    return _merged("delivery comes next", "🚚")


def _nothing() -> Verdict:
    return _merged("there was nothing to deliver", "✅")


def _merged(how: str, icon: str) -> Verdict:
    return Verdict(icon, "Merged", line(how), line(how), "success")


def _observed(found: Verdict, over: bool = False) -> Verdict:
    """The same, where Causeway only watches: nothing fails and nothing is pushed. `over` where it was delivered after
    all, once that had ended."""
    inner = line(f"{found.word.lower()}: " if found.word else "", found.says)
    calm = line(
        bold("Nothing was blocked" if over else "Nothing is blocked and nothing is pushed"),
        ": ",
        code("platform/config.yaml"),
        " said " if over else " says ",
        code("mode: observe"),
        ". ",
    )
    brief = line(f"{found.word.lower()}: " if found.word else "", found.brief)
    return replace(
        found, icon="👁", word="Observing", says=inner, brief=brief, state="success", unblock=line(calm, found.unblock)
    )
