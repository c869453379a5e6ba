//! POST /jobs/retry, GET /jobs/{id}, POST /jobs/{id}/cancel: long jobs that people watch.

use std::sync::Arc;

use futures_util::future::join_all;
use serde_json::{Value, json};
use tests::{Stack, company::text, eventually};
use uuid::Uuid;

use super::{company, failed_jobs, progress_when};

const LEFT: &str = "
    select count(*) filter (where failed), count(*) filter (where finished_at is null), coalesce(max(retries), 0)
      from jobs
     where company_id = $1 and kind = 'deliver_message'";

pub async fn all_failed_jobs_of_a_kind_are_done_again_once(stack: Arc<Stack>) {
    let company = company(&stack).await;
    failed_jobs(&stack, &company, 450).await;
    let mut socket = company.admin.socket().await;
    let mut agent = company.agents[0].socket().await;
    let started = company.admin.api.post("/jobs/retry", json!({"kind": "deliver_message"})).await.expect(202);
    assert_eq!((&started["total"], text(&started["state"]), &started["done"]), (&json!(450), "queued", &json!(0)));
    let done = progress_when(&company, text(&started["id"]), "done").await;
    assert_eq!((&done["done"], &done["failed"], &done["result"]), (&json!(450), &json!(0), &json!({"retried": 450})));
    let database = stack.database().await;
    let row = eventually("all of them done", || async {
        let row = database.query_one(LEFT, &[&company.id]).await.expect("counts");
        (row.get::<_, i64>(1) == 0).then_some(row)
    })
    .await;
    assert_eq!((row.get::<_, i64>(0), row.get::<_, i32>(2)), (0, 1), "each was done again once");
    let told: Vec<Value> = socket.drain().await.into_iter().filter(|frame| frame["type"] == "job.progress").collect();
    let states: Vec<&str> = told.iter().map(|frame| text(&frame["data"]["job"]["state"])).collect();
    assert_eq!((states.first(), states.last()), (Some(&"queued"), Some(&"done")), "{states:?}");
    assert!(told.iter().all(|frame| frame["data"]["job"]["id"] == started["id"]));
    assert!(agent.drain().await.iter().all(|frame| frame["type"] != "job.progress"), "it is told to who started it");
    let audited = "select count(*) from audit_log where company_id = $1 and action = 'retry_failed_jobs' and target = $2";
    let row = database.query_one(audited, &[&company.id, &text(&started["id"])]).await.expect("an audit row");
    assert_eq!(row.get::<_, i64>(0), 1);
    // Nothing is left to do, which is done at once.
    let nothing = company.admin.api.post("/jobs/retry", json!({"kind": "deliver_message"})).await.expect(202);
    assert_eq!(nothing["total"], 0);
    progress_when(&company, text(&nothing["id"]), "done").await;
    assert_eq!(company.admin.api.post("/jobs/retry", json!({"kind": "'; --"})).await.problem(422), "invalid");
}

pub async fn a_long_job_is_begun_once_at_a_time(stack: Arc<Stack>) {
    let company = company(&stack).await;
    // It waits behind one that is leased, so that it is not done before the others are asked for.
    let ahead = "
        insert into jobs (id, company_id, kind, queue, lane, payload, leased_until)
        values (gen_random_uuid(), $1, 'x', 'repair', 'retry:deliver_message', '{}', now() + interval '1 day')";
    let database = stack.database().await;
    database.execute(ahead, &[&company.id]).await.expect("a job ahead of it");
    let begun = join_all((0..8).map(|_| company.admin.api.post("/jobs/retry", json!({"kind": "deliver_message"})))).await;
    let ids: Vec<Value> = begun.into_iter().map(|answer| answer.expect(202)["id"].clone()).collect();
    assert!(ids.iter().all(|id| *id == ids[0]), "{ids:?}");
    let added = "select count(*) from jobs where company_id = $1 and kind = 'retry_failed_jobs'";
    assert_eq!(database.query_one(added, &[&company.id]).await.expect("a count").get::<_, i64>(0), 1);
    let other = company.admin.api.post("/jobs/retry", json!({"kind": "fetch_media"})).await.expect(202);
    assert_ne!(other["id"], ids[0], "another kind is another job");
    let gone = "delete from jobs where company_id = $1 and kind = 'x'";
    database.execute(gone, &[&company.id]).await.expect("it is out of the way");
    stack.control("POST", "/queues/RepairQueue/give-back", None).await;
    progress_when(&company, text(&ids[0]), "done").await;
}

pub async fn a_long_job_that_is_cancelled_stops_after_its_page(stack: Arc<Stack>) {
    let company = company(&stack).await;
    company.admin.api.post(&format!("/jobs/{}/cancel", Uuid::now_v7()), json!({})).await.expect(404);
    failed_jobs(&stack, &company, 20_000).await;
    let mut socket = company.admin.socket().await;
    let started = company.admin.api.post("/jobs/retry", json!({"kind": "deliver_message"})).await.expect(202);
    let cancel = format!("/jobs/{}/cancel", text(&started["id"]));
    let cancelled = company.admin.api.post(&cancel, json!({})).await.expect(200);
    assert_eq!(text(&cancelled["state"]), "cancelling");
    company.admin.api.post(&cancel, json!({})).await.expect(200);
    let ended = progress_when(&company, text(&started["id"]), "cancelled").await;
    let done = ended["done"].as_i64().unwrap_or_default();
    assert!(done < 20_000 && done % 200 == 0, "{ended}");
    let row = stack.database().await.query_one(LEFT, &[&company.id]).await.expect("counts");
    assert_eq!(row.get::<_, i64>(0), 20_000 - done, "what was not reached stays as it is");
    let last = socket.frame("the end", |frame| frame["data"]["job"]["state"] == "cancelled").await;
    assert_eq!(last["data"]["job"]["done"], ended["done"]);
    company.admin.api.post(&cancel, json!({})).await.expect(200);
    let rest = "delete from jobs where company_id = $1 and kind = 'deliver_message'";
    stack.database().await.execute(rest, &[&company.id]).await.expect("they are out of the way");
}

const LONG_JOB: &str = "
    insert into job_progress (id, company_id, kind, state, started_by, done, total)
    values ($1, $2, 'import', 'running', $3, 5, 10)";

pub async fn a_long_job_is_its_starters_and_the_admins(stack: Arc<Stack>) {
    let company = company(&stack).await;
    let (id, database) = (Uuid::now_v7(), stack.database().await);
    database.execute(LONG_JOB, &[&id, &company.id, &company.agents[0].id]).await.expect("a long job");
    let (path, cancel) = (format!("/jobs/{id}"), format!("/jobs/{id}/cancel"));
    for person in [&company.agents[1], &company.supervisor] {
        person.api.get(&path).await.expect(404);
        person.api.post(&cancel, json!({})).await.expect(404);
    }
    for person in [&company.agents[0], &company.admin] {
        assert_eq!(person.api.get(&path).await.expect(200)["done"], 5);
    }
    assert_eq!(text(&company.agents[0].api.post(&cancel, json!({})).await.expect(200)["state"]), "cancelling");
    database.execute("update job_progress set state = 'done', finished_at = now() where id = $1", &[&id]).await.expect("it ends");
    let late = company.admin.api.post(&cancel, json!({})).await.expect(409);
    assert_eq!((text(&late["code"]), &late["current"]["state"]), ("job_finished", &json!("done")));
}

/// While it goes on, it is the answer to who would start another.
pub async fn a_long_job_of_a_colleague_is_the_answer_to_who_may_start_one(stack: Arc<Stack>) {
    let company = company(&stack).await;
    let database = stack.database().await;
    let going = "
        insert into job_progress (id, company_id, kind, key, state, started_by)
        values ($1, $2, $3, $4, 'running', $5)";
    let kinds = [("optimize_knowledge", "all"), ("retry_failed_jobs", "deliver_message")];
    let [optimize, retry] = [Uuid::now_v7(), Uuid::now_v7()];
    for (id, (kind, key)) in [optimize, retry].iter().zip(kinds) {
        database.execute(going, &[id, &company.id, &kind, &key, &company.admin.id]).await.expect("a long job");
    }
    let supervisor = &company.supervisor.api;
    let answered = supervisor.post("/knowledge/optimize", json!({})).await.expect(202);
    assert_eq!((text(&answered["id"]), text(&answered["state"])), (optimize.to_string().as_str(), "running"));
    assert_eq!(supervisor.get(&format!("/jobs/{optimize}")).await.expect(200), answered);
    // It is not theirs to end; and what they may not start, they do not see.
    assert_eq!(supervisor.post(&format!("/jobs/{optimize}/cancel"), json!({})).await.problem(403), "forbidden");
    supervisor.get(&format!("/jobs/{retry}")).await.expect(404);
    company.agents[0].api.get(&format!("/jobs/{optimize}")).await.expect(404);
}

/// At its last attempt, with a payload that nobody can read.
const POISON: &str = "
    insert into jobs (id, company_id, kind, queue, lane, payload, attempts, dispatched_at, dispatches)
    values ($1, $2, 'retry_failed_jobs', 'repair', $1::uuid::text, '{}', 9, now() - interval '3 minutes', 1)";

pub async fn a_long_job_that_fails_says_why(stack: Arc<Stack>) {
    let company = company(&stack).await;
    let (id, database) = (Uuid::now_v7(), stack.database().await);
    database.execute(LONG_JOB, &[&id, &company.id, &company.admin.id]).await.expect("a long job");
    let mut socket = company.admin.socket().await;
    database.execute(POISON, &[&id, &company.id]).await.expect("its job");
    stack.control("POST", "/fire/DispatchDueJobs", None).await;
    let failed = progress_when(&company, &id.to_string(), "failed").await;
    assert!(text(&failed["reason"]).starts_with("payload of retry_failed_jobs"), "{failed}");
    let told = socket.of_type("job.progress").await;
    assert_eq!(told["data"]["job"]["state"], "failed");
}
