"""GitLab's commit statuses as a level, in spite of a state machine that refuses half of the moves.

A status is a job in a pipeline: of the newest pipeline that GitLab knows for the commit, or of one made for it. What
has ended is replaced by a new job, so success and failure can always be set. What has not can only go forward: asked
for `pending` again GitLab answers 400, even where only the description is another. So a pending status that must change
its words goes on to `running`, which says the same to people, and from there by way of `canceled` to a new one.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Literal

from bot.forges.ensure import UnknownOutcomeError
from bot.forges.gitlab_bodies import Placed, Where, placed_of
from bot.forges.gitlab_calls import Calls, RefusedError
from bot.ports import OutsideWorldError, Status

DESCRIPTION_LIMIT = 255
"""Characters of a status' description, and of its address."""

_TRIES = 5
_STEP: Mapping[str, str] = {"pending": "running", "created": "running", "running": "canceled"}
"""GitLab's state -> the next one on the way to a pending status with other words."""
_WORD: Mapping[Literal["success", "failure", "pending"], str] = {"success": "success", "failure": "failed"}
_ILLEGAL = "Cannot transition status"


def newest(calls: Calls, where: Where, context: str) -> Placed | None:
    """The newest status of that name, in the pipeline that counts."""
    query: dict[str, str | int] = {"name": context, "order_by": "id", "sort": "desc"}
    if where.pipeline is not None:
        query["pipeline_id"] = where.pipeline
    page = calls.page(f"/projects/{where.project}/repository/commits/{where.sha}/statuses", 1, query)
    return next((found for one in page.value if (found := placed_of(one)).status.context == context), None)


def ensure_status(calls: Calls, where: Where, status: Status) -> bool:
    """Afterwards the newest status is this one; False where nothing was written."""
    if len(status.description) > DESCRIPTION_LIMIT:
        raise ValueError(f"a status has at most {DESCRIPTION_LIMIT} characters, this one {len(status.description)}")
    wrote, failed = False, OutsideWorldError(f"the status of {where.sha} does not stay as it was set")
    for attempt in range(1, _TRIES + 1):
        found = calls.read(f"reading the statuses of {where.sha}", partial(newest, calls, where, status.context))
        if found is not None and _is(found, status):
            return wrote
        word = _WORD.get(status.state) or _STEP.get(found.word if found else "", "pending")
        try:
            wrote = True
            _set(calls, where, status, word)
        except RefusedError as refused:
            if _ILLEGAL not in refused.said:
                raise
            # Somebody moved it meanwhile, or this very request was answered before and the answer was lost.
            failed = refused
        except UnknownOutcomeError as unknown:
            failed = unknown
            calls.pause(attempt)
        else:
            if word != "canceled":
                return True
    raise failed


def _is(found: Placed, wanted: Status) -> bool:
    there = found.status
    same_state = there.state == wanted.state and (wanted.state != "failure" or found.word == "failed")
    # An address that was set cannot be taken away again, so where none is wanted any is right.
    return same_state and there.description == wanted.description and _address(wanted) in ("", there.url)


def _set(calls: Calls, where: Where, status: Status, word: str) -> None:
    place: dict[str, object] = {"pipeline_id": where.pipeline} if where.pipeline is not None else {}
    if where.pipeline is None and where.ref:
        # Else GitLab picks any branch that holds the commit to make a pipeline for.
        place["ref"] = where.ref
    if address := _address(status):
        place["target_url"] = address
    calls.write(
        f"setting the status of {where.sha}",
        "post",
        f"/projects/{where.project}/statuses/{where.sha}",
        state=word,
        name=status.context,
        description=status.description,
        **place,
    )


def _address(status: Status) -> str:
    return status.url if len(status.url) <= DESCRIPTION_LIMIT else ""
