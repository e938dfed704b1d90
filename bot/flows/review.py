"""The promise to whoever opens a pull request: a status on its head, and one comment that says what it would do."""

from __future__ import annotations

import time

from bot.core import words
from bot.core.model.ask import CursorAsk, Head, ReviewAsk, SurveyAsk
from bot.core.model.conversation import Conversation, Said, Shas
from bot.core.tree import NO_OID, Oid
from bot.flows.afterwards import after_merge
from bot.flows.failed import failed
from bot.flows.line import undelivered
from bot.flows.looking import looking
from bot.flows.names import COMMENT, CONTEXT
from bot.flows.place import Place
from bot.ports import Conflict, PoisonError, Pull, Repository, Status, Wakeups

LAG_SECONDS = 600
MOVED_SECONDS = 1.0
NO_HISTORY = "(no history in common)"


def review(number: int, place: Place, wakeups: Wakeups, name: str) -> None:
    """Looks at the pull request as it stands now and ensures its status and comment."""
    pull = place.forge.pull(number)
    if pull.state == "closed" and not pull.merged:
        _close(pull, place)
        return
    said = _said(pull, place)
    if said is None:
        # The head that git has is not the one the forge told of: it moves just now, or one of the two answers is old.
        wakeups.ring(name, after=MOVED_SECONDS)
        return
    place.forge.ensure_status(pull.head_sha, Status(CONTEXT, said.state, said.status, pull.web_url))
    if said.comment is None:
        if place.forge.comment_digest(number, COMMENT) is None:
            return
        said = _said(pull, place, speak=True)
    if said is None or place.forge.pull(number).head_sha != pull.head_sha:
        wakeups.ring(name)
        return
    if said.comment is not None:
        place.forge.ensure_comment(number, COMMENT, said.digest, said.comment)


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
        place.forge.ensure_comment(pull.number, COMMENT, said.digest, said.comment)


def review_queue(sha: Oid, place: Place) -> None:
    """A merge queue waits for a status on its own commit: the verdict of that commit against the default branch."""
    repository = place.forge.repository()
    ref = f"refs/heads/{repository.default_branch}"
    found = place.git.fetch(place.forge.remote(), [ref, sha])
    base = found[ref]
    if found[sha] is None:
        return
    said = place.core.review(
        ReviewAsk(
            mirror=place.git.path,
            base=base,
            merged=place.git.commit(sha).tree,
            heads=_heads(place, base),
            head_sha=sha,
            now=int(time.time()),
            dialect=place.dialect,
            shas=Shas(base or NO_OID, repository.default_branch, sha, f"{repository.web_url}/blob/{sha}"),
        )
    )
    place.forge.ensure_status(sha, Status(CONTEXT, said.state, said.status, repository.web_url))


def _said(pull: Pull, place: Place, speak: bool = False) -> Said | None:
    """None where the head moved."""
    try:
        return _look(pull, place, speak)
    except PoisonError as poison:
        return failed(pull, place, poison.error_id)


def _look(pull: Pull, place: Place, speak: bool) -> Said | None:
    since = time.monotonic()
    repository = place.forge.repository()
    refs = [f"refs/heads/{pull.base_ref}", f"refs/pull/{pull.number}/head"]
    found = place.git.fetch(place.forge.remote(), refs)
    base, head = found[refs[0]], found[refs[1]] or pull.head_sha
    if pull.base_ref != repository.default_branch:
        return words.other_branch(repository.default_branch)
    heads = _heads(place, base)
    if pull.merged:
        return after_merge(pull, place, repository, base, heads, speak)
    if head != pull.head_sha:
        return None
    merged = place.git.merge_tree(base, head) if base is not None else place.git.commit(head).tree
    conflict = (merged.paths or (NO_HISTORY,)) if isinstance(merged, Conflict) else ()
    ask = ReviewAsk(
        mirror=place.git.path,
        base=base,
        merged=None if isinstance(merged, Conflict) else merged,
        heads=heads,
        head_sha=head,
        now=int(time.time()),
        dialect=place.dialect,
        shas=_shas(repository, base, pull, head),
        draft=pull.draft,
        conflict=conflict,
        lag=_lag(place, base, heads),
        speak=speak,
    )
    with looking(pull, place, since):
        return place.core.review(ask)


def _shas(repository: Repository, base: Oid | None, pull: Pull, head: Oid) -> Shas:
    return Shas(base or NO_OID, pull.base_ref, head, f"{repository.web_url}/blob/{head}")


def _heads(place: Place, tip: Oid | None) -> tuple[Head, ...]:
    if tip is None:
        return ()
    heads = []
    for target in place.core.survey(SurveyAsk(place.git.path, tip)).targets:
        gitops = place.gitops(target.repo)
        if gitops is not None:
            ref = f"refs/heads/{target.branch}"
            commit = gitops.git.fetch(gitops.forge.remote(), [ref])[ref]
            heads.append(Head(target.name, target.repo, gitops.git.path, commit))
    return tuple(heads)


def _lag(place: Place, tip: Oid | None, heads: tuple[Head, ...]) -> str:
    """How far the GitOps side is behind, told only beyond ten minutes."""
    if tip is None:
        return ""
    waits = []
    for head in heads:
        seen = place.core.cursor(CursorAsk(head))
        if seen.state == "found" and seen.commit != tip:
            waiting = undelivered(place.git, seen.commit, tip)
            waits += [time.time() - waiting[0].time] if waiting else []
    worst = max(waits, default=0.0)
    return words.lag(int(worst)) if worst > LAG_SECONDS else ""
