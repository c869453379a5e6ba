//! Mentees: what they tell of each month, how they stand, and what they think.

mod evolution;
mod feedback;
mod mentoring;
pub mod sample;
mod standing;

use jiff::{civil::Date, tz::TimeZone};
use reqwest::Method;
use serde_json::{Value, json};
use tests::{
    Answer,
    company::{Person, text},
};
use uuid::Uuid;

use crate::Case;

pub fn cases() -> Vec<(&'static str, Case)> {
    use {
        evolution as mentees_evolution, feedback as mentees_feedback, mentoring as mentees_mentoring,
        standing as mentees_standing,
    };
    cases! {
        mentees_evolution::{
            months_grow_as_they_are_compared,
            a_month_told_again_is_one_row_and_what_was_said_before_is_kept,
            of_many_who_tell_one_month_at_once_nobody_is_lost,
            what_is_no_month_or_amount_changes_nothing,
            other_front_ends_call_it_by_other_names,
        };
        mentees_feedback::{
            who_is_not_content_is_told_of_and_there_is_a_task,
            scores_are_whole_and_of_ten,
            a_feedback_sent_twice_is_one,
            where_the_mentor_has_left_whoever_leads_is_told,
        };
        mentees_mentoring::{
            a_client_is_mentored_by_somebody_of_the_staff_once_at_a_time,
            of_many_who_begin_at_once_one_does,
            agents_change_what_they_mentor_and_see_what_their_company_lets_them,
            students_see_and_tell_their_own_alone,
            changes_are_told_to_those_who_see_the_mentee,
            two_mentees_who_are_one_client_lose_nothing_and_part_as_they_were,
        };
        mentees_standing::{
            nps_is_of_the_answers_of_its_months,
            the_dashboard_adds_up_what_was_told,
            engagement_is_of_the_parts_that_there_is_data_for,
            who_is_at_risk_is_listed_with_the_reasons,
            charts_have_every_month,
        };
    }
}

/// A new client who is mentored by whoever asks, since January 2026, with what they earned in months of it.
pub async fn begun(person: &Person, months: &[(i32, &str)]) -> String {
    let client = json!({"name": format!("Ana {}", Uuid::now_v7().simple())});
    let client = person.api.post("/clients", client).await.expect(201);
    let mentee = json!({"client_id": client["id"], "entry_month": "2026-01"});
    let id = text(&person.api.post("/mentees", mentee).await.expect(201)["id"]).to_owned();
    for (month, revenue) in months {
        tell(person, &id, (2026, *month), revenue).await.expect(200);
    }
    id
}

async fn tell(person: &Person, id: &str, (year, month): (i32, i32), revenue: &str) -> Answer {
    person.api.post(&format!("/mentees/{id}/evolution"), json!({"year": year, "month": month, "revenue": revenue})).await
}

async fn say(person: &Person, id: &str, feedback: Value) -> Answer {
    person.api.post(&format!("/mentees/{id}/feedback"), feedback).await
}

async fn change(person: &Person, id: &str, changes: Value) -> Answer {
    person.api.call(Method::PUT, &format!("/mentees/{id}"), Some(changes)).await
}

async fn months(person: &Person, id: &str) -> Vec<Value> {
    let told = person.api.get(&format!("/mentees/{id}/evolution")).await.expect(200);
    told["data"].as_array().cloned().unwrap_or_default()
}

async fn rows(person: &Person, path: &str) -> Vec<Value> {
    person.api.get(path).await.expect(200)["data"].as_array().cloned().unwrap_or_default()
}

/// Fields of 422 with their codes.
fn problems(refused: &Value) -> Vec<(&str, &str)> {
    let errors = refused["errors"].as_array().into_iter().flatten();
    errors.map(|error| (text(&error["field"]), text(&error["code"]))).collect()
}

/// The day that it is where companies are.
fn today() -> Date {
    TimeZone::get("America/Sao_Paulo").expect("a zone").to_datetime(jiff::Timestamp::now()).date()
}

/// The month so many months later, or before.
pub fn month(later: i32) -> (i32, i32) {
    let today = today();
    let count = i32::from(today.year()) * 12 + i32::from(today.month()) - 1 + later;
    (count.div_euclid(12), count.rem_euclid(12) + 1)
}

pub fn written((year, month): (i32, i32)) -> String {
    format!("{year:04}-{month:02}")
}
