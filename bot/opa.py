"""OPA beside the judge of CEL: one call of the real command for all cases, in a process with limits and no network.

It gets the sources and the objects, and nothing of this process's environment. What it does not answer is denied.
"""

from __future__ import annotations

import json
import os
import resource
import subprocess
import tempfile
import threading
from collections import OrderedDict
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final, TypeAlias

import structlog

from bot.core.policy.exchange import case_line, content_id
from bot.core.policy.model import Case, Engine, PolicySet, Verdict
from bot.core.policy.rego import Item, Rego, allowed, items_of, query, question, read, sources, unanswered, verdicts_of
from bot.core.problem import Problem
from bot.judging import Judging

log = structlog.get_logger(__name__)

MOST_REMEMBERED: Final = 100_000
ANSWER_BYTES: Final = 32 * 1024 * 1024
MOST_DENIED: Final = 10
"""After so many objects that end in an error, the rest of those that stand with them is denied unasked."""
MOST_SETS: Final = 4
_STOPPED: Final = "eval_cancel_error"
_WHY: Final = "a policy that cannot be worked out refuses everything"


_Answer: TypeAlias = tuple[Item, list[Verdict], bool]


class _RefusedError(Exception):
    """OPA gives no answer: `problems` are its own errors, as it tells them."""

    def __init__(self, message: str, problems: Sequence[Mapping[str, Any]] = (), divisible: bool = False) -> None:
        super().__init__(message)
        self.problems = problems
        self.divisible = divisible


class Opa:
    """An `Engine`: what `inner` says of the policies in CEL, and OPA of those in Rego. `seconds` are for one call, of
    which there is one for all cases unless an object ends in an error; `memory_mib` is for the process."""

    def __init__(self, command: str, inner: Engine, seconds: float = 30, memory_mib: int = 1024) -> None:
        self._command = command
        self._inner = inner
        self._seconds = seconds
        self._memory = memory_mib * 1024 * 1024
        self._lock = threading.Lock()
        self._capabilities: bytes | None = None
        self._checked: OrderedDict[str, tuple[Problem, ...]] = OrderedDict()
        self._remembered: OrderedDict[tuple[str, str], tuple[Verdict, ...]] = OrderedDict()

    def __call__(self, policies: PolicySet, cases: Sequence[Case]) -> tuple[Verdict, ...]:
        said = self._inner(policies, cases)
        rules, _ = read(policies)
        if not rules:
            return said
        with self._lock:
            found = (*said, *self._judged(policies, rules, cases))
        order = {case.key: at for at, case in enumerate(cases)}
        return tuple(sorted(found, key=lambda verdict: order[verdict.case]))

    def close(self) -> None:
        """Ends what `inner` started."""
        if isinstance(self._inner, Judging):
            self._inner.close()

    def rego_problems(self, policies: PolicySet) -> tuple[Problem, ...]:
        """Why OPA cannot judge by these files; none where it can."""
        rules, problems = read(policies)
        if problems:
            return problems
        with self._lock:
            if policies.digest not in self._checked:
                self._checked[policies.digest] = self._check(policies, rules)
                while len(self._checked) > MOST_SETS:
                    self._checked.popitem(last=False)
            return self._checked[policies.digest]

    def _check(self, policies: PolicySet, rules: Sequence[Rego]) -> tuple[Problem, ...]:
        try:
            with self._folder(policies, rules) as folder:
                able = ["--capabilities", f"{folder}/able.json"]
                self._run(["check", "--strict", "--format", "json", *able, f"{folder}/d"], b"", folder)
        except _RefusedError as refused:
            paths = {name: path for name, (path, _) in sources(policies, rules).items()}
            found = {_problem(one, paths) for one in refused.problems}
            first = next(iter(policies.rego))
            return tuple(sorted(found)) or (_unusable(first, str(refused)),)
        return ()

    def _judged(self, policies: PolicySet, rules: Sequence[Rego], cases: Sequence[Case]) -> Iterator[Verdict]:
        names = {case.key: (policies.digest, content_id(case_line(case))) for case in cases}
        missing = [case for case in cases if names[case.key] not in self._remembered]
        asked: dict[str, list[Verdict]] = {case.key: [] for case in missing}
        items = items_of(missing)
        unsure: set[str] = set()
        if items:
            for item, verdicts, sure in self._answered(policies, rules, items):
                asked[item.case].extend(verdicts)
                unsure |= set() if sure else {item.case}
        for case in cases:
            name = names[case.key]
            found = self._remembered[name] if case.key not in asked else tuple(dict.fromkeys(asked[case.key]))
            if case.key not in unsure:
                self._remembered[name] = found
            yield from found
        while len(self._remembered) > MOST_REMEMBERED:
            self._remembered.popitem(last=False)

    def _answered(self, policies: PolicySet, rules: Sequence[Rego], items: Sequence[Item]) -> Iterator[_Answer]:
        """Each item with its verdicts, and whether they are of the item and not of this moment."""
        try:
            with self._folder(policies, rules) as folder:
                yield from self._asked(folder, rules, items)
        except _RefusedError as refused:
            yield from ((item, [unanswered(rules, item, str(refused))], False) for item in items)

    def _asked(self, folder: str, rules: Sequence[Rego], items: Sequence[Item]) -> Iterator[_Answer]:
        """Where one ends in an error, OPA says nothing of the others, so they are asked again in halves."""
        waiting, failed = [items], 0
        while waiting:
            part = waiting.pop()
            try:
                if failed >= MOST_DENIED:
                    raise _RefusedError("too many objects ended in an error before it")
                answers = self._eval(folder, rules, part)
            except _RefusedError as refused:
                if len(part) > 1 and refused.divisible and failed < MOST_DENIED:
                    middle = len(part) // 2
                    waiting += [part[middle:], part[:middle]]
                    continue
                failed += 1
                log.warning("OPA refused", cases=len(part), why=str(refused))
                for item in part:
                    yield item, [unanswered(rules, item, str(refused))], refused.divisible and len(part) == 1
                continue
            for at, item in enumerate(part):
                yield item, list(verdicts_of(rules, item, answers.get(at))), True

    def _eval(self, folder: str, rules: Sequence[Rego], items: Sequence[Item]) -> dict[int, Any]:
        asked = [
            "eval", "--stdin-input", "--format", "json", "--strict", "--strict-builtin-errors", "--timeout",
            f"{self._seconds:g}s", "--capabilities", f"{folder}/able.json", "--data", f"{folder}/d", query(rules),
        ]  # fmt: skip
        said = self._run(asked, question(items), folder)
        try:
            return {int(at): values for at, values in said["result"][0]["expressions"][0]["value"]}
        except (LookupError, TypeError, ValueError) as odd:
            raise _RefusedError("its answer has another shape") from odd

    @contextmanager
    def _folder(self, policies: PolicySet, rules: Sequence[Rego]) -> Iterator[str]:
        with tempfile.TemporaryDirectory(prefix="causeway-opa-") as folder:
            if self._capabilities is None:
                told = self._run(["capabilities", "--current"], b"", folder)
                if not isinstance(told, dict) or "builtins" not in told:
                    raise _RefusedError(f"the command {self._command} does not say what it can do")
                self._capabilities = json.dumps(allowed(told)).encode()
            Path(folder, "able.json").write_bytes(self._capabilities)
            Path(folder, "d").mkdir()
            for name, (_, data) in sources(policies, rules).items():
                Path(folder, "d", name).write_bytes(data)
            yield folder

    def _run(self, arguments: Sequence[str], given: bytes, folder: str) -> Any:
        """What the command says, as JSON. `_RefusedError` where it fails, whatever the reason."""
        try:
            child = subprocess.Popen(  # noqa: S603 - the command that the operator configured
                [self._command, *arguments], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                env={"HOME": folder, "GOMEMLIMIT": str(self._memory // 2)}, cwd=folder,
            )  # fmt: skip
        except OSError as error:
            raise _RefusedError(f"the command {self._command} cannot be started: {error.strerror}") from error
        _confine(child.pid, self._memory, self._seconds)
        try:
            out, err = child.communicate(given, timeout=self._seconds + 5)
        except subprocess.TimeoutExpired as late:
            raise _RefusedError(f"it takes longer than {self._seconds:g} s") from late
        finally:
            if child.poll() is None:
                child.kill()
                child.wait()
        return _answer(child.returncode, out, err, self._seconds)


def _confine(pid: int, memory: int, seconds: float) -> None:
    limits = ((resource.RLIMIT_DATA, memory), (resource.RLIMIT_CPU, int(seconds * (os.cpu_count() or 1)) + 5),
              (resource.RLIMIT_CORE, 0), (resource.RLIMIT_FSIZE, 0))  # fmt: skip
    for limit, most in limits:
        try:
            _, hard = resource.prlimit(pid, limit)
            least = most if hard == resource.RLIM_INFINITY else min(most, hard)
            resource.prlimit(pid, limit, (least, least))
        except ProcessLookupError:
            return


def _answer(code: int, out: bytes, err: bytes, seconds: float) -> Any:
    if len(out) > ANSWER_BYTES:
        raise _RefusedError("it says too much")
    try:
        # `check` tells its errors as JSON where others complain.
        said = json.loads(out or (err if err.startswith(b"{") else b"{}"))
    except (ValueError, RecursionError) as error:
        raise _RefusedError("its answer is no JSON") from error
    problems = said.get("errors", []) if isinstance(said, dict) else []
    if code == 0 and not problems:
        return said
    if not problems:
        last = err.decode(errors="replace").strip().rpartition("\n")[2][:200]
        raise _RefusedError(f"it ended with {code}, perhaps by memory. {last}".strip())
    if any(one.get("code") == _STOPPED for one in problems):
        raise _RefusedError(f"it takes longer than {seconds:g} s", problems)
    divisible = all(str(one.get("code", "")).startswith("eval_") for one in problems)
    raise _RefusedError(str(problems[0].get("message", ""))[:500], problems, divisible)


def _problem(error: Mapping[str, Any], paths: Mapping[str, str]) -> Problem:
    place = error.get("location") or {}
    path = paths.get(str(place.get("file", "")).rpartition("/")[2], next(iter(paths.values())))
    message = f"OPA does not take it: {str(error.get('message', ''))[:300]}"
    fix = "try it with `opa check --strict`; functions that reach the network, the clock or chance are not there"
    return Problem(path, int(place.get("row", 1)) or 1, int(place.get("col", 1)) or 1, "CW0742", message, _WHY, fix)


def _unusable(path: str, why: str) -> Problem:
    fix = "see that the configured `opa` command runs and is version 1 or later"
    return Problem(path, 1, 1, "CW0742", f"OPA cannot read the policies: {why}", _WHY, fix)


def judges(opa: str | None, inner: Callable[[], Judging] = Judging) -> Judging | Opa:
    """The engine of an installation: with OPA where its command is configured."""
    return inner() if opa is None else Opa(opa, inner())
