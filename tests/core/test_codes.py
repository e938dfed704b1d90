"""Every problem code has an entry whose examples are true: the real rooms find it in `wrong`, and not in `right`."""

from __future__ import annotations

import re

import pytest

from bot.core.build import Build, Memo, build, fill
from bot.core.codes import CHECKOUT, CODES, ENTRIES, ROOMS, Files
from bot.core.kit import kit_of
from bot.core.model.delivery import Evidence
from bot.core.problem import Refusal
from bot.core.rules import Judges
from bot.core.rules.judge import RULES
from bot.core.tree import MemoryTree, walk
from tests.core.codes_page import PAGE, page
from tests.core.language_world import repo, shipped

BETWEEN_TWO_COMMITS = ("CW0701", "CW0703")
"""Found only where `right` was there before."""

NOT_IN_ONE_TREE = {
    "CW0302": "a link or a submodule cannot be told by its text",
    "CW0604": "resolve finds the same first, as CW0415",
    "CW0605": "resolve finds the same first, as CW0415",
    "CW0704": "takes a history of many services",
    "CW0751": "takes two commits and a time",
    "CW0752": "takes two commits",
    "CW0753": "takes two commits",
    "CW0754": "about how a commit came",
    "CW0709": "found by the judges, in the files of `platform/policies`",
    **{f"CW07{number}": "found by the judges, in the files of `platform/policies`" for number in range(10, 26)},
    **{f"CW07{number}": "takes the command of OPA, or its absence" for number in range(40, 43)},
    "CW0730": "takes the judges' policies",
    "CW0731": "takes two commits",
    "CW0801": "about the GitOps repository",
    "CW0802": "about the GitOps repository",
    "CW0803": "about the GitOps repository",
    "CW0804": "about the GitOps repository",
    "CW0805": "about the GitOps repository",
    "CW0806": "about the GitOps repository",
    "CW0807": "about a branch's history",
    "CW0901": "about the bot's settings",
    "CW0902": "about the GitOps repository",
}
"""Codes whose example no platform tree can hold, and why; tests of their rooms raise them."""

ENCODINGS = {"CW0102": "latin-1"}
TAKES_AWAY = {"CW0301": ("platform/teams.yaml",)}
REQUIRED = {"owner": "payments", "type": "web", "image": "ghcr.io/acme/checkout:1.4.2"}
IN_A_TREE = [code for code in ENTRIES if code not in NOT_IN_ONE_TREE]


def tree(files: Files, encoding: str = "utf-8", without: tuple[str, ...] = ()) -> MemoryTree:
    """The platform of the language's cases with an example laid on top; pieces of manifests are completed."""
    mine = {path: whole(path, text) for path, text in files.items()}
    if not any(path.endswith("/platform.yaml") for path in mine):
        mine[CHECKOUT] = whole(CHECKOUT, "port: 8080\n")
    platform = repo(without=without)
    there = {path: platform.read(path) for path, _ in walk(platform, "")}
    return MemoryTree({**there, **{path: text.encode(encoding) for path, text in mine.items()}})


def whole(path: str, text: str) -> str:
    if not path.endswith("/platform.yaml") or text.startswith("name:"):
        return text
    head = {"name": path.split("/")[-2], **REQUIRED}
    given = set(re.findall(r"^([a-z]+):", text, re.MULTILINE))
    return "".join(f"{key}: {value}\n" for key, value in head.items() if key not in given) + text


def built(made: MemoryTree) -> tuple[Build | None, set[str]]:
    """The build, where there is one, and every code that is found on the way to bytes."""
    kit = kit_of(made, shipped())
    found = kit if isinstance(kit, Refusal) else build(made, kit, Memo())
    if isinstance(found, Refusal):
        return None, {problem.code for problem in found.problems}
    codes = {problem.code for state in found.units.values() for problem in state.problems}
    codes |= {problem.code for problems in found.linked.problems.values() for problem in problems}
    for done in fill(found, found.digests, Memo()).values():
        codes |= {problem.code for problem in done.problems} if isinstance(done, Refusal) else set()
    return found, codes | ruled(None, found, "state")


def ruled(before: Build | None, after: Build, kind: str) -> set[str]:
    judges = Judges((before or after).platform, Evidence())
    return {f.problem.code for rule in RULES if rule.kind == kind for f in rule.look(before, after, judges, {})}


@pytest.mark.parametrize("code", IN_A_TREE)
def test_the_wrong_example_gives_the_code(code: str) -> None:
    after, codes = built(tree(ENTRIES[code].wrong, ENCODINGS.get(code, "utf-8"), TAKES_AWAY.get(code, ())))
    if code in BETWEEN_TWO_COMMITS:
        before, _ = built(tree(ENTRIES[code].right))
        assert before is not None
        assert after is not None
        codes |= ruled(before, after, "change")
    assert code in codes


@pytest.mark.parametrize("code", IN_A_TREE)
def test_the_right_example_has_no_problem_at_all(code: str) -> None:
    assert built(tree(ENTRIES[code].right))[1] == set()


@pytest.mark.parametrize("code", sorted(NOT_IN_ONE_TREE))
def test_an_example_that_no_tree_can_hold_is_still_two_different_texts(code: str) -> None:
    entry = ENTRIES[code]
    assert entry.wrong
    assert entry.right
    assert entry.wrong != entry.right


@pytest.mark.parametrize("code", ENTRIES)
def test_an_entry_says_what_and_why_in_whole_sentences(code: str) -> None:
    entry = ENTRIES[code]
    assert entry.title[0].islower() or entry.title.startswith("Causeway")
    assert not entry.title.endswith(".")
    for words in (entry.what, entry.why):
        assert words[0].isupper() or words[0] == "`"
        assert words.endswith(".")
        assert words.count("`") % 2 == 0
    for text in (*entry.wrong.values(), *entry.right.values()):
        assert text.endswith("\n")
        assert text.replace("\n", "").isprintable()


def test_every_code_stands_in_the_file_of_a_known_room() -> None:
    assert {code[2:4] for code in CODES} == set(ROOMS)
    assert list(CODES) == sorted(CODES)
    assert all(re.fullmatch(r"CW\d{4}", code) for code in CODES)


def test_the_page_is_what_the_table_says() -> None:
    assert PAGE.read_text(encoding="utf-8") == page(), "run `python -m tests.core.codes_page`"


def test_the_reference_page_leads_to_the_page_of_codes() -> None:
    assert "(problems.md)" in PAGE.with_name("README.md").read_text(encoding="utf-8")
