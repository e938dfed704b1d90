"""Edits that commands mean: lines are put in or taken out, all else of a file stays, and the result is proven."""

from __future__ import annotations

from typing import cast

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.core.draft import Scene, draft
from bot.core.draft.lines import says, with_entry, with_item, without_entry
from bot.core.kit import Kit, kit_of
from bot.core.load import load_platform
from bot.core.model.ask import Draft
from bot.core.model.command import Change, HoldCommand, RollbackCommand, UnholdCommand, WaiveCommand
from bot.core.model.platform import Platform
from bot.core.model.values import Doc
from bot.core.parse import parse
from bot.core.tree import Oid
from bot.shipped import shipped_tree
from tests.core.made import PLATFORM, Files, service, tree_of


def doc_of(text: str) -> Doc:
    found = parse("x.yaml", text.encode())
    assert isinstance(found, Doc), found
    return found


BLOCK = """\
# Who holds what.
holds:
  # since Friday
  dev:
    reason: a move # ends soon
    by: ada

  staging: {reason: another, by: bo}
# the end
"""


def test_an_entry_is_put_in_beside_the_others_and_all_lines_stay() -> None:
    text = with_entry(doc_of(BLOCK), BLOCK, "holds", "prod", {"reason": "it: burns", "by": "cy"})
    assert set(BLOCK.splitlines()) <= set(text.splitlines())
    assert '  prod:\n    reason: "it: burns"\n    by: cy\n' in text


def test_an_entry_is_taken_out_and_the_lines_of_its_neighbours_stay() -> None:
    text = without_entry(doc_of(BLOCK), BLOCK, "holds", "dev")
    assert "staging: {reason: another, by: bo}\n# the end\n" in text
    assert "ada" not in text
    assert text.startswith("# Who holds what.\nholds:\n")
    last = without_entry(doc_of(BLOCK), BLOCK, "holds", "staging")
    assert "reason: a move # ends soon" in last


@pytest.mark.parametrize(
    "text", ["holds: {}\n", "{holds: {dev: {reason: r, by: b}}}\n", "holds: {dev: {reason: r, by: b}}"]
)
def test_a_map_on_one_line_is_written_anew(text: str) -> None:
    doc = doc_of(text)
    added = with_entry(doc, text, "holds", "prod", {"reason": "x", "by": "y"})
    assert "prod" in added
    assert doc_of(without_entry(doc_of(added), added, "holds", "prod")).value == doc.value


MANIFEST = "name: a # our a\nowner: payments\ntype: web\nimage: x\n"


@pytest.mark.parametrize(
    "text",
    [
        MANIFEST,
        MANIFEST.rstrip(),
        MANIFEST + "waivers:\n- policy: a\n  reason: b # c\n  until: d\n",
        MANIFEST + "waivers:\n  - policy: a\n    reason: b\nport: 8080\n# end\n",
        MANIFEST + "command:\n- sh\n- |\n  waivers:\n  - x\n",
        MANIFEST + "files:\n  /a: |+\n    text\n\n\n",
    ],
)
def test_an_item_is_put_at_the_end_of_its_list_and_all_lines_stay(text: str) -> None:
    item = {"policy": "no-latest", "reason": "we: move", "until": "2026-12-31"}
    doc = doc_of(text)
    edited = with_item(doc, text, "waivers", item)
    assert edited is not None
    value = cast(dict[str, object], doc.value)
    assert doc_of(edited).value == {**value, "waivers": [*cast(list[object], value.get("waivers", [])), item]}
    rows = iter(edited.splitlines())
    assert all(row in rows for row in text.splitlines()), "the old lines, in their order"


@pytest.mark.parametrize("text", ["{name: a, owner: b}\n", MANIFEST + "waivers: [{policy: a}]\n"])
def test_a_list_on_one_line_is_left_to_people(text: str) -> None:
    assert with_item(doc_of(text), text, "waivers", {"policy": "x"}) is None


@settings(max_examples=100, deadline=None)
@given(st.text(st.characters(codec="utf-8", categories=("L", "N", "P", "S", "Zs")), min_size=1, max_size=40))
def test_whatever_the_reason_the_file_says_exactly_it(reason: str) -> None:
    entry = {"reason": reason, "by": "ada"}
    text = with_entry(doc_of(BLOCK), BLOCK, "holds", "prod", entry)
    found = parse("x.yaml", text.encode())
    if isinstance(found, Doc):
        assert cast(dict[str, dict[str, object]], found.value)["holds"]["prod"] == entry
        assert says("x.yaml", text, found.value)


TIP = Oid("a" * 40)


def drafted(command: Change, files: Files, history: tuple[Files, ...] = (), merged: Files | None = None) -> Draft:
    tree = tree_of(files)
    kit = kit_of(tree, shipped_tree())
    assert isinstance(kit, Kit)
    platform = load_platform(tree, kit)
    assert isinstance(platform, Platform), platform
    line = [(Oid(f"{at:x}" * 40), tree_of(old)) for at, old in enumerate(history, 1)]
    ran = {"services/a": frozenset(e.id for _, old in line if (e := old.get("services/a")) is not None)}
    scene = Scene(
        TIP, tree, platform, lambda: line, ran, "ada <b>", "#7", 1_790_000_000,
        tree_of(merged) if merged is not None else None,
    )  # fmt: skip
    return draft(command, scene)


def test_rollback_takes_the_newest_other_version_and_its_owner_or_the_platform_team_may_ask() -> None:
    old = {**PLATFORM, **service("a")}
    new = {**PLATFORM, **service("a", image="2.0.0")}
    made = drafted(RollbackCommand("a"), new, (new, old))
    (edit,) = made.edits
    assert edit.path == "services/a"
    entry = tree_of(old).get("services/a")
    assert entry is not None
    assert edit.id == entry.id
    assert made.teams == ("acme/payments", "acme/platform")
    assert "&#60;b&#62;" in made.body, "a name is only text"
    assert drafted(RollbackCommand("a", to="2222222"), new, (new, old)).edits == made.edits
    assert "No commit" in drafted(RollbackCommand("a", to="9999999"), new, (new, old)).refused
    assert "nothing to bring back" in drafted(RollbackCommand("a", to=TIP[:7]), new, (new, old)).refused
    assert "nothing to bring back" in drafted(RollbackCommand("a", to="1111111"), new, (new, new, old)).refused
    assert drafted(RollbackCommand("a"), new, (new,)).refused
    assert drafted(RollbackCommand("nobody"), new).teams == ("acme/platform",)


def test_a_hold_that_stands_a_place_that_is_none_and_a_hold_that_is_not_there_are_told() -> None:
    held = {**PLATFORM, "platform/holds.yaml": "holds: {prod: {reason: r, by: b}}\n"}
    assert "already" in drafted(HoldCommand("prod", "x"), held).refused
    assert "`dev`" in drafted(HoldCommand("nowhere", "x"), PLATFORM).refused
    assert "not on hold" in drafted(UnholdCommand("dev"), held).refused
    assert "Nothing is" in drafted(UnholdCommand("dev"), PLATFORM).refused
    assert drafted(UnholdCommand("prod"), held).edits[0].text == "holds: {}\n"
    assert drafted(HoldCommand("dev", "x"), held).teams == ("acme/platform",)


def test_a_waiver_goes_to_the_one_service_that_is_changed_or_named() -> None:
    base = {**PLATFORM, **service("a"), **service("b")}
    both = {**base, **service("a", image="2.0.0"), **service("b", image="2.0.0")}
    command = WaiveCommand("no-latest", "2026-12-31", "x")
    assert "`a`, `b`" in drafted(command, base, merged=both).refused
    assert "for <service> until" in drafted(command, base).refused
    named = drafted(WaiveCommand("no-latest", "2026-12-31", "x", "b"), base)
    assert [edit.path for edit in named.edits] == ["services/b/platform.yaml"]
    new = {**base, **service("c")}
    assert "waivers:" in drafted(command, base, merged=new).refused, "what to write by hand"
    assert named.teams == ()
