//! What was left to the background: jobs that failed, long ones, raw webhooks.

mod failed_jobs;
mod long_jobs;
mod raw_webhooks;

use serde_json::{Value, json};
use tests::{Company, Stack, Wanted, company::text, eventually, sandbox::fresh_number};
use tokio_postgres::types::Json;
use uuid::Uuid;

use crate::Case;

pub fn cases() -> Vec<(&'static str, Case)> {
    cases! {
        failed_jobs::{
            a_job_that_failed_is_listed_with_its_reason_and_no_secret,
            a_failed_job_is_done_again_and_twice_is_once,
            a_message_that_was_given_up_is_sent_when_its_job_is_done_again,
            jobs_that_did_not_fail_stay_as_they_are,
        };
        long_jobs::{
            all_failed_jobs_of_a_kind_are_done_again_once,
            a_long_job_is_begun_once_at_a_time,
            a_long_job_that_is_cancelled_stops_after_its_page,
            a_long_job_is_its_starters_and_the_admins,
            a_long_job_of_a_colleague_is_the_answer_to_who_may_start_one,
            a_long_job_that_fails_says_why,
        };
        raw_webhooks::{
            webhooks_are_found_by_what_they_are,
            a_good_webhook_that_is_replayed_adds_nothing,
            a_webhook_that_failed_is_stored_when_it_is_replayed,
            a_webhook_of_nobodys_is_the_companys_that_proves_the_number,
            a_webhook_of_nobodys_is_no_other_companys,
            a_webhook_of_a_number_that_was_lost_is_not_applied,
        };
    }
}

/// Failed jobs that find their message delivered once they are done again.
pub async fn failed_jobs(stack: &Stack, company: &Company, count: i32) -> Vec<Uuid> {
    let client = fresh_number();
    company.phone.receive_text(&client, "Oi").await;
    let conversation = company.admin.conversation_id_of(&client).await;
    company.admin.take_over(&conversation).await;
    let said = company.admin.say(&conversation, "já enviada").await;
    let sent = company.admin.message_with_status(&said, "read").await;
    // Its accounts are nobody's, and so within their limits.
    let payload = json!({"message_id": sent["id"]});
    let add = "
        insert into jobs (id, company_id, kind, queue, lane, payload, attempts, failed, last_error, finished_at)
        select gen_random_uuid(), $1, 'deliver_message', 'delivery', 'lane-' || number % 40,
               $2 || jsonb_build_object('channel_account_id', gen_random_uuid()), 10, true, 'não deu', now() - interval '1 second' * number
          from generate_series(1, $3) number
        returning id";
    let rows = stack.database().await.query(add, &[&company.id, &Json(payload), &count]).await.expect("failed jobs");
    rows.iter().map(|row| row.get(0)).collect()
}

pub async fn company(stack: &Stack) -> Company {
    stack.company(Wanted { students: 0, ..Wanted::default() }).await
}

/// The progress of a long job once it is as wanted.
pub async fn progress_when(company: &Company, id: &str, state: &str) -> Value {
    eventually(&format!("a job {state}"), || async {
        // Not so often that the admin is over the limit of requests.
        tokio::time::sleep(std::time::Duration::from_millis(150)).await;
        let progress = company.admin.api.get(&format!("/jobs/{id}")).await.expect(200);
        (text(&progress["state"]) == state).then_some(progress)
    })
    .await
}
