"""A platform repo and a GitOps head as values: edits go in, `step` moves the head, the law is checked after each."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache

from bot.core import words
from bot.core.build import Memo
from bot.core.memory import read_actual
from bot.core.model.delivery import (
    Actual,
    ApplyReport,
    Approval,
    Cursor,
    Edit,
    Evidence,
    Kept,
    Landed,
    Step,
    Unchanged,
)
from bot.core.problem import Refusal
from bot.core.propose import Proposal, propose
from bot.core.step import World, step
from bot.core.tree import MemoryTree, Oid, Tree, blob_id
from bot.core.verify import Breach, verify
from bot.shipped import shipped_tree

Files = Mapping[str, str]
REPOSITORY = "123"
START = 1_790_000_000
"""Seconds since 1970 of the first commit; each later one comes a minute after."""

MEMO = Memo()
"""Shared by all tests, as a worker shares it between runs; nothing may depend on what is in it."""

ENVIRONMENTS = """\
environments:
  prod:
    kind: production
    default: true
    cluster: {name: eu-prod}
    domain: acme.com
    features: {gateway: true, external_secrets: true, prometheus_operator: true}
    gateway: {internal: {name: internal, namespace: gateways}, public: {name: public, namespace: gateways}}
    secrets: {store: aws-secretsmanager, region: eu-west-1}
    terraform: {backend: {s3: {bucket: acme-state, region: eu-west-1}}, providers: {aws: {region: eu-west-1}}}
    networks: {data: [10.20.0.0/16]}
    protect_data: true
  dev:
    kind: development
    default: true
    cluster: {name: eu-dev}
    domain: dev.acme.io
    features: {gateway: true, external_secrets: true}
    gateway: {internal: {name: internal, namespace: gateways}}
    secrets: {store: aws-secretsmanager, region: eu-west-1}
    terraform: {backend: {s3: {bucket: acme-dev, region: eu-west-1}}, providers: {aws: {region: eu-west-1}}}
"""

TEAMS = """\
teams:
  platform: {forge_team: acme/platform}
  payments: {forge_team: acme/payments}
  shop: {forge_team: acme/shop}
"""

CONFIG = "platform_team: platform\ngitops: {repo: acme/gitops}\n"
HOLD = "platform_team: platform\ngitops: {repo: acme/gitops, drift: hold}\n"

RECIPES = """\
recipes:
- {provides: postgres, match: {environment: prod}, recipe: aws-rds}
- {provides: postgres, match: {environment: dev}, recipe: cnpg-small}
- {provides: bucket, match: {environment: prod}, recipe: aws-s3}
- {provides: bucket, match: {environment: dev}, recipe: aws-s3}
"""

IN_CLUSTER = RECIPES.replace("aws-rds", "cnpg-small")
"""Production's databases in the cluster, too."""

PLATFORM: Files = {
    "platform/config.yaml": CONFIG,
    "platform/environments.yaml": ENVIRONMENTS,
    "platform/teams.yaml": TEAMS,
    "platform/recipes.yaml": RECIPES,
}


def service(name: str, *lines: str, owner: str = "payments", folder: str = "", image: str = "1.0.0") -> Files:
    """The manifest of a service, with further lines, in `services/<name>` or in `folder`."""
    head = f"name: {name}\nowner: {owner}\ntype: web\nimage: ghcr.io/acme/{name}:{image}\n"
    return {f"{folder or f'services/{name}'}/platform.yaml": head + "".join(f"{line}\n" for line in lines)}


DB = "needs: {db: postgres}"
FILES_NEED = "needs: {files: bucket}"
BROKEN = "replica: 3"
"""A line that no schema knows: the unit cannot be read."""
SECRET = "env: {API_TOKEN: hunter2}"
"""A line that a rule refuses."""


def destroy(data: str, action: str = "destroy", until: str = "2027-06-30") -> Files:
    """A `platform/destroy.yaml` that names one piece of state."""
    entry = f"- {{data: {data}, action: {action}, reason: no longer needed, until: {until}}}"
    return {"platform/destroy.yaml": f"destroy:\n{entry}\n"}


def removals(environment: str, at_most: int) -> Files:
    """A `platform/destroy.yaml` that confirms a bulk removal."""
    entry = f"- {{removals: {{environment: {environment}, at_most: {at_most}}}, reason: we move, until: 2027-06-30}}"
    return {"platform/destroy.yaml": f"destroy:\n{entry}\n"}


def approved(*teams: str) -> tuple[Approval, ...]:
    """An approval by a member of each team."""
    return tuple(Approval(str(number), team) for number, team in enumerate(teams, 1))


def tree_of(files: Files) -> MemoryTree:
    return MemoryTree({path: text.encode() for path, text in files.items()})


@cache
def commit_of(number: int) -> Oid:
    """The id of the nth commit on the default branch."""
    return Oid(f"{number:040x}")


@dataclass
class Delivery:
    """A default branch and what became of it. `check` looks at the law after each step, from scratch."""

    target: str = "main"
    files: dict[str, bytes] = field(default_factory=dict)
    commits: dict[Oid, Tree] = field(default_factory=dict)
    number: int = 0
    memo: Memo = field(default_factory=lambda: MEMO)
    check: bool = True
    _heads: list[dict[str, bytes]] = field(default_factory=list)

    @property
    def head(self) -> Tree | None:
        return MemoryTree(self.files) if self.files else None

    @property
    def actual(self) -> Actual:
        found = read_actual(self.head)
        assert not isinstance(found, Refusal), found
        return found

    @property
    def kept(self) -> Kept:
        return self.actual.kept

    @property
    def cursor(self) -> Cursor:
        found = self.actual.cursor
        assert found is not None
        return found

    @property
    def owned(self) -> dict[str, bytes]:
        """Everything but the cursor and what is kept."""
        return {path: data for path, data in self.files.items() if not path.startswith(".causeway/")}

    def land(
        self,
        files: Files,
        *,
        approvals: tuple[Approval, ...] = (),
        applies: Mapping[tuple[str, Oid], ApplyReport] | None = None,
        ran: Mapping[str, frozenset[Oid]] | None = None,
        resume: bool = False,
    ) -> Step | Unchanged | Refusal:
        """A new commit of the platform repo, delivered."""
        self.number += 1
        commit = commit_of(self.number)
        self.commits[commit] = tree_of(files)
        return self._step(commit, Evidence({commit: approvals}, None, applies or {}, ran or {}), resume)

    def again(self, applies: Mapping[tuple[str, Oid], ApplyReport] | None = None) -> Step | Unchanged | Refusal:
        """One step at the cursor's own commit, as a delivery without news makes it."""
        return self._step(self.cursor.commit, Evidence(applies=applies or {}), False)

    def step(self, commit: Oid, evidence: Evidence) -> Step | Unchanged | Refusal:
        """The step to `commit`, which moves nothing."""
        actual = self.actual
        before = self.commits.get(actual.cursor.commit) if actual.cursor is not None else None
        judging = self.commits.get(commit_of(int(commit, 16) - 1))
        landed = Landed(REPOSITORY, commit, START + 60 * int(commit, 16), int(commit, 16), commit, "7")
        world = World(shipped_tree(), self.target, self.commits.__getitem__, self.memo)
        return step(before, self.commits[commit], judging, actual, evidence, landed, world)

    def _step(self, commit: Oid, evidence: Evidence, resume: bool) -> Step | Unchanged | Refusal:
        if resume:
            evidence = Evidence(evidence.approvals, None, evidence.applies, evidence.ran, commit)
        done = self.step(commit, evidence)
        if isinstance(done, Step):
            assert words.commit_message(done)
            self.apply(done.edits)
            assert self.kept == done.kept
            if self.check:
                assert self.breaches() == ()
        return done

    def apply(self, edits: Mapping[str, Edit]) -> None:
        """What the git adapter does with edits."""
        self._heads.append(dict(self.files))
        for path, edit in edits.items():
            for old in [old for old in self.files if old == path or old.startswith(path + "/")]:
                del self.files[old]
            found = self._object(edit) if isinstance(edit, str) else edit
            if isinstance(found, bytes):
                self.files[path] = found
            elif isinstance(found, Mapping):
                self.files.update({f"{path}/{name}": data for name, data in found.items()})

    def foreign(self, edits: Mapping[str, bytes | None]) -> None:
        """Someone else's commit to the GitOps repo."""
        self._heads.append(dict(self.files))
        for path, data in edits.items():
            if data is None:
                del self.files[path]
            else:
                self.files[path] = data

    def _object(self, oid: Oid) -> bytes | dict[str, bytes]:
        """A file or folder that the head, or an earlier one, has: a step may name any of them."""
        for head in reversed(self._heads):
            tree = MemoryTree(head)
            for path, data in head.items():
                if blob_id(data) == oid:
                    return data
                parts = path.split("/")
                for folder in ("/".join(parts[:size]) for size in range(1, len(parts))):
                    entry = tree.get(folder)
                    if entry is not None and entry.id == oid:
                        return {p[len(folder) + 1 :]: d for p, d in head.items() if p.startswith(folder + "/")}
        raise KeyError(oid)

    def breaches(self) -> tuple[Breach, ...]:
        """The law, with a memory of its own."""
        actual = self.actual
        assert actual.cursor is not None
        tree = self.commits[actual.cursor.commit]
        found = verify(tree, actual, shipped_tree(), self.target, self.commits.__getitem__, Memo())
        assert not isinstance(found, Refusal), found
        return found

    def proposed(self, files: Files, approvals: tuple[Approval, ...] = ()) -> Proposal:
        """What a pull request on the newest commit would be told."""
        sha = Oid("f" * 40)
        found = propose(
            self.commits[commit_of(self.number)],
            tree_of(files),
            shipped_tree(),
            {self.target: self.kept},
            Evidence({sha: approvals}),
            sha,
            START + 60 * self.number,
            self.commits.__getitem__,
            self.memo,
        )
        assert not isinstance(found, Refusal), found
        return found


def reasons(kept: Kept) -> dict[str, str]:
    """Why each path is kept."""
    return {path: entry.reason for path, entry in kept.items()}


def codes(found: Step | Unchanged | Refusal, severity: str = "error") -> list[str]:
    """Codes of the problems of one severity, sorted."""
    return sorted({problem.code for problem in found.problems if problem.severity == severity})


def stepped(found: Step | Unchanged | Refusal) -> Step:
    assert isinstance(found, Step), found
    return found


def refused(found: Step | Unchanged | Refusal) -> Refusal:
    assert isinstance(found, Refusal), found
    return found
