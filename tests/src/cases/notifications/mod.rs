//! What people are told of by name.

mod notification_causes;
mod notification_choices;
mod notification_crowds;
mod notification_mails;
mod notification_pushes;
mod notification_sight;
pub mod sample;
pub mod web_push;

use serde_json::{Value, json};
use tests::company::{Person, text};

use crate::Case;

/// What somebody was told of and has not read, the latest first: types and titles.
async fn unread(person: &Person) -> Vec<(String, String)> {
    let list = person.api.get("/notifications?unread=true").await.expect(200);
    let rows = list["data"].as_array().expect("rows").iter();
    let told: Vec<_> = rows.map(|row| (text(&row["type"]).to_owned(), text(&row["title"]).to_owned())).collect();
    assert_eq!(list["unread"], told.len(), "as many as are counted");
    told
}

/// The notifications of a type, read or not.
async fn of_type(person: &Person, kind: &str) -> Vec<Value> {
    let list = person.api.get(&format!("/notifications?type={kind}")).await.expect(200);
    list["data"].as_array().expect("rows").clone()
}

/// What somebody is called.
async fn name(person: &Person) -> String {
    text(&person.api.get("/users/me").await.expect(200)["name"]).to_owned()
}

async fn read_all(person: &Person) {
    person.api.post("/notifications/read-all", json!({})).await.expect(200);
}

async fn choose(person: &Person, preferences: Value) -> Value {
    person.api.call(reqwest::Method::PUT, "/notifications/preferences", Some(preferences)).await.expect(200)
}

pub fn cases() -> Vec<(&'static str, Case)> {
    cases! {
        notification_causes::{
            who_is_given_a_conversation_is_told,
            messages_of_one_client_are_one_until_they_are_read,
            mentions_are_told_to_whom_they_name,
            direct_messages_and_followed_threads_are_told,
            many_at_once_are_counted_once,
            a_merge_tells_nothing_again,
            a_low_rating_is_told_to_leaders,
            a_channel_in_trouble_is_told_to_admins,
            what_happens_to_an_account_is_told_to_its_owner,
            what_was_planned_and_failed_and_what_comes_back_is_told,
            a_cause_tells_once,
        };
        notification_choices::{
            what_is_chosen_holds,
            quiet_hours_and_breaks_are_silent,
            what_is_wrong_with_preferences_is_said,
            two_devices_that_choose_at_once_lose_nothing,
        };
        notification_sight::{
            who_sees_it_no_more_is_told_no_more_of_it,
            what_is_counted_is_what_is_seen,
            reading_on_one_device_clears_the_others,
            students_have_their_own_and_no_others,
        };
        notification_mails::{
            what_stays_unread_is_mailed_once,
        };
        web_push::{
            web_push_is_opened_by_the_browser_alone,
            web_push_of_one_browser_again_is_kept_anew,
            web_push_is_whose_who_subscribed_last,
            web_push_of_two_people_at_once_is_one_persons,
            web_push_of_one_person_in_two_companies_is_both,
            web_push_is_for_twenty_browsers_of_a_person,
            web_push_ends_with_its_session,
            web_push_ends_however_late_it_was_asked_for,
            web_push_is_for_browsers_only,
            web_push_services_are_believed,
            web_push_leads_out_of_our_networks,
            web_push_addresses_are_shown_to_nobody,
        };
        notification_pushes::{
            who_is_away_is_told_on_each_device,
            who_looks_has_read_or_wants_none_is_not,
            a_busy_push_service_is_asked_again_and_one_that_forgot_is_forgotten,
        };
        notification_crowds::{
            crowds_are_told_each_once,
            the_latest_number_is_the_right_one,
            many_who_are_named_at_once_are_told_on_each_socket,
        };
    }
}
