"""Random damage to real files, and what must come of it: a result, or problems at places that the file has."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from random import Random

from bot.core import words
from bot.core.build import Build, Memo, build, fill
from bot.core.codes import CODES
from bot.core.kit import kit_of
from bot.core.model.conversation import Conversation, Dialect, Shas
from bot.core.model.delivery import Evidence
from bot.core.problem import Problem, Refusal
from bot.core.propose import Proposal, propose
from bot.core.tree import MemoryTree, Oid
from bot.shipped import shipped_tree
from tests.core.adversarial import ALL
from tests.core.rich import RECIPE, RICH

ROOT = Path(__file__).parents[2]
HEAD = Oid("f" * 40)
NOW = 1_790_000_000
SLOW = 2.0
"""Seconds of one mutation's whole way; a hang would be minutes."""

SCRAPS = (
    b"\t", b"\r", b"\r\n", b"\n", b"\x00", b"\xff", b"\xc2\x85", b"\xef\xbb\xbf", b"\xe2\x80\xae", b"e\xcc\x81", b"&a ",
    b"*a", b"!!str ", b"!x ", b"<<: ", b"? ", b"---\n", b"...\n", b"%YAML 1.1\n", b"#", b": ", b"- ", b"[", b"]", b"{",
    b"}", b"'", b'"', b"|\n", b">-\n", b"null", b"~", b"true", b"0", b"-1", b"1e999", b".inf", b"99999999999999999999",
    b"{}", b"[]", b'""', b"${needs.db.host}", b"${", b"$${", b'${file("x")}', b"{{7*7}}", b"</details>", b"```",
    b"@all", b"\n/merge\n", b"\\nPlatform-Commit: x", b"$(VAR)", b"../..", b"x" * 300, b"a.b" * 90, b"[" * 60,
    b"{a: " * 60,
)  # fmt: skip


def corpus() -> Mapping[str, bytes]:
    """Whole files that people could have written, by a name."""
    files = {path: text.encode() for path, text in RICH.items()}
    for folder in ("tests/cases", "bot/cli/example"):
        for path in sorted((ROOT / folder).rglob("*.yaml")):
            if "out" not in path.relative_to(ROOT).parts and path.name in ("platform.yaml", "releases.yaml"):
                files[path.relative_to(ROOT).as_posix()] = path.read_bytes()
    return files


def mutated(random: Random, data: bytes, others: list[bytes]) -> bytes:
    """A few small accidents, one after another."""
    for _ in range(random.choice((1, 1, 1, 2, 3))):
        data = random.choice(_ACCIDENTS)(random, data, others)
    return data


def _place(random: Random, data: bytes) -> int:
    return random.randrange(len(data) + 1)


def _scrap(random: Random, data: bytes, _: list[bytes]) -> bytes:
    at = _place(random, data)
    return data[:at] + random.choice(SCRAPS) + data[at:]


def _flip(random: Random, data: bytes, _: list[bytes]) -> bytes:
    at = _place(random, data)
    return data[:at] + bytes([random.randrange(256)]) + data[at + 1 :]


def _cut(random: Random, data: bytes, _: list[bytes]) -> bytes:
    at = _place(random, data)
    return data[:at] + data[at + random.choice((1, 1, 2, 5, 20, 10_000)) :]


def _lines(random: Random, data: bytes, others: list[bytes]) -> bytes:
    lines = data.split(b"\n")
    at = random.randrange(len(lines))
    match random.randrange(6):
        case 0:
            lines.insert(at, lines[at])
        case 1:
            del lines[at]
        case 2:
            other = random.randrange(len(lines))
            lines[at], lines[other] = lines[other], lines[at]
        case 3:
            lines[at] = b"  " + lines[at]
        case 4:
            lines[at] = lines[at].lstrip()
        case _:
            lines.insert(at, random.choice(random.choice(others).split(b"\n")))
    return b"\n".join(lines)


def _value(random: Random, data: bytes, _: list[bytes]) -> bytes:
    """Another value at some key, quoted as a person would."""
    lines = data.split(b"\n")
    at = random.randrange(len(lines))
    key, colon, _rest = lines[at].partition(b":")
    if not colon:
        return data
    value = random.choice(ALL).replace("'", "''").encode(errors="replace")
    lines[at] = key + b": " + random.choice((random.choice(SCRAPS), b"'" + value + b"'", value))
    return b"\n".join(lines)


def _word(random: Random, data: bytes, others: list[bytes]) -> bytes:
    """A word of one file in the place of a word of this one."""
    mine, theirs = data.split(b" "), random.choice(others).split(b" ")
    mine[random.randrange(len(mine))] = random.choice(theirs)
    return b" ".join(mine)


_ACCIDENTS = (_scrap, _scrap, _flip, _cut, _lines, _lines, _value, _value, _word, _word)


@dataclass(slots=True)
class Outcomes:
    """What came of many mutations."""

    counts: Counter[str] = field(default_factory=Counter)
    codes: Counter[str] = field(default_factory=Counter)
    slowest: float = 0.0

    def __str__(self) -> str:
        said = ", ".join(f"{count} {what}" for what, count in self.counts.most_common())
        return f"mutations: {said}; {len(self.codes)} problem codes seen; slowest {self.slowest * 1000:.0f} ms"


class Mill:
    """The rich platform, in which one file after another is damaged."""

    def __init__(self, seed: int) -> None:
        self.random = Random(seed)
        self.files = corpus()
        self.others = list(self.files.values())
        self.memo = Memo()
        self.base_tree = MemoryTree({path: text.encode() for path, text in RICH.items()})
        kit = kit_of(self.base_tree, shipped_tree())
        assert not isinstance(kit, Refusal)
        base = build(self.base_tree, kit, self.memo)
        assert isinstance(base, Build)
        fill(base, base.digests, self.memo)
        self.base = base
        self.outcomes = Outcomes()

    def run(self, count: int) -> Outcomes:
        """Damages `count` files. What goes wrong is raised with the file that did it."""
        names = sorted(self.files)
        # A damaged recipe means another kit, which costs fifty times as much as a damaged manifest.
        weights = [1 if RECIPE in name else 3 if name.startswith("platform/") else 15 for name in names]
        for number in range(count):
            [name] = self.random.choices(names, weights)
            data = mutated(self.random, self.files[name], self.others)
            # A file of elsewhere stands in the folder of its own name, or that alone would refuse it.
            path = name if name in RICH else "services/" + "/".join(name.split("/")[-2:])
            started = time.process_time()
            try:
                self.outcomes.counts[self.one(path, data, whole=number % 50 == 0)] += 1
            except Exception as error:
                error.add_note(f"mutation {number} of {name} at {path}: {data!r}")
                raise
            took = time.process_time() - started
            self.outcomes.slowest = max(self.outcomes.slowest, took)
            assert took < SLOW, (took, path, data)
        return self.outcomes

    def one(self, path: str, data: bytes, whole: bool) -> str:
        """One damaged file: built, rendered where it differs, and now and then reviewed and told."""
        tree = MemoryTree({**{name: text.encode() for name, text in RICH.items()}, path: data})
        kit = kit_of(tree, shipped_tree())
        made = kit if isinstance(kit, Refusal) else build(tree, kit, self.memo, since=self.base)
        said = "whole"
        if isinstance(made, Refusal):
            said = "platform refused"
            self.check(made.problems, tree)
        else:
            for state in made.units.values():
                self.check(state.problems, tree)
            for problems in made.linked.problems.values():
                self.check(problems, tree)
            changed = [key for key, value in made.digests.items() if self.base.digests.get(key) != value]
            for done in fill(made, changed, self.memo).values():
                if isinstance(done, Refusal):
                    said = "not rendered"
                    self.check(done.problems, None)
            said = "unit refused" if made.failing() else said
        if whole:
            self.review(tree)
        if len(self.memo.units) > 2000:
            self.memo = Memo()
        return said

    def review(self, tree: MemoryTree) -> None:
        """The same as a pull request, to the last word."""
        found = propose(
            self.base_tree,
            tree,
            shipped_tree(),
            {"main": {}},
            Evidence(),
            HEAD,
            NOW,
            lambda _: self.base_tree,
            self.memo,
        )
        outcome = found.plan if isinstance(found, Proposal) else found
        said = words.say(
            Conversation(outcome, "open", Dialect("github"), Shas("a" * 40, "main", HEAD, "https://forge/blob/x"))
        )
        assert len(said.status) <= 140
        assert len((said.comment or "").encode()) <= 60_000

    def check(self, problems: tuple[Problem, ...], tree: MemoryTree | None) -> None:
        """Every problem is complete and stands at a place that exists."""
        for problem in problems:
            self.outcomes.codes[problem.code] += 1
            assert problem.code in CODES, problem
            assert problem.message, problem
            assert problem.why, problem
            assert problem.fix, problem
            if tree is not None:
                assert_inside(problem, tree)


def assert_inside(problem: Problem, tree: MemoryTree) -> None:
    """The place is one of the file, or the beginning of one that is not there."""
    entry = tree.get(problem.path)
    data = tree.read(problem.path) if entry is not None and entry.kind == "file" else b""
    lines = data.decode(errors="replace").replace("\r\n", "\n").split("\n")
    assert 1 <= problem.line <= len(lines), problem
    assert 1 <= problem.column <= len(lines[problem.line - 1]) + 1, problem
