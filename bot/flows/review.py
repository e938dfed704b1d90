"""The promise to whoever opens a pull request: a status on its head, and one comment that says what it would do."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import replace

from bot.core import words
from bot.core.model.ask import CursorAsk, Head, Required, RequiredAsk, ReviewAsk, Survey, SurveyAsk
from bot.core.model.conversation import Conversation, Said, Shas
from bot.core.model.delivery import Approval
from bot.core.tree import NO_OID, Oid, Tree
from bot.flows.afterwards import after_merge
from bot.flows.commands import Scene, asked_for, carry_out, pending, take_up
from bot.flows.contests import contests, stir
from bot.flows.earlier import earlier
from bot.flows.evidence import gather
from bot.flows.failed import failed
from bot.flows.line import undelivered
from bot.flows.looking import looking
from bot.flows.names import COMMENT, CONTEXT, REMARKS
from bot.flows.place import Place
from bot.flows.targets import heads_of
from bot.ports import Comment, Conflict, GoneError, PoisonError, Pull, Repository, Status, Wakeups

LAG_SECONDS = 600
MOVED_SECONDS = 1.0
QUEUE = "gh-readonly-queue/"
"""Branches of merge queues: the branch that they are for follows, then `/pr-<number>-<sha>`."""
NO_HISTORY = "(no history in common)"
NOTHING = Survey((), observe=False, problems=())


def review(number: int, place: Place, wakeups: Wakeups, name: str) -> None:
    """Looks at the pull request as it stands now, ensures its status and comment, and carries out what comments ask."""
    pull = _pull(number, place)
    if pull is None:
        _issue(number, place, wakeups)
        return
    comments = place.forge.comments(number)
    waiting = pending(comments)
    waiting, trouble = take_up(waiting, number, place)
    if pull.state == "closed" and not pull.merged:
        _close(pull, place)
        stir(number, place, wakeups)
        told = ""
    else:
        said = _ensured(pull, place, comments, wakeups, name)
        if said is None:
            return
        told = said.status
    if waiting:
        carry_out(waiting, Scene(place, number, pull, _merged(pull, place), told, wakeups))
    if trouble is not None:
        raise trouble


def _pull(number: int, place: Place) -> Pull | None:
    """None where there is none of this number. Asked twice: a forge says so at times of one that it has."""
    for _ in range(2):
        try:
            return place.forge.pull(number)
        except GoneError:
            continue
    return None


def _issue(number: int, place: Place, wakeups: Wakeups) -> None:
    """Commands may stand in an issue, too. GoneError where there is none either."""
    waiting = pending(place.forge.comments(number))
    waiting, trouble = take_up(waiting, number, place)
    carry_out(waiting, Scene(place, number, None, None, "", wakeups))
    if trouble is not None:
        raise trouble


def _merged(pull: Pull, place: Place) -> Oid | None:
    """The merge result of an open pull request, for what comments ask about it."""
    refs = [f"refs/heads/{pull.base_ref}", place.forge.pull_ref(pull.number)]
    found = place.git.fetch(place.forge.remote(), refs) if pull.state == "open" else {}
    base, head = found.get(refs[0]), found.get(refs[1])
    merged = place.git.merge_tree(base, head) if base is not None and head is not None else None
    return None if isinstance(merged, Conflict) else merged


def _ensured(pull: Pull, place: Place, comments: Sequence[Comment], wakeups: Wakeups, name: str) -> Said | None:
    """Status first, then the comment. None where the head moved meanwhile: then this is looked at again."""
    there = place.forge.comment_digest(pull.number, COMMENT)
    remembered = there or ""
    said = _said(pull, place, comments, remembered)
    if said is None:
        # The head that git has is not the one the forge told of: it moves just now, or one of the two answers is old.
        wakeups.ring(name, after=MOVED_SECONDS)
        return None
    status = Status(CONTEXT, said.state, said.status, pull.web_url, said.summary)
    place.forge.ensure_status(pull.head_sha, status, said.annotations)
    if said.comment is None:
        if there is None:
            return said
        said = _said(pull, place, comments, remembered, speak=True)
    if said is None or place.forge.pull(pull.number).head_sha != pull.head_sha:
        place.authors.pop((pull.number, pull.head_sha), None)
        wakeups.ring(name)
        return None
    if said.comment is not None and said.digest != remembered:
        urgent = said.state == "failure"
        place.forge.ensure_comment(pull.number, COMMENT, said.digest, said.comment, urgent)
    stir(pull.number, place, wakeups)
    if pull.state == "open":
        place.forge.ensure_remarks(pull.number, pull.head_sha, REMARKS, said.remarks)
    return said


def _close(pull: Pull, place: Place) -> None:
    """A comment that stands there must not go on promising; a pull request without one needs no last word."""
    if place.forge.comment_digest(pull.number, COMMENT) is None:
        return
    said = words.withdrawn(
        Conversation(
            outcome=None, stage="closed", dialect=place.dialect, shas=Shas("", pull.base_ref, pull.head_sha, "")
        )
    )
    if said.comment is not None:
        urgent = said.state == "failure"
        place.forge.ensure_comment(pull.number, COMMENT, said.digest, said.comment, urgent)


def review_queue(sha: Oid, place: Place) -> None:
    """A merge queue waits for a status on its own commit: the verdict of that commit against the default branch."""
    repository = place.forge.repository()
    ref = f"refs/heads/{repository.default_branch}"
    found = place.git.fetch(place.forge.remote(), [ref, sha])
    base = found[ref]
    if found[sha] is None:
        return
    if _queued_for(sha, place) not in ("", repository.default_branch):
        said = _elsewhere(sha, place, repository.default_branch)
        place.forge.ensure_status(sha, Status(CONTEXT, said.state, said.status, repository.web_url))
        return
    heads = heads_of(place, place.core.survey(SurveyAsk(place.git.path, base)) if base is not None else NOTHING)
    merged, now = place.git.commit(sha).tree, int(time.time())
    required = place.core.required(RequiredAsk(place.git.path, base, merged, now, heads))
    said = place.core.review(
        ReviewAsk(
            mirror=place.git.path,
            base=base,
            merged=merged,
            heads=heads,
            head_sha=sha,
            now=now,
            # Nobody approves a queue's own commit. Each pull request in it had its own status before; what landed is
            # asked again by the delivery, for its own head.
            approvals=tuple(Approval("", row.team) for row in required.requirements),
            dialect=place.dialect,
            shas=Shas(base or NO_OID, repository.default_branch, sha, f"{repository.web_url}/blob/{sha}"),
        )
    )
    status = Status(CONTEXT, said.state, said.status, repository.web_url, said.summary)
    place.forge.ensure_status(sha, status, said.annotations)


def _queued_for(sha: Oid, place: Place) -> str:
    """The branch that a queue's commit waits for, by the name that the queue gave it; empty where it has none."""
    for name, tip in place.git.heads(place.forge.remote()).items():
        if tip == sha and name.removeprefix("refs/heads/").startswith(QUEUE):
            return name.removeprefix("refs/heads/").removeprefix(QUEUE).rpartition("/pr-")[0]
    return ""


def _said(pull: Pull, place: Place, comments: Sequence[Comment], remembered: str, speak: bool = False) -> Said | None:
    """None where the head moved. `remembered` is the digest of the comment that stands there."""
    try:
        return _look(pull, place, comments, remembered, speak)
    except PoisonError as poison:
        said = failed(pull, place, poison.error_id)
        # A look that fails must not forget what was reviewed.
        return replace(said, digest=words.sealed(said.digest, words.read_seal(remembered), None))


def _elsewhere(head: Oid, place: Place, default: str) -> Said:
    """A status belongs to a commit, whatever pull requests it is in: said of a head that nobody judged, success would
    let the same head into the default branch by another pull request."""
    ref = f"refs/heads/{default}"
    tip = place.git.fetch(place.forge.remote(), [ref])[ref]
    merged = place.git.merge_tree(tip, head) if tip is not None else None
    if tip is None or merged is None or not _differ(place.git.tree(tip), merged, place):
        return words.other_branch(default)
    there = place.forge.status(head, CONTEXT)
    if there is not None:
        # What was found of it for the default branch.
        return Said(there.state, there.description, None, "")
    return words.not_judged(default, place.core.survey(SurveyAsk(place.git.path, tip)).observe)


def _differ(tip: Tree, merged: Oid | Conflict, place: Place) -> bool:
    if isinstance(merged, Conflict):
        return True
    after = place.git.tree(merged)
    return any(tip.get(folder) != after.get(folder) for folder in ("services", "platform"))


def _look(pull: Pull, place: Place, comments: Sequence[Comment], remembered: str, speak: bool) -> Said | None:
    since = time.monotonic()
    repository = place.forge.repository()
    refs = [f"refs/heads/{pull.base_ref}", place.forge.pull_ref(pull.number)]
    found = place.git.fetch(place.forge.remote(), refs)
    base, head = found[refs[0]], found[refs[1]] or pull.head_sha
    if pull.base_ref != repository.default_branch:
        return _elsewhere(head, place, repository.default_branch)
    survey = place.core.survey(SurveyAsk(place.git.path, base)) if base is not None else NOTHING
    heads = heads_of(place, survey)
    if pull.merged:
        return after_merge(pull, place, repository, base, heads, speak, survey.reviewed_only, remembered)
    if head != pull.head_sha:
        return None
    if pull.fork and survey.forks_ask and not asked_for(head, comments, place):
        return words.fork_waits(head, survey.observe)
    merged = place.git.merge_tree(base, head) if base is not None else place.git.commit(head).tree
    conflict = (merged.paths or (NO_HISTORY,)) if isinstance(merged, Conflict) else ()
    now = int(time.time())
    required = Required(())
    if not isinstance(merged, Conflict):
        with looking(pull, place, since):
            required = place.core.required(RequiredAsk(place.git.path, base, merged, now, heads))
    given = gather(place, pull.number, head, required)
    ask = ReviewAsk(
        mirror=place.git.path,
        base=base,
        merged=None if isinstance(merged, Conflict) else merged,
        heads=heads,
        head_sha=head,
        now=now,
        dialect=place.dialect,
        shas=_shas(repository, base, pull, head),
        draft=pull.draft,
        conflict=conflict,
        lag=_lag(place, base, heads),
        speak=speak,
        approvals=given.approvals,
        consents=given.consents,
        required=required,
        contests=contests(pull, head, base, required, place, survey.forks_ask),
        remembered=remembered,
        earlier=earlier(place.git, head, base, remembered),
    )
    with looking(pull, place, since):
        return place.core.review(ask)


def _shas(repository: Repository, base: Oid | None, pull: Pull, head: Oid) -> Shas:
    return Shas(base or NO_OID, pull.base_ref, head, f"{repository.web_url}/blob/{head}")


def _lag(place: Place, tip: Oid | None, heads: tuple[Head, ...]) -> str:
    """How far the GitOps side is behind, told only beyond ten minutes."""
    if tip is None:
        return ""
    waits = []
    for head in heads:
        seen = place.core.cursor(CursorAsk(head, place.git.path, tip))
        if seen.state == "found" and seen.commit != tip and seen.behind:
            waiting = undelivered(place.git, seen.commit, tip)
            waits += [time.time() - waiting[0].time] if waiting else []
    worst = max(waits, default=0.0)
    return words.lag(int(worst)) if worst > LAG_SECONDS else ""
