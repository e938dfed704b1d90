"""Each threat that must be refused, and the tests that hold it refused."""

from __future__ import annotations

import ast
import socket
from collections.abc import Mapping
from pathlib import Path
from typing import NoReturn

import pytest

from bot.core.build import Build, Memo, build, fill
from bot.core.kit import Kit, kit_of
from bot.sandbox import Sandbox
from bot.shipped import shipped_tree
from tests.core.fleets import tree_of
from tests.core.language_world import MINIMAL, codes
from tests.core.made import CONFIG, PLATFORM, service
from tests.core.rich import RICH
from tests.world.stage import GITOPS, Stage

TESTS = Path(__file__).parents[1]

THREATS: Mapping[str, tuple[str, ...]] = {
    "a forged, unsigned, SHA-1-only, oversized, slow or deeply nested delivery": (
        "test_delivery_github.py::test_a_forged_signature_is_denied_before_the_body_is_read",
        "test_delivery_github.py::test_what_is_not_signed_with_sha256_is_denied",
        "test_delivery_github.py::test_a_sha1_signature_that_is_right_is_denied_all_the_same",
        "test_delivery_github.py::test_without_a_secret_nothing_is_genuine",
        "test_delivery_github.py::test_one_changed_byte_breaks_the_signature",
        "test_delivery_github.py::test_a_genuine_body_that_cannot_be_read_is_denied_and_never_an_exception",
        "test_delivery_github.py::test_whatever_part_of_a_payload_is_damaged_there_is_an_answer",
        "world/test_web.py::test_forged_unsigned_and_unreadable_webhooks_ring_nothing",
        "world/test_web.py::test_a_body_over_the_limit_is_413_whether_its_length_is_told_or_not",
        "world/test_web.py::test_a_huge_length_is_refused_before_the_body_is_sent",
        "world/test_web.py::test_a_client_that_trickles_is_hung_up_on_and_others_are_served",
        "world/test_web.py::test_a_door_that_lets_anyone_in_does_not_open",
    ),
    "another tenant's repository, a renamed or claimed one, a GitOps target of someone else": (
        "world/test_whole.py::test_forged_and_foreign_deliveries_wake_nobody",
        "world/test_tenancy.py::test_a_secret_of_another_forge_proves_nothing_here",
        "world/test_tenancy.py::test_another_tenants_valid_secret_is_refused",
        "world/test_tenancy.py::test_where_a_tenant_has_its_own_secret_the_forges_does_not_count_for_it",
        "world/test_tenancy.py::test_a_repository_that_no_tenant_is_wakes_nobody",
        "world/test_tenancy.py::test_another_installation_than_the_tenants_is_refused",
        "world/test_tenancy.py::test_an_installation_that_cannot_be_read_is_no_proof",
        "world/test_tenancy.py::test_a_name_in_a_webhook_counts_for_nothing",
        "world/test_tenancy.py::test_a_renamed_repository_goes_on_and_who_claims_its_old_name_gets_nothing",
        "world/test_github.py::test_a_rename_does_not_matter_and_the_old_name_is_never_used",
        "world/test_story_halts.py::test_another_platforms_gitops_repo_is_never_written",
        "world/test_threats.py::test_a_gitops_target_that_the_bot_was_not_given_is_never_touched",
        "core/test_step.py::test_no_resume_takes_over_what_is_foreign",
    ),
    "symlinks, submodules, `..`, absolute paths, NUL, case-fold twins in a tree": (
        "core/test_abuse.py::test_a_link_or_a_submodule_in_the_place_of_a_file_is_refused_and_never_followed",
        "core/test_abuse.py::test_a_linked_service_folder_is_no_service_and_removes_none",
        "core/test_load.py::test_folders_that_could_be_twins_on_another_machine_are_refused",
        "core/test_load.py::test_symlinks_are_refused_where_files_are_read",
        "world/test_abuse.py::test_a_link_or_a_submodule_in_the_place_of_a_manifest_is_refused_and_never_followed",
        "world/test_abuse.py::test_a_platform_folder_that_is_a_link_refuses_the_change_whole",
        "world/test_abuse.py::test_folders_that_differ_in_case_alone_are_never_two_services",
        "world/test_git_read.py::test_links_and_submodules_are_told_and_never_followed",
        "world/test_git_read.py::test_forged_names_never_come_out_as_paths",
        "world/test_git_write.py::test_an_edit_never_goes_through_another_edit_a_file_a_link_or_a_submodule",
        "world/test_git_write.py::test_a_path_that_could_leave_its_place_is_refused_and_nothing_is_written",
        "test_disk.py::test_no_path_leaves_the_folder",
    ),
    "git arguments or protocols injected through branch names and paths": (
        "world/test_abuse.py::test_a_branch_may_be_called_anything_that_git_allows",
        "world/test_git_fetch.py::test_a_branch_may_have_any_name_that_git_allows",
        "world/test_git_fetch.py::test_a_hook_of_the_mirror_never_runs",
        "world/test_git_names.py::test_what_is_not_a_full_ref_is_refused",
        "world/test_git_names.py::test_what_is_not_a_whole_id_is_refused",
        "world/test_git_names.py::test_only_plain_http_and_file_urls_reach_git",
        "world/test_git_secrets.py::test_no_other_protocol_is_spoken_even_where_a_url_gets_through",
        "world/test_git_secrets.py::test_git_knows_nothing_of_this_machines_own_configuration",
    ),
    "YAML bombs, depth, duplicate keys, tags, directives, invisible characters, text that is not NFC": (
        "core/test_parse.py::test_a_hostile_file_is_answered_in_milliseconds_with_few_problems",
        "core/test_parse.py::test_what_a_file_may_not_hold_is_one_problem_at_its_place",
        "core/test_parse.py::test_a_forbidden_character_is_found_wherever_it_stands",
        "core/test_parse.py::test_an_escape_cannot_smuggle_a_character_in",
        "core/test_parse.py::test_text_that_is_not_composed_is_found_at_its_place",
        "core/test_abuse.py::test_a_bad_manifest_is_told_and_what_runs_goes_on",
        "core/test_abuse.py::test_a_bad_file_of_the_platform_refuses_the_change_whole_and_nothing_moves",
        "core/test_abuse_mutations.py::test_a_damaged_file_gives_a_result_or_problems_at_places_that_it_has",
        "long/test_yaml_suite.py::test_every_case_is_read_or_refused_at_a_place_that_it_has",
    ),
    "template, Terraform, Markdown, quick-action, log, trailer, kubelet or Go-template injection": (
        "core/test_abuse_text.py::test_hostile_text_is_only_text_in_every_place_that_it_reaches",
        "world/test_abuse.py::test_nothing_of_a_title_reaches_the_gitops_commit",
        "core/test_template.py::test_no_text_of_a_user_changes_the_shape_of_an_object",
        "core/test_render.py::test_no_text_of_a_user_escapes_from_its_place",
        "core/test_words_hostile.py::test_no_text_of_anyone_becomes_markup_of_ours",
        "core/test_words_hostile.py::test_a_terminal_gets_no_control_character",
        "core/test_words.py::test_git_reads_exactly_our_trailers_and_a_short_subject",
        "core/test_text.py::test_terraform_reads_the_text_itself",
        "core/test_text.py::test_kubelet_reads_the_text_itself",
        "core/test_text.py::test_a_go_template_prints_the_text_itself_and_takes_no_part_of_what_follows",
        "core/test_text.py::test_a_log_field_is_one_line_of_printable_text_that_reads_back",
        "core/test_text.py::test_text_in_markdown_is_only_text_in_a_paragraph_a_table_and_a_heading",
        "test_cli.py::test_what_a_file_says_never_steers_the_terminal",
    ),
    "a pull request that edits the policy, team, protection or config that judges it": (
        "world/test_policies.py::test_taking_a_policy_away_weakening_or_breaking_it_in_the_same_pull_request_never_turns_it_green",
        "world/test_policies.py::test_a_base_whose_policies_cannot_be_read_is_judged_by_the_last_ones_that_could",
        "core/test_policies.py::test_the_policy_that_a_pull_request_takes_away_or_weakens_judges_it_still",
        "core/test_gates.py::test_the_base_freezes_and_the_change_cannot_thaw",
        "core/test_rights.py::test_the_owner_in_the_base_is_asked_though_the_change_renames_who_that_is",
        "core/test_rights.py::test_the_base_counts_and_the_change_cannot_lower_it",
        "core/test_step.py::test_a_change_is_judged_by_the_tip_before_it_and_not_by_itself",
        "core/test_keeping.py::test_protection_turned_off_in_the_change_that_drops_the_need_protects_still",
        "core/test_keeping_destroy.py::test_words_of_destruction_without_both_approvals_destroy_nothing",
    ),
    "a policy error, an undefined value, a result that is no boolean, a budget or memory used up": (
        "world/test_isolation.py::test_a_question_that_loops_is_killed_and_the_next_one_is_answered_by_a_cold_child",
        "world/test_isolation.py::test_a_question_beyond_the_memory_limit_ends_in_words_and_not_in_swap",
        "core/test_template.py::test_a_missing_name_is_told_with_its_place_and_what_was_meant",
        "core/test_template.py::test_results_are_capped",
        "core/test_policies.py::test_a_policy_that_cannot_be_worked_out_denies_and_says_where_it_stands",
        "core/test_policies.py::test_policies_that_cannot_be_read_refuse_the_whole_change",
        "world/test_policies.py::test_policies_that_cannot_be_read_are_not_delivered_and_what_ran_goes_on",
    ),
    "commands and approvals by outsiders, by bots, edited later, for an older sha": (
        "core/test_keeping_destroy.py::test_words_of_destruction_for_what_was_kept_long_ago_need_both_approvals_too",
        "core/test_command.py::test_talk_about_commands_is_no_command",
        "core/test_command.py::test_hostile_comments_hold_only_commands_that_a_reader_would_see",
        "core/test_rights.py::test_who_wrote_it_agrees_to_it",
        "core/test_rights.py::test_nothing_is_destroyed_on_the_word_of_its_author_alone",
        "world/test_approvals.py::test_an_approval_of_an_outsider_or_of_an_older_head_counts_for_nothing",
        "world/test_approvals.py::test_who_pushed_to_the_branch_cannot_approve_it",
        "world/test_approvals.py::test_a_branch_of_a_member_that_an_outsider_pushed_to_is_not_the_teams_word",
        "world/test_approvals.py::test_membership_is_looked_up_each_time",
        "world/test_approvals.py::test_a_dismissed_approval_is_none",
        "world/test_commands.py::test_commands_of_outsiders_are_refused_in_one_comment_however_many_they_are",
        "world/test_commands.py::test_commands_of_bots_and_edited_ones_are_not_read",
        "world/test_commands.py::test_what_is_quoted_or_in_code_is_no_command",
        "test_delivery_github.py::test_a_comment_of_the_bots_own_kind_does_not_wake_it_again",
    ),
    "taking another team's secrets, ingress, hosts or namespace": (
        "core/test_rights.py::test_a_host_of_another_team_and_one_outside_the_domain_need_the_platform_team",
        "world/test_approvals.py::test_a_service_that_is_taken_over_needs_both_teams",
        "core/test_resolve.py::test_secrets_never_leave_the_services_own_prefix",
        "core/test_resolve.py::test_hosts_of_the_team_may_be_taken_everywhere",
        "core/test_resolve_places.py::test_composed_names_and_reserved_namespaces_are_told_before_kubernetes_does",
        "core/test_link.py::test_other_teams_call_only_where_they_are_allowed",
        "core/test_link.py::test_namespaces_are_apart_between_environments_of_one_cluster_and_between_teams",
        "core/test_abuse.py::test_a_second_service_of_one_host_is_refused_and_the_first_keeps_it",
    ),
    "going round the bot: direct pushes, edits in the GitOps repo": (
        "world/test_approvals.py::test_an_environment_that_wants_pull_requests_refuses_what_was_pushed",
        "world/test_approvals.py::test_an_environment_that_wants_pull_requests_takes_them_with_their_approvals_only",
        "core/test_doctor.py::test_a_check_that_others_could_set_or_nobody_asks_for_is_told",
        "core/test_doctor.py::test_a_branch_that_takes_pushes_is_told",
        "world/test_story.py::test_a_direct_push_is_delivered_with_no_pull_request_named",
        "world/test_story.py::test_a_bad_service_that_lands_all_the_same_keeps_what_runs_and_is_told",
        "world/test_story_halts.py::test_a_foreign_edit_is_restored_by_a_delivery_without_news",
        "core/test_step.py::test_a_foreign_edit_in_an_owned_path_is_restored",
    ),
    "a pull request from a fork": (
        "world/test_commands.py::test_a_fork_waits_for_a_members_word_pinned_to_its_head_where_config_says_so",
        "world/test_isolation.py::test_it_is_given_no_token_no_open_file_and_no_folder_of_ours",
    ),
    "two services that claim one name, host, route or namespace": (
        "core/test_abuse.py::test_a_second_service_of_one_name_is_refused_and_the_first_keeps_it",
        "core/test_abuse.py::test_a_second_service_of_one_host_is_refused_and_the_first_keeps_it",
        "core/test_link.py::test_among_those_that_take_part_no_claim_has_two_holders_and_links_agree_on_both_ends",
        "core/test_settle.py::test_a_claim_stays_with_who_held_it_whatever_the_folders_are_called",
        "core/test_settle.py::test_two_that_claim_one_name_from_the_first_delivery_on_never_flip",
    ),
    "escape from an Argo CD project, destination or annotation": (
        "world/test_threats.py::test_a_manifest_has_no_word_for_what_belongs_to_the_platform",
        "core/test_render.py::test_no_two_pairs_of_service_and_environment_share_an_application",
        "core/test_render.py::test_no_text_of_a_user_escapes_from_its_place",
    ),
    "secrets in manifests, comments, logs, command lines and URLs": (
        "test_cli.py::test_check_finds_a_literal_secret",
        "test_logs.py::test_what_looks_like_a_credential_is_blotted_out",
        "test_logs.py::test_secrets_and_their_header_form_never_stand_in_it",
        "test_settings.py::test_no_secret_shows_in_repr_text_or_json",
        "test_configured.py::test_every_secret_of_the_settings_is_one_that_the_log_leaves_out",
        "test_configured.py::test_no_command_takes_a_secret_as_an_argument",
        "world/test_git_secrets.py::test_the_token_is_in_no_command_line_file_or_url",
        "world/test_git_secrets.py::test_a_redirect_is_not_followed_with_the_token",
        "world/test_github_openapi.py::test_each_request_says_who_asks_and_keeps_the_token_out_of_the_address",
        "core/test_render.py::test_no_module_puts_a_secret_into_state_or_output",
    ),
    "requests to elsewhere by `$ref` or by URLs in manifests": (
        "world/test_threats.py::test_no_content_makes_the_core_open_a_connection",
        "core/test_check.py::test_no_reference_is_ever_fetched_or_opened",
        "core/test_abuse_kit.py::test_an_option_that_is_no_schema_of_its_own_is_a_problem_at_its_line",
    ),
    "a planted bot marker in a comment": (
        "world/test_github_comments.py::test_a_planted_marker_counts_for_nothing",
        "world/test_github_comments.py::test_an_older_planted_comment_does_not_take_the_place_of_ours",
        "world/test_github_comments.py::test_nothing_can_break_out_of_the_marker",
        "world/test_reviewed.py::test_a_base_that_somebody_wrote_into_our_comment_is_believed_only_where_the_branch_has_been",
    ),
    "work planted in the queue by who can write to Redis": (
        "world/test_worker.py::test_a_job_that_names_any_other_function_is_refused_and_never_imported",
        "world/test_worker.py::test_a_pickled_job_is_not_unpickled",
        "world/test_worker.py::test_names_that_are_not_ours_are_dropped",
        "world/test_wakeups.py::test_a_name_planted_in_redis_is_not_rung",
        "world/test_whole.py::test_nothing_of_a_payload_is_ever_in_redis",
    ),
}
"""What someone could try, and where each part of it is tried."""

BAD_INPUT: Mapping[str, tuple[str, ...]] = {
    "files that are empty, binary, huge, deep, a bomb, or hold what no file may": (
        "core/test_abuse.py::test_a_bad_manifest_is_told_and_what_runs_goes_on",
        "core/test_abuse.py::test_a_bad_file_of_the_platform_refuses_the_change_whole_and_nothing_moves",
    ),
    "Windows line ends": ("core/test_abuse.py::test_windows_line_ends_are_the_same_manifest",),
    "two services that claim one name or host": (
        "core/test_abuse.py::test_a_second_service_of_one_name_is_refused_and_the_first_keeps_it",
        "core/test_abuse.py::test_a_second_service_of_one_host_is_refused_and_the_first_keeps_it",
    ),
    "nested folders": ("core/test_abuse.py::test_a_service_inside_another_is_refused_and_the_outer_one_goes_on",),
    "symlinks and submodules": (
        "world/test_abuse.py::test_a_link_or_a_submodule_in_the_place_of_a_manifest_is_refused_and_never_followed",
    ),
    "a branch named `-x`": ("world/test_abuse.py::test_a_branch_may_be_called_anything_that_git_allows",),
    "a pull request that deletes every manifest": (
        "core/test_abuse.py::test_a_change_that_deletes_every_manifest_is_refused_as_data_and_removals_that_nobody_confirmed",
        "world/test_abuse.py::test_a_pull_request_that_deletes_every_manifest_is_blocked_and_what_it_removes_is_named",
        "world/test_story.py::test_a_removal_of_everything_waits_for_a_word",
    ),
    "a base that cannot be read, and the pull request that mends it": (
        "core/test_abuse.py::test_an_unreadable_platform_in_the_base_is_mended_by_a_change_that_founds_itself",
        "world/test_story.py::test_a_platform_that_cannot_be_read_halts_and_a_pull_request_mends_it",
    ),
    "an empty repository and its first pull request": (
        "core/test_abuse.py::test_an_empty_tree_is_refused_with_what_to_write_first",
        "world/test_story_pulls.py::test_an_empty_repository_and_its_first_pull_request",
        "world/test_story_pulls.py::test_a_gitops_repo_without_any_commit_gets_its_first",
    ),
    "pull requests that are none of our business": (
        "world/test_story_pulls.py::test_an_unrelated_pull_request_gets_a_status_and_no_comment",
        "world/test_story_pulls.py::test_a_pull_request_against_another_branch_is_left_in_peace",
    ),
    "drafts and conflicts": (
        "world/test_story_pulls.py::test_a_draft_is_told_as_it_is",
        "world/test_story_pulls.py::test_a_conflict_fails_in_one_sentence_and_heals",
    ),
    "forged or unsigned deliveries, unknown events": (
        "world/test_web.py::test_forged_unsigned_and_unreadable_webhooks_ring_nothing",
        "world/test_web.py::test_a_webhook_that_concerns_nobody_is_204_without_a_body",
    ),
    "hostile text": (
        "core/test_abuse_text.py::test_hostile_text_is_only_text_in_every_place_that_it_reaches",
        "world/test_abuse.py::test_nothing_of_a_title_reaches_the_gitops_commit",
    ),
    "random damage": (
        "core/test_abuse_mutations.py::test_a_damaged_file_gives_a_result_or_problems_at_places_that_it_has",
    ),
}
"""What someone could hand in without meaning harm, and where it is tried."""


def _names(file: str) -> set[str]:
    tree = ast.parse((TESTS / file).read_text())
    return {node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)}


@pytest.mark.parametrize("row", [*THREATS, *BAD_INPUT])
def test_every_row_is_tried_by_tests_that_exist(row: str) -> None:
    for test in {**THREATS, **BAD_INPUT}[row]:
        file, _, name = test.partition("::")
        assert name in _names(file), test


@pytest.mark.world
def test_a_gitops_target_that_the_bot_was_not_given_is_never_touched(sandbox: Sandbox, tmp_path: Path) -> None:
    stage = Stage(sandbox, tmp_path, {**PLATFORM, **service("a")})
    sandbox.create_repository("rival/gitops", {"README.md": b"Ours.\n"})
    stage.deliver()
    heads = (sandbox.head(GITOPS), sandbox.head("rival/gitops"))
    number = stage.open({"platform/config.yaml": CONFIG.replace("acme/gitops", "rival/gitops")})
    stage.review(number)
    sandbox.merge("acme/platform", number)
    (outcome,) = stage.deliver()
    assert outcome.halt is not None
    assert "rival/gitops" in outcome.halt.message
    assert (sandbox.head(GITOPS), sandbox.head("rival/gitops")) == heads


@pytest.mark.parametrize(
    "line",
    [
        "annotations: {argocd.argoproj.io/sync-options: Prune=false}",
        "labels: {app.kubernetes.io/instance: other}",
        "project: default",
        "destination: {namespace: kube-system}",
        "namespace: kube-system",
        "repoURL: https://evil.example/x.git",
        "patches: [{op: replace, path: /spec/project, value: default}]",
        "extra: k8s/",
        "serviceAccount: admin",
        "sidecars: [{image: x}]",
    ],
)
def test_a_manifest_has_no_word_for_what_belongs_to_the_platform(line: str) -> None:
    assert codes(MINIMAL + line + "\n") == ["CW0104"]


def test_no_content_makes_the_core_open_a_connection(monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(*_: object) -> NoReturn:
        raise AssertionError("the core opened a connection")

    monkeypatch.setattr(socket.socket, "connect", refused)
    monkeypatch.setattr(socket.socket, "connect_ex", refused)
    monkeypatch.setattr(socket, "getaddrinfo", refused)
    manifest = RICH["services/checkout/platform.yaml"].replace("LOG_LEVEL: info", "LOG_LEVEL: 'http://127.0.0.1:1/x'")
    tree = tree_of({**RICH, "services/checkout/platform.yaml": f"# $schema=http://127.0.0.1:1/s.json\n{manifest}"})
    kit = kit_of(tree, shipped_tree())
    assert isinstance(kit, Kit)
    made = build(tree, kit, Memo())
    assert isinstance(made, Build)
    assert len(fill(made, made.digests, Memo())) == len(made.digests)
