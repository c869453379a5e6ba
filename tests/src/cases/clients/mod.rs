//! Clients as staff keep and find them.

mod blocked;
mod catalogues;
mod clients_found;
mod clients_kept;
mod exported;
mod files;
mod history;
mod imported;
mod merged;

use serde_json::Value;

use crate::Case;

/// A client whom one has read, as lists and changes answer them: these leave out what they agreed to.
fn as_changed(mut read: Value) -> Value {
    let consents = read.as_object_mut().and_then(|client| client.remove("consents"));
    assert!(consents.is_some_and(|consents| consents.is_array()), "{read}");
    read
}

pub fn cases() -> Vec<(&'static str, Case)> {
    cases! {
        blocked::{
            what_a_blocked_client_writes_is_told_to_nobody_until_they_are_unblocked,
            nobody_writes_to_a_blocked_client,
            a_closed_conversation_stays_closed_until_its_client_is_unblocked,
            who_was_blocked_before_they_ever_wrote_is_heard_afterwards,
            no_bot_answers_a_blocked_client,
        };
        catalogues::{
            what_is_put_on_a_client_is_spelled_as_in_the_catalogue,
            a_tag_that_is_renamed_or_deleted_is_so_everywhere,
            a_tag_put_on_while_it_is_renamed_is_in_the_catalogue,
            fields_take_what_is_of_their_kind,
            a_field_that_goes_keeps_its_kind_and_values,
        };
        clients_found::{
            clients_are_found_by_anything_that_is_known_of_them,
            what_finds_nobody_is_answered_with_nobody,
            a_tag_and_a_search_narrow_each_other,
            a_common_name_is_read_page_by_page_without_gap_or_repeat,
        };
        clients_kept::{
            a_client_is_what_was_said_of_them_in_one_writing,
            one_person_is_one_client,
            of_many_who_make_the_same_client_at_once_one_does,
            a_webhook_and_staff_who_meet_a_number_at_once_make_one_client,
            what_is_given_changes_and_the_rest_stays,
            two_clients_who_ask_for_one_number_at_once_do_not_both_get_it,
            a_message_from_a_typed_number_is_that_clients,
            a_number_stays_while_a_conversation_is_open,
            who_was_deleted_is_kept_and_comes_back_by_writing,
            who_has_an_open_conversation_is_not_deleted_whoever_sees_it,
            nobody_is_deleted_while_they_write,
            what_is_wrong_is_named_and_changes_nothing,
            changes_are_told_to_staff_alone,
        };
        exported::{
            what_is_exported_is_what_the_list_shows_and_comes_in_again,
            an_export_is_for_supervisors_and_noted,
        };
        files::{
            documents_and_what_was_sent_are_a_clients_files,
            only_a_document_of_ones_own_is_added,
            documents_follow_who_became_another_and_come_back,
        };
        history::{
            all_that_happened_is_one_timeline,
            a_long_history_is_read_page_by_page_in_little_time,
        };
        imported::{
            a_table_becomes_clients_with_every_wrong_row_named,
            a_dry_run_says_what_would_be_and_writes_nothing,
            any_writing_of_a_file_is_the_same_clients,
            clients_who_are_there_stay_or_change,
            what_is_of_two_clients_or_twice_in_the_file_is_named,
            a_file_that_cannot_be_read_says_why,
            an_import_that_is_undone_leaves_what_people_use,
            an_address_that_was_there_before_stays,
            what_is_noted_comes_with_new_clients_and_goes_with_them,
            imports_are_listed_and_each_is_where_its_path_says,
            an_import_is_undone_once_and_not_while_it_goes,
            an_import_that_was_undone_goes_no_further,
            an_import_that_is_cancelled_stops_and_may_be_undone,
            imports_webhooks_and_staff_who_meet_one_number_make_one_client,
            a_hundred_thousand_rows_are_read_and_thousands_come_in_and_go_again,
        };
        merged::{
            two_clients_are_one_with_everything_and_two_again_as_they_were,
            what_comes_after_a_merge_stays_with_the_number_it_came_by,
            a_conversation_begun_after_a_merge_goes_with_who_began_it,
            a_window_stays_open_where_the_client_wrote_in_another_conversation,
            of_merges_and_undoings_at_once_one_wins,
            messages_that_come_while_clients_are_joined_and_parted_are_where_they_belong,
            any_order_of_merges_and_undoings_leaves_everybody_with_what_they_wrote,
            the_bot_goes_on_with_both_and_with_each_again,
            a_merge_that_cannot_be_is_refused_and_changes_nothing,
            a_students_login_follows_and_comes_back,
        };
    }
}
