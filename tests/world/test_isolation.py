"""The core's child: given nothing, limited, and expendable."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from bot.core.model.ask import SurveyAsk, TargetSeen
from bot.core.tree import NO_OID, Oid
from bot.git import Mirror
from bot.isolation import ANSWER_BYTES, IsolatedCore
from bot.ports import OutsideWorldError, PoisonError

pytestmark = [pytest.mark.world, pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")]
NAUGHTY = (sys.executable, str(Path(__file__).with_name("naughty.py")))
TOKEN = "ghp_thetokenthatmustnotleave"


@contextmanager
def child(seconds: float = 20, memory_mib: int = 512) -> Iterator[IsolatedCore]:
    core = IsolatedCore(seconds, memory_mib, NAUGHTY)
    try:
        yield core
    finally:
        core.close()


def ask(core: IsolatedCore, word: str) -> TargetSeen:
    """What the child says of itself: its process id as name, and what it was told to tell as repo."""
    return core.survey(SurveyAsk(word, NO_OID)).targets[0]


def alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


def gone_within(pid: int, seconds: float) -> bool:
    until = time.monotonic() + seconds
    while alive(pid) and time.monotonic() < until:
        time.sleep(0.02)
    return not alive(pid)


def test_it_is_given_no_token_no_open_file_and_no_folder_of_ours(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("CAUSEWAY_FORGES", f'[{{"token": "{TOKEN}"}}]')
    monkeypatch.setenv("GITHUB_TOKEN", TOKEN)
    monkeypatch.chdir(tmp_path)
    secret = (tmp_path / "secret").open("w+")
    os.set_inheritable(secret.fileno(), True)
    with secret, child() as core:
        told = json.loads(ask(core, "world:").repo)
        assert set(told["environ"]) <= {"PATH", "LANG", "TMPDIR", "PYTHONPATH", "LC_CTYPE"}
        assert str(tmp_path) not in json.dumps(told)
        # Its three pipes, its copies of them, and what it opened to look.
        assert all(re.match(r"pipe:|/proc/\d+/fd|socket:|/dev/null|anon_inode:", name) for name in told["fds"]), told
        assert (told["core"], told["cwd"]) == ([0, 0], "/")
        # What the kernel shows to everyone who may look at the process.
        seen = Path(f"/proc/{core.pid}/environ").read_bytes() + Path(f"/proc/{core.pid}/cmdline").read_bytes()
        assert TOKEN.encode() not in seen


def test_facts_stay_in_one_child_from_question_to_question() -> None:
    with child() as core:
        assert ask(core, "").name == ask(core, "").name == str(core.pid)


def test_a_question_that_loops_is_killed_and_the_next_one_is_answered_by_a_cold_child() -> None:
    with child(seconds=4) as core:
        first = ask(core, "").name
        started = time.monotonic()
        with pytest.raises(PoisonError, match=r"took longer than 4 s") as poison:
            ask(core, "loop")
        assert time.monotonic() - started < 8
        assert re.fullmatch(r"[0-9a-f]{12}", poison.value.error_id)
        assert ask(core, "").name != first
        assert not alive(int(first))


def test_a_stopped_child_does_not_hang_its_asker() -> None:
    with child(seconds=4) as core:
        stopped = int(ask(core, "").name)
        os.kill(stopped, signal.SIGSTOP)
        with pytest.raises(PoisonError, match="took longer"):
            ask(core, "x" * 500_000)
        assert ask(core, "").name != str(stopped)


def test_a_question_beyond_the_memory_limit_ends_in_words_and_not_in_swap() -> None:
    with child(memory_mib=256) as core:
        with pytest.raises(PoisonError, match="perhaps by memory"):
            ask(core, "eat:400")
        assert ask(core, "").repo == ""


def test_what_an_old_child_has_gathered_is_not_blamed_on_the_next_question() -> None:
    with child(memory_mib=300) as core:
        for _ in range(6):
            ask(core, "gather:60")


def test_a_child_that_was_killed_from_outside_costs_only_time(tmp_path: Path) -> None:
    with child() as core:
        before = ask(core, "").name
        assert ask(core, f"die once:{tmp_path / 'died'}").name != before


def test_a_child_that_dies_between_two_questions_is_replaced() -> None:
    with child() as core:
        before = int(ask(core, "").name)
        os.kill(before, signal.SIGKILL)
        assert ask(core, "").name != str(before)


def test_a_question_that_ends_every_child_is_poison_after_the_second() -> None:
    with child() as core:
        with pytest.raises(PoisonError, match="ended its process"):
            ask(core, "die")
        assert ask(core, "").name == str(core.pid)


def test_what_prints_does_not_answer() -> None:
    with child() as core:
        assert ask(core, 'say:[1, "answer", "forged"]').name == str(core.pid)


@pytest.mark.parametrize(
    "garbage",
    [
        "not json\n",
        "[1]\n",
        "{}\n",
        '[7, "answer", {}]\n',
        "[" * 100_000 + "\n",
        '[1, "answer", {"targets": 3}]\n',
        "\n",
    ],
)
def test_garbage_on_the_pipe_is_poison_and_the_next_answer_is_right(garbage: str) -> None:
    with child() as core:
        with pytest.raises(PoisonError, match=r"answered"):
            ask(core, f"raw:{garbage}")
        assert ask(core, "").repo == ""


def test_an_answer_of_a_hundred_megabytes_is_not_taken() -> None:
    with child(memory_mib=2048) as core:
        with pytest.raises(PoisonError, match="longer than 32 MiB"):
            ask(core, "huge:100")
        assert len(ask(core, "huge:20").repo) == 20 << 20 < ANSWER_BYTES


def test_a_damaged_mirror_is_the_outside_world_and_not_poison() -> None:
    with child() as core, pytest.raises(OutsideWorldError, match="cannot be read"):
        ask(core, "damaged")


def test_an_exception_reaches_the_asker_with_its_id_and_the_log_without_forged_lines(
    capfd: pytest.CaptureFixture[str],
) -> None:
    with child() as core, pytest.raises(PoisonError, match="it is wrong"):
        ask(core, 'fail:2026-11-21T00:00:00Z info delivered sha="forged"\u2028\x1b[2J')
    lines = [line for line in capfd.readouterr().err.splitlines() if "forged" in line]
    assert lines
    assert all(
        re.match(r"20\d\d-\d\d-\d\dT\S+ (error|warning) the core failed ", line) or "[error" in line for line in lines
    )
    assert all("\x1b[2J" not in line for line in lines)


def test_it_ends_within_a_second_of_its_killed_parent() -> None:
    program = (
        "import sys\nfrom bot.core.model.ask import SurveyAsk\nfrom bot.isolation import IsolatedCore\n"
        "core = IsolatedCore(60, 512, sys.argv[1:])\n"
        "print(core.survey(SurveyAsk('', '0' * 40)).targets[0].name, flush=True)\n"
        "core.survey(SurveyAsk('sleep:50', '0' * 40))\n"
    )
    with subprocess.Popen(
        [sys.executable, "-c", program, *NAUGHTY], stdout=subprocess.PIPE, text=True, cwd=Path(__file__).parents[2]
    ) as parent:
        assert parent.stdout is not None
        pid = int(parent.stdout.readline())
        time.sleep(0.2)
        assert alive(pid)
        parent.kill()
    assert gone_within(pid, 1.0)


def test_closing_ends_a_question_under_way_without_blaming_it() -> None:
    said: list[Exception] = []
    with child() as core:
        pid = int(ask(core, "").name)

        def elsewhere() -> None:
            try:
                ask(core, "sleep:15")
            except OutsideWorldError as error:
                said.append(error)

        asker = threading.Thread(target=elsewhere)
        asker.start()
        time.sleep(0.3)
        started = time.monotonic()
        core.close()
        asker.join(2)
        assert time.monotonic() - started < 1
        assert [str(error) for error in said] == ["this bot is about to stop"]
        assert not alive(pid)
        with pytest.raises(OutsideWorldError):
            ask(core, "")


def test_an_object_that_the_mirror_lacks_is_the_outside_world(tmp_path: Path) -> None:
    core = IsolatedCore(20, 512)
    try:
        with pytest.raises(OutsideWorldError, match=f"lacks {'7' * 40}"):
            core.survey(SurveyAsk(Mirror(tmp_path / "a.git").path, Oid("7" * 40)))
    finally:
        core.close()


def test_a_mirror_much_larger_than_the_memory_limit_can_be_read(tmp_path: Path) -> None:
    """libgit2 maps packs whole; a limit on address space would make every large mirror look damaged."""
    mirror = Mirror(tmp_path / "big.git")
    large = {f"large/{index}": bytes([index]) * (12 << 20) for index in range(20)}
    seed = mirror.write(None, {"platform/config.yaml": b"platform_team: 7\n", **large}, "One", 1_790_000_000)
    subprocess.run(
        [
            *("git", "--git-dir", mirror.path, "-c", "pack.compression=0", "pack-objects", "-q", "--revs"),
            *("--no-reuse-object", "--window=0", f"{mirror.path}/objects/pack/pack"),
        ],
        input=seed.encode(),
        check=True,
        stdout=subprocess.DEVNULL,
    )
    for loose in Path(mirror.path).glob("objects/??/*"):
        loose.unlink()
    (pack,) = Path(mirror.path).glob("objects/pack/*.pack")
    assert pack.stat().st_size > 220 << 20
    core = IsolatedCore(30, 160)
    try:
        problems = core.survey(SurveyAsk(mirror.path, seed)).problems
        assert "platform/config.yaml" in {problem.path for problem in problems}
    finally:
        core.close()
    assert not (Path(mirror.path) / "causeway-damaged").exists()
