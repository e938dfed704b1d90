"""The story's own judgement: where the law does not hold, it says so and ends with 4."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

pytestmark = pytest.mark.world

DOCTORED = """
from bot.cli import demo, demo_story
from bot.cli.app import causeway

PATH = "environments/prod/payments/pricing/kubernetes/deployment-pricing.yaml"
worlds, looks, law = [], [], demo_story.law

class Story(demo_story.Story):
    def __init__(self, world):
        worlds.append(world.forge)
        super().__init__(world)

def doctored(platform, gitops, head):
    # By hand, between the last delivery and the look at it: one byte of what the bot owns.
    looks.append(head)
    if len(looks) == 4:
        text = worlds[0].files("acme/gitops")[PATH].decode()
        head = worlds[0].commit("acme/gitops", "main", {PATH: text + " "}, "By hand", "robin")
    return law(platform, gitops, head)

demo.Story, demo_story.law = Story, doctored
causeway(["demo", "--story", "--json"])
"""


def test_the_story_ends_with_4_where_one_byte_of_what_we_own_differs() -> None:
    done = subprocess.run([sys.executable, "-c", DOCTORED], capture_output=True, text=True, timeout=110, check=False)
    told = json.loads(done.stdout)
    assert done.returncode == 4, done.stderr
    assert told["ok"] is False
    assert [step["step"] for step in told["steps"] if not step["law"]] == ["merge the revert"]
