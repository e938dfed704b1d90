"""A verdict at a commit: as a commit status for an account, as a check run with annotations for an App."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal, Protocol

from bot.core.model.conversation import Annotation
from bot.core.tree import Oid
from bot.forges.ensure import UnknownOutcomeError
from bot.forges.github_bodies import number, status_of, text
from bot.forges.github_line import Json, Line
from bot.ports import Status

STATUS_LIMIT = 140
"""Characters of a status' description."""
ANNOTATIONS_A_REQUEST = 50
ANNOTATIONS = 300
"""More than six requests of annotations would eat the budget of writes; the comment names every problem anyway."""

_TRIES = 3


class Verdicts(Protocol):
    """Where a status goes."""

    def read(self, sha: Oid, context: str) -> Status | None:
        """The newest of this context."""

    def ensure(self, sha: Oid, status: Status, annotations: Sequence[Annotation]) -> bool:
        """Afterwards this one is the newest; False where it was already."""


class Statuses:
    """Commit statuses, which have no place for annotations."""

    def __init__(self, line: Line, repo: str) -> None:
        self._line = line
        self._repo = repo

    def read(self, sha: Oid, context: str) -> Status | None:
        found = self._newest(sha, context)
        return None if found is None else found[0]

    def ensure(self, sha: Oid, status: Status, annotations: Sequence[Annotation]) -> bool:  # noqa: ARG002
        def is_there() -> bool:
            found = self._newest(sha, status.context)
            # The raw word: GitHub's `error` is not our failure.
            return found is not None and found[1] == status.state and found[0] == status

        body = {"state": status.state, "description": status.description, "context": status.context}
        body |= {"target_url": status.url} if status.url else {}
        what = f"setting the status of {sha}"
        return _ensured(is_there, lambda: self._line.write(what, "POST", f"{self._repo}/statuses/{sha}", body), self)

    def pause(self, attempt: int) -> None:
        self._line.calls.pause(attempt)

    def _newest(self, sha: Oid, context: str) -> tuple[Status, str] | None:
        # Newest first, as GitHub promises; one page is enough unless a hundred others are newer.
        pages = self._line.pages(
            f"reading the statuses of {sha}",
            f"{self._repo}/commits/{sha}/statuses",
            lambda one: (status_of(one), text(one["state"])) if one["context"] == context else None,
        )
        return next((one for page in pages for one in page if one is not None), None)


@dataclass(frozen=True, slots=True)
class _Run:
    """A check run of ours as it stands."""

    id: int
    status: str
    conclusion: str | None
    digest: str
    annotated: bool
    said: Status


class Checks:
    """Check runs, which only an App can make. One is updated while it is pending or has no annotations, as GitHub only
    ever adds to those; else a newer one of the same name takes its place on every page.

    The digest of the whole verdict stands in `external_id`, written with its last annotations: where it is equal,
    nothing is written, and a verdict that broke off in the middle is told anew.
    """

    def __init__(self, line: Line, repo: str, app_id: int) -> None:
        self._line = line
        self._repo = repo
        self._app = app_id

    def read(self, sha: Oid, context: str) -> Status | None:
        found = self._newest(sha, context)
        return None if found is None else found.said

    def ensure(self, sha: Oid, status: Status, annotations: Sequence[Annotation]) -> bool:
        digest = _digest(status, annotations)
        conclusion = None if status.state == "pending" else status.state
        state = "in_progress" if conclusion is None else "completed"

        def is_there() -> bool:
            found = self._newest(sha, status.context)
            wanted = (state, conclusion, digest)
            return found is not None and (found.status, found.conclusion, found.digest) == wanted

        def write() -> None:
            self._write(sha, status, annotations[:ANNOTATIONS], digest)

        return _ensured(is_there, write, self)

    def pause(self, attempt: int) -> None:
        self._line.calls.pause(attempt)

    def _write(self, sha: Oid, status: Status, annotations: Sequence[Annotation], digest: str) -> None:
        what, found = f"setting the check of {sha}", self._newest(sha, status.context)
        parts: list[list[Json]] = [
            [_annotation(one) for one in annotations[at : at + ANNOTATIONS_A_REQUEST]]
            for at in range(0, max(1, len(annotations)), ANNOTATIONS_A_REQUEST)
        ]
        run = found.id if found is not None and not found.annotated else None
        for index, part in enumerate(parts):
            body = _body(status, part, digest if index == len(parts) - 1 else "")
            if run is not None:
                self._line.write(what, "PATCH", f"{self._repo}/check-runs/{run}", body)
                continue
            body |= {"head_sha": sha, "name": status.context}
            made = self._line.write(what, "POST", f"{self._repo}/check-runs", body)
            run = made.get("id") if isinstance(made, dict) else None
            if type(run) is not int:
                raise UnknownOutcomeError(f"{what}: GitHub's answer names no check run")

    def _newest(self, sha: Oid, context: str) -> _Run | None:
        def shape(answer: Any) -> list[_Run]:
            return [_run(one) for one in answer["check_runs"] if one["name"] == context]

        path = f"{self._repo}/commits/{sha}/check-runs?app_id={self._app}&filter=latest&per_page=100"
        return max(self._line.one(f"reading the checks of {sha}", path, shape), key=lambda run: run.id, default=None)


class _Paused(Protocol):
    def pause(self, attempt: int) -> None: ...


def _ensured(is_there: Callable[[], bool], write: Callable[[], None], where: _Paused) -> bool:
    """Reads before each write; a lost answer is read again before it is repeated."""
    for attempt in range(1, _TRIES):
        if is_there():
            return attempt > 1
        try:
            write()
        except UnknownOutcomeError:
            where.pause(attempt)
        else:
            return True
    if not is_there():
        write()
    return True


def _run(found: Any) -> _Run:
    conclusion, title = found["conclusion"], found["output"]["title"] or ""
    state: Literal["success", "failure", "pending"] = "pending"
    if found["status"] == "completed":
        state = "success" if conclusion == "success" else "failure"
    return _Run(
        id=number(found["id"]),
        status=text(found["status"]),
        conclusion=conclusion,
        digest=found["external_id"] or "",
        annotated=number(found["output"]["annotations_count"]) > 0,
        said=Status(text(found["name"]), state, title, found["details_url"] or ""),
    )


def _body(status: Status, annotations: list[Json], digest: str) -> Json:
    output = {"title": status.description, "summary": status.summary or status.description, "annotations": annotations}
    body: Json = {"external_id": digest, "output": output}
    body |= {"details_url": status.url} if status.url else {}
    if status.state == "pending":
        return body | {"status": "in_progress"}
    return body | {"status": "completed", "conclusion": status.state}


def _annotation(one: Annotation) -> Json:
    return {
        "path": one.path,
        "start_line": one.line,
        "end_line": one.line,
        "start_column": one.column,
        "end_column": one.column,
        "annotation_level": one.level,
        "title": one.title[:255],
        "message": one.message,
    }


def _digest(status: Status, annotations: Sequence[Annotation]) -> str:
    whole = json.dumps([asdict(status), [asdict(one) for one in annotations]], sort_keys=True)
    return hashlib.sha256(whole.encode()).hexdigest()[:32]
