//! Workers that are killed in the middle of what a stage does, and leads that go on before it is done.

use std::sync::Arc;

use reqwest::Method;
use serde_json::{Value, json};
use tests::{Company, Stack, Wanted, company::text, eventually, sandbox::fresh_number, soon};
use uuid::Uuid;

use super::{
    automations::{automate, tasks, told},
    lead_with, mov, path, pipeline, stage,
    stages::{draw, drawn},
};
use crate::cases::faults::{dispatch, kill, let_leases_pass, unfinished, until_all_done, until_blocked};

const QUEUE: &str = "StagesQueue";

async fn one_agent(stack: &Stack) -> Company {
    stack.company(Wanted { agents: 1, students: 0, ..Wanted::default() }).await
}

/// Somebody who has written, as a lead.
async fn who_wrote(company: &Company) -> (String, Value) {
    let phone = fresh_number();
    company.phone.receive_text(&phone, "Quero saber mais").await;
    let client = company.admin.conversation_of(&phone).await["client_id"].clone();
    let lead = lead_with(&company.supervisor, json!({"name": "Ana Lima", "phone": phone, "client_id": client})).await;
    (phone, lead)
}

fn outcomes(told: Vec<(String, String, String)>) -> Vec<String> {
    told.into_iter()
        .map(|(automation, outcome, reason)| format!("{automation} {outcome} {reason}").trim_end().to_owned())
        .collect()
}

pub async fn what_a_killed_worker_has_not_done_is_done_once(stack: Arc<Stack>) {
    let company = one_agent(&stack).await;
    let (boss, agent) = (&company.supervisor, &company.agents[0]);
    let drawn_now = automate(
        boss,
        "contacted",
        json!([{"kind": "task", "title": "Antes"}, {"kind": "message", "body": "Uma vez"}, {"kind": "task", "title": "Depois"}]),
    )
    .await;
    let (phone, lead) = who_wrote(&company).await;
    let id: Uuid = text(&lead["id"]).parse().expect("an id");
    // The message waits for its conversation, with the first task done.
    let (database, other) = (stack.database().await, stack.database().await);
    database.batch_execute("begin").await.expect("a transaction");
    let held = "select from conversations where company_id = $1 for update";
    database.query(held, &[&company.id]).await.expect("the conversation is held");
    mov(agent, &lead, json!({"stage_id": stage(&drawn_now, "contacted")})).await.expect(200);
    until_blocked(&stack, 1).await;
    let done = "select count(*) from lead_automations where company_id = $1 and lead_id = $2 and outcome is not null";
    let count: i64 = other.query_one(done, &[&company.id, &id]).await.expect("a count").get(0);
    assert_eq!(count, 1, "the first is done");
    kill(&stack, "RunStageAutomation").await;
    database.batch_execute("rollback").await.expect("the conversation is let go");
    eventually("all done", || async {
        let_leases_pass(&stack, &company, QUEUE).await;
        (told(boss, &lead).await.len() == 3).then_some(())
    })
    .await;
    let_leases_pass(&stack, &company, QUEUE).await;
    until_all_done(&stack, &company).await;
    soon().await;
    assert_eq!(outcomes(told(boss, &lead).await), ["task done", "message done", "task done"]);
    let titles: Vec<String> = tasks(&stack, &company).await.into_iter().map(|(title, ..)| title).collect();
    assert_eq!(titles, ["Antes", "Depois"]);
    let sent = company.phone.sent().await.into_iter().filter(|sent| sent["body"]["to"] == phone.as_str()).count();
    assert_eq!(sent, 1);
}

pub async fn whatever_dies_each_entry_does_each_once(stack: Arc<Stack>) {
    let company = one_agent(&stack).await;
    let (boss, agent) = (&company.supervisor, &company.agents[0]);
    let drawn_now =
        automate(boss, "contacted", json!([{"kind": "message", "body": "Oi"}, {"kind": "task", "title": "Ligar"}])).await;
    let mut leads = Vec::new();
    for number in 0..12 {
        let (phone, lead) = who_wrote(&company).await;
        mov(agent, &lead, json!({"stage_id": stage(&drawn_now, "contacted")})).await.expect(200);
        if number % 3 == 0 {
            kill(&stack, "RunStageAutomation").await;
        }
        leads.push((phone, lead));
    }
    eventually("all done", || async {
        let_leases_pass(&stack, &company, QUEUE).await;
        dispatch(&stack, &company).await;
        let left = "select count(*) from lead_automations where company_id = $1 and outcome is null";
        let left: i64 = stack.database().await.query_one(left, &[&company.id]).await.expect("a count").get(0);
        (left == 0).then_some(())
    })
    .await;
    // What a worker has committed and not sent is sent for it.
    eventually("nothing left behind", || async {
        dispatch(&stack, &company).await;
        (unfinished(&stack, &company).await == 0).then_some(())
    })
    .await;
    soon().await;
    let sent = company.phone.sent().await;
    for (phone, lead) in &leads {
        assert_eq!(outcomes(told(boss, lead).await), ["message done", "task done"]);
        assert_eq!(sent.iter().filter(|sent| sent["body"]["to"] == phone.as_str()).count(), 1);
    }
    assert_eq!(tasks(&stack, &company).await.len(), 12);
}

/// People are asked for what was entered, too, whoever moves on; nothing is done for who is gone, and who has left the stage is not written to.
pub async fn who_has_moved_on_or_is_gone_is_not_written_to(stack: Arc<Stack>) {
    let company = one_agent(&stack).await;
    let (boss, agent) = (&company.supervisor, &company.agents[0]);
    let steps = json!([{"kind": "task", "title": "Entrou"}, {"kind": "message", "body": "Oi"}]);
    let drawn_now = automate(boss, "contacted", steps).await;
    let contacted = stage(&drawn_now, "contacted");
    let (moved_phone, moved) = who_wrote(&company).await;
    let (gone_phone, gone) = who_wrote(&company).await;
    let (left_phone, left) = who_wrote(&company).await;
    // Nothing is done for them until all is said.
    let database = stack.database().await;
    database.batch_execute("begin").await.expect("a transaction");
    database.query("select from clients where company_id = $1 for update", &[&company.id]).await.expect("they are held");
    for lead in [&moved, &gone, &left] {
        mov(agent, lead, json!({"stage_id": contacted})).await.expect(200);
    }
    until_blocked(&stack, 3).await;
    mov(agent, &moved, json!({"stage_id": stage(&drawn_now, "proposal")})).await.expect(200);
    agent.api.call(Method::DELETE, &path(&gone), None).await.expect(204);
    // The stage goes as well, and its cards go along with it into one that has automations of its own: nobody has moved them there.
    let with_task = automate(boss, "qualified", json!([{"kind": "task", "title": "Qualificar"}])).await;
    let mut stages = drawn(&with_task);
    stages.retain(|stage| stage["id"] != json!(contacted));
    let moves = json!({&contacted: stage(&with_task, "qualified")});
    draw(boss, &pipeline(boss).await, json!({"stages": stages, "move_leads": moves})).await.expect(200);
    database.batch_execute("rollback").await.expect("they are let go");
    until_all_done(&stack, &company).await;
    for lead in [&moved, &left] {
        assert_eq!(outcomes(told(boss, lead).await), ["task done", "message skipped moved_on"]);
    }
    let id: Uuid = text(&gone["id"]).parse().expect("an id");
    let reasons = "select array_agg(reason order by place) from lead_automations where company_id = $1 and lead_id = $2";
    let reasons: Vec<String> = database.query_one(reasons, &[&company.id, &id]).await.expect("reasons").get(0);
    assert_eq!(reasons, ["lead_deleted", "lead_deleted"]);
    let titles: Vec<String> = tasks(&stack, &company).await.into_iter().map(|(title, ..)| title).collect();
    assert_eq!(titles, ["Entrou", "Entrou"]);
    let phones = [moved_phone, gone_phone, left_phone];
    let sent =
        company.phone.sent().await.into_iter().filter(|sent| phones.iter().any(|phone| sent["body"]["to"] == phone.as_str()));
    assert_eq!(sent.count(), 0);
}
