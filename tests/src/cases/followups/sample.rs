//! What placeholders of sample events stand for.

use serde_json::{Value, json};
use tests::{Company, Forge, Stack, company::text, eventually};
use uuid::Uuid;

use super::{always, enroll, execution, lead, make};

pub async fn value(stack: &Stack, company: &Company, placeholder: &str) -> String {
    match placeholder {
        "paused_sequence_id" => {
            let mut sequence = sequence();
            sequence["is_active"] = json!(false);
            id_of(&make(&company.admin, sequence).await)
        }
        "sequence_id" => id_of(&make(&company.admin, sequence()).await),
        "followed_lead_id" => id_of(&lead(&company.admin, json!({})).await),
        "unsubscribe_token" => {
            let id = id_of(&lead(&company.admin, json!({})).await).parse().expect("an id");
            Forge::of(stack).await.link("unsubscribe", id)
        }
        "followup_job_id" => job(stack, company).await,
        _ => id_of(&on_its_way(company).await),
    }
}

/// With a step that is far off.
pub fn sequence() -> Value {
    always(json!([{"kind": "task", "delay_minutes": 1440, "subject": "Ligar"}]))
}

pub async fn on_its_way(company: &Company) -> Value {
    let (sequence, lead) = (make(&company.admin, sequence()).await, lead(&company.admin, json!({})).await);
    enroll(&company.admin, &sequence, &[&lead]).await;
    execution(&company.admin, &sequence, &lead).await
}

fn id_of(row: &Value) -> String {
    text(&row["id"]).to_owned()
}

/// The job that looks after an execution whose step is due, in nobody's hands yet.
async fn job(stack: &Stack, company: &Company) -> String {
    let id: Uuid = id_of(&on_its_way(company).await).parse().expect("an id");
    let due = "
        with due as (update followup_executions set next_run_at = now() - interval '1 second' where id = $1 returning job_id)
        update jobs set run_at = now() - interval '1 second', dispatched_at = now(), dispatches = 1
          from due where jobs.id = due.job_id returning jobs.id";
    let database = stack.database().await;
    let row = eventually("a job that looks after it", || async {
        database.query_opt(due, &[&id]).await.expect("the database answers")
    });
    row.await.get::<_, Uuid>(0).to_string()
}

pub async fn made(company: &Company) -> Value {
    make(&company.admin, sequence()).await
}

/// A sequence and an execution in which a company's secret stands.
pub async fn of_secret(company: &Company, secret: &str) -> [String; 2] {
    let mut sequence = sequence();
    for name in ["name", "description"] {
        sequence[name] = json!(secret);
    }
    let (sequence, lead) = (make(&company.admin, sequence).await, lead(&company.admin, json!({"name": secret})).await);
    enroll(&company.admin, &sequence, &[&lead]).await;
    [id_of(&sequence), id_of(&execution(&company.admin, &sequence, &lead).await)]
}

/// A line comes to the log at this path.
pub async fn note(stack: &Stack, path: &str) {
    let id: Uuid = path.split('/').nth(3).unwrap_or_default().parse().expect("an id");
    let add = "
        insert into followup_logs (company_id, execution_id, step, attempt, kind, outcome, reason)
        select company_id, id, 0, 1 + (select count(*) from followup_logs where execution_id = $1), 'task', 'put_off', 'outside_window'
          from followup_executions where id = $1";
    stack.database().await.execute(add, &[&id]).await.expect("a line");
}

/// The path of a log that says nothing yet.
pub async fn empty_log(stack: &Stack, company: &Company) -> String {
    let id = id_of(&on_its_way(company).await);
    let clear = "delete from followup_logs where execution_id = $1::text::uuid";
    stack.database().await.execute(clear, &[&id]).await.expect("an empty log");
    format!("/followups/executions/{id}/logs?")
}
