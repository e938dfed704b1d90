"""Questions to the core about two trees on this disk, without a bot, a forge or a network."""

from __future__ import annotations

import time
from contextlib import closing

from bot.cli.counted import Counted, CountedTree, counted_map
from bot.cli.folder import Compared
from bot.configured import configured_opa
from bot.core import words
from bot.core.build import Memo
from bot.core.diffs import MOST_BYTES
from bot.core.model.conversation import Conversation, Dialect, Said, Shas
from bot.core.model.delivery import Evidence
from bot.core.problem import Refusal
from bot.core.propose import NOTHING, Proposal, concerns, propose
from bot.core.tree import NO_OID, Oid, Tree
from bot.opa import judges
from bot.shipped import shipped_tree

EVERY_BYTE = 1 << 40
"""No limit to diffs that anybody asked for."""


def proposed(chosen: Compared, counted: Counted, full: bool = False) -> Proposal | Refusal:
    """What the folder would change, as a review of it would find; calls `counted` for each file read and each part
    rendered. What is kept in the GitOps repo is not known here. With `full`, it carries every diff."""
    if chosen.base is not None and not concerns(chosen.base, chosen.tree):
        return Proposal(NOTHING, {})
    base = None if chosen.base is None else CountedTree(chosen.base, counted)
    with closing(judges(configured_opa())) as engine:
        return propose(
            base, CountedTree(chosen.tree, counted), shipped_tree(), {}, Evidence(), NO_OID, int(time.time()),
            _no_history, Memo(), counted_map(counted), EVERY_BYTE if full else MOST_BYTES, engine,
        )  # fmt: skip


def said(chosen: Compared, out: Proposal | Refusal, speak: bool = False) -> Said:
    """The words of the bot about it: status and, with `speak` in any case, the comment."""
    talk = Conversation(
        outcome=out if isinstance(out, Refusal) else out.plan,
        stage="open",
        dialect=Dialect("github"),
        shas=Shas(chosen.base_commit or "", chosen.base_ref or "nothing", "working", ""),
        diffs={} if isinstance(out, Refusal) else out.diffs,
    )
    return words.withdrawn(talk) if speak else words.say(talk)


def _no_history(commit: Oid) -> Tree:
    # Only what is kept names earlier commits, and nothing is kept here.
    raise KeyError(commit)
