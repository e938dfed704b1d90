"""What GitLab knows and GitHub does not: pipelines, the states of jobs in them, quick actions that notes carried."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from bot.sandbox.world import Pull, Repository, Status, User, World, WorldError

_WORDS: Mapping[str, str] = {"failure": "failed", "error": "failed"}
_LIVE = ("created", "pending", "running")
_EVENTS: Mapping[str, tuple[str, tuple[str, ...]]] = {
    "pending": ("enqueue", ("created",)),
    "running": ("run", ("created", "pending")),
    "success": ("success", _LIVE),
    "failed": ("drop", _LIVE),
    "canceled": ("cancel", _LIVE),
}
"""State asked for -> (GitLab's name of the move, the states it may be made from)."""


@dataclass(slots=True, eq=False)
class Pipeline:
    """Jobs for one commit. `external`: made up of statuses alone."""

    id: int
    repository: int
    sha: str
    ref: str
    source: str
    pull: int | None = None


@dataclass(slots=True)
class GitLabState:
    """`words`: a status' state in GitLab's word, `jobs`: its pipeline, both by the status' id."""

    world: World
    pipelines: list[Pipeline] = field(default_factory=list)
    words: dict[int, str] = field(default_factory=dict)
    jobs: dict[int, int] = field(default_factory=dict)
    commands: list[str] = field(default_factory=list)
    """Quick actions that GitLab would have run, each as its line."""
    resets_approvals: bool = False
    """The project's setting that a push takes approvals away."""

    def add_pipeline(self, repo: Repository, sha: str, ref: str, source: str, pull: int | None = None) -> Pipeline:
        """A new pipeline; from now on the newest for its commit."""
        made = Pipeline(self.world.next_id(), repo.id, sha, ref, source, pull)
        self.pipelines.append(made)
        return made

    def head_pipeline(self, repo: Repository, pull: Pull) -> Pipeline | None:
        """The newest pipeline of a merge request's head, or of its merged result."""
        places = {repo.id, pull.head_repo or repo.id}
        mine = [
            one
            for one in self.pipelines
            if (one.pull == pull.number and one.repository == repo.id)
            or (one.sha == pull.head_sha and one.repository in places and one.ref in (pull.head_ref, _ref(pull)))
        ]
        return max(mine, key=lambda one: one.id, default=None)

    def word(self, status: Status) -> str:
        """GitLab's word for the state of a status."""
        return self.words.get(status.id, _WORDS.get(status.state, status.state))

    def set_status(
        self,
        repo: Repository,
        sha: str,
        by: User,
        *,
        word: str,
        name: str,
        description: str | None,
        url: str | None,
        ref: str | None,
        pipeline_id: int | None,
    ) -> Status:
        """Moves the job of that name, or begins one where the last has ended. 400 for a move that is not legal."""
        if word not in _EVENTS:
            raise WorldError(400, "state does not have a valid value")
        if len(description or "") > 255 or len(url or "") > 255:
            raise WorldError(400, '{"description" => ["is too long (maximum is 255 characters)"]}')
        place = self._place(repo, sha, ref, pipeline_id)
        held = repo.statuses.setdefault(sha, [])
        jobs = [one for one in held if one.context == name and self.jobs.get(one.id) == place.id]
        job = jobs[-1] if jobs and self.word(jobs[-1]) in _LIVE else None
        if job is None:
            job = Status(self.world.next_id(), sha, name, "pending", description, url, by, self.world.now())
            held.append(job)
            self.jobs[job.id], self.words[job.id] = place.id, "created"
        self._move(job, word)
        job.description = description if description is not None else job.description
        job.target_url = url or job.target_url
        job.state = {"failed": "failure", "canceled": "error"}.get(word, "success" if word == "success" else "pending")
        self.world.now()
        return job

    def _move(self, job: Status, word: str) -> None:
        event, legal = _EVENTS[word]
        now = self.words[job.id]
        if now not in legal:
            reason = f'Reason(s): Status cannot transition via "{event}"'
            raise WorldError(400, f"Cannot transition status via :{event} from :{now} ({reason})")
        self.words[job.id] = word

    def _place(self, repo: Repository, sha: str, ref: str | None, pipeline_id: int | None) -> Pipeline:
        if not repo.git.has_commit(sha):
            raise WorldError(404, "404 Commit Not Found")
        fitting = [one for one in self.pipelines if one.repository == repo.id and one.sha == sha]
        fitting = [one for one in fitting if pipeline_id in (None, one.id) and ref in (None, one.ref)]
        if fitting:
            return fitting[-1]
        if pipeline_id is not None:
            raise WorldError(404, "404 Pipeline Not Found")
        branches = [name for name, tip in sorted(repo.heads.items()) if repo.git.is_ancestor(sha, tip)]
        where = ref or next(iter(branches), None)
        if where is None:
            raise WorldError(404, "404 References for commit Not Found")
        return self.add_pipeline(repo, sha, where, "external")


def _ref(pull: Pull) -> str:
    return f"refs/merge-requests/{pull.number}/head"
