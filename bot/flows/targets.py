"""The GitOps targets of a platform repository, as they stand at their forge."""

from __future__ import annotations

from bot.core.model.ask import Head, Survey
from bot.flows.place import Place


def heads_of(place: Place, survey: Survey) -> tuple[Head, ...]:
    """Every target that this bot may use, fetched."""
    heads = []
    for target in survey.targets:
        gitops = place.gitops(target.repo)
        if gitops is not None:
            ref = f"refs/heads/{target.branch}"
            commit = gitops.git.fetch(gitops.forge.remote(), [ref])[ref]
            heads.append(Head(target.name, target.repo, gitops.git.path, commit))
    return tuple(heads)
