"""The comment: which parts, in which order, on which rung.

Order: verdict and who unblocks, with the problems that refuse, since their fix is what unblocks · what is destroyed,
recreated, kept, newly public · a table a service with what restarts · what must exist before it starts · undo ·
warnings · folded details · what it was computed for.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from hashlib import sha256

from bot.core.model.conversation import Conversation, Shas
from bot.core.model.plan import Plan
from bot.core.policy.model import ADVICE
from bot.core.problem import Problem, Refusal
from bot.core.words import blocks, data, delivered, folds, policies, problems, start, waiting, what
from bot.core.words.amounts import count, names, verb
from bot.core.words.changed import plan_digest
from bot.core.words.groups import Group, grouped
from bot.core.words.inline import Line, bold, code, joined, line, own, prose
from bot.core.words.ladder import Part, Rung, always, fit
from bot.core.words.table import facts_table
from bot.core.words.undo import undo
from bot.core.words.verdict import Verdict, verdict

NOTICE = 700
"""Bytes held back for saying that the comment was shortened."""
HEADING = 2_000
"""Bytes of a first line; beyond it names are left out."""
FIRST = 5
"""Problems that are told even where nothing else fits."""


def comment(talk: Conversation) -> str:
    """The comment as Markdown, never longer than the dialect's limit (from 4,000 bytes up)."""
    found = verdict(talk)
    parts = [always(_heading(found)), *_said(blocks.paragraph(found.unblock)), *_agreement(talk), *_notices(talk)]
    parts += [*_changed(talk), *_contests(talk)]
    body = _body(talk)
    summary = _hidden(talk)
    if summary and body:
        body = [always(blocks.opened((own(summary),))), *body, always(blocks.CLOSED)]
    parts += [*delivered.parts(talk), *body]
    footer = _footer(talk)
    fitted = fit(parts, talk.dialect.limit - NOTICE - len(footer.encode()) - 4)
    notice = _shortened(fitted.missing, talk) if fitted.shortened else ""
    return "\n\n".join(block for block in (*fitted.blocks, notice, footer) if block) + "\n"


def digest(talk: Conversation) -> str:
    """Of what the comment says: the same while only shas, links and the minutes of a lag move."""
    still = replace(
        talk,
        shas=Shas(base="", base_ref=talk.shas.base_ref, head="", blob_url=""),
        lag="deliveries are behind" if talk.lag else "",
        since="",
    )
    return sha256(comment(still).encode()).hexdigest()


def _heading(found: Verdict) -> str:
    whole = blocks.heading(line(f"{found.icon} ", found.first))
    return whole if len(whole.encode()) <= HEADING else f"### {found.icon} {found.word or 'Problems'}"


def _said(block: str, rung: Rung = Rung.MUST) -> list[Part]:
    return [Part({rung: lambda: block})] if block else []


def _hidden(talk: Conversation) -> str:
    """The summary of the fold that hides the body, empty where it stands open."""
    if talk.stage in ("delivered", "closed"):
        return "What was reviewed"
    return "The plan so far: this is a draft" if talk.draft and talk.stage == "open" else ""


def _agreement(talk: Conversation) -> list[Part]:
    return _said(blocks.bullets(waiting.rows(talk.agreement, open_=talk.stage == "open")))


def _notices(talk: Conversation) -> list[Part]:
    lines: list[Line] = []
    if talk.lag:
        lines.append(
            line(bold("Late"), ": ", problems.sentence(talk.lag), " What runs may not be what was merged last.")
        )
    if talk.drift:
        paths = names(talk.drift, 3, as_code=True)
        lines.append(
            line(
                bold("Drift"),
                ": someone else changed ",
                count(len(talk.drift), "path"),
                " in the GitOps repo: ",
                paths,
                ".",
            )
        )
    return _said(blocks.bullets(lines))


def _changed(talk: Conversation) -> list[Part]:
    """Whoever has read the plan before reads this first."""
    if not talk.changed:
        return []
    head = blocks.paragraph(bold("Changed since review:"), (own("other merges have changed what this does."),))
    rows = blocks.bullets([problems.sentence(words) for words in talk.changed])
    return [Part({Rung.MUST: lambda: head, Rung.NEED: lambda: f"{head}\n\n{rows}"})]


def _contests(talk: Conversation) -> list[Part]:
    return _said(
        blocks.bullets(
            [
                line(
                    bold("Contested"), ": ", own(talk.dialect.reference(one.number)), " wants ",
                    joined([line(prose(claim, 200)) for claim in one.claims[:5]]),
                    f" and {len(one.claims) - 5:,} more" if len(one.claims) > 5 else "",
                    ", too. Whichever lands first has it; the other is refused then.",
                )
                for one in talk.contests[:20]
            ]
        )
    )  # fmt: skip


def _body(talk: Conversation) -> list[Part]:
    match talk.outcome:
        case Refusal(problems=found):
            return _problems(found, talk.shas.blob_url)
        case Plan() as plan:
            return _plan(plan, talk)
        case _:
            return []


def _plan(plan: Plan, talk: Conversation) -> list[Part]:
    blob = talk.shas.blob_url
    groups = grouped(plan.services)
    soft = [problem for problem in plan.problems if problem.severity != "error"]
    waits = start.before_start(plan)
    refusing, careful = _problems(plan.errors, blob), _careful(plan, blob)
    return [
        *(careful + refusing if data.at_stake(plan) else refusing + careful),
        *[_group(group, blob, alone=len(groups) == 1) for group in groups if group.shown.environments],
        *_said(blocks.bullets(what.platform(plan)), Rung.NEED),
        *_said(_labelled("Before it can start", waits), Rung.NEED),
        *_said(_labelled("Undo", (line(*_spaced(undo(plan))),) if undo(plan) else ()), Rung.NEED),
        *_said(blocks.bullets(policies.waivers(plan)), Rung.NEED),
        *_warnings(soft, blob),
        *policies.fleet(plan),
        *[part for group in groups for part in folds.details(group, blob, talk.diffs)],
        *[folds.platform(change, talk.diffs) for change in plan.platform if change.objects],
    ]


def _spaced(sentences: Sequence[Line]) -> list[Line]:
    return [line(" " if at else "", sentence) for at, sentence in enumerate(sentences)]


def _labelled(label: str, lines: Sequence[Line]) -> str:
    if not lines:
        return ""
    if len(lines) == 1:
        return blocks.paragraph(line(bold(f"{label}:"), " ", lines[0]))
    return f"{blocks.paragraph(bold(f'{label}:'))}\n\n{blocks.bullets(lines)}"


def _careful(plan: Plan, blob_url: str) -> list[Part]:
    lines = data.careful(plan, blob_url)
    if not lines:
        return []
    whole = blocks.paragraph(lines[0]) if len(lines) == 1 else blocks.bullets(lines)
    forms: dict[Rung, Callable[[], str]] = {Rung.NEED: lambda: whole}
    if data.stakes(plan, *data.TOLD):
        forms[Rung.MUST] = lambda: blocks.paragraph(data.counted(plan))
    return [Part(forms)]


def _problems(found: Sequence[Problem], blob_url: str) -> list[Part]:
    return [_problem(problem, blob_url, Rung.MUST if at < FIRST else Rung.NEED) for at, problem in enumerate(found)]


def _problem(problem: Problem, blob_url: str, least: Rung) -> Part:
    return Part(
        {
            least: lambda: blocks.paragraph(problems.short(problem, blob_url)),
            Rung(least + 1): lambda: blocks.paragraph(problems.told(problem, blob_url)),
        },
        ("problem", 1),
    )


def _warnings(found: Sequence[Problem], blob_url: str) -> list[Part]:
    """Each that somebody must know of; what policies only advise is folded behind a line that counts it."""
    advice = [problem for problem in found if problem.code == ADVICE]
    told = [problem for problem in found if problem.code != ADVICE]
    parts = [Part({Rung.FACTS: _teller(same, blob_url)}, ("warning", len(same))) for same in problems.alike(told)]
    return [*parts, *([Part({Rung.FACTS: lambda: policies.advice(advice, blob_url)})] if advice else [])]


def _teller(same: Sequence[Problem], blob_url: str) -> Callable[[], str]:
    return lambda: blocks.paragraph(problems.told_once(same, blob_url))


def _group(group: Group, blob_url: str, alone: bool) -> Part:
    """The table says what changes; a sentence before it says who, unless the first line did."""
    brief = _brief(group)

    def facts() -> str:
        shown = facts_table(group, blob_url)
        who = blocks.paragraph(brief) if not alone else ""
        many = (
            blocks.paragraph(line("They are ", names(group.names, 12), "."))
            if alone and len(group.services) > 1
            else ""
        )
        return "\n\n".join(block for block in (who, shown, many, blocks.bullets(start.effects(group.shown))) if block)

    return Part({Rung.NEED: lambda: blocks.paragraph(brief), Rung.FACTS: facts}, ("service", len(group.services)))


def _brief(group: Group) -> Line:
    others = line(", and so ", verb(len(group.services) - 1, "does"), " ", names(group.names[1:], 8))
    return line(what.one(group.services[0]), others if len(group.services) > 1 else (), ".")


def _shortened(missing: Mapping[str, int], talk: Conversation) -> str:
    left = " and ".join(count(number, thing) for thing, number in missing.items())
    gone = f" {left} {'is' if sum(missing.values()) == 1 else 'are'} not named above." if left else ""
    command = code(f"causeway plan . --base {talk.shas.base_ref} --full", 90)
    return blocks.paragraph(line(bold("Shortened"), f" to fit here.{gone} All of it: ", command))


def _footer(talk: Conversation) -> str:
    plan = talk.outcome
    first = talk.since or talk.shas.base
    base = f"{talk.shas.base_ref}@{first[:7]}" if talk.shas.base else talk.shas.base_ref
    where = line("First computed for ", code(talk.shas.head[:7], 7), " onto ", code(base, 80))
    if not isinstance(plan, Plan):
        return blocks.paragraph(line(where, "."))
    words = {"create": "created", "change": "changed", "delete": "deleted", "keep": "kept"}
    files = blocks.counts({word: plan.lines.get(key, 0) for key, word in words.items()})
    total = line("Objects: ", files, ". ") if any(plan.lines.get(key, 0) for key in words) else ()
    again = talk.since and talk.shas.base and talk.since != talk.shas.base
    where = line(where, " and again onto ", code(f"{talk.shas.base_ref}@{talk.shas.base[:7]}", 80)) if again else where
    plan_id = line(" · plan ", code((talk.plan_id or plan_digest(plan))[:12], 12)) if plan.concerns else ()
    return blocks.paragraph(line(total, where, f", kit {plan.renderer}", plan_id, "."))
