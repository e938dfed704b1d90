"""`causeway demo`: the whole of it on this machine, to click through or to watch."""

from __future__ import annotations

import json
import signal
import threading
from pathlib import Path
from types import FrameType
from typing import NoReturn

import click

from bot.cli import demo_told as told
from bot.cli.answers import DemoAnswer, DemoPlace, StoryStep, answer
from bot.cli.demo_story import FOLDER, MANIFEST, SERVICE, Landed, Story, StoryError
from bot.cli.demo_world import GITOPS, LOG, PLATFORM, DemoWorld, Kind, demo_world
from bot.cli.desk import GOOD, LAW_BROKEN, OUTSIDE, json_option, note, say
from bot.core.memory import KEPT

_CHECKOUT = "services/checkout/platform.yaml"


@click.command()
@click.option("--story", is_flag=True, help="Play the whole story by itself, tell each step, and end.")
@click.option("--port", default=0, type=click.IntRange(0, 65535), help="Port of the forge's page. Default: a free one.")
@click.option(
    "--forge",
    "kind",
    type=click.Choice(("github", "gitlab")),
    default="github",
    show_default=True,
    help="Which forge the bot speaks to: the same small world has the API and the webhooks of both.",
)
@click.option(
    "--dir", "folder", type=click.Path(file_okay=False, path_type=Path), help="Keep repositories and log here."
)
@json_option
@click.pass_context
def demo(ctx: click.Context, story: bool, port: int, kind: Kind, folder: Path | None, as_json: bool) -> None:
    """Run a forge, a platform repo, a GitOps repo and the bot on this machine, and say what to click.

    Everything listens on 127.0.0.1 and ends on Ctrl-C. Nothing outside is reached.

    With --story: a pull request adds a service, the bot answers with its plan, the merge lands in the GitOps repo, a
    change follows, the first merge is reverted and its data stays. After each delivery everything is computed again
    from scratch. Exit code then: 0 all well, 4 the law is broken, 5 something took too long.
    """
    signal.signal(signal.SIGTERM, _interrupted)
    try:
        with demo_world(folder, port, kind) as world:
            if story:
                ctx.exit(_played(world, as_json))
            _shown(world, as_json)
            threading.Event().wait()
    except KeyboardInterrupt:
        note("ended")


def _interrupted(number: int, frame: FrameType | None) -> NoReturn:  # noqa: ARG001 - the shape of a signal handler
    # Like Ctrl-C: the world's own clean-up must run.
    raise KeyboardInterrupt


def _shown(world: DemoWorld, as_json: bool) -> None:
    url = world.forge.url
    if as_json:
        answer(DemoPlace(url, f"{url}/{PLATFORM}", f"{url}/{GITOPS}", world.door, str(world.folder)))
        return
    say(f"Causeway's demo runs at {url}", "bold green")
    say(f"""
  1. Open {url}/{PLATFORM}, press "New service", then "Open pull request": within a second
     the bot answers with its plan.
  2. Press "Merge", and look at {url}/{GITOPS}: what runs has landed, one commit for it.
  3. Change services/checkout/platform.yaml with "Edit": another image, a mistake on purpose.
  4. Press "Revert" on a merged pull request and merge what it opens: it is as it was.

  Both repositories side by side: {url}/both
  The bot's log: {world.folder / LOG}
  A terminal instead of a browser: causeway demo --story

Ctrl-C ends all of it.""")


def _played(world: DemoWorld, as_json: bool) -> int:
    steps: list[StoryStep] = []
    why: str | None = None
    try:
        _play(Story(world), steps, quiet=as_json)
    except StoryError as wrong:
        why = str(wrong)
    broken = [step.step for step in steps if not step.law]
    ok = why is None and not broken
    if as_json:
        answer(DemoAnswer(ok, tuple(steps), why))
    elif ok:
        told.chapter("The end")
        say(f"All went well: {sum(1 for s in steps if s.gitops_commit)} deliveries, the law held after each.", "green")
    else:
        say(why or f"The law is broken after: {', '.join(broken)}", "bold red")
        say((world.folder / LOG).read_text(encoding="utf-8")[-4000:])
    return LAW_BROKEN if broken else OUTSIDE if why else GOOD


def _play(story: Story, steps: list[StoryStep], quiet: bool) -> None:
    def proposed(title: str, made: tuple[int, str, StoryStep]) -> int:
        number, comment, step = made
        steps.append(step)
        if not quiet:
            told.chapter(title)
            say(f"pull request {number} · answered in {step.seconds} s · status: {step.status}")
            told.comment(comment)
        return number

    def landed(title: str, made: Landed, *show: str) -> None:
        steps.append(made.step)
        if quiet:
            return
        told.chapter(title)
        told.landed(made.step)
        for path in show:
            told.excerpt(path, made.files[path])

    landed("The platform repo is delivered for the first time", story.first_delivery())
    number = proposed(
        f"A developer opens a pull request that adds {SERVICE}",
        story.propose("open", f"add-{SERVICE}", {f"{FOLDER}/platform.yaml": MANIFEST}, f"Add {SERVICE}"),
    )
    landed(
        "It is merged, and lands in the GitOps repo",
        story.merge("merge", number),
        f"apps/prod/services/shop/{SERVICE}.yaml",
        f"data/prod/{SERVICE}/db/terraform/main.tf.json",
    )
    change = story.edited(_CHECKOUT, {"checkout:1.4.2": "checkout:1.5.0", "max: 12": "max: 20"})
    other = proposed(
        "A change: a new image of checkout, and more room to scale",
        story.propose("change", "checkout-1-5", {_CHECKOUT: change}, "checkout 1.5.0, up to 20"),
    )
    landed("It is merged", story.merge("merge the change", other))
    back = proposed(f"The merge of {SERVICE} is reverted", story.revert("revert", number))
    gone = story.merge("merge the revert", back)
    landed("It is rolled back, and its data stays", gone)
    if not quiet:
        told.kept(json.loads(gone.files[KEPT])["kept"])
    if f"data/prod/{SERVICE}/db/provenance.json" not in gone.files:
        raise StoryError(f"the data of {SERVICE} in prod is gone after the revert")
