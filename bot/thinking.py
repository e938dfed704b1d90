"""The pure core over mirrors: reads trees by id, asks the core, and writes the objects that an answer names.

It holds no token and reaches no network; it may run in a process that can be killed (`isolation.py`).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from bot.answering import agreement, drafted, explained_in
from bot.core import words
from bot.core.agree import NOBODY, agree
from bot.core.build import Memo
from bot.core.doctor import features_of
from bot.core.drift import behind, drift
from bot.core.kit import kit_of
from bot.core.load import load_platform
from bot.core.memory import read_actual, unknown_object
from bot.core.model.ask import (
    Chain,
    CursorAsk,
    CursorSeen,
    DeliverAsk,
    DeliveredAsk,
    DeliveredSeen,
    Draft,
    DraftAsk,
    Earlier,
    ExplainAsk,
    Head,
    Link,
    Made,
    PassedOver,
    Required,
    RequiredAsk,
    ReviewAsk,
    Survey,
    SurveyAsk,
    TargetSeen,
    Told,
)
from bot.core.model.conversation import Conversation, Said
from bot.core.model.delivery import Actual, Evidence, Kept, Step, Unchanged
from bot.core.model.plan import Plan
from bot.core.model.platform import Platform
from bot.core.owned import provenance_folders
from bot.core.policy.found import policies_of
from bot.core.policy.model import Engine, PolicySet
from bot.core.policy.rego import judged_by
from bot.core.problem import Problem, Refusal
from bot.core.propose import NOTHING, Proposal, concerns, propose
from bot.core.rules.gates import turns_at
from bot.core.step import World, step
from bot.core.tree import Oid, Tree
from bot.git import Mirror
from bot.history import MOST_COMMITS, Ran, environments_between, oldest
from bot.judging import Judging
from bot.reviewed import compared, remembering, texts
from bot.shipped import shipped_tree
from bot.storing import Storing, for_ids

ANCESTORS = 50
"""How far back a readable version of the platform's own files is looked for."""


class Thinking:
    """Implements `ports.Core`. Long-lived: what one question computed serves the next."""

    def __init__(self, engine: Engine | None = None) -> None:
        self._memo = Memo()
        self._engine = engine or Judging()
        self._mirrors: dict[str, Mirror] = {}

    def survey(self, ask: SurveyAsk) -> Survey:
        git = self._mirror(ask.mirror)
        problems: tuple[Problem, ...] = ()
        for commit in self._line(git, ask.commit):
            platform = self._platform(git.tree(commit))
            if not isinstance(platform, Refusal):
                targets = tuple(TargetSeen(t.name, t.repo, t.branch) for t in platform.targets.values())
                return Survey(
                    targets,
                    platform.mode == "observe",
                    problems,
                    forks_ask=platform.config["forks"] == "ask",
                    turns_at=turns_at(platform, ask.now) if ask.now else 0,
                    reviewed_only=any(e.value["require_pull_request"] for e in platform.environments.values()),
                    features=features_of(platform.environments.values()),
                )
            problems = problems or platform.problems
        return Survey((), False, problems)

    def cursor(self, ask: CursorAsk) -> CursorSeen:
        actual = self._actual(ask.head)
        if isinstance(actual, Refusal):
            return CursorSeen("unreadable", problem=actual.problems[0])
        if actual.cursor is not None:
            at = actual.cursor
            return CursorSeen("found", at.commit, at.repository, behind=self._behind(ask, at.commit, actual.kept))
        ours = actual.head is not None and any(True for _ in provenance_folders(actual.head))
        return CursorSeen("lost" if ours else "absent")

    def _behind(self, ask: CursorAsk, cursor: Oid, kept: Kept) -> bool:
        git = self._mirror(ask.mirror or ask.head.mirror)
        tip = git.tree(ask.tip) if ask.tip is not None and _known(git, cursor) else None
        return tip is None or behind(git.tree(cursor), tip, shipped_tree(), kept, git.tree, self._memo)

    def required(self, ask: RequiredAsk) -> Required:
        git = self._mirror(ask.mirror)
        merged = git.tree(ask.merged)
        tip = git.tree(ask.base) if ask.base is not None else None
        base = self._base(git, ask.base)
        if tip is None or base is None or not concerns(tip, merged):
            return NOBODY
        ran = self._evidence(git, ask.heads, ask.now).ran
        return agree(
            base, merged, shipped_tree(), self._all_kept(ask.heads), ran, ask.now, git.tree, self._memo,
            stood_in=base.id != tip.id,
        )  # fmt: skip

    def review(self, ask: ReviewAsk) -> Said:
        git = self._mirror(ask.mirror)
        outcome: Proposal | Refusal | None = None
        observing = False
        if ask.merged is not None:
            outcome = self._propose(git, ask, ask.base, ask.merged)
            judging = self._base(git, ask.base)
            platform = self._platform(judging if judging is not None else git.tree(ask.merged))
            observing = not isinstance(platform, Refusal) and platform.mode == "observe"
        plan = outcome.plan if isinstance(outcome, Proposal) else outcome
        seen = compared(ask, plan, lambda earlier: self._plan_then(git, ask, earlier))
        done = _fate(ask, outcome)
        if done.delivered is not None:
            done = replace(done, delivered=replace(done.delivered, notes=seen.notes))
        speak = words.withdrawn if ask.speak else words.say
        said = speak(
            Conversation(
                outcome=plan,
                stage=done.stage,
                dialect=ask.dialect,
                shas=ask.shas,
                draft=ask.draft,
                observing=observing,
                conflict=ask.conflict,
                delivered=done.delivered,
                halted=done.halted,
                agreement=agreement(ask),
                lag=ask.lag,
                drift=self._drift(git, ask),
                diffs=outcome.diffs if isinstance(outcome, Proposal) else {},
                changed=seen.changed,
                since=seen.since,
                plan_id=seen.plan_id,
                contests=ask.contests,
                texts=texts(git, ask, plan),
            )
        )
        return remembering(said, ask, seen)

    def _plan_then(self, git: Mirror, ask: ReviewAsk, earlier: Earlier) -> Plan | None:
        then = self._propose(git, ask, earlier.base, earlier.merged)
        return then.plan if isinstance(then, Proposal) else None

    def _propose(self, git: Mirror, ask: ReviewAsk, base: Oid | None, merged: Oid) -> Proposal | Refusal:
        tree = git.tree(merged)
        if not concerns(git.tree(base) if base is not None else None, tree):
            return Proposal(NOTHING, {})
        evidence = replace(
            self._evidence(git, ask.heads, ask.now),
            approvals={ask.head_sha: ask.approvals},
            consents=frozenset(ask.consents),
            reviewed=ask.reviewed,
        )
        return propose(
            self._base(git, base), tree, shipped_tree(), self._all_kept(ask.heads), evidence, ask.head_sha, ask.now,
            lambda commit: git.tree(commit), self._memo, for_ids(), engine=self._engine,
        )  # fmt: skip

    def explain(self, ask: ExplainAsk) -> Told:
        return explained_in(self._mirror(ask.mirror).tree(ask.tree), shipped_tree(), ask.command, self._memo)

    def draft(self, ask: DraftAsk) -> Draft:
        git = self._mirror(ask.mirror)
        platform = self._platform(git.tree(ask.tip))
        if isinstance(platform, Refusal):
            return Draft(refused=words.no_platform())
        return drafted(git, ask, platform, self._evidence(git, ask.heads, ask.now).ran)

    def _drift(self, git: Mirror, ask: ReviewAsk) -> tuple[str, ...]:
        """Told beside an open plan, of which it is no part."""
        found: list[str] = []
        for head in ask.heads if ask.stage == "open" else ():
            actual = self._actual(head)
            if not isinstance(actual, Refusal) and actual.cursor is not None and _known(git, actual.cursor.commit):
                tree = git.tree(actual.cursor.commit)
                found += drift(tree, actual, shipped_tree(), head.target, git.tree, self._memo, for_ids())
        return tuple(found)

    def delivered(self, ask: DeliveredAsk) -> DeliveredSeen:
        git, gitops = self._mirror(ask.mirror), self._mirror(ask.head.mirror)

        def reached(commit: Oid) -> bool:
            seen = self.cursor(CursorAsk(replace(ask.head, commit=commit)))
            return seen.state == "found" and _reaches(git, ask.landed, seen.commit)

        first = oldest(list(self._line(gitops, ask.head.commit, MOST_COMMITS)) if ask.head.commit else [], reached)
        if first is None:
            return DeliveredSeen(None)
        made = gitops.commit(first)
        before = gitops.tree(made.parents[0]) if made.parents else None
        changed = environments_between(before, gitops.tree(made.id))
        return DeliveredSeen(made.id, next(iter(made.parents), None), made.time, changed)

    def deliver(self, ask: DeliverAsk) -> Chain:
        git, gitops = self._mirror(ask.mirror), self._mirror(ask.head.mirror)
        head, unreviewed = ask.head, False
        made: list[Made] = []
        passed: list[PassedOver] = []
        untold: list[Problem] = []
        problems: tuple[Problem, ...] = ()
        for each in ask.links:
            # What was passed over lands with the next one, and is reviewed no better by that.
            unreviewed = unreviewed or not each.reviewed
            link = replace(each, reviewed=not unreviewed)
            done = self._step(git, head, link, ask.resumed)
            if isinstance(done, Refusal):
                passed.append(PassedOver(link.landed, done.problems))
                untold.extend(done.problems)
                continue
            problems = done.problems
            unreviewed = False
            if isinstance(done, Step):
                message = words.commit_message(replace(done, problems=(*untold, *done.problems)))
                try:
                    commit = gitops.write(head.commit, done.edits, message, link.landed.time)
                except KeyError:
                    # Only `kept` brings in ids that no read has seen: somebody wrote one there by hand.
                    passed.append(PassedOver(link.landed, unknown_object().problems))
                    continue
                untold.clear()
                self._memo.lawful.put(gitops.commit(commit).tree, True)
                made.append(Made(commit, link.landed, message.partition("\n")[0]))
                head = replace(head, commit=commit)
        return Chain(tuple(made), tuple(passed), problems)

    def _step(self, git: Mirror, head: Head, link: Link, resumed: Oid | None) -> Step | Unchanged | Refusal:
        confirmed = resumed == link.landed.commit
        actual = self._taken_over(git, head) if confirmed else self._actual(head)
        if isinstance(actual, Refusal):
            return actual
        before = git.tree(actual.cursor.commit) if actual.cursor is not None else None
        judging = self._base(git, link.before) if link.before is not None else None
        storing = Storing(self._mirror(head.mirror))
        world = World(
            shipped_tree(), head.target, git.tree, self._memo, for_ids(), storing, storing.stored, self._engine
        )
        evidence = replace(
            self._evidence(git, (head,), link.landed.time, resumed),
            approvals={link.landed.head_sha: link.approvals},
            consents=frozenset(link.consents),
            reviewed=link.reviewed or confirmed,
        )
        return step(before, git.tree(link.landed.commit), judging, actual, evidence, link.landed, world)

    def _taken_over(self, git: Mirror, head: Head) -> Actual:
        """What a person who resumes goes on from: the head as it is, and the newest memory in its history that can be
        read and that the platform's history knows, so that nothing of ours is left behind or taken for foreign."""
        gitops = self._mirror(head.mirror)
        tree = gitops.tree(head.commit) if head.commit is not None else None
        kept: Kept = {}
        for commit in self._line(gitops, head.commit, MOST_COMMITS) if head.commit is not None else ():
            found = read_actual(gitops.tree(commit))
            if isinstance(found, Refusal) or found.cursor is None:
                continue
            kept = kept or found.kept
            if _known(git, found.cursor.commit):
                return Actual(tree, found.cursor, found.kept)
        return Actual(tree, None, kept)

    def _evidence(self, git: Mirror, heads: tuple[Head, ...], now: int, resumed: Oid | None = None) -> Evidence:
        lines = [(self._mirror(head.mirror), head.commit) for head in heads if head.commit is not None]
        return Evidence(ran=Ran(git, lines, now), resumed=resumed)

    def _actual(self, head: Head) -> Actual | Refusal:
        return read_actual(self._mirror(head.mirror).tree(head.commit) if head.commit is not None else None)

    def _all_kept(self, heads: tuple[Head, ...]) -> dict[str, Kept]:
        return {head.target: kept for head in heads if (kept := self._kept(head)) is not None}

    def _kept(self, head: Head) -> Kept | None:
        actual = self._actual(head)
        return None if isinstance(actual, Refusal) else actual.kept

    def _base(self, git: Mirror, tip: Oid | None) -> Tree | None:
        """The newest version whose judges can be read, from `tip` back along first parents."""
        for commit in self._line(git, tip) if tip is not None else ():
            tree = git.tree(commit)
            if not isinstance(self._platform(tree), Refusal) and not isinstance(self._policies(tree), Refusal):
                return tree
        return None

    def _policies(self, tree: Tree) -> PolicySet | Refusal:
        kit = kit_of(tree, shipped_tree())
        return kit if isinstance(kit, Refusal) else judged_by(policies_of(tree, kit), self._engine)

    @staticmethod
    def _platform(tree: Tree) -> Platform | Refusal:
        kit = kit_of(tree, shipped_tree())
        return kit if isinstance(kit, Refusal) else load_platform(tree, kit)

    @staticmethod
    def _line(git: Mirror, tip: Oid, most: int = ANCESTORS) -> Iterator[Oid]:
        commit: Oid | None = tip
        for _ in range(most):
            if commit is None:
                return
            yield commit
            parents = git.commit(commit).parents
            commit = parents[0] if parents else None

    def _mirror(self, path: str) -> Mirror:
        if path not in self._mirrors:
            self._mirrors[path] = Mirror(Path(path))
        return self._mirrors[path]


def _fate(ask: ReviewAsk, outcome: Proposal | Refusal | None) -> ReviewAsk:
    """What became of a landed change. One that changes nothing that runs is done as soon as it has landed, and the
    GitOps commit that later passes it by is none of its own."""
    nothing = isinstance(outcome, Proposal) and not outcome.plan.concerns and not outcome.plan.errors
    if ask.stage in ("merged", "delivered") and nothing:
        return replace(ask, stage="delivered", delivered=None, halted=None)
    return ask


def _known(git: Mirror, commit: Oid) -> bool:
    try:
        git.commit(commit)
    except KeyError:
        return False
    return True


def _reaches(git: Mirror, landed: Oid, cursor: Oid) -> bool:
    try:
        return git.is_ancestor(landed, cursor)
    except KeyError:
        return False
