//! Workers killed in the middle of steps, while leads reply.

use std::sync::Arc;

use futures_util::future::join;
use serde_json::json;
use tests::{Stack, Wanted, company::text, eventually, soon};
use uuid::Uuid;

use super::{always, enroll, execution, executions, fall_due, in_window, lead, logs, make, sent_to};
use crate::cases::faults::{kill, let_leases_pass, until_blocked};

const QUEUE: &str = "FollowupQueue";

pub async fn a_step_whose_worker_is_killed_is_done_once(stack: Arc<Stack>) {
    let company = stack.company(Wanted { agents: 1, students: 0, ..Wanted::default() }).await;
    let agent = &company.agents[0];
    let sequence =
        make(&company.supervisor, always(json!([{"kind": "whatsapp", "body": "Uma vez", "delay_minutes": 600}]))).await;
    let (phone, lead) = in_window(&company).await;
    enroll(agent, &sequence, &[&lead]).await;
    let going = execution(agent, &sequence, &lead).await;
    let (database, other) = (stack.database().await, stack.database().await);
    let row: Uuid = text(&going["id"]).parse().expect("an id");
    other.execute("update followup_executions set next_run_at = now() where id = $1", &[&row]).await.expect("it is due");
    database.batch_execute("begin").await.expect("a transaction");
    database.query("select from followup_executions where id = $1 for update", &[&row]).await.expect("the row is held");
    let due = "update jobs set run_at = now() where company_id = $1 and kind = 'run_sequence_step'";
    other.execute(due, &[&company.id]).await.expect("time passes");
    stack.control("POST", "/fire/DispatchDueJobs", None).await;
    until_blocked(&stack, 1).await;
    kill(&stack, "RunSequenceStep").await;
    database.batch_execute("rollback").await.expect("the row is let go");
    eventually("the message sent", || async {
        let_leases_pass(&stack, &company, QUEUE).await;
        (!sent_to(&company, &phone).await.is_empty()).then_some(())
    })
    .await;
    let_leases_pass(&stack, &company, QUEUE).await;
    soon().await;
    assert_eq!(sent_to(&company, &phone).await.len(), 1);
    let done = execution(agent, &sequence, &lead).await;
    let outcomes: Vec<String> = logs(agent, &done).await.into_iter().map(|(_, outcome, _)| outcome).collect();
    assert_eq!(outcomes, ["enrolled", "sent", "completed"]);
}

/// Whatever dies: each step is done once or ended by the reply, and nothing is stored after one.
pub async fn replies_steps_and_deaths_at_once_leave_each_step_done_once(stack: Arc<Stack>) {
    let company = stack.company(Wanted { agents: 1, students: 0, ..Wanted::default() }).await;
    let agent = &company.agents[0];
    let sequence = make(&company.supervisor, always(json!([{"kind": "whatsapp", "body": "Ainda?", "delay_minutes": 600}]))).await;
    let mut pairs = Vec::new();
    for _ in 0..16 {
        let (phone, lead) = in_window(&company).await;
        enroll(agent, &sequence, &[&lead]).await;
        let going = execution(agent, &sequence, &lead).await;
        pairs.push((phone, lead, going));
    }
    for (number, (phone, _, going)) in pairs.iter().enumerate() {
        let reply = company.phone.receive_text(phone, "Oi de novo");
        let step = async {
            fall_due(&stack, going).await;
            if number % 3 == 0 {
                kill(&stack, "RunSequenceStep").await;
            }
        };
        join(reply, step).await;
    }
    eventually("all over", || async {
        let_leases_pass(&stack, &company, QUEUE).await;
        stack.control("POST", "/fire/DispatchDueJobs", None).await;
        executions(agent, "status=active&limit=100").await.is_empty().then_some(())
    })
    .await;
    soon().await;
    for (phone, lead, _) in &pairs {
        let found = execution(agent, &sequence, lead).await;
        let sent = logs(agent, &found).await.into_iter().filter(|(_, outcome, _)| outcome == "sent").count();
        let is_first = found["status"] == "completed";
        assert_eq!(sent, usize::from(is_first), "{found}");
        assert!(sent_to(&company, phone).await.len() <= sent, "{found}");
    }
    let twice = "
        select count(*) from (select client_message_id from messages where company_id = $1 and client_message_id like 'followup:%'
                               group by 1 having count(*) > 1) twice";
    let count: i64 = stack.database().await.query_one(twice, &[&company.id]).await.expect("a count").get(0);
    assert_eq!(count, 0);
}

pub async fn leads_whose_worker_is_killed_are_taken_in_once(stack: Arc<Stack>) {
    let company = stack.company(Wanted { agents: 1, students: 0, ..Wanted::default() }).await;
    let supervisor = &company.supervisor;
    let add = "
        insert into leads (id, company_id, pipeline_id, stage_id, rank, name, tags)
        select gen_random_uuid(), stages.company_id, stages.pipeline_id, stages.id, 20000000 + number, 'Lead ' || number, '{muitos}'
          from stages cross join generate_series(1, 450) number
         where stages.company_id = $1 and stages.key = 'new'";
    let database = stack.database().await;
    database.execute(add, &[&company.id]).await.expect("leads");
    let mut sequence = always(json!([{"kind": "task", "delay_minutes": 600}]));
    sequence["criteria"] = json!({"tags": ["muitos"]});
    let made = make(supervisor, sequence).await;
    kill(&stack, "RunSequenceStep").await;
    let id: Uuid = text(&made["id"]).parse().expect("an id");
    let count = "
        select (select count(*) from followup_executions where sequence_id = $1),
               (select count(*) from jobs where company_id = $2 and kind = 'run_sequence_step')";
    eventually("all taken in", || async {
        let_leases_pass(&stack, &company, QUEUE).await;
        stack.control("POST", "/fire/DispatchDueJobs", None).await;
        let row = database.query_one(count, &[&id, &company.id]).await.expect("a count");
        ((row.get::<_, i64>(0), row.get::<_, i64>(1)) == (450, 450)).then_some(())
    })
    .await;
    let one = lead(supervisor, json!({"tags": ["muitos"]})).await;
    assert_eq!(enroll(supervisor, &made, &[&one]).await, 1);
}
