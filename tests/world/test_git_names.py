"""What may be named to git: whole refs, whole ids, plain URLs."""

from __future__ import annotations

import subprocess

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from bot.git.names import full_ref, header, remote_base, sha

_PIECES = st.lists(st.sampled_from([*"ab-./@{}~^:?*[]\\ \x7f\x01é", ".lock", "..", "@{", "refs"]), max_size=5).map(
    "".join
)


@settings(max_examples=150, deadline=None)
@given(name=st.lists(_PIECES, min_size=1, max_size=3).map("/".join))
@example("-x")
@example("a.lock/b")
@example(".a")
@example("@")
@example("a.")
@example("a./b")
@example("x.lock")
def test_a_ref_is_taken_exactly_where_git_takes_it(name: str) -> None:
    ref = f"refs/heads/{name}"
    git_takes_it = subprocess.run(["git", "check-ref-format", ref], check=False).returncode == 0
    if git_takes_it:
        assert full_ref(ref) == ref
    else:
        with pytest.raises(ValueError, match="not a full ref"):
            full_ref(ref)


@pytest.mark.parametrize(
    "name", ["main", "HEAD", "-x", "--upload-pack=touch /tmp/x", "refs", "refs/", "", "refs/a\n", "refs/a\0"]
)
def test_what_is_not_a_full_ref_is_refused(name: str) -> None:
    with pytest.raises(ValueError, match="not a full ref"):
        full_ref(name)


@pytest.mark.parametrize("name", ["", "abc", "A" * 40, "a" * 39, "a" * 41, "a" * 40 + "\n", "-" + "a" * 39])
def test_what_is_not_a_whole_id_is_refused(name: str) -> None:
    with pytest.raises(ValueError, match="not a whole object id"):
        sha(name)


@pytest.mark.parametrize(
    "url",
    [
        "ext::sh -c id",
        "ssh://git@example.org/a.git",
        "git://example.org/a.git",
        "example.org:a.git",
        "/srv/a.git",
        "--upload-pack=id",
        "file://host/a.git",
        "file:a.git",
        "https://user:secret@example.org/a.git",
        "https://secret@example.org/a.git",
        "https://example.org/a.git?x=1",
        "https://example.org/a.git#x",
        "https://example.org/a b.git",
        "https://example.org/a\n.git",
        "https:///a.git",
        "https://exa[mple.org/a.git",
    ],
)
def test_only_plain_http_and_file_urls_reach_git(url: str) -> None:
    with pytest.raises(ValueError) as refused:  # noqa: PT011 - the text is checked below
        remote_base(url)
    assert "secret" not in str(refused.value)


def test_a_credential_is_bound_to_scheme_host_and_port() -> None:
    assert remote_base("https://example.org/acme/platform.git") == "https://example.org/"
    assert remote_base("http://127.0.0.1:8080/a.git") == "http://127.0.0.1:8080/"
    assert remote_base("https://[::1]:8443/a.git") == "https://[::1]:8443/"
    assert remote_base("file:///srv/a.git") is None


@pytest.mark.parametrize("value", ["", "Bearer x\r\nEvil: 1", "Bearer x\n", "\0", "Bearer é"])
def test_an_authorization_is_one_printable_line(value: str) -> None:
    with pytest.raises(ValueError, match="not one printable line"):
        header(value)
