"""Examines an installation: what can be seen of the queue, the forge and the way into the GitOps repos, by reads alone
and pushes that change nothing."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import TypeVar

from bot.core.model.ask import Survey, SurveyAsk
from bot.core.model.ask import TargetSeen as Named
from bot.core.model.health import PlatformSeen, TargetSeen
from bot.core.tree import Oid
from bot.flows.place import Place
from bot.inspects import Inspects
from bot.ports import Git, GitRemote, OutsideWorldError, PoisonError

T = TypeVar("T")
Inspecting = Callable[[str], Inspects]
"""Numeric id of a repository at this forge -> who examines it."""


def look_briefly(place: Place, inspecting: Inspecting) -> PlatformSeen:
    """What a few requests to the forge tell: for the start of a worker. Never raises: what failed is in `unseen`."""
    unseen: dict[str, str] = {}
    inspects = inspecting(place.repository)
    try:
        return PlatformSeen(
            forge=place.forge_name,
            kind=place.dialect.forge,
            name=_tried(unseen, "name", inspects.name) or f"repository {place.repository}",
            app=inspects.app(),
            hooks=_tried(unseen, "webhook", inspects.hooks) or (),
            rights=_tried(unseen, "rights", inspects.rights),
            skew=_tried(unseen, "clock", inspects.skew),
            unseen=unseen,
        )
    finally:
        inspects.close()


def look(place: Place, inspecting: Inspecting) -> PlatformSeen:
    """The same, and protection, targets and features: git is fetched, and a push that changes nothing is tried."""
    brief = look_briefly(place, inspecting)
    unseen = dict(brief.unseen)
    inspects = inspecting(place.repository)
    try:
        repository = _tried(unseen, "repository", place.forge.repository)
        if repository is None:
            return replace(brief, unseen=unseen)
        branch = repository.default_branch
        protection = _tried(unseen, "protection", lambda: inspects.protection(branch))
        survey = _tried(unseen, "gitops", lambda: _survey(place, branch, unseen))
    finally:
        inspects.close()
    targets = tuple(_target(place, one, inspecting) for one in survey.targets) if survey is not None else ()
    features: Mapping[str, tuple[str, ...]] = survey.features if survey is not None else {}
    return replace(brief, protection=protection, targets=targets, features=features, unseen=unseen)


def _survey(place: Place, branch: str, unseen: dict[str, str]) -> Survey | None:
    ref = f"refs/heads/{branch}"
    tip = place.git.fetch(place.forge.remote(), [ref])[ref]
    if tip is None:
        unseen["gitops"] = f"the platform repository has no branch {branch}"
        return None
    survey = place.core.survey(SurveyAsk(place.git.path, tip))
    if not survey.targets:
        unseen["gitops"] = f"no GitOps target can be read ({next((one.message for one in survey.problems), 'none')})"
    return survey


def _target(place: Place, target: Named, inspecting: Inspecting) -> TargetSeen:
    try:
        found = place.gitops(target.repo)
        if found is None:
            return TargetSeen(target.repo, target.branch, allowed=False)
        pushed = _pushed(found.git, found.forge.remote(), f"refs/heads/{target.branch}")
        inspects = inspecting(found.forge.repository().id)
    except OutsideWorldError as failed:
        return TargetSeen(target.repo, target.branch, allowed=True, pushed=str(failed))
    try:
        unseen: dict[str, str] = {}
        protection = _tried(unseen, "protection", lambda: inspects.protection(target.branch))
        return TargetSeen(target.repo, target.branch, allowed=True, pushed=pushed, protection=protection)
    finally:
        inspects.close()


def _pushed(git: Git, remote: GitRemote, ref: str) -> str:
    """Why the branch cannot be pushed as it is. One that does not exist yet is left alone: the first delivery makes
    it."""
    head: Oid | None = git.fetch(remote, [ref])[ref]
    if head is None:
        return ""
    answer = git.push(remote, ref, head, head)
    return "no answer came" if answer == "unknown" else ""


def _tried(unseen: dict[str, str], what: str, ask: Callable[[], T]) -> T | None:
    try:
        return ask()
    except (OutsideWorldError, PoisonError) as failed:
        unseen[what] = str(failed)
        return None
