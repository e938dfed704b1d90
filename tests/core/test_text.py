"""The character rule, and encoders held against a reader of each place that our strings end up in."""

from __future__ import annotations

import ast
import html
import json
import re
import subprocess
import unicodedata
from urllib.parse import unquote, urlsplit

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from markdown_it import MarkdownIt
from markdown_it.token import Token

from bot.core import text
from tests.core.adversarial import ALL, HAND, REFUSED

_ANY = st.text(max_size=60) | st.sampled_from(ALL) | st.sampled_from(REFUSED)
_MARKUP = st.text(alphabet="`|*_~[]()<>!#@$%&^:/\\\n -+=.1aZé\"'{}", max_size=40)
_CLEAN = _ANY.filter(lambda value: text.flaw_in(value) is None)
_GFM = MarkdownIt("commonmark").enable(["table", "strikethrough"])


# --- the character rule


@pytest.mark.parametrize("value", REFUSED)
def test_a_character_that_some_reader_drops_or_hides_is_found(value: str) -> None:
    assert text.flaw_in(f"ab{value}") is not None


def test_the_place_of_a_flaw_counts_code_points_from_one() -> None:
    assert text.flaw_in("a😀\u202eb") == "U+202E (RIGHT-TO-LEFT OVERRIDE) at character 3"
    assert text.flaw_in("a\x00") == "U+0000 (a control character) at character 2"
    assert text.flaw_in("abe\u0301") == "a letter that is not in its composed form (Unicode NFC) at character 3"
    assert text.flaw_in("a\tb", one_line=True) == "U+0009 (a control character) at character 2"
    assert text.flaw_in("a\tb\n") is None


@pytest.mark.parametrize("value", ["é", "日本語", "😀", "⚠️", "❤️ x", "1️⃣", "naïve\u00a0!", "\u0301", "ﬁ", "‼️"])
def test_what_people_really_write_passes(value: str) -> None:
    assert text.flaw_in(value) is None


@pytest.mark.parametrize("value", ["a\ufe0f", "1.0\ufe0f", "\ufe0f", "⚠\ufe0f\ufe0f", "1\ufe0e"])
def test_a_selector_that_selects_nothing_visible_is_a_flaw(value: str) -> None:
    assert text.flaw_in(value) is not None


def test_the_rule_agrees_with_the_unicode_database() -> None:
    for code in range(0x110000):
        char = chr(code)
        category = unicodedata.category(char)
        must = (
            category in ("Cc", "Cs", "Zl", "Zp") or unicodedata.bidirectional(char) in _BIDI or code & 0xFFFE == 0xFFFE
        )
        # Format characters that show: signs of Arabic, Syriac, Kaithi and Egyptian writing.
        must = must or (
            category == "Cf"
            and not re.match(
                "[\u0600-\u0605\u06dd\u070f\u0890\u0891\u08e2\U000110bd\U000110cd\U00013430-\U0001343f]", char
            )
        )
        if must and char not in "\n\t":
            assert text.flaw_in(char) is not None, f"{code:04x}"
        elif category[0] in "LNPS" and unicodedata.is_normalized("NFC", char) and char not in _INVISIBLE_LETTERS:
            assert text.flaw_in(char) is None, f"{code:04x}"


_BIDI = ("LRE", "RLE", "LRO", "RLO", "PDF", "LRI", "RLI", "FSI", "PDI")
_INVISIBLE_LETTERS = "\u115f\u1160\u3164\uffa0"


@given(_ANY)
def test_what_is_made_visible_has_no_flaw_but_composition(value: str) -> None:
    shown = text.visible(value)
    assert all("composed form" in name for _, name in text.flaws(shown)) or "\ufe0f" in value or "\ufe0e" in value


# --- Markdown


def _folded(value: str) -> str:
    return " ".join(text.visible(value.replace("\r\n", "\n")).split())


def _read(token: Token) -> str:
    """The words of an inline token that holds text only; fails on anything else."""
    kinds = {child.type for child in token.children or ()}
    assert kinds <= {"text", "text_special", "softbreak"}, kinds
    words = "".join(child.content or " " for child in token.children or ()).replace("\u200b", "")
    return " ".join(words.split())


# What GitHub and GitLab link in the finished text, wherever they find it.
_LINKED = re.compile(
    r"@[^\s\u200b]|[~%^][\w\"]|[#!$&*][0-9]|https?://|ftp://|www\.|\bgh-[0-9]|\b[0-9a-f]{7,40}\b|:[a-z0-9_+-]+:|\[\[",
    re.I,
)


@given(_ANY | _MARKUP)
@example("/merge")
@example("1. a")
@example("- [ ] x")
@example("a\n===\n| a |\n|---|")
@example("\n    code")
@example("&#8203;&amp;<!-- x -->")
def test_text_in_markdown_is_only_text_in_a_paragraph_a_table_and_a_heading(value: str) -> None:
    encoded, folded = text.markdown(value), _folded(value)
    assert "\n" not in encoded
    for document, kind, count, words in (
        (encoded, "paragraph_open", 3, folded),
        (f"x\n{encoded}", "paragraph_open", 3, f"x {folded}".strip()),
        (f"### x {encoded} y", "heading_open", 3, " ".join(f"x {folded} y".split())),
        (f"| a | b |\n|---|---|\n| {encoded} | y |", "td_open", 22, folded),
    ):
        tokens = _GFM.parse(document)
        if tokens or folded:
            assert len(tokens) == count, [token.type for token in tokens]
            opened = next(index for index, token in enumerate(tokens) if token.type == kind)
            assert _read(tokens[opened + 1]) == words


@given(_ANY | _MARKUP)
def test_text_in_markdown_holds_inside_raw_html_and_attributes(value: str) -> None:
    encoded = text.markdown(value)
    assert not re.search(r"[<>\"'`]", encoded)
    assert html.unescape(encoded).replace("\u200b", "") == _folded(value)


@given(_ANY | _MARKUP)
@example("81@.www.a.bc")
@example("@me @me/x user@host.io #12 !3 acme/x#1 GH-7 https://a.b www.a.b :smile: deadbeef deadbeefdeadbeef ~bug")
def test_no_forge_finds_a_mention_a_reference_or_an_address_in_it(value: str) -> None:
    assert _LINKED.search(html.unescape(text.markdown(value))) is None


@given(_ANY | _MARKUP)
@example("``")
@example(" ` ")
@example("|`|")
@example("a\\|b")
def test_inline_code_shows_exactly_the_text(value: str) -> None:
    line = re.sub(r"[\n\t]", " ", text.visible(value.replace("\r\n", "\n")))
    encoded = text.markdown_code(value)
    for document, kind in ((f"x {encoded} y", "paragraph_open"), (f"|a|b|\n|-|-|\n|x {encoded} y|z|", "td_open")):
        tokens = _GFM.parse(document)
        inline = tokens[next(i for i, token in enumerate(tokens) if token.type == kind) + 1]
        children = inline.children or []
        codes = [child.content for child in children if child.type == "code_inline"]
        if codes:
            assert codes == [line]
            assert [c.content for c in children if c.type != "code_inline"] == ["x ", " y"]
        else:
            assert [c.content for c in children if c.type == "html_inline"] == ["<code>", "</code>"]
            words = "".join(c.content for c in children if c.type != "html_inline").replace("\u200b", "")
            assert words.split() == ["x", *line.split(), "y"]


@given(_ANY | _MARKUP, st.sampled_from(["", "yaml", "diff"]))
@example("```\n~~~\n````", "")
@example("/close\n```", "diff")
def test_a_fence_holds_exactly_the_lines_of_the_text(value: str, info: str) -> None:
    fence = text.markdown_fence(value, info)
    tokens = _GFM.parse(f"x\n\n{fence}\n\ny")
    assert [token.type for token in tokens][3:-3] == ["fence"]
    assert tokens[3].info == info
    lines = text.visible(value.replace("\r\n", "\n").replace("\r", "\n"))
    assert tokens[3].content.removesuffix("\n") == lines.removesuffix("\n")


def test_the_info_of_a_fence_is_one_language_word() -> None:
    with pytest.raises(ValueError, match="language word"):
        text.markdown_fence("a", "diff\n```")


# --- exact encoders


def _expand_kubelet(value: str) -> str:
    """Reads as kubelet does, with every variable set to a mark: `$$` is `$`, `$(name)` a variable, all else itself."""
    return re.sub(r"\$\$|\$\(([^)]*)\)", lambda m: "$" if m[0] == "$$" else "<expanded>", value)


@given(_ANY | st.text(alphabet="$()Aa {", max_size=20))
@example("$$(A)")
@example("$$$")
@example("$(")
def test_kubelet_reads_the_text_itself(value: str) -> None:
    assert _expand_kubelet(text.kubelet(value)) == value


@given(st.text(alphabet="aA/_ ${}[", max_size=20))
def test_kubelet_text_stays_readable_where_nothing_would_be_expanded(value: str) -> None:
    if "$$" not in value:
        assert text.kubelet(value) == value


@given(_ANY | st.text(alphabet="$%{}a", max_size=20))
def test_terraform_reads_the_text_itself(value: str) -> None:
    encoded = text.terraform(value)
    # A run of signs before a brace belongs together from its end.
    assert re.sub(r"([$%])\1\{", r"\1{", encoded) == value
    assert not re.search(r"(?<!\$)\$\{|(?<!%)%\{", encoded)


@given(_ANY | st.text(alphabet="{}a\"'-`\\ ", max_size=20))
def test_a_go_template_prints_the_text_itself_and_takes_no_part_of_what_follows(value: str) -> None:
    encoded = text.go_template(value) + "{{ .Next }}"
    printed = re.sub(r"\{\{\"(\{+)\"\}\}", r"\1", encoded.removesuffix("{{ .Next }}"))
    assert printed == value
    actions = re.findall(r"\{\{.*?\}\}", encoded, re.DOTALL)
    assert set(actions[:-1]) <= {'{{"{{"}}', '{{"{"}}'}
    assert actions[-1] == "{{ .Next }}"


@given(_CLEAN)
def test_a_prometheus_string_reads_back_and_shows_grafana_no_variable(value: str) -> None:
    encoded = text.prometheus_string(value)
    assert ast.literal_eval(encoded) == value
    assert "\n" not in encoded
    assert not set("$[{") & set(encoded)


_GRAFANA = re.compile(r"\$(\w+)|\[\[(\w+?)(?::(\w+))?\]\]|\$\{(\w+)(?:\.([^:^}]+))?(?::([^}]+))?\}")


@given(_ANY | st.text(alphabet="$[]{}a_:.", max_size=20))
@example("$__user ${__user.email} [[x]] $$a")
def test_grafana_finds_no_variable_in_text(value: str) -> None:
    assert _GRAFANA.search(text.grafana(value)) is None
    assert text.grafana(value).replace(" ", "") == text.visible(value).replace(" ", "")


@given(_ANY)
def test_a_log_field_is_one_line_of_printable_text_that_reads_back(value: str) -> None:
    encoded = text.log_field(value)
    assert json.loads(f'"{encoded}"') == value
    assert all("composed form" in name for _, name in text.flaws(encoded))
    assert "\n" not in encoded
    assert "\t" not in encoded


@given(st.text(st.characters(exclude_categories=["Cs"])))
def test_a_trailer_is_of_a_closed_set_of_characters_and_reads_back(value: str) -> None:
    encoded = text.trailer(value)
    assert re.fullmatch(r"[A-Za-z0-9/+@._~%-]*", encoded)
    assert unquote(encoded) == value


def test_git_reads_the_trailer_and_no_other() -> None:
    hostile = "x\nSigned-off-by: root <root@example.com>\n\nKit: 2: 3"
    message = f"Deliver checkout\n\nAuthor-Id: {text.trailer(hostile)}\n"
    command = ["git", "interpret-trailers", "--parse"]
    read = subprocess.run(command, input=message, capture_output=True, text=True, check=True).stdout
    name, value = read.strip().split(": ")
    assert (name, unquote(value)) == ("Author-Id", hostile)


@given(st.lists(st.text(st.characters(exclude_categories=["Cs"]))).map("/".join))
@example("a/../../b")
@example("a b/(c)#d?e=f%2e")
def test_a_link_leads_to_the_path_and_nowhere_above_it(path: str) -> None:
    encoded = text.url_path(path)
    assert re.fullmatch(r"[A-Za-z0-9/._~%-]*", encoded)
    assert urlsplit(f"https://forge/{encoded}").path == f"/{encoded}"
    parts = [part for part in unquote(encoded).split("/") if part.replace("%2E", ".") not in ("..", ".")]
    assert parts == [part for part in path.split("/") if part.replace("%2E", ".") not in ("..", ".")]
    assert not {".", ".."} & set(unquote(encoded).split("/"))


def test_no_encoder_fails_on_any_text() -> None:
    encoders = (text.markdown, text.markdown_code, text.markdown_fence, text.terraform)
    more = (text.kubelet, text.go_template, text.prometheus_string, text.grafana, text.log_field, text.trailer)
    for value in (*HAND, *REFUSED, "\ud800", "a\udfff`", "\U0010ffff", "|\ud800"):
        for encode in (*encoders, *more, text.url_path):
            assert isinstance(encode(value), str)
