"""From what was seen of an installation to findings: what is wrong, where, and how it is mended."""

from __future__ import annotations

from dataclasses import replace

import pytest

from bot.core.doctor import CHECK, OPERATORS, examine, examine_queue, examine_tenants, features_of, worst
from bot.core.model.health import Finding, HookSeen, PlatformSeen, ProtectionSeen, RightsSeen, TargetSeen
from bot.core.model.platform import Environment
from bot.flows.names import CONTEXT

HOOK = HookSeen("https://door.acme.com/webhooks/github", True, True, True, (), True, (202, 202))
GUARD = ProtectionSeen("main", True, {CHECK: "7"})
WELL = PlatformSeen(
    forge="github",
    kind="github",
    name="acme/platform",
    app="7",
    hooks=(HOOK,),
    rights=RightsSeen("causeway[bot]", ()),
    protection=GUARD,
    skew=1.0,
    targets=(TargetSeen("acme/gitops", "main", allowed=True),),
)


def bad(seen: PlatformSeen) -> list[Finding]:
    return [one for one in examine(seen) if one.standing != "good"]


def test_a_sound_installation_has_nothing_to_mend() -> None:
    found = examine(WELL)
    assert {one.standing for one in found} == {"good"}
    assert {one.check for one in found} == {"clock", "webhook", "rights", "protection", "gitops"}
    assert not any(one.mend for one in found)
    assert worst(found) == "good"


@pytest.mark.parametrize(
    ("hook", "said", "mend"),
    [
        (replace(HOOK, active=False), "is switched off", "switch it on"),
        (replace(HOOK, signed=False), "has no secret", "`webhook_secrets`"),
        (replace(HOOK, json=False), "does not send JSON", "application/json"),
        (replace(HOOK, deaf=("push", "issue_comment")), "does not send push, issue_comment", "switch these events on"),
        (
            replace(HOOK, answers=(0, 202)),
            "was not answered last (1 of the newest 2 failed)",
            "reachable from the forge",
        ),
        (replace(HOOK, answers=(401,)), "was answered 401 last", "secret"),
        (replace(HOOK, answers=(404,)), "was answered 404 last", "path"),
        (replace(HOOK, answers=(502,)), "was answered 502 last", "reachable"),
        (replace(HOOK, answers=()), "has delivered nothing yet", "test delivery"),
    ],
)
def test_a_webhook_with_a_fault_is_told_with_what_mends_it(hook: HookSeen, said: str, mend: str) -> None:
    (found,) = bad(replace(WELL, hooks=(hook,)))
    assert found.check == "webhook"
    assert said in found.what
    assert mend in found.mend


def test_a_delivery_that_failed_once_and_is_answered_now_is_no_fault() -> None:
    assert bad(replace(WELL, hooks=(replace(HOOK, answers=(204, 500, 0)),))) == []


def test_no_webhook_that_leads_to_the_door_is_told_with_where_it_must_lead() -> None:
    elsewhere = replace(HOOK, url="https://ci.acme.com/webhooks/other")
    (found,) = [one for one in examine(replace(WELL, hooks=(elsewhere,)), "https://d/webhooks/github") if one.mend]
    assert "1 that lead elsewhere" in found.what
    assert "https://d/webhooks/github" in found.mend


def test_a_webhook_that_leads_to_another_door_is_shown() -> None:
    found = [one for one in examine(WELL, "https://new.acme.com/webhooks/github") if one.standing != "good"]
    assert [one.standing for one in found] == ["look"]
    assert "https://new.acme.com/webhooks/github" in found[0].mend


def test_at_gitlab_a_webhook_of_the_group_may_be_there_unseen() -> None:
    (found,) = [one for one in bad(replace(WELL, kind="gitlab", hooks=(), protection=None)) if one.check == "webhook"]
    assert "group" in found.mend


def test_exactly_the_rights_that_lack_are_named() -> None:
    (found,) = bad(replace(WELL, rights=RightsSeen("causeway[bot]", ("checks: write", "members: read"))))
    assert found.what == "causeway[bot] lacks checks: write, members: read"


def test_a_token_that_ends_is_told_before_it_does() -> None:
    (found,) = bad(replace(WELL, rights=RightsSeen("bot", (), "2026-12-31")))
    assert (found.standing, "2026-12-31" in found.what) == ("look", True)


@pytest.mark.parametrize(
    ("required", "app", "standing", "said"),
    [
        ({}, "7", "bad", "does not require"),
        ({"ci": "7"}, "7", "bad", "does not require"),
        ({CHECK: ""}, "7", "bad", "may be set by anybody"),
        ({CHECK: "8"}, "7", "bad", "the App 8, which is another"),
        ({CHECK: ""}, "", "look", "as the bot is no App"),
        (None, "7", "unknown", "cannot be seen"),
    ],
)
def test_a_check_that_others_could_set_or_nobody_asks_for_is_told(
    required: dict[str, str] | None, app: str, standing: str, said: str
) -> None:
    (found,) = bad(replace(WELL, app=app, protection=replace(GUARD, required=required)))
    assert (found.check, found.standing) == ("protection", standing)
    assert said in found.what


def test_a_branch_that_takes_pushes_is_told() -> None:
    (found,) = bad(replace(WELL, protection=replace(GUARD, only_pulls=False)))
    assert "takes pushes without a pull request" in found.what


def test_a_merge_queue_needs_its_own_event() -> None:
    queued = replace(WELL, protection=replace(GUARD, queue=True))
    assert any(one.check == "merge queue" for one in examine(queued))
    (found,) = bad(replace(queued, hooks=(replace(HOOK, hears_queue=False),)))
    assert "merge_group" in found.what


def test_at_gitlab_a_pipeline_must_succeed_and_a_push_must_take_approvals_away() -> None:
    hook = replace(HOOK, url="https://door/webhooks/lab")
    well = replace(WELL, forge="lab", kind="gitlab", app="", hooks=(hook,))
    good = replace(GUARD, required={"pipeline": ""}, approvals_reset=True)
    assert bad(replace(well, protection=good)) == []
    found = bad(replace(well, protection=replace(good, required={}, approvals_reset=False)))
    assert [one.check for one in found] == ["protection", "approvals"]
    assert "Pipelines must succeed" in found[0].mend
    assert "Remove all approvals" in found[1].mend


@pytest.mark.parametrize(
    ("target", "standing", "said"),
    [
        (TargetSeen("acme/gitops", "main", allowed=False), "bad", "the settings do not let"),
        (TargetSeen("acme/gitops", "main", True, "403"), "bad", "is refused: 403"),
        (TargetSeen("acme/gitops", "main", True, "", ProtectionSeen("main", True, {})), "look", "pull requests only"),
        (
            TargetSeen("acme/gitops", "main", True, "", ProtectionSeen("main", True, {}, can_push=False)),
            "bad",
            "role may not push",
        ),
    ],
)
def test_a_gitops_repo_that_the_bot_cannot_push_to_is_told(target: TargetSeen, standing: str, said: str) -> None:
    (found,) = bad(replace(WELL, targets=(target,)))
    assert (found.check, found.standing) == ("gitops", standing)
    assert said in found.what


@pytest.mark.parametrize(("skew", "way"), [(45.0, "ahead of"), (-400.0, "behind")])
def test_clocks_that_differ_are_told(skew: float, way: str) -> None:
    (found,) = bad(replace(WELL, skew=skew))
    assert f"{abs(skew):.0f} seconds {way}" in found.what


def test_what_cannot_be_seen_is_told_as_that_and_never_as_good() -> None:
    unseen = {"webhook": "GitHub answered 403", "protection": "GitHub answered 404", "gitops": "no answer"}
    blind = replace(WELL, hooks=(), rights=None, protection=None, targets=(), unseen=unseen)
    assert [(one.check, one.standing) for one in bad(blind)] == [
        ("webhook", "unknown"),
        ("protection", "unknown"),
        ("gitops", "unknown"),
    ]
    assert [one.standing for one in bad(replace(blind, unseen={"rights": "answered 401"}))][-1] == "bad"
    (gone, *_) = bad(replace(blind, app="", unseen={"repository": "GitHub answered 404"}))
    assert (gone.check, gone.standing) == ("tenants", "bad")
    assert "App" not in gone.mend


def test_operators_are_a_list_to_check_for_each_cluster() -> None:
    def environment(name: str, cluster: str, **features: bool) -> Environment:
        return Environment(name, "production", True, True, "main", {"cluster": {"name": cluster}, "features": features})

    places = (environment("a", "one", keda=True, gateway=False), environment("b", "one", gateway=True))
    features = features_of((*places, environment("c", "two")))
    assert features == {"one": ("gateway", "keda"), "two": ()}
    found = bad(replace(WELL, features=features))
    assert [(one.where, one.standing) for one in found] == [("one", "look"), ("one", "look")]
    assert OPERATORS["keda"] in found[1].what


def test_a_queue_that_is_away_must_be_mended() -> None:
    assert examine_queue([]).standing == "good"
    assert examine_queue(["the queue cannot be reached"]).standing == "bad"


def test_settings_without_a_platform_repository_are_told() -> None:
    assert [examine_tenants(count).standing for count in (0, 1, 2)] == ["bad", "good", "good"]


def test_the_check_that_it_looks_for_is_the_one_that_the_bot_sets() -> None:
    assert CHECK == CONTEXT
