"""Strings that some reader of YAML, or some template language, is known or likely to take for something else."""

from __future__ import annotations

import random

SEED = 20260117

HAND = (
    *("", " ", "  ", "\t", "\n", "\n\n", " \n", "\n ", "a\n", "a\n\n", "\na", " a", "a ", "a\nb", "a\n b", " a\nb"),
    *("a \nb", "a\n\tb", "a\tb", "\ta", "a\nb\n", "a\n\n\nb\n", "a\n \nb", "a\n#b\n", "---\na", "a\n---\nb"),
    *("a\n...\nb", "a: b\nc: d\n", "y", "Y", "yes", "Yes", "YES", "n", "N", "no", "No", "on", "On", "ON", "off"),
    *("Off", "OFF", "true", "True", "TRUE", "false", "False", "null", "Null", "NULL", "~", "nil", "None", "nan"),
    *(".nan", ".NaN", ".inf", "-.inf", "+.INF", "inf", "0", "-0", "+1", "1", "01", "007", "0o10", "0O10", "0x"),
    *("0x1F", "0X1f", "0b11", "0b", "1_000", "_1", "1_", "0_8", "1.", ".5", "1.5", "-1.5", "+.5", "1e10", "1E10"),
    *("1e+10", "1.0e+10", "1e-3", ".1e3", "e1", "1e", "1.5.2", "1..2", "12:30", "12:30:45", "1:2", "190:20:30.15"),
    *("-1:30", "2001-01-01", "2001-1-1", "2001-12-14t21:59:43.10-05:00", "2001-12-14 21:59:43.10 -5", "0.1.2.3"),
    *("10.0.0.0/8", "100m", "256Mi", "1.5s", "1d", "0x1p-2", "1e400", "9" * 30, "=", "<<", "<", ">", "|", "|-"),
    *(">-", "?", "? a", "-", "- a", "--", "---", "...", "--x", ":", ": a", "a:", "a: b", "a:b", "a :b", "::", "#"),
    *("# a", "a #b", "a#b", "!", "!a", "!!str a", "&", "&a", "*", "*a", "%", "%YAML 1.1", "@a", "`a`", "`", "{"),
    *("}", "[", "]", "{}", "[]", "{a: b}", "[a]", ",", "a, b", "a,b", "'", "''", "'a'", '"', '""', '"a"', "it's"),
    *('a"b', "\\", "\\n", "\\\\", "a\\", "\\x41", "\\u0041", "C:\\x", "a\\\nb", "$", "$$", "${a}", "$${a}"),
    *("$$${a}", "%{a}", "%%{a}", "$(A)", "$$(A)", "$$$(A)", "$(", "$A", "{{", "}}", "{{ .X }}", "{{{", "{", "a{"),
    *("{{-", "[[x]]", "$__interval", "é", "ß", "日本語", "😀", "👍🏽", "🇩🇪", "a\u00a0b", "\u00a0", "\u3000", "\ue000"),
    *("\ufffd", "\U0010fffd", "Ω", "ﬁ", "x" * 128, "x" * 129, "y " * 200, "k" * 1100, "é" * 1100),
    *("a" * 80 + " " + "b" * 80, "a\n" * 100, "/", "_", "./a", "a/b", "arn:aws:iam::123456789012:role/x"),
    *("ghcr.io/acme/checkout:1.4.2", "http://x.y/?a=b&c#d", "a=b", "=a", "key: |", "a  b"),
)

# Control characters and what no file of ours may hold. Our own reader refuses them, all others must read them back.
REFUSED = (
    *("\r", "\r\n", "a\rb", "\x00", "\x01\x02", "\x07\x08\x0b\x0c", "\x1b[31m", "\x1f", "\x7f", "\x80", "\x85"),
    *("\x9f", "\u2028", "\u2029", "\ufeff", "a\ufeff", "\u200b", "\u200d", "\u202e", "\u2066x\u2069", "\u00ad"),
    *("\ufffe", "\uffff", "\U000e0041", "\U0001fffe", "\ufe00"),
)

_PARTS = (
    *(":", ": ", " #", "#", "-", "- ", "?", "? ", ",", "[", "]", "{", "}", "'", '"', "\\", "\n", "\n\n", " ", "  "),
    *("\t", "$", "${", "%{", "$(", "{{", "}}", "|", ">", "!", "&", "*", "@", "`", "=", "<<", "~", "_", ".", "/"),
    *("+", "0", "1", "7", "8", "0x", "0o", "0b", "1e", "e5", ".inf", "nan", "on", "no", "y", "true", "null"),
    *("2001-01-01", "12:30", "T", "Z", "a", "b", "word", "é", "日", "😀", "www.a.bc", "http://", "@me", "#1"),
    *("/merge", "<b>", "&amp;", "---", "..."),
)


def generated(count: int) -> list[str]:
    """So many strings, the same at every run: short joins of parts that mean something to some reader."""
    random_ = random.Random(SEED)
    return ["".join(random_.choices(_PARTS, k=random_.randint(1, 6))) for _ in range(count)]


ALL = tuple(dict.fromkeys((*HAND, *generated(4000))))
