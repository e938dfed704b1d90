"""What someone else changed in the GitOps repo, for people who are about to merge."""

from __future__ import annotations

from bot.core.build import Memo
from bot.core.build.fill import Each
from bot.core.kit import kit_of
from bot.core.model.delivery import Actual
from bot.core.model.render import Inputs, Rendered
from bot.core.owned import drifted, owned
from bot.core.problem import Refusal
from bot.core.settle import Trees, base_build, refused_units
from bot.core.tree import Tree


def drift(
    tree: Tree,
    actual: Actual,
    shipped: Tree,
    target: str,
    trees: Trees,
    memo: Memo,
    each: Each[Inputs, Rendered | Refusal] = map,
) -> tuple[str, ...]:
    """Owned paths of the head that are not what the law says, sorted. `tree` is the platform at the cursor. Empty also
    where that can no longer be rendered: then delivery halts, and says why."""
    kit = kit_of(tree, shipped)
    build = base_build(tree, kit, actual.kept, trees, memo) if not isinstance(kit, Refusal) else kit
    if isinstance(build, Refusal):
        return ()
    expected = owned(build, target, actual.kept, frozenset(refused_units(actual.kept)), memo, each)
    return drifted(actual.head, expected, memo)
