"""What people did that counts: who approves exactly a head, and what its authors agree to by having written it.

Rights are looked up live, each time, by user id; only who wrote a head is remembered, since that never changes.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from bot.core.model.ask import Head, Link, Required, RequiredAsk
from bot.core.model.delivery import Approval
from bot.core.model.rights import Ground, Missing
from bot.core.rules.rights import missing
from bot.core.tree import Oid
from bot.flows.line import undelivered
from bot.flows.place import Place

_REMEMBERED = 500
"""Heads whose authors a worker remembers."""

DECIDES_DELIVERY = frozenset[Ground]({"destroy", "waiver"})
"""Grounds on which a landed change is judged again. All else was asked before the merge; an administrator who merges
past it broke the glass, and is told of, not stopped."""


@dataclass(frozen=True, slots=True)
class Given:
    """Approvals by live members who did not write the head, and teams of which everybody who wrote it is a member."""

    approvals: tuple[Approval, ...] = ()
    consents: tuple[str, ...] = ()


def gather(place: Place, number: int, head: Oid, required: Required) -> Given:
    """Asks the forge no more than it takes: nobody where nobody is needed, for approvals only where authorship does not
    settle it."""
    teams = {row.team: row.forge_team for row in required.requirements}
    if not teams:
        return Given()
    authors = _authors(place, number, head)
    consents = tuple(team for team, name in sorted(teams.items()) if authors and _all_in(place, name, authors))
    stand_in = required.stand_in
    if not lacking(required, Given((), consents)):
        return Given((), consents)
    if stand_in is not None and any(row.ground == "environment" for row in required.requirements):
        teams[stand_in.team] = stand_in.forge_team
    people = sorted({one.user_id for one in place.forge.approvals(number, head) if one.sha == head} - authors)
    approvals = tuple(
        Approval(user, team)
        for user in people
        for team, name in sorted(teams.items())
        if place.forge.member_of(name, user)
    )
    return Given(approvals, consents)


def witnessed(place: Place, link: Link, head: Head, reviewed_only: bool) -> Link:
    """A landed change with the approvals that decide whether and how it is delivered. With `reviewed_only`, an
    environment takes only what came by pull request and has all its approvals."""
    landed = link.landed
    if link.before is None:
        return link
    if not landed.number:
        return replace(link, reviewed=not reviewed_only)
    ask = RequiredAsk(place.git.path, link.before, landed.commit, landed.time, (head,))
    required = place.core.required(ask)
    given = gather(place, landed.number, landed.head_sha, required if reviewed_only else deciding(required))
    reviewed = not reviewed_only or (_all_by_pull(place, link) and not lacking(required, given))
    return replace(link, approvals=given.approvals, consents=given.consents, reviewed=reviewed)


def lacking(required: Required, given: Given) -> tuple[Missing, ...]:
    """What of it is not given."""
    stand_in = required.stand_in.team if required.stand_in is not None else ""
    return missing(required.requirements, given.approvals, frozenset(given.consents), stand_in)


def _all_by_pull(place: Place, link: Link) -> bool:
    """A range of commits is no better than the worst of them."""
    commits = undelivered(place.git, link.before, link.landed.commit) if link.before is not None else ()
    return len(commits) <= 1 or all(place.forge.pulls_of_commit(commit.id) for commit in commits)


def deciding(required: Required) -> Required:
    """What of it decides when the change has landed already."""
    rows = tuple(row for row in required.requirements if row.ground in DECIDES_DELIVERY)
    return Required(rows, required.stand_in)


def _authors(place: Place, number: int, head: Oid) -> frozenset[str]:
    known = place.authors.get((number, head))
    if known is None:
        known = place.authors[number, head] = place.forge.authors(number)
        while len(place.authors) > _REMEMBERED:
            del place.authors[next(iter(place.authors))]
    return known


def _all_in(place: Place, team: str, authors: frozenset[str]) -> bool:
    """A branch that somebody from outside the team pushed to is not the team's word."""
    return all(place.forge.member_of(team, user) for user in sorted(authors))
