//! What holds for every function, table and answer, whatever its domain.

mod answers;
mod boundary;
mod definers;
mod examples;
mod front_end;
mod input;
mod inventory;
mod kinds;
mod limits;
mod names;
pub mod plans;
pub mod privileges;
mod repeats;
mod runs;
pub mod sample;
pub mod tenancy;
mod trespass;
mod trespass_table;

use crate::Case;

/// Tests that ask something of every route, one after the other or some at a time.
pub const OVER_ROUTES: [&str; 8] = [
    "answers::every_answer_has_the_security_headers",
    "answers::problems_are_told_in_portuguese_or_english",
    "answers::the_three_prefixes_reach_the_same_routes",
    "kinds::",
    "runs::every_sample_event_is_a_request",
    "runs::routes_take_few_round_trips_to_the_database",
    "runs::every_write_leaves_an_audit_row_that_names_its_target",
    "trespass::",
];

#[expect(clippy::too_many_lines, reason = "a list")]
pub fn cases() -> Vec<(&'static str, Case)> {
    cases! {
        answers::{
            every_answer_has_the_security_headers,
            problems_are_told_in_portuguese_or_english,
            the_three_prefixes_reach_the_same_routes,
            allowed_origins_may_call_and_read_what_they_need,
            other_origins_may_not,
            webhooks_are_not_for_browsers,
            snapshots_say_where_the_feed_stands,
            health_tells_of_each_service_what_it_is,
        };
        boundary::{
            what_each_lent_role_writes_is_listed,
            who_records_an_event_is_said_of_every_type,
            a_student_tells_only_themselves_that_their_session_ended,
            a_student_tells_of_their_own_mentoring_alone,
            staff_record_what_their_role_does_in_their_company,
            staff_move_conversations_and_change_nothing_else_of_them,
            a_file_is_its_uploaders_and_under_its_own_keys,
        };
        definers::{
            every_definer_function_is_listed_with_its_callers,
            what_every_request_calls_is_planned_once,
            nothing_else_of_the_schema_is_for_members,
            the_login_of_the_functions_makes_no_object_of_its_own,
            a_temporary_table_is_not_what_definer_functions_read,
        };
        input::{
            broken_json_is_malformed,
            deep_json_is_malformed,
            invalid_utf8_is_refused,
            another_content_type_is_refused,
            a_body_over_one_megabyte_is_refused,
            fields_are_refused_by_name,
            control_characters_are_refused_everywhere,
            every_failing_field_is_named,
            every_missing_unknown_and_mistyped_field_is_named,
            strings_are_trimmed,
            unknown_query_parameters_are_ignored,
            page_sizes_have_bounds,
            paths_that_name_nothing_are_not_found,
            sql_comes_back_as_text,
            sql_in_any_field_is_only_text,
            sql_of_customers_is_only_text,
            lists_are_not_taken_for_fields,
        };
        names::{
            bodies_take_second_names,
            queries_take_second_names,
            answers_under_api_v1_carry_second_names,
            answers_under_other_paths_carry_ours_only,
            tokens_are_told_in_both_spellings_under_every_path,
            a_replayed_answer_carries_second_names_too,
            every_problem_says_its_detail_as_error,
            a_company_that_is_named_is_the_sessions,
            a_company_that_is_named_before_signing_in_is_the_one_entered,
            commands_without_body_and_type_have_no_fields,
            parameters_without_a_value_are_not_given,
            every_failing_parameter_is_named,
            hidden_characters_in_names_are_refused,
            hidden_characters_in_messages_stay,
        };
        examples::{
            examples_are_what_is_answered,
            every_operation_has_examples_that_fit,
            no_schema_is_a_boolean,
        };
        front_end::{ a_front_end_written_for_another_back_end_is_served };
        inventory::{
            binaries_are_the_functions_of_the_template,
            every_function_has_a_sample_event,
            operations_are_the_functions_with_a_route,
            samples_are_for_the_route_of_their_function,
            the_list_of_public_routes_only_shrinks,
            every_route_is_reached_below_every_prefix,
            forms_are_signed_by_who_can_write_uploads_only,
            openapi_is_what_the_api_answers_with,
            the_schema_file_is_what_the_migrations_make,
        };
        kinds::{
            lists_page_while_rows_come_and_go,
            lists_without_rows_are_empty,
            lists_refuse_a_cursor_that_they_never_gave,
            changes_are_of_the_version_that_was_seen,
            removals_are_of_the_version_that_was_seen,
            what_is_removed_is_gone_the_second_time,
        };
        limits::{ an_address_has_a_hundred_public_requests_a_minute, requests_refused_for_their_input_count_too };
        privileges::{
            nobody_changes_a_membership_or_a_person,
            nobody_reaches_sessions_and_tokens,
            nobody_rewrites_what_was_said,
            look_ups_before_a_tenant_are_closed_within_one,
            only_logins_of_ones_own_can_be_ended,
            only_companies_of_ones_own_can_be_chosen,
            an_agent_gives_themselves_no_department_and_no_channel,
            supervisors_invite_whom_they_lead_and_admins_set_up_the_company,
            what_providers_send_is_written_by_the_system,
            jobs_answers_and_leases_are_not_a_colleagues,
            what_is_recorded_bears_the_callers_name,
        };
        repeats::{
            a_repeated_request_is_answered_with_the_first_answer,
            a_key_is_for_one_body_only,
            the_same_request_in_other_names_is_the_same,
            a_key_that_is_not_plain_text_is_refused,
            a_key_is_its_callers_own,
            a_refused_request_does_not_use_its_key_up,
            duplicates_at_once_make_one_row,
            names_at_once_make_one_row,
            keys_have_a_length,
        };
        runs::{
            every_sample_event_runs_on_its_binary,
            every_sample_event_is_a_request,
            routes_take_few_round_trips_to_the_database,
            every_write_leaves_an_audit_row_that_names_its_target,
            reads_of_personal_data_leave_an_access_row,
            a_students_own_file_leaves_no_access_row,
            functions_connect_to_the_database_that_they_use,
        };
        tenancy::{
            every_table_has_row_level_security,
            every_table_of_a_company_forces_it_with_a_policy,
            the_login_of_the_functions_reads_nothing_by_itself,
            the_login_of_the_functions_cannot_make_itself_more,
            a_tenant_is_left_with_the_transaction,
        };
        trespass::{
            every_route_that_asks_for_a_token_has_a_row,
            no_token_opens_nothing,
            an_expired_token_opens_nothing,
            a_tampered_token_opens_nothing,
            a_token_of_another_key_opens_nothing,
            a_token_without_a_signature_opens_nothing,
            other_algorithms_of_the_right_key_open_nothing,
            a_revoked_session_opens_nothing,
            a_revoked_session_is_told_by_statements_side_by_side,
            claims_are_checked_against_the_database,
            other_roles_are_refused,
            another_company_is_out_of_reach,
            a_student_reaches_nothing_of_others,
        };
    }
}
