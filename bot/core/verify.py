"""The law, from scratch: owned(gitops head) == render(platform tree @ cursor, kit) + kept."""

from __future__ import annotations

from dataclasses import dataclass

from bot.core.build import Memo
from bot.core.kit import kit_of
from bot.core.memory import CURSOR, KEPT, cursor_bytes, kept_bytes
from bot.core.model.delivery import Actual
from bot.core.owned import actual_id, owned, provenance_folders
from bot.core.problem import Refusal
from bot.core.settle import Trees, base_build, refused_units
from bot.core.tree import Oid, Tree


@dataclass(frozen=True, slots=True)
class Breach:
    """One path where the head is not what the law says. None: absent."""

    path: str
    expected: Oid | None
    found: Oid | None


def verify(
    tree: Tree, actual: Actual, shipped: Tree, target: str, trees: Trees, memo: Memo
) -> tuple[Breach, ...] | Refusal:
    """Every breach, sorted by path; empty where the law holds. Recomputes all from `tree`, the cursor's."""
    if actual.head is None or actual.cursor is None:
        raise ValueError("there is nothing to verify before the first delivery")
    kit = kit_of(tree, shipped)
    if isinstance(kit, Refusal):
        return kit
    build = base_build(tree, kit, actual.kept, trees, memo)
    if isinstance(build, Refusal):
        return build
    expected = owned(build, target, actual.kept, frozenset(refused_units(actual.kept)), memo)
    breaches = [
        Breach(path, own.id, actual_id(actual.head, path))
        for path, own in expected.items()
        if actual_id(actual.head, path) != own.id
    ]
    for path, data in ((CURSOR, cursor_bytes(actual.cursor)), (KEPT, kept_bytes(actual.kept))):
        if actual.head.get(path) is None or actual.head.read(path) != data:
            breaches.append(Breach(path, None, actual_id(actual.head, path)))
    breaches.extend(
        Breach(path, None, actual_id(actual.head, path))
        for path in provenance_folders(actual.head)
        if path not in expected
    )
    return tuple(sorted(breaches, key=lambda b: b.path))
