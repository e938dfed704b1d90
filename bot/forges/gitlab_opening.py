"""Merge requests of the bot's own: opened once, found again after whatever was lost."""

from __future__ import annotations

from bot.core.text import without_quick_actions
from bot.forges.ensure import UnknownOutcomeError
from bot.forges.gitlab_bodies import within_limit
from bot.forges.gitlab_calls import Calls, RefusedError
from bot.ports import Opening, OutsideWorldError

_TRIES = 3


def open_pull(calls: Calls, project: int, opening: Opening) -> int:
    """The number of the open merge request from that branch of the project; opened where there is none."""
    path, what = f"/projects/{project}/merge_requests", f"opening a merge request from {opening.branch}"

    def there() -> int | None:
        query = {"state": "opened", "source_branch": opening.branch, "target_branch": opening.base}
        found = calls.page(path, 1, query).value
        # A fork may have a branch of the same name.
        return min((int(one["iid"]) for one in found if one["source_project_id"] == project), default=None)

    for attempt in range(1, _TRIES + 1):
        found = calls.read(what, there)
        if found is not None:
            return found
        try:
            calls.write(
                what,
                "post",
                path,
                source_branch=opening.branch,
                target_branch=opening.base,
                title=opening.title,
                description=within_limit(without_quick_actions(opening.body)),
                remove_source_branch=True,
            )
        except RefusedError as refused:
            # Another worker was quicker.
            if "already exists" not in refused.said:
                raise
        except UnknownOutcomeError:
            calls.pause(attempt)
    found = calls.read(what, there)
    if found is None:
        raise OutsideWorldError(f"{what}: it does not appear")
    return found
