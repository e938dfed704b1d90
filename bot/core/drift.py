"""How the GitOps repo stands to what is merged, for people who are about to merge."""

from __future__ import annotations

from bot.core.build import Build, Memo, difference
from bot.core.build.fill import Each
from bot.core.kit import kit_of
from bot.core.model.delivery import Actual, Kept
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


def behind(live: Tree, tip: Tree, shipped: Tree, kept: Kept, trees: Trees, memo: Memo) -> bool:
    """Whether delivering `tip` would change what `live` renders to; true where one of them cannot be read. Holds,
    policies and waivers land without moving a cursor, and nothing waits for them."""
    sides: list[Build] = []
    for tree in (live, tip):
        kit = kit_of(tree, shipped)
        made = kit if isinstance(kit, Refusal) else base_build(tree, kit, kept, trees, memo)
        if isinstance(made, Refusal):
            return True
        sides.append(made)
    return bool(difference(*sides).keys)
