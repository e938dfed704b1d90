"""What is wrong with an installation, and how it is mended: from what was seen to findings, one function a check."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from urllib.parse import urlsplit

from bot.core.model.health import Finding, HookSeen, PlatformSeen, ProtectionSeen, Standing, TargetSeen
from bot.core.model.platform import Environment

CHECK = "causeway"
"""The status that the bot sets."""

TOLERATED_SECONDS = 30.0
"""Signatures and App tokens are good for minutes; half a minute's difference leaves room."""

OPERATORS: Mapping[str, str] = {
    "gateway": "Gateway API (CRDs v1, and a controller with the gateways that environments.yaml names)",
    "external_secrets": "External Secrets Operator (external-secrets.io/v1)",
    "prometheus_operator": "Prometheus Operator (monitoring.coreos.com/v1)",
    "keda": "KEDA (keda.sh/v1alpha1)",
    "cert_manager": "cert-manager (cert-manager.io/v1)",
}
"""Feature of an environment -> what must run in its cluster."""

_FAILED = frozenset({0, 400, 401, 404, 413, *range(500, 600)})


def examine_queue(reasons: Sequence[str]) -> Finding:
    """The queue, from why it cannot be reached; nothing where it can."""
    if not reasons:
        return Finding("queue", "good", "", "the queue answers")
    mend = "start Valkey or Redis (7 or newer), and let `redis_url` name it as this process reaches it"
    return Finding("queue", "bad", "", "; ".join(reasons), mend)


def examine_tenants(count: int) -> Finding:
    """Whether the settings name any platform repository at all."""
    if count:
        return Finding("tenants", "good", "", f"platform repositories in the settings: {count}")
    mend = "add one to `tenants` of its forge, or let `causeway setup` write it"
    return Finding("tenants", "bad", "", "the settings name no platform repository, so nothing is looked after", mend)


def examine(seen: PlatformSeen, door: str = "") -> tuple[Finding, ...]:
    """Every finding about one platform repository. `door` is the public URL of the webhook where it is known."""
    parts = (
        _repository(seen),
        _clock(seen),
        _hooks(seen, door),
        _rights(seen),
        _protection(seen),
        _targets(seen),
        _operators(seen),
    )
    return tuple(finding for part in parts for finding in part)


def features_of(environments: Iterable[Environment]) -> Mapping[str, tuple[str, ...]]:
    """Cluster -> the features that any of its environments states, sorted."""
    found: dict[str, set[str]] = defaultdict(set)
    for one in environments:
        cluster, features = one.value["cluster"], one.value["features"]
        if isinstance(cluster, Mapping) and isinstance(features, Mapping):
            found[str(cluster["name"])] |= {name for name, on in features.items() if on is True}
    return {name: tuple(sorted(features)) for name, features in sorted(found.items())}


def worst(findings: Sequence[Finding]) -> Standing:
    """The gravest standing; `good` for none."""
    order: tuple[Standing, ...] = ("bad", "unknown", "look")
    return next((one for one in order if any(found.standing == one for found in findings)), "good")


def _repository(seen: PlatformSeen) -> Iterator[Finding]:
    if "repository" in seen.unseen:
        mend = "let the tenant's `repository` be the numeric id of a repository that the bot may see"
        if seen.app:
            mend += ": install the App for it, and let `installation` be that installation's id, or leave it out"
        yield Finding("tenants", "bad", seen.name, seen.unseen["repository"], mend)


def _clock(seen: PlatformSeen) -> Iterator[Finding]:
    if seen.skew is None:
        return
    if abs(seen.skew) <= TOLERATED_SECONDS:
        yield Finding("clock", "good", seen.name, "the clocks agree")
        return
    way = "ahead of" if seen.skew > 0 else "behind"
    what = f"this machine's clock is {abs(seen.skew):.0f} seconds {way} the forge's"
    yield Finding("clock", "bad", seen.name, what, "let the machine keep time (chrony or systemd-timesyncd)")


def _hooks(seen: PlatformSeen, door: str) -> Iterator[Finding]:
    path = f"/webhooks/{seen.forge}"
    url = door or f"https://<the door>{path}"
    if "webhook" in seen.unseen:
        mend = (
            f"look in the repository's settings: the webhook leads to {url}, has the secret of the settings, "
            f"and its last deliveries were answered with 2xx"
        )
        yield Finding("webhook", "unknown", seen.name, seen.unseen["webhook"], mend)
        return
    ours = [hook for hook in seen.hooks if urlsplit(hook.url).path.rstrip("/").endswith(path)]
    if not ours:
        others = f"; there are {len(seen.hooks)} that lead elsewhere" if seen.hooks else ""
        what = f"no webhook leads to a path {path}{others}"
        mend = f"add one to {url}, content JSON, with the secret of the settings; till then the sweep finds changes"
        if seen.kind == "gitlab":
            # A group's webhooks concern its projects, and only the group's owners see them.
            yield Finding("webhook", "unknown", seen.name, what, f"unless the group has one: {mend}")
        else:
            yield Finding("webhook", "bad", seen.name, what, mend)
    for hook in ours:
        faults = list(_hook_faults(seen, hook, door))
        yield from faults or (Finding("webhook", "good", seen.name, f"{hook.url} is signed and answered"),)


def _hook_faults(seen: PlatformSeen, hook: HookSeen, door: str) -> Iterator[Finding]:
    def bad(what: str, mend: str) -> Finding:
        return Finding("webhook", "bad", seen.name, f"{hook.url} {what}", mend)

    if door and hook.url.rstrip("/") != door:
        mend = f"change it to {door}, unless both lead to the same door"
        yield Finding("webhook", "look", seen.name, f"a webhook leads to {hook.url}", mend)
    if not hook.active:
        yield bad("is switched off", "switch it on; GitLab does that to a webhook which failed several times")
    if hook.signed is False:
        yield bad(
            "has no secret, so the door turns it away", "give it one that `webhook_secrets` of the settings holds"
        )
    if not hook.json:
        yield bad("does not send JSON", "set its content type to application/json")
    if hook.deaf:
        yield bad(f"does not send {', '.join(hook.deaf)}", "switch these events on")
    if seen.protection is not None and seen.protection.queue and not hook.hears_queue:
        yield bad("does not send merge_group, so the merge queue waits for ever", "switch merge groups on")
    if hook.answers and hook.answers[0] in _FAILED:
        yield bad(_answered(hook.answers), _ANSWERS.get(hook.answers[0], _ANSWERS[0]))
    elif not hook.answers:
        mend = "push something or send a test delivery, then run this again"
        yield Finding("webhook", "look", seen.name, f"{hook.url} has delivered nothing yet", mend)


_ANSWERS: Mapping[int, str] = {
    0: "make the door reachable from the forge: DNS, certificate, firewall, and a proxy that passes the path on; "
    "where it came up only after that delivery, send it again and ask once more",
    400: "the webhook's content type must be application/json",
    401: "the webhook's secret is none of the settings' `webhook_secrets`, or the installation is another tenant's",
    404: "the path must end with the `name` of the forge in the settings",
    413: "a proxy before the door refuses large bodies; let it pass 25 MiB",
    503: "the door cannot reach its queue; see the finding about it",
}


def _answered(answers: tuple[int, ...]) -> str:
    failed = sum(1 for one in answers if one in _FAILED)
    said = f"was answered {answers[0]}" if answers[0] else "was not answered"
    return f"{said} last ({failed} of the newest {len(answers)} failed)"


def _rights(seen: PlatformSeen) -> Iterator[Finding]:
    if seen.rights is None:
        if "rights" in seen.unseen:
            mend = "check `token` or `app` of the settings, and that the bot may see the repository"
            yield Finding("rights", "bad", seen.name, seen.unseen["rights"], mend)
        return
    rights = seen.rights
    if rights.missing:
        what = f"{rights.who} lacks {', '.join(rights.missing)}"
        yield Finding("rights", "bad", seen.name, what, f"grant {rights.who} exactly these, and no more")
    else:
        yield Finding("rights", "good", seen.name, f"{rights.who} may do what it must")
    if rights.ends_on:
        mend = "make a new one before, and put it where the settings read it"
        yield Finding("rights", "look", seen.name, f"the token of {rights.who} runs out on {rights.ends_on}", mend)


def _protection(seen: PlatformSeen) -> Iterator[Finding]:
    found = seen.protection
    if found is None:
        if "protection" in seen.unseen:
            mend = f"see for yourself that its default branch requires the check `{CHECK}`"
            yield Finding("protection", "unknown", seen.name, seen.unseen["protection"], mend)
        return
    yield from _required(seen, found)
    if found.only_pulls is False:
        mend = "protect the branch so that changes come by pull request; what is pushed past it is delivered, and told"
        yield Finding("protection", "bad", seen.name, f"{found.branch} takes pushes without a pull request", mend)
    if found.approvals_reset is False:
        mend = "switch on Settings > Merge requests > Approvals > Remove all approvals when commits are added"
        what = "approvals outlive a push, so people see an approval that Causeway does not count"
        yield Finding("approvals", "bad", seen.name, what, mend)
    elif found.approvals_reset:
        yield Finding("approvals", "good", seen.name, "a push takes approvals away")
    if found.queue:
        yield Finding("merge queue", "good", seen.name, f"a merge queue stands before {found.branch}")


def _required(seen: PlatformSeen, found: ProtectionSeen) -> Iterator[Finding]:
    if found.required is None:
        mend = f"see for yourself that {found.branch} requires the check `{CHECK}`"
        yield Finding("protection", "unknown", seen.name, "required checks cannot be seen by the bot", mend)
        return
    if seen.kind == "gitlab":
        if "pipeline" in found.required:
            yield Finding("protection", "good", seen.name, "a merge needs a pipeline that succeeded")
        else:
            mend = "switch on Settings > Merge requests > Pipelines must succeed: Causeway's status is part of it"
            yield Finding("protection", "bad", seen.name, "a merge does not wait for Causeway's status", mend)
        return
    pinned = found.required.get(CHECK)
    if pinned is None:
        mend = f"require the status check `{CHECK}`" + (" and choose the App as its source" if seen.app else "")
        yield Finding("protection", "bad", seen.name, f"{found.branch} does not require the check `{CHECK}`", mend)
    elif seen.app and pinned != seen.app:
        what = f"the check `{CHECK}` may be set by " + (f"the App {pinned}, which is another" if pinned else "anybody")
        mend = f"choose the App {seen.app} as its source: else whoever may write sets it to success"
        yield Finding("protection", "bad", seen.name, what, mend)
    elif not seen.app:
        what = f"the check `{CHECK}` is required; as the bot is no App, whoever may write could set it"
        yield Finding("protection", "look", seen.name, what, "trust your writers, or let the bot be a GitHub App")
    else:
        yield Finding("protection", "good", seen.name, f"{found.branch} requires the App's check `{CHECK}`")


def _targets(seen: PlatformSeen) -> Iterator[Finding]:
    if "gitops" in seen.unseen:
        mend = "make the platform repository readable: `causeway check` tells its problems"
        yield Finding("gitops", "unknown", seen.name, seen.unseen["gitops"], mend)
    for target in seen.targets:
        faults = list(_target_faults(target))
        good = Finding("gitops", "good", target.name, f"the bot can push to {target.branch}")
        yield from faults or (good,)


def _target_faults(target: TargetSeen) -> Iterator[Finding]:
    if not target.allowed:
        mend = "add the numeric id of the repository that bears this name to `gitops` of the tenant in the settings"
        yield Finding(
            "gitops", "bad", target.name, "the settings do not let this platform repository write there", mend
        )
        return
    if target.pushed:
        what = f"a push to {target.branch} that changes nothing is refused: {target.pushed}"
        mend = "grant the bot write access to its contents, and let it push to the protected branch"
        yield Finding("gitops", "bad", target.name, what, mend)
    protection = target.protection
    if protection is not None and protection.can_push is False:
        mend = "let the bot's role push to the protected branch (Maintainer, unless Developers may)"
        yield Finding("gitops", "bad", target.name, f"the bot's role may not push to {target.branch}", mend)
    elif protection is not None and protection.only_pulls and protection.can_push is None:
        what = f"{target.branch} takes pull requests only, and Causeway pushes"
        yield Finding("gitops", "look", target.name, what, "let the bot, and nobody else, bypass that rule")


def _operators(seen: PlatformSeen) -> Iterator[Finding]:
    for cluster, features in sorted(seen.features.items()):
        for feature in features:
            wanted = OPERATORS.get(feature, feature)
            mend = f"see that it runs in {cluster}, or set `{feature}: false` in platform/environments.yaml"
            yield Finding("operators", "look", cluster, f"needs {wanted}", mend)
