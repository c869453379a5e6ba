//! The tests by domain.

mod desk;

use crate::Case;

/// Lists the async functions of a module as cases named `module::function`.
macro_rules! cases {
    ($($module:ident :: { $($case:ident),* $(,)? };)*) => {
        vec![$($((
            concat!(stringify!($module), "::", stringify!($case)),
            (|stack| Box::pin($module::$case(stack))) as Case,
        )),*),*]
    };
}
use cases;

mod ai;
mod bot_calls;
mod bot_flows;
mod bot_people;
mod botconversa;
mod calendar;
mod calls;
mod canary;
mod channel_accounts;
mod chat;
mod clients;
mod companies;
mod contract;
mod crm;
mod evolution;
mod followups;
mod identity;
mod ingest;
mod integrations;
mod jobs;
mod knowledge;
mod leads;
mod mail;
mod mentees;
mod notes;
mod notifications;
mod presence;
mod quick_replies;
mod scanning;
mod setup;
mod snapshot;
mod tasks;
mod team;
mod team_day;
mod upload;
mod views;
mod working_day;

mod faults;

use ai::ai_killed;
use botconversa::botconversa_killed;
use channel_accounts::channel_accounts_killed;
use contract::plans;
use crm::crm_killed;
use evolution::evolution_killed;
use followups::followups_killed;
use knowledge::{knowledge_killed, vectors as knowledge_vectors};
use leads::{automations_killed as leads_automations_killed, quarter};
use notifications::web_push as notifications_web_push;
use presence::presence_killed;

/// Tests that run at the same time, each in a company of its own.
pub fn together() -> Vec<(&'static str, Case)> {
    [
        desk::together(),
        ai::cases(),
        botconversa::cases(),
        calendar::cases(),
        bot_calls::cases(),
        bot_flows::cases(),
        bot_people::cases(),
        calls::cases(),
        channel_accounts::cases(),
        chat::cases(),
        clients::cases(),
        contract::cases(),
        companies::cases(),
        crm::cases(),
        evolution::cases(),
        followups::cases(),
        identity::cases(),
        ingest::cases(),
        integrations::cases(),
        jobs::cases(),
        knowledge::cases(),
        leads::cases(),
        mail::cases(),
        mentees::cases(),
        notes::cases(),
        notifications::cases(),
        presence::cases(),
        quick_replies::cases(),
        setup::cases(),
        tasks::cases(),
        team::cases(),
        views::cases(),
    ]
    .concat()
}

/// Tests that count what everybody does: nothing runs beside them.
pub fn undisturbed() -> Vec<(&'static str, Case)> {
    cases! {
        plans::{
            no_function_reads_all_of_a_table,
        };
        knowledge_vectors::{
            meanings_are_compared_by_numbers_where_the_database_can,
        };
    }
}

/// Tests that stop something everybody uses: each has a cloud to itself.
pub fn alone() -> Vec<(&'static str, Case)> {
    [killed(), faults()].concat()
}

/// Those of what is killed in the middle of its work, by the domains.
fn killed() -> Vec<(&'static str, Case)> {
    cases! {
        team_day::{
            unread_notifications_and_hours_are_as_the_account_says,
        };
        working_day::{
            every_message_is_accounted_for,
        };
        quarter::{
            a_quarter_ends_as_its_facts_say,
        };
        mail::{
            without_a_mail_server_mails_wait_and_are_sent_once_later,
            a_refused_login_is_no_refusal_of_the_mail,
            a_worker_killed_before_its_record_sends_the_same_mail_again,
        };
        scanning::{
            uploads_are_let_go_or_condemned,
            nobody_uses_what_waits_for_the_scanner,
            what_clients_send_is_judged_before_it_is_read,
            a_scanner_that_says_nothing_is_asked_again,
            what_nobody_could_judge_waits_until_its_job_is_done_again,
            a_worker_killed_while_a_file_is_judged_has_it_judged_again,
            of_two_workers_one_lets_a_file_go_or_condemns_it,
            what_goes_while_it_is_judged_does_not_come_back,
            the_same_content_is_judged_for_each_file_and_kept_once,
            without_a_scanner_what_still_waits_is_let_go,
        };
        followups_killed::{
            a_step_whose_worker_is_killed_is_done_once,
            replies_steps_and_deaths_at_once_leave_each_step_done_once,
            leads_whose_worker_is_killed_are_taken_in_once,
        };
        leads_automations_killed::{
            what_a_killed_worker_has_not_done_is_done_once,
            whatever_dies_each_entry_does_each_once,
            who_has_moved_on_or_is_gone_is_not_written_to,
        };
        crm_killed::{
            a_killed_worker_leaves_nothing_twice,
        };
        botconversa_killed::{
            a_sync_whose_worker_is_killed_goes_on_and_makes_nobody_twice,
        };
        evolution_killed::{
            an_instance_whose_function_was_killed_is_ours_after_all,
        };
        notifications_web_push::{
            web_push_without_a_key_is_off,
        };
        ai_killed::{
            a_question_whose_function_was_killed_is_ended_and_stays_paid,
            a_company_whose_model_hangs_makes_nobody_elses_clients_wait,
        };
        knowledge_killed::{
            an_import_whose_worker_is_killed_goes_on_where_it_was,
        };
        presence_killed::{
            a_killed_cloud_leaves_what_the_leases_say,
        };
        channel_accounts_killed::{
            a_job_over_people_whose_worker_is_killed_goes_on_where_it_was,
            a_channel_whose_removal_was_killed_is_removed_by_the_next,
        };
        bot_calls::{
            a_call_whose_worker_is_killed_is_made_again_and_moves_the_conversation_once,
            a_killed_turn_is_taken_up_soon,
        };
    }
}

fn faults() -> Vec<(&'static str, Case)> {
    cases! {
        faults::{
            connections_ended_while_idle_are_not_noticed,
            a_restart_between_requests_is_not_noticed,
            a_database_that_wakes_in_two_seconds_answers_the_request,
            a_database_that_stays_away_is_answered_with_503_and_nothing_is_half_done,
            a_crash_in_the_middle_of_writes_leaves_all_or_nothing,
            a_connection_lost_at_commit_is_the_callers_to_repeat,
            a_column_that_a_migration_adds_is_not_noticed,
            without_dynamodb_requests_are_answered_and_the_feed_is_whole,
            a_socket_that_was_open_before_dynamodb_stopped_goes_on_after_it,
            without_s3_no_upload_becomes_ready,
            media_that_cannot_be_stored_is_stored_later,
            without_sqs_jobs_are_left_behind_and_done_once_later,
            a_function_started_without_its_settings_reads_them_with_the_next_request,
            send_message_killed_after_its_commit_sends_once,
            a_webhook_killed_after_its_commit_is_stored_once_and_its_job_is_done,
            a_webhook_killed_while_it_joins_two_clients_joins_them_once,
            a_worker_killed_after_the_providers_answer_never_sends_again,
            a_removal_killed_in_the_middle_has_not_happened,
            a_status_that_names_our_id_resolves_an_unknown_outcome,
            a_status_after_the_outcome_was_given_up_still_counts,
            a_check_killed_before_its_record_is_done_again_and_leaves_nothing_behind,
            an_upload_killed_before_its_record_leaves_nothing_behind,
            a_worker_killed_before_a_picture_is_recorded_leaves_one_behind_and_no_more,
            a_worker_killed_before_the_call_sends_when_it_is_done_again,
            a_worker_killed_at_its_last_attempt_fails_the_message_and_its_lane_goes_on,
            a_worker_killed_while_it_gives_conversations_gives_each_once,
            a_planned_message_goes_out_once_though_its_worker_is_killed,
            a_snooze_whose_worker_is_killed_ends_once,
            agents_come_and_go_while_the_worker_is_killed,
            a_crowd_whose_worker_is_killed_is_told_soon,
            a_function_over_its_time_out_is_killed_and_its_locks_go,
            a_busy_provider_is_asked_again_until_it_takes_the_message,
            without_whatsapp_messages_wait_and_are_sent_once_later,
            an_answer_that_says_nothing_is_not_followed_by_a_second_send,
            a_provider_that_never_answers_does_not_hold_up_the_conversation,
            a_final_refusal_fails_the_message_and_the_lane_goes_on_in_order,
            a_poison_job_fails_visibly_and_its_lane_goes_on,
            a_job_delivered_many_times_at_once_is_done_once,
            a_lane_is_worked_in_order_whatever_order_its_messages_come_in,
            a_late_copy_of_a_job_put_off_does_not_hold_up_its_old_lane,
            a_job_for_later_holds_up_no_lane,
            a_job_that_was_put_off_starts_when_it_is_due,
            a_timed_job_is_started_on_time_and_once,
            a_flood_of_jobs_leaves_room_for_other_companies_and_flows_off,
            what_is_due_is_found_whatever_else_waits,
            a_long_job_whose_worker_is_killed_goes_on_where_it_was,
            an_import_whose_worker_is_killed_makes_nobody_twice,
            an_import_of_leads_whose_worker_is_killed_makes_nobody_twice,
            a_history_whose_worker_is_killed_is_stored_once,
            webhooks_that_name_the_same_clients_wait_for_each_other,
            whoever_leaves_waits_for_what_they_are_given,
            a_deadlock_with_a_stranger_is_done_again_and_counted,
            a_row_that_stays_locked_is_answered_with_503_and_a_webhook_is_applied_later,
            a_webhook_that_could_not_be_applied_is_and_what_came_after_it_comes_after_it,
            a_webhook_whose_function_was_killed_is_applied_by_a_job,
            a_turn_waits_for_the_message_that_counts_on_it,
            a_turn_that_never_ends_hands_the_client_over,
            a_cursor_never_skips_a_transaction_that_commits_late,
            cursors_of_another_database_and_swept_ones_ask_to_start_over,
            everything_past_its_age_is_swept_in_one_run,
            events_go_by_days,
            an_object_that_a_file_is_made_of_is_never_removed,
            presence_nobody_renewed_ends_with_an_event,
            a_socket_that_went_away_unheard_is_forgotten_when_it_is_written_to,
            logging_out_closes_the_sockets_of_the_session_only,
            thawed_functions_answer_although_their_connections_are_gone,
            a_killed_cloud_starts_again_with_everything_it_had,
        };
    }
}

/// What holds of every cloud once all is done.
pub fn at_the_end() -> Vec<(&'static str, Case)> {
    cases! {
        faults::{
            no_message_has_ended_in_a_dead_letter_queue,
            every_event_was_as_openapi_describes_it,
        };
    }
}

pub fn all() -> Vec<(&'static str, Case)> {
    [together(), undisturbed(), alone(), at_the_end()].concat()
}

/// Whether a test is one of a domain: its name says so, or it is one over all routes, which is then about those of the domain.
pub fn concerns(name: &str, domain: &str) -> bool {
    name.contains(domain)
        || (tests::is_domain(domain) && contract::OVER_ROUTES.iter().any(|over_routes| name.starts_with(over_routes)))
}
