"""Work for several processors: one function over many items, in processes that are forked from this one.

A fork has everything that this process knows: the compiled kit, which does not pickle, need not travel. Only results
do, and those in small pieces, so that no process holds more than it works at.
"""

from __future__ import annotations

import gc
import os
import pickle
import signal
from collections.abc import Callable, Iterable, Iterator
from itertools import chain, count, islice
from typing import IO, Any, NoReturn, TypeVar

A = TypeVar("A")
B = TypeVar("B")

FEW = 512
"""Items up to which starting processes costs more than it saves."""

BLOCK = 64
"""Items whose results travel together."""


class Shares:
    """What a process does with its own results before they travel. `end` is called once, after the last of them."""

    def keep(self, result: Any) -> Any:
        """What travels instead of `result`."""
        return result

    def end(self) -> None:
        """Everything that was kept is safe when it returns."""


class Forks:
    """`core.build.fill.Each` for many items: results come in the items' order, as from `map`. Few items are worked on
    here, without `shares`.

    An exception in a process is raised here; MemoryError stands for a process that was killed. No process outlives the
    iteration. Only for a process without other threads that hold locks.
    """

    def __init__(self, processes: int, shares: Callable[[], Shares] = Shares) -> None:
        self._processes = processes
        self._shares = shares
        self.used = False
        """Whether anything was worked on in other processes yet."""

    def __call__(self, work: Callable[[A], B], items: Iterable[A]) -> Iterable[B]:
        source = iter(items)
        first = list(islice(source, FEW + 1))
        if len(first) <= FEW or self._processes < 2:
            return map(work, chain(first, source))
        self.used = True
        return self._forked(work, chain(first, source))

    def _forked(self, work: Callable[[A], B], items: Iterator[A]) -> Iterator[B]:
        started: list[tuple[int, IO[bytes]]] = []
        try:
            for share in range(self._processes):
                started.append(self._start(work, items, share, [pipe for _, pipe in started]))
            pipes = [pipe for _, pipe in started]
            # Blocks are dealt in turn, so the first process that has none left ends the last round.
            for turn in count():
                results = _heard(pipes[turn % len(pipes)])
                if results is None:
                    break
                yield from results
            ended = turn % len(pipes)
            for at, pipe in enumerate(pipes):
                if at != ended and _heard(pipe) is not None:
                    raise RuntimeError("a process has more results than its share")
        finally:
            for pid, pipe in started:
                pipe.close()
                os.kill(pid, signal.SIGKILL)
                os.waitpid(pid, 0)

    def _start(
        self, work: Callable[[A], B], items: Iterator[A], share: int, others: list[IO[bytes]]
    ) -> tuple[int, IO[bytes]]:
        read, write = os.pipe()
        pid = os.fork()
        if pid == 0:
            os.close(read)
            for other in others:
                other.close()
            self._work(work, items, share, write)
        os.close(write)
        return pid, os.fdopen(read, "rb")

    def _work(self, work: Callable[[A], B], items: Iterator[A], share: int, write: int) -> NoReturn:
        """The whole life of a process. Whatever happens in it, it must not go on as if it were its parent."""
        code = 1
        try:
            # What was there before the fork belongs to both; looking through it for rings would copy it.
            gc.freeze()
            with os.fdopen(write, "wb") as pipe:
                try:
                    mine = self._shares()
                    for turn in count():
                        block = list(islice(items, BLOCK))
                        if not block:
                            break
                        if turn % self._processes == share:
                            _tell(pipe, [mine.keep(work(item)) for item in block])
                    mine.end()
                    _tell(pipe, None)
                except Exception as error:  # noqa: BLE001 - raised again in the parent
                    _tell(pipe, error)
            code = 0
        finally:
            os._exit(code)


def _tell(pipe: IO[bytes], what: object) -> None:
    try:
        data = pickle.dumps(what, pickle.HIGHEST_PROTOCOL)
    except (pickle.PicklingError, TypeError, AttributeError):
        data = pickle.dumps(RuntimeError(repr(what)[:1000]))
    pipe.write(len(data).to_bytes(8, "big") + data)
    pipe.flush()


def _heard(pipe: IO[bytes]) -> list[Any] | None:
    head = pipe.read(8)
    data = pipe.read(int.from_bytes(head, "big")) if len(head) == 8 else b""
    if not data:
        raise MemoryError("a process that works for this one was ended")
    # Written by a fork of this process, over a pipe that nobody else has.
    found = pickle.loads(data)  # noqa: S301
    if isinstance(found, BaseException):
        raise found
    return found  # type: ignore[no-any-return]  # a list or None, by `_tell`
