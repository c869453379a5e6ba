//! The team's own channels and what is said in them.

mod chat_cards;
mod chat_channels;
mod chat_crowds;
mod chat_mentions;
mod chat_messages;
mod chat_scheduled;
mod chat_search;
mod chat_sight;
mod chat_threads;
mod chat_unread;
pub mod sample;

use serde_json::{Value, json};
use tests::company::{Person, text};

use crate::Case;

/// A channel of this kind with these people besides; answers its id.
async fn channel(person: &Person, name: &str, kind: &str, others: &[&Person]) -> String {
    let ids: Vec<_> = others.iter().map(|other| other.id).collect();
    let made = person.api.post("/channels", json!({"name": name, "kind": kind, "member_ids": ids})).await.expect(201);
    text(&made["id"]).to_owned()
}

/// Says something; answers the message.
async fn say(person: &Person, channel: &str, message: Value) -> Value {
    person.api.post(&format!("/channels/{channel}/messages"), message).await.expect(201)
}

async fn said(person: &Person, channel: &str, words: &str) -> Value {
    say(person, channel, json!({"body": words})).await
}

fn path_of(message: &Value) -> String {
    format!("/chat/messages/{}", text(&message["id"]))
}

/// What is the person's of a channel.
async fn own(person: &Person, channel: &str) -> Value {
    person.api.get(&format!("/channels/{channel}")).await.expect(200)["membership"].clone()
}

/// Texts of a list.
fn bodies(list: &Value) -> Vec<&str> {
    list["data"].as_array().into_iter().flatten().map(|message| text(&message["body"])).collect()
}

async fn read(person: &Person, channel: &str, mark: Value) -> Value {
    person.api.post(&format!("/channels/{channel}/read"), mark).await.expect(200)
}

pub fn cases() -> Vec<(&'static str, Case)> {
    cases! {
        chat_channels::{
            a_channel_is_made_joined_left_and_put_away,
            no_two_names_are_alike_to_the_eye,
            all_staff_are_in_the_general_channel,
            direct_messages_are_one_for_a_set_of_people,
            a_channel_is_never_without_who_manages_it,
            announcements_are_made_by_who_leads,
            of_many_who_join_and_leave_at_once_each_is_in_or_out,
            what_somebody_wants_of_a_channel_is_theirs_alone,
        };
        chat_messages::{
            a_message_said_again_is_the_same,
            a_message_is_edited_and_taken_away,
            reactions_are_one_for_an_emoji_and_a_person,
            a_channel_has_a_hundred_pins,
            what_is_quoted_and_forwarded_is_what_the_sender_reads,
            files_are_read_where_they_were_said,
            pages_go_both_ways_and_around_a_place,
            bad_messages_are_refused,
            the_company_has_emoji_of_its_own,
        };
        chat_threads::{
            a_thread_has_its_own_places_and_followers,
            what_a_thread_tells_by_name_is_unread_too,
            what_is_put_away_counts_nothing_until_it_is_back,
        };
        chat_unread::{
            unread_is_what_lies_beyond_the_cursor,
            another_device_follows,
        };
        chat_mentions::{
            who_is_mentioned_is_told_if_and_only_if_they_are_in_the_channel,
            an_edit_mentions_whom_it_newly_names,
            many_are_told_only_when_it_is_confirmed,
        };
        chat_cards::{
            a_card_shows_to_each_what_they_may_see,
        };
        chat_scheduled::{
            a_planned_message_is_posted_once,
            what_has_changed_meanwhile_is_judged,
        };
        chat_search::{
            words_and_filters_find_what_the_caller_reads,
        };
        chat_sight::{
            a_private_channel_is_its_members_alone,
            who_leaves_sees_nothing_more,
            students_reach_none_of_it,
            who_is_deactivated_is_out_and_comes_back,
        };
        chat_crowds::{
            every_readers_unread_is_what_was_said,
            many_listeners_are_told_and_nobody_else,
        };
    }
}
