"""`causeway verify`: does the law hold? Recomputed from scratch, trusting nothing that was computed before."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import click

from bot.cli.answers import BreachAnswer, VerifyAnswer, answer
from bot.cli.desk import (
    GOOD,
    LAW_BROKEN,
    OUTSIDE,
    REFUSED,
    USAGE,
    Stop,
    json_option,
    progress,
    say,
    tell_problems,
)
from bot.cli.folder import Clone, clone_of
from bot.cli.shapes import problem_answers
from bot.core.build import Memo
from bot.core.memory import CURSOR, read_actual
from bot.core.model.delivery import Cursor
from bot.core.problem import Problem, Refusal
from bot.core.text import visible
from bot.core.tree import Oid, Tree
from bot.core.verify import Breach
from bot.core.verify import verify as verify_head
from bot.git.command import git
from bot.shipped import shipped_tree

_FOLDER = click.Path(exists=True, file_okay=False, path_type=Path)


@dataclass(frozen=True, slots=True)
class Verdict:
    """What recomputing one GitOps commit found. `cursor` is None where there is none: nothing was delivered yet."""

    commit: Oid
    cursor: Cursor | None
    breaches: tuple[Breach, ...] = ()
    problems: tuple[Problem, ...] = ()
    """Why it cannot be recomputed."""
    backwards: Oid | None = None
    """The cursor before it, where this one's commit does not descend from that."""

    @property
    def holds(self) -> bool:
        return not (self.breaches or self.problems or self.backwards)


def law(platform: Clone, gitops: Clone, commit: Oid, target: str = "main") -> Verdict:
    """Recomputes what one GitOps commit should hold from the platform commit that its cursor names."""
    head = gitops.tree(commit)
    actual = read_actual(head)
    if isinstance(actual, Refusal):
        return Verdict(commit, None, problems=actual.problems)
    if actual.cursor is None:
        return Verdict(commit, None)
    done = verify_head(
        _platform_tree(platform, actual.cursor.commit), actual, shipped_tree(), target,
        lambda other: _platform_tree(platform, other), Memo(),
    )  # fmt: skip
    if isinstance(done, Refusal):
        return Verdict(commit, actual.cursor, problems=done.problems)
    return Verdict(commit, actual.cursor, done)


def _platform_tree(platform: Clone, commit: Oid) -> Tree:
    found = platform.commit(commit)
    tree = platform.tree(found) if found is not None else None
    if tree is None:
        raise Stop(f"the platform clone has no commit {commit}; fetch the platform repo, whole, and try again", OUTSIDE)
    return tree


@click.command()
@click.option("--platform", "platform_dir", required=True, type=_FOLDER, help="Clone of the platform repo.")
@click.option("--gitops", "gitops_dir", required=True, type=_FOLDER, help="Clone of the GitOps repo.")
@click.option("--ref", default="HEAD", metavar="REF", help="GitOps branch or commit. Default: HEAD.")
@click.option("--target", default="main", metavar="NAME", help="GitOps target; an environment's name where it has one.")
@click.option(
    "--all", "every", is_flag=True, help="Every commit back to the first delivery, and that cursors go forward."
)
@json_option
@click.pass_context
def verify(
    ctx: click.Context, platform_dir: Path, gitops_dir: Path, ref: str, target: str, every: bool, as_json: bool
) -> None:
    """Prove that the GitOps repo holds what the platform repo says, and nothing else of ours.

    Reads two clones, bare or not, and no network. The head's cursor names a platform commit; all that it renders to,
    plus what is kept, is computed again and compared by content.

    Exit code: 0 the law holds, 3 nothing can be recomputed, 4 the law is broken, 5 the platform clone lacks a commit.
    """
    platform, gitops = _clone(platform_dir), _clone(gitops_dir)
    head = gitops.commit(ref)
    if head is None:
        raise Stop(f"{gitops_dir} has no commit {ref}", USAGE)
    commits = _line(gitops, head) if every else [head]
    with progress("verifying", len(commits)) as counted:
        found = _verdicts(platform, gitops, commits, target, counted)
    if not found:
        raise Stop(f"{gitops_dir} has no cursor at {ref}: nothing was delivered yet", REFUSED)
    _tell(found, as_json)
    broken = any(one.breaches or one.backwards for one in found)
    ctx.exit(LAW_BROKEN if broken else REFUSED if any(one.problems for one in found) else GOOD)


def _verdicts(
    platform: Clone, gitops: Clone, commits: Sequence[Oid], target: str, counted: Callable[[], None]
) -> list[Verdict]:
    """Newest first, as `commits` are; ends at the first that has no cursor."""
    found: list[Verdict] = []
    for commit in commits:
        one = law(platform, gitops, commit, target)
        counted()
        if one.cursor is None and not one.problems:
            break
        if found and one.cursor is not None:
            newer = found[-1]
            if newer.cursor is not None and not descends(platform, one.cursor.commit, newer.cursor.commit):
                found[-1] = replace(newer, backwards=one.cursor.commit)
        found.append(one)
    return found


def descends(platform: Clone, older: Oid, newer: Oid) -> bool:
    """True where `newer` is `older` or comes after it."""
    return git(["merge-base", "--is-ancestor", older, newer], folder=platform.git_dir, limit=60).code == 0


def _line(gitops: Clone, head: Oid) -> list[Oid]:
    ran = git(["rev-list", "--first-parent", head], folder=gitops.git_dir, limit=60)
    return [Oid(line) for line in ran.out.decode().split()]


def _clone(folder: Path) -> Clone:
    found = clone_of(folder)
    if found is None:
        raise Stop(f"{folder} is no clone of a git repository", USAGE)
    return found


def _tell(found: Sequence[Verdict], as_json: bool) -> None:
    newest = found[0]
    cursor = newest.cursor.commit if newest.cursor is not None else ""
    if as_json:
        breaches = tuple(BreachAnswer(v.commit, b.path, b.expected, b.found) for v in found for b in v.breaches)
        backwards = tuple(BreachAnswer(v.commit, CURSOR, v.backwards, None) for v in found if v.backwards)
        problems = tuple(problem for v in found for problem in v.problems)
        holds = all(one.holds for one in found)
        shown = problem_answers(problems)
        answer(VerifyAnswer(holds, newest.commit, cursor, len(found), breaches + backwards, shown))
        return
    for one in found:
        if one.problems:
            tell_problems(one.problems)
        if one.backwards:
            say(f"{one.commit[:7]}: its cursor does not descend from {one.backwards[:7]}, the one before it", "red")
        for breach in one.breaches:
            say(f"{one.commit[:7]}: {visible(breach.path)} {_differs(breach)}", "red")
    if all(one.holds for one in found):
        commits = f"{len(found)} commits" if len(found) > 1 else f"commit {newest.commit[:7]}"
        say(f"The law holds: {commits}, platform at {cursor[:7]}.", "green")


def _differs(breach: Breach) -> str:
    if breach.found is None:
        return f"is missing (should be {str(breach.expected)[:7]})"
    if breach.expected is None:
        return f"should not be there (is {breach.found[:7]})"
    return f"is {breach.found[:7]} and should be {breach.expected[:7]}"
