"""Room 07, the part of waivers."""

from __future__ import annotations

from collections.abc import Mapping

from bot.core.codes.entry import Entry, manifest

ENTRIES: Mapping[str, Entry] = {
    "CW0730": Entry(
        title="a waiver of no policy",
        what="`waivers` names a policy that neither the platform's files nor the shipped ones have.",
        why="It excuses nothing, and whoever reads it would think that it does.",
        wrong=manifest('waivers: [{policy: probe, reason: "no health page yet", until: "2099-01-31"}]\n'),
        right=manifest('waivers: [{policy: probes, reason: "no health page yet", until: "2099-01-31"}]\n'),
    ),
    "CW0731": Entry(
        title="a waiver that nobody agreed to",
        what="A new waiver landed without the approval of the platform team.",
        why="Whoever may push could excuse a service from any policy; the service's last good version runs on.",
        wrong=manifest('waivers: [{policy: probes, reason: "no health page yet", until: "2099-01-31"}]\n'),
        right=manifest("health: /healthz\n"),
    ),
}
