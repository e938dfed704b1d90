"""What runs for long: the door, the worker, the sweep; and `resume`, the one word that lets a halted delivery go on."""

from __future__ import annotations

import re
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType

import click
import structlog

from bot import logs
from bot.cli.answers import DeliveryAnswer, MissedAnswer, ResumeAnswer, SweepAnswer, answer
from bot.cli.desk import GOOD, OUTSIDE, REFUSED, USAGE, Stop, json_option, say
from bot.cli.shapes import problem_answer
from bot.core.doctor import examine, examine_queue
from bot.core.model.health import Finding
from bot.core.tree import Oid
from bot.doorway import application, counted
from bot.flows.deliver import Outcome, deliver
from bot.flows.doctor import look_briefly
from bot.flows.place import Place
from bot.flows.sweep import Marks, Swept, sweep_each
from bot.git import require_git
from bot.listen import Listening
from bot.ports import OutsideWorldError
from bot.settings import Settings
from bot.wiring import Wiring, read_settings
from bot.worker import Desk
from bot.worker import work as take_work

log = structlog.get_logger(__name__)

_SHA = re.compile(r"[0-9a-f]{40}")


def log_to_stderr() -> None:
    """JSON objects for machines, lines for a person at a terminal. `Wiring` keeps the settings' secrets out of it."""
    logs.configure(json=not sys.stderr.isatty())


@click.command()
@click.option("--host", default="127.0.0.1", help="Address to listen on. Default: this machine only.")
@click.option("--port", default=8080, type=click.IntRange(0, 65535), help="Default: 8080.")
def serve(host: str, port: int) -> None:
    """Run the door: take webhooks, prove their signature, ring the bell.

    Answers `POST /webhooks/<forge>`, `/healthz` and `/readyz`, and `/metrics` at the address that `metrics_listen` of
    the settings names. Settings come from CAUSEWAY_CONFIG and CAUSEWAY_* variables. Put a TLS proxy before it. Ends on
    SIGTERM or Ctrl-C, after the requests that have arrived.
    """
    settings = read_settings()
    log_to_stderr()
    with _wired(settings) as wiring:
        queue = examine_queue(wiring.wakeups.reasons_not_ready())
        if queue.standing != "good":
            _log_finding(queue)
        app = application(settings, wiring.wakeups)
        try:
            with counted(app, settings.metrics_listen):
                listening = Listening(app, host, port, body_limit=settings.body_limit_mib * 1024 * 1024)
                with _ended_by_signals(listening.close):
                    say(f"listening on http://{host}:{listening.port}")
                    listening.run()
        except OSError as taken:
            raise Stop(f"cannot listen on {host}:{port}: {taken.strerror}", USAGE) from taken


@click.command()
@click.option("--burst", is_flag=True, help="End when there is no work left.")
def work(burst: bool) -> None:
    """Run a worker: take names from the queue, review pull requests, deliver what landed.

    Any number may run. Settings come from CAUSEWAY_CONFIG and CAUSEWAY_* variables. Ends on SIGTERM or Ctrl-C after
    the piece of work in hand.
    """
    settings = read_settings()
    require_git()
    log_to_stderr()
    stop = threading.Event()
    if not burst:
        threading.Thread(target=examine_at_start, args=(settings,), name="doctor", daemon=True).start()
    with _wired(settings) as wiring, _ended_by_signals(stop.set):
        take_work(Desk(wiring.place, wiring.wakeups, wiring.interrupt), settings.redis_url, stop, burst)


def examine_at_start(settings: Settings) -> None:
    """What a few requests tell of the installation, into the log. In a thread and with connections of its own: a forge
    that hangs holds up no work."""
    with _wired(settings) as wiring:
        for place in wiring.places():
            for found in examine(look_briefly(place, wiring.inspecting(place.forge_name))):
                if found.standing != "good":
                    _log_finding(found)


def _log_finding(found: Finding) -> None:
    log.warning("doctor", check=found.check, where=found.where, what=found.what, mend=found.mend)


@click.command()
@click.option("--every", "forever", is_flag=True, help="Go on for ever, a round each `sweep_seconds` of the settings.")
@json_option
@click.pass_context
def sweep(ctx: click.Context, forever: bool, as_json: bool) -> None:
    """Find what webhooks missed and ring the bell for it: one round, or for ever with --every.

    A sweep that just started looks at everything. Where it runs, lost webhooks cost a minute. A repository that cannot
    be looked at does not stop the others. With --every, --json gives one line for each round.

    Exit code of one round: 0 all were looked at, 3 one makes the look fail, 5 the forge or the queue is away.
    """
    settings = read_settings()
    require_git()
    log_to_stderr()
    if forever:
        _sweep_on(settings, as_json)
        return
    with _wired(settings) as wiring:
        swept = sweep_each(wiring.places(), wiring.wakeups, {})
    if as_json:
        answer(_swept(swept))
    else:
        say(f"rung: {swept.rung}")
    outside = any(isinstance(why, OutsideWorldError) for why in swept.missed.values())
    ctx.exit(OUTSIDE if outside else REFUSED if swept.missed else GOOD)


def _sweep_on(settings: Settings, as_json: bool) -> None:
    """Rounds for ever: a forge or a queue that is away is tried again in the next one."""
    stop, marks = threading.Event(), dict[str, Marks]()
    with _wired(settings) as wiring, _ended_by_signals(stop.set):
        while not stop.is_set():
            swept = sweep_each(wiring.places(), wiring.wakeups, marks, wiring.wakeups.emptied)
            if as_json:
                answer(_swept(swept), line=True)
            stop.wait(settings.sweep_seconds)


def _swept(swept: Swept) -> SweepAnswer:
    return SweepAnswer(swept.rung, tuple(MissedAnswer(key, str(why)) for key, why in swept.missed.items()))


@click.command()
@click.argument("sha")
@click.option("--forge", metavar="NAME", help="Name of the forge in the settings. Default: the only one.")
@click.option("--repository", metavar="ID", help="Numeric id of the platform repo. Default: the only one.")
@json_option
@click.pass_context
def resume(ctx: click.Context, sha: str, forge: str | None, repository: str | None, as_json: bool) -> None:
    """Let a halted delivery go on with exactly the platform commit SHA (40 hexadecimal digits).

    One step is made from the GitOps head as it is to that commit. The guard against large removals is off for it, and
    a cursor that was lost or left the branch is set anew, so look at `causeway plan` first.

    Exit code: 0 delivered or nothing to deliver, 3 still halted, 5 the world outside failed.
    """
    if _SHA.fullmatch(sha) is None:
        raise Stop(f"{sha} is not a whole commit id: write all 40 digits, as `git rev-parse {sha}` gives them", USAGE)
    settings = read_settings()
    require_git()
    log_to_stderr()
    with _wired(settings) as wiring:
        place = _place(settings, wiring, forge, repository)
        if not _on_default_branch(place, Oid(sha)):
            raise Stop(f"{sha} is no commit of the platform repo's default branch", USAGE)
        outcomes = deliver(place, wiring.wakeups, Oid(sha))
    if as_json:
        answer(ResumeAnswer(sha, tuple(_delivery(outcome) for outcome in outcomes)))
    else:
        for outcome in outcomes:
            say(_told(outcome), "red" if outcome.halt else "green")
    ctx.exit(REFUSED if any(outcome.halt for outcome in outcomes) else 0)


def _on_default_branch(place: Place, sha: Oid) -> bool:
    ref = f"refs/heads/{place.forge.repository().default_branch}"
    tip = place.git.fetch(place.forge.remote(), [ref])[ref]
    try:
        place.git.commit(sha)
    except KeyError:
        return False
    return tip is not None and place.git.is_ancestor(sha, tip)


def _place(settings: Settings, wiring: Wiring, forge: str | None, repository: str | None) -> Place:
    known = [(one.name, tenant.repository) for one in settings.forges for tenant in one.tenants]
    fits = [pair for pair in known if forge in (None, pair[0]) and repository in (None, pair[1])]
    place = wiring.place(*fits[0]) if len(fits) == 1 else None
    if place is None:
        names = ", ".join(f"--forge {name} --repository {number}" for name, number in known) or "none"
        raise Stop(f"say which platform repository; the settings know: {names}", USAGE)
    return place


def _delivery(outcome: Outcome) -> DeliveryAnswer:
    commits = tuple(made.commit for made in outcome.chain.made) if outcome.chain is not None else ()
    halted = problem_answer(outcome.halt) if outcome.halt is not None else None
    return DeliveryAnswer(outcome.target, outcome.pushed, commits, halted)


def _told(outcome: Outcome) -> str:
    if outcome.halt is not None:
        return f"{outcome.target}: {outcome.halt.message} {outcome.halt.fix}"
    if outcome.pushed and outcome.chain is not None:
        return f"{outcome.target}: delivered as {outcome.chain.made[-1].commit[:7]}"
    return f"{outcome.target}: nothing to deliver"


@contextmanager
def _wired(settings: Settings) -> Iterator[Wiring]:
    wiring = Wiring(settings)
    try:
        yield wiring
    finally:
        wiring.close()


@contextmanager
def _ended_by_signals(end: Callable[[], None]) -> Iterator[None]:
    """SIGTERM and Ctrl-C call `end`; afterwards they do what they did before."""

    def ended(number: int, frame: FrameType | None) -> None:  # noqa: ARG001 - the shape of a signal handler
        end()

    before = {number: signal.signal(number, ended) for number in (signal.SIGTERM, signal.SIGINT)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
