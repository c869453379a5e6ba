//! Tasks: what staff are to do, by when and about whom.

mod completed;
mod kept;
mod overdue;
pub mod sample;
mod seen;

use jiff::{SignedDuration, Timestamp};
use reqwest::Method;
use serde_json::{Value, json};
use tests::{
    Answer,
    company::{Person, text},
};

use crate::Case;

pub fn cases() -> Vec<(&'static str, Case)> {
    use {completed as tasks_completed, kept as tasks_kept, overdue as tasks_overdue, seen as tasks_seen};
    cases! {
        tasks_completed::{
            a_task_is_done_once_and_stays_as_it_is,
            one_that_comes_again_is_there_for_the_next_time,
            what_comes_after_it_is_there_with_it,
            of_many_who_complete_it_at_once_one_does,
            a_series_goes_on_from_a_time_that_was_changed,
        };
        tasks_kept::{
            a_task_is_what_was_said_and_what_is_given_changes,
            what_is_wrong_is_named_and_changes_nothing,
            lists_are_by_when_and_narrow,
            today_is_where_the_company_is,
        };
        tasks_overdue::{
            its_owner_is_told_once_for_each_time,
            of_many_that_are_over_at_once_each_is_told_once,
            where_its_owner_has_left_whoever_leads_is_told,
            a_killed_run_tells_all_and_nobody_twice,
        };
        tasks_seen::{
            agents_see_their_own_and_what_is_about_what_they_see,
            who_gives_a_task_away_sees_where_it_went,
            changes_are_told_to_those_who_see_the_task,
            tasks_follow_two_clients_who_are_joined_and_go_back,
            a_task_made_while_two_clients_are_joined_is_about_the_one_who_stays,
            tasks_follow_two_leads_who_are_merged_and_go_back,
        };
    }
}

async fn make(person: &Person, task: Value) -> Value {
    person.api.post("/tasks", task).await.expect(201)
}

fn path_of(task: &Value) -> String {
    format!("/tasks/{}", text(&task["id"]))
}

async fn change(person: &Person, task: &Value, changes: Value) -> Answer {
    person.api.call(Method::PUT, &path_of(task), Some(changes)).await
}

async fn complete(person: &Person, task: &Value, how: Value) -> Answer {
    person.api.post(&format!("{}/complete", path_of(task)), how).await
}

async fn found(person: &Person, query: &str) -> Vec<Value> {
    person.api.get(&format!("/tasks?{query}")).await.expect(200)["data"].as_array().cloned().unwrap_or_default()
}

async fn titles(person: &Person, query: &str) -> Vec<String> {
    found(person, query).await.iter().map(|task| text(&task["title"]).to_owned()).collect()
}

fn problems(refused: &Value) -> Vec<(&str, &str)> {
    let errors = refused["errors"].as_array().into_iter().flatten();
    errors.map(|error| (text(&error["field"]), text(&error["code"]))).collect()
}

/// So many minutes from now, to the second.
fn minutes(later: i64) -> String {
    let at = Timestamp::now() + SignedDuration::from_mins(later);
    Timestamp::from_second(at.as_second()).expect("a time").to_string()
}

async fn client(person: &Person) -> String {
    text(&person.api.post("/clients", json!({"name": "Ana"})).await.expect(201)["id"]).to_owned()
}
