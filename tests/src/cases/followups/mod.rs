//! Follow-ups: sequences, who goes through them and when, and what ends that.

pub mod followups_killed;
mod followups_made;
mod followups_planned;
mod followups_replied;
mod followups_run;
mod followups_unsubscribed;
pub mod sample;

use serde_json::{Value, json};
use tests::{Company, Stack, company::Person, company::text, eventually, sandbox::fresh_number};
use uuid::Uuid;

use crate::Case;

pub fn cases() -> Vec<(&'static str, Case)> {
    cases! {
        followups_made::{
            a_sequence_is_made_changed_and_goes,
            bad_sequences_are_refused_and_change_nothing,
            other_front_ends_words_are_understood,
            agents_change_no_sequence_and_see_their_own_leads,
            more_than_500_leads_are_asked_about,
            one_lead_goes_through_a_sequence_once_at_a_time,
        };
        followups_planned::{
            the_table_of_dates_holds_for_a_sequence,
            a_companys_holidays_and_a_leads_zone_count,
            what_was_previewed_is_what_runs,
        };
        followups_run::{
            words_go_out_in_the_window_and_templates_outside,
            what_cannot_be_sent_becomes_a_task,
            conditions_pass_steps_over_and_variants_are_told,
            the_window_is_asked_again_when_a_step_is_due,
            a_lead_gets_no_more_in_a_day_than_may_be,
            what_is_paused_waits_and_goes_on,
            what_is_cancelled_deleted_or_closed_goes_no_further,
            leads_that_come_to_match_are_taken_in,
        };
        followups_replied::{
            a_reply_ends_all_that_goes_on,
            what_is_queued_when_they_reply_is_not_sent,
            of_a_reply_and_a_step_at_once_nothing_is_sent_after,
            a_reply_told_by_hand_counts_as_one,
            of_two_leads_who_become_one_nothing_is_sent_twice,
        };
        followups_unsubscribed::{
            a_mail_says_how_to_end_it_and_one_click_does,
            a_word_ends_it_for_good,
            links_that_are_none_are_not_found,
        };
    }
}

/// What is open around the clock.
fn always(steps: Value) -> Value {
    json!({
        "name": format!("Sequência {}", Uuid::new_v4()), "is_active": true, "steps": steps, "window_start": "00:00", "window_end": "23:59",
        "pause_weekends": false, "pause_holidays": false, "max_per_day": 50, "criteria": {"tags": ["nunca"]},
    })
}

async fn make(person: &Person, sequence: Value) -> Value {
    person.api.post("/followups/sequences", sequence).await.expect(201)
}

async fn lead(person: &Person, more: Value) -> Value {
    let mut lead = json!({"name": "Ana Lima"});
    for (field, value) in more.as_object().into_iter().flatten() {
        lead[field] = value.clone();
    }
    person.api.post("/leads", lead).await.expect(201)
}

/// Somebody with a phone that is their own.
async fn reachable(person: &Person) -> (String, Value) {
    let phone = fresh_number();
    let lead = lead(person, json!({"phone": phone})).await;
    (phone, lead)
}

/// Who has written within the last day: they are a client with an open window, and a lead.
async fn in_window(company: &Company) -> (String, Value) {
    let phone = fresh_number();
    company.phone.receive_text(&phone, "Quero saber mais").await;
    let client = company.admin.conversation_of(&phone).await["client_id"].clone();
    let lead = lead(&company.supervisor, json!({"phone": phone, "client_id": client, "closer_id": company.agents[0].id})).await;
    (phone, lead)
}

async fn enroll(person: &Person, sequence: &Value, leads: &[&Value]) -> i64 {
    let ids: Vec<&Value> = leads.iter().map(|lead| &lead["id"]).collect();
    let path = format!("/followups/sequences/{}/enroll", text(&sequence["id"]));
    person.api.post(&path, json!({"lead_ids": ids})).await.expect(200)["enrolled"].as_i64().unwrap_or(-1)
}

async fn executions(person: &Person, query: &str) -> Vec<Value> {
    let page = person.api.get(&format!("/followups/executions?{query}")).await.expect(200);
    page["data"].as_array().cloned().unwrap_or_default()
}

/// Of a lead in a sequence, the newest.
async fn execution(person: &Person, sequence: &Value, lead: &Value) -> Value {
    let query = format!("sequence_id={}&lead_id={}", text(&sequence["id"]), text(&lead["id"]));
    executions(person, &query).await.into_iter().next().unwrap_or_default()
}

async fn execution_when(person: &Person, sequence: &Value, lead: &Value, what: &str, is_so: impl Fn(&Value) -> bool) -> Value {
    eventually(&format!("an execution {what}"), || async {
        let found = execution(person, sequence, lead).await;
        is_so(&found).then_some(found)
    })
    .await
}

async fn ended(person: &Person, sequence: &Value, lead: &Value, status: &str) -> Value {
    execution_when(person, sequence, lead, status, |found| found["status"] == status).await
}

/// What the log tells, the oldest first: the step, what came of it, why.
async fn logs(person: &Person, execution: &Value) -> Vec<(Option<i64>, String, String)> {
    let path = format!("/followups/executions/{}/logs?order=asc&limit=100", text(&execution["id"]));
    let page = person.api.get(&path).await.expect(200);
    let row = |log: &Value| {
        (log["step"].as_i64(), text(&log["outcome"]).to_owned(), log["reason"].as_str().unwrap_or_default().to_owned())
    };
    page["data"].as_array().into_iter().flatten().map(row).collect()
}

fn log(step: Option<i64>, outcome: &str, reason: &str) -> (Option<i64>, String, String) {
    (step, outcome.to_owned(), reason.to_owned())
}

/// Lets the time pass at which the next step of an execution is due.
async fn fall_due(stack: &Stack, execution: &Value) {
    let id: Uuid = text(&execution["id"]).parse().expect("an id");
    let due = "
        with due as (update followup_executions set next_run_at = now() where id = $1 returning job_id)
        update jobs set run_at = now() where id = (select job_id from due)";
    stack.database().await.execute(due, &[&id]).await.expect("time passes");
    stack.control("POST", "/fire/DispatchDueJobs", None).await;
}

/// Texts that a number has sent to a phone.
async fn sent_to(company: &Company, phone: &str) -> Vec<Value> {
    company.phone.sent().await.into_iter().filter(|sent| sent["body"]["to"] == phone).map(|sent| sent["body"].clone()).collect()
}

async fn first_sent_to(company: &Company, phone: &str) -> Value {
    eventually("a message", || async { sent_to(company, phone).await.first().cloned() }).await
}
