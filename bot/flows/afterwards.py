"""The final word on a merged pull request: delivered as which commit, or why not yet."""

from __future__ import annotations

import time
from dataclasses import replace
from datetime import UTC, datetime

from bot.core import words
from bot.core.model.ask import DeliveredAsk, DeliveredSeen, Head, RequiredAsk, ReviewAsk
from bot.core.model.conversation import Delivered, Halted, Said, Shas
from bot.core.tree import NO_OID, Oid
from bot.flows.deliver import refusal_of
from bot.flows.earlier import earlier
from bot.flows.evidence import gather, lacking
from bot.flows.place import Place
from bot.ports import Commit, Git, Pull, Repository


def after_merge(
    pull: Pull,
    place: Place,
    repository: Repository,
    tip: Oid | None,
    heads: tuple[Head, ...],
    speak: bool = False,
    reviewed_only: bool = False,
    remembered: str = "",
) -> Said:
    """What is to be said once the pull request has landed. The branch alone proves that it has."""
    landed = _on_branch(place.git, pull.landed_sha, tip)
    if landed is None or tip is None:
        return words.not_on_branch(pull.base_ref)
    base = came_from(place.git, landed, pull.head_sha)
    seen = [place.core.delivered(DeliveredAsk(place.git.path, head, landed.id)) for head in heads]
    missing = [head for head, one in zip(heads, seen, strict=True) if one.commit is None]
    problems = [found for head in missing for found in refusal_of(place, head, tip, pull.number)]
    # The change is judged and told beside what was kept before it came, or it would look as if it found its own data.
    then = tuple(
        head if one.commit is None else replace(head, commit=one.before) for head, one in zip(heads, seen, strict=True)
    )
    done = bool(heads) and not missing
    now = int(time.time())
    required = place.core.required(RequiredAsk(place.git.path, base, landed.tree, now, then))
    given = gather(place, pull.number, pull.head_sha, required)
    return place.core.review(
        ReviewAsk(
            mirror=place.git.path,
            base=base,
            merged=landed.tree,
            heads=then,
            head_sha=pull.head_sha,
            now=now,
            dialect=place.dialect,
            shas=Shas(base or NO_OID, pull.base_ref, pull.head_sha, f"{repository.web_url}/blob/{pull.head_sha}"),
            stage="delivered" if done else "merged",
            delivered=_delivered(place, heads, seen) if done else None,
            halted=Halted(problems[0].message, words.resume(landed.id)) if problems else None,
            speak=speak,
            approvals=given.approvals,
            consents=given.consents,
            required=required,
            reviewed=not reviewed_only or not lacking(required, given),
            remembered=remembered,
            earlier=earlier(place.git, pull.head_sha, base, remembered),
        )
    )


def _delivered(place: Place, heads: tuple[Head, ...], seen: list[DeliveredSeen]) -> Delivered:
    """One word for all targets: when the last of them had it."""
    commits = [
        (one.commit, _page(place, head, one.commit))
        for head, one in zip(heads, seen, strict=True)
        if one.commit is not None
    ]
    at = datetime.fromtimestamp(max(one.time for one in seen), UTC).strftime("%Y-%m-%d %H:%M UTC")
    environments = tuple(sorted({name for one in seen for name in one.environments}))
    return Delivered(*commits[0], at, environments, others=tuple(commits[1:]))


def came_from(git: Git, landed: Commit, head: Oid) -> Oid | None:
    """The commit before a landed change. A rebase leaves several commits: the one before the first of them."""
    parent = landed.parents[0] if landed.parents else None
    if parent is None or len(landed.parents) > 1:
        return parent
    try:
        if git.merge_tree(parent, head) == landed.tree:
            return parent
        older: Oid | None = parent
        for _ in range(100):
            if older is None:
                break
            parents = git.commit(older).parents
            older = parents[0] if parents else None
            if older is not None and git.merge_tree(older, head) == landed.tree:
                return older
    except KeyError:
        # The head was deleted before it was ever fetched: the first parent is the best that is known.
        return parent
    return parent


def _on_branch(git: Git, sha: Oid | None, tip: Oid | None) -> Commit | None:
    if sha is None or tip is None:
        return None
    try:
        return git.commit(sha) if git.is_ancestor(sha, tip) else None
    except KeyError:
        return None


def _page(place: Place, head: Head, commit: Oid) -> str:
    gitops = place.gitops(head.repo)
    return f"{gitops.forge.repository().web_url}/commit/{commit}" if gitops is not None else ""
