//! GET /jobs/failed, POST /jobs/{id}/retry

use std::sync::Arc;

use futures_util::future::join_all;
use serde_json::{Value, json};
use tests::{Stack, company::text, eventually, sandbox::fresh_number};
use uuid::Uuid;

use super::{company, failed_jobs};
use crate::cases::canary;

/// At its last attempt, with a payload that nobody can read.
const POISON: &str = "
    insert into jobs (id, company_id, kind, queue, lane, payload, attempts, dispatched_at, dispatches)
    values ($1, $2, 'deliver_message', 'delivery', $1::uuid::text, '{\"message_id\": 7}', 9, now() - interval '3 minutes', 1)";

pub async fn a_job_that_failed_is_listed_with_its_reason_and_no_secret(stack: Arc<Stack>) {
    let company = company(&stack).await;
    let secret = format!("EAAG-canary-{}", Uuid::new_v4().simple());
    let channel = json!({
        "kind": "whatsapp_cloud", "name": "WhatsApp", "phone_number_id": company.phone.number_id, "waba_id": "104200000000001",
        "access_token": secret,
    });
    company.admin.api.post("/integrations/config", channel).await.expect(200);
    // Every kind of job there is works with the token once.
    company.received(json!({"media": {"base64": "iVBORw0KGgo=", "mime_type": "image/png"}})).await;
    let (poison, database) = (Uuid::now_v7(), stack.database().await);
    database.execute(POISON, &[&poison, &company.id]).await.expect("poison");
    stack.control("POST", "/fire/DispatchDueJobs", None).await;
    let listed = eventually("the failed job", || async {
        let listed = company.admin.api.get("/jobs/failed?kind=deliver_message").await.expect(200);
        (!listed["data"][0].is_null()).then_some(listed)
    })
    .await;
    let job = &listed["data"][0];
    assert_eq!((text(&job["id"]), &job["attempts"], &job["state"]), (poison.to_string().as_str(), &json!(10), &json!("failed")));
    assert!(text(&job["reason"]).starts_with("payload of deliver_message"), "{job}");
    assert_eq!(job["payload"], json!({"message_id": 7}));
    for (query, rows) in [
        ("kind=deliver_message&from=2020-01-01T00:00:00Z", 1),
        ("kind=fetch_media", 0),
        ("from=2099-01-01T00:00:00Z", 0),
        ("to=2020-01-01T00:00:00Z", 0),
    ] {
        let found = company.admin.api.get(&format!("/jobs/failed?{query}")).await.expect(200);
        assert_eq!(found["data"].as_array().map(Vec::len), Some(rows), "{query}: {found}");
    }
    company.supervisor.api.get("/jobs/failed").await.expect(403);
    assert!(!listed.to_string().contains(&secret));
    canary::assert_nowhere(&stack, &[&secret], &[]).await;
}

pub async fn a_failed_job_is_done_again_and_twice_is_once(stack: Arc<Stack>) {
    let company = company(&stack).await;
    let job = failed_jobs(&stack, &company, 1).await[0];
    let path = format!("/jobs/{job}/retry");
    let answers = join_all((0..6).map(|_| company.admin.api.post(&path, json!({})))).await;
    let answers: Vec<Value> = answers.into_iter().map(|answer| answer.expect(200)).collect();
    assert!(answers.iter().all(|answer| answer["retries"] == 1), "{answers:?}");
    let state = "select finished_at is not null, failed, retries from jobs where id = $1";
    let database = stack.database().await;
    eventually("the job done", || async {
        let row = database.query_one(state, &[&job]).await.expect("the job");
        (row.get::<_, bool>(0)).then(|| assert!(!row.get::<_, bool>(1)))
    })
    .await;
    let again = company.admin.api.post(&path, json!({})).await.expect(200);
    assert_eq!((text(&again["state"]), &again["retries"]), ("done", &json!(1)));
    assert_eq!(company.admin.api.get("/jobs/failed").await.expect(200)["data"], json!([]));
    let audited = "select before from audit_log where company_id = $1 and action = 'retry_job' and target = $2 and after ->> 'retries' = '1'";
    let rows = database.query(audited, &[&company.id, &job.to_string()]).await.expect("audit rows");
    assert_eq!(rows.len(), 1, "one of them has changed something");
    assert_eq!(text(&rows[0].get::<_, Value>(0)["reason"]), "não deu");
    company.supervisor.api.post(&path, json!({})).await.expect(403);
}

/// Nobody has called WhatsApp for it: it may be sent.
pub async fn a_message_that_was_given_up_is_sent_when_its_job_is_done_again(stack: Arc<Stack>) {
    let company = company(&stack).await;
    let client = fresh_number();
    company.phone.receive_text(&client, "Oi").await;
    let conversation = company.admin.conversation_id_of(&client).await;
    company.admin.take_over(&conversation).await;
    company
        .phone
        .fault(json!({"target": "whatsapp.messages", "kind": "error", "status": 503, "code": 131_016, "times": 0}))
        .await;
    let said = company.admin.say(&conversation, "desistida").await;
    let last = "
        update jobs set attempts = 10, run_at = now()
         where company_id = $1 and kind = 'deliver_message' and finished_at is null and last_error is not null and leased_until is null
        returning id";
    let database = stack.database().await;
    let job: Uuid =
        eventually("an attempt", || async { Some(database.query_opt(last, &[&company.id]).await.expect("an answer")?.get(0)) })
            .await;
    stack.control("POST", "/queues/DeliveryQueue/give-back", None).await;
    let failed = company.admin.message_with_status(&said, "failed").await;
    assert_eq!(text(&failed["error_code"]), "not_sent");
    company.phone.heal().await;
    company.admin.api.post(&format!("/jobs/{job}/retry"), json!({})).await.expect(200);
    company.admin.message_with_status(&said, "read").await;
    let sent = company.phone.sent().await;
    let texts: Vec<&str> = sent.iter().map(|sent| text(&sent["body"]["text"]["body"])).collect();
    assert_eq!(texts, ["desistida"]);
}

pub async fn jobs_that_did_not_fail_stay_as_they_are(stack: Arc<Stack>) {
    let company = company(&stack).await;
    let job = Uuid::now_v7();
    let later = "
        insert into jobs (id, company_id, kind, queue, lane, payload, run_at)
        values ($1, $2, 'x', 'bot', 'x', '{}', now() + interval '1 day')";
    let database = stack.database().await;
    database.execute(later, &[&job, &company.id]).await.expect("a job");
    let answer = company.admin.api.post(&format!("/jobs/{job}/retry"), json!({})).await.expect(200);
    assert_eq!((text(&answer["state"]), &answer["retries"]), ("waiting", &json!(0)));
    let row = database.query_one("select run_at > now(), retries from jobs where id = $1", &[&job]).await.expect("the job");
    assert_eq!((row.get::<_, bool>(0), row.get::<_, i32>(1)), (true, 0));
    company.admin.api.post(&format!("/jobs/{}/retry", Uuid::now_v7()), json!({})).await.expect(404);
}
