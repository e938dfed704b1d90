"""The log: one event a line, no forged lines, no secrets."""

from __future__ import annotations

import io
import json
import logging
import unicodedata
from collections.abc import Iterator

import pytest
import structlog
from hypothesis import given
from hypothesis import strategies as st

from bot import logs

TOKEN = "a token of no known shape 7"


@pytest.fixture(autouse=True)
def ordinary() -> Iterator[None]:
    """Whatever a test configured is undone."""
    root = logging.getLogger()
    handlers, level = list(root.handlers), root.level
    yield
    structlog.reset_defaults()
    root.handlers[:] = handlers
    root.setLevel(level)


@pytest.fixture(params=[True, False], ids=["json", "plain"])
def page(request: pytest.FixtureRequest) -> io.StringIO:
    """A log in one of its two forms."""
    file = io.StringIO()
    logs.configure(json=request.param, file=file)
    return file


@given(text=st.text())
@pytest.mark.parametrize("as_json", [True, False])
def test_any_text_stays_within_its_line(as_json: bool, text: str) -> None:
    file = io.StringIO()
    logs.configure(json=as_json, file=file)
    structlog.get_logger().info("done", title=text, more=[{text: text}])
    assert len(file.getvalue().splitlines()) == 1
    assert file.getvalue().endswith("\n")
    assert not {unicodedata.category(char) for char in file.getvalue()[:-1]} & {"Cc", "Cs", "Zl", "Zp"}


def test_a_value_that_looks_like_an_event_is_told_apart(page: io.StringIO) -> None:
    structlog.get_logger().info("done", title='x"\n2026-11-21T00:00:00Z info pushed sha="forged"')
    (line,) = page.getvalue().splitlines()
    assert line.count("done") == 1
    assert '" info pushed' not in line
    assert 'sha="forged"' not in line


def test_secrets_and_their_header_form_never_stand_in_it(page: io.StringIO) -> None:
    logs.hide(TOKEN, "")
    try:
        raise RuntimeError(f"cannot reach https://x-access-token:{TOKEN}@forge.example/a.git")
    except RuntimeError:
        structlog.get_logger().exception("failed", argv=["git", TOKEN], nested={"header": f"Basic {TOKEN}"})
    logging.getLogger("a.library").warning("sent %s", TOKEN)
    assert "failed" in page.getvalue()
    assert "sent ***" in page.getvalue()
    assert TOKEN not in page.getvalue()
    assert len(page.getvalue().splitlines()) == 2


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("ghp_0123456789abcdef0123", "***"),
        ("github_pat_11ABCDEFG0123456789_abc", "***"),
        ("glpat-0123456789abcdef", "***"),
        ("Authorization: Basic eDpzZWNyZXQ=", "Authorization: ***"),
        ("sent bearer eyJhbGciOi.x.y", "sent bearer ***"),
        ("fetch https://user:word@forge.example/a", "fetch https://***@forge.example/a"),
        ("-----BEGIN RSA PRIVATE KEY-----\nabc\n-----END RSA PRIVATE KEY-----", "***"),
        ("services/checkout/platform.yaml:4", "services/checkout/platform.yaml:4"),
    ],
)
def test_what_looks_like_a_credential_is_blotted_out(text: str, shown: str) -> None:
    assert logs.redacted(text) == shown


def test_a_very_long_value_keeps_its_ends() -> None:
    shown = logs.redacted("a" * 50_000 + "b")
    assert len(shown) < logs.LONGEST + 100
    assert shown.endswith("ab")


def test_json_lines_are_json(capsys: pytest.CaptureFixture[str]) -> None:
    logs.configure(json=True)
    structlog.get_logger().warning("slow", seconds=1.5, names=("a", "b"))
    told = json.loads(capsys.readouterr().err)
    assert (told["event"], told["level"], told["seconds"], told["names"]) == ("slow", "warning", 1.5, ["a", "b"])
