//! Jobs: the dispatcher while a million wait for later, and one company's deliveries while another has ten thousand due.

use std::time::{Duration, Instant};

use anyhow::{Result, ensure};
use serde_json::{Value, json};
use tests::{Company, Stack, Wanted, sandbox::fresh_number};
use uuid::Uuid;

use crate::report::{Figure, Report, Times};

/// Milliseconds that the dispatcher's question should take.
const AIM: f64 = 100.0;

const FLOOD: usize = 10_000;

/// Of five hundred companies.
const WAITING: &str = "
    insert into jobs (id, company_id, kind, queue, lane, payload, run_at)
    select gen_random_uuid(), company, 'x', 'delivery', gen_random_uuid()::text, '{}', now() + interval '1 hour' * (1 + number % 300)
      from (select gen_random_uuid() as company from generate_series(1, 500)) companies, generate_series(1, 2000) number";

/// Seconds from each of these messages to the end of its job.
const DELIVERED: &str = "
    select extract(epoch from jobs.finished_at - jobs.created_at)::double precision
      from jobs
     where company_id = $1 and kind = 'deliver_message' and finished_at is not null and created_at >= $2";

pub async fn run(stack: &Stack, length: Duration, report: &mut Report) -> Result<()> {
    let (flooded, other) = (stack.company(Wanted::default()).await, stack.company(Wanted::default()).await);
    let conversation = conversation(&other).await;
    deliveries(stack, &other, &conversation, Duration::from_secs(3)).await?;
    let alone = deliveries(stack, &other, &conversation, length).await?;
    let limit = (alone.at(0.95) * 200.0).round() / 100.0;
    report.add(Figure::new("jobs", "delivery, nobody else", &alone));
    let flood = flood(stack, &flooded).await?;
    let beside = deliveries(stack, &other, &conversation, length).await?;
    let left = unfinished(stack, &flooded).await?;
    report.add(
        Figure::new("jobs", format!("delivery, {flood} jobs of another company due"), &beside)
            .aim(limit)
            .with("left_of_the_flood", left),
    );
    dispatcher(stack, report).await
}

async fn dispatcher(stack: &Stack, report: &mut Report) -> Result<()> {
    let mut database = stack.database().await;
    let waiting = database.execute(WAITING, &[]).await?;
    database.batch_execute("analyze jobs").await?;
    let mut times = Times::default();
    for _ in 0..30 {
        let transaction = database.transaction().await?;
        let start = Instant::now();
        transaction.query("select * from app.take_due_jobs(500)", &[]).await?;
        times.add(start.elapsed());
        transaction.rollback().await?;
    }
    report.add(Figure::new("jobs", format!("dispatcher, {waiting} jobs for later"), &times).aim(AIM));
    Ok(())
}

async fn conversation(company: &Company) -> String {
    let client = fresh_number();
    company.phone.receive_text(&client, "Oi").await;
    let id = company.admin.conversation_id_of(&client).await;
    company.agents[0].take_over(&id).await;
    id
}

/// Two messages a second, and how long each waited until it was delivered.
async fn deliveries(stack: &Stack, company: &Company, conversation: &str, length: Duration) -> Result<Times> {
    let database = stack.database().await;
    let start: std::time::SystemTime = database.query_one("select now()", &[]).await?.get(0);
    let mut clock = tokio::time::interval(Duration::from_millis(500));
    for _ in 0..length.as_secs() * 2 {
        clock.tick().await;
        // The same words would be the same message.
        company.agents[0].say(conversation, &format!("Bom dia! {}", Uuid::now_v7())).await;
    }
    while unfinished(stack, company).await? > 0 {
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
    let rows = database.query(DELIVERED, &[&company.id, &start]).await?;
    ensure!(rows.len() as u64 == length.as_secs() * 2, "{} deliveries", rows.len());
    let mut times = Times::default();
    for row in rows {
        times.add(Duration::from_secs_f64(row.get(0)));
    }
    Ok(times)
}

async fn unfinished(stack: &Stack, company: &Company) -> Result<i64> {
    let count = "select count(*) from jobs where company_id = $1 and finished_at is null";
    Ok(stack.database().await.query_one(count, &[&company.id]).await?.get(0))
}

/// Jobs that find their message delivered, each in a lane of its own.
async fn flood(stack: &Stack, company: &Company) -> Result<usize> {
    let conversation = conversation(company).await;
    let message = company.agents[0].say(&conversation, "Bom dia!").await;
    while unfinished(stack, company).await? > 0 {
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
    let jobs: Vec<Value> = (0..FLOOD)
        .map(|_| {
            // An account of nobody's is within its limit of calls.
            let payload = json!({"message_id": message["id"], "channel_account_id": Uuid::now_v7()});
            json!({"id": Uuid::now_v7(), "kind": "deliver_message", "queue": "delivery", "lane": Uuid::now_v7(), "payload": payload})
        })
        .collect();
    let mut database = stack.database().await;
    let transaction = database.transaction().await?;
    transaction.query_one("select app.enter_system($1)", &[&company.id]).await?;
    transaction.query_one("select sent from app.record('[]', $1, '[]', '[]')", &[&json!(jobs)]).await?;
    transaction.commit().await?;
    // Those taken as sent were not: a minute later the dispatcher finds them.
    let lost = "update jobs set dispatched_at = null where company_id = $1 and finished_at is null";
    let flood = database.execute(lost, &[&company.id]).await?;
    stack.control("POST", "/fire/DispatchDueJobs", None).await;
    ensure!(flood == FLOOD as u64, "{flood} jobs in the flood");
    Ok(FLOOD)
}
