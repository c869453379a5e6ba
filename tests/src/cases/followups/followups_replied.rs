//! Replies: what goes on by itself ends in the transaction that stores one.

use std::sync::Arc;

use futures_util::future::{join, join_all};
use serde_json::{Value, json};
use tests::{Company, Stack, Wanted, company::text, eventually, soon};
use uuid::Uuid;

use super::{always, ended, enroll, execution, executions, fall_due, in_window, lead, log, logs, make, sent_to};

fn far_off(body: &str) -> Value {
    json!([{"kind": "whatsapp", "body": body, "delay_minutes": 600}])
}

/// Summaries of what was done with a lead, the newest first.
async fn interactions(company: &Company, lead: &Value) -> Vec<(String, String)> {
    let page = company.supervisor.api.get(&format!("/leads/{}/interactions", text(&lead["id"]))).await.expect(200);
    let row = |row: &Value| (text(&row["summary"]).to_owned(), text(&row["result"]).to_owned());
    page["data"].as_array().into_iter().flatten().map(row).collect()
}

fn answered() -> (String, String) {
    ("Resposta recebida no follow-up automatizado".to_owned(), "contacted".to_owned())
}

fn received() -> (String, String) {
    ("Mensagem recebida via WhatsApp".to_owned(), "contacted".to_owned())
}

async fn titles(company: &Company) -> Vec<String> {
    let page = company.agents[0].api.get("/notifications").await.expect(200);
    let told = page["data"].as_array().into_iter().flatten().filter(|told| told["type"] == "lead_responded");
    told.map(|told| text(&told["title"]).to_owned()).collect()
}

pub async fn a_reply_ends_all_that_goes_on(stack: Arc<Stack>) {
    let company = stack.company(Wanted::default()).await;
    let (supervisor, agent) = (&company.supervisor, &company.agents[0]);
    let (one, other) = (make(supervisor, always(far_off("Um"))).await, make(supervisor, always(far_off("Dois"))).await);
    let (phone, lead) = in_window(&company).await;
    let before = interactions(&company, &lead).await;
    enroll(agent, &one, &[&lead]).await;
    enroll(agent, &other, &[&lead]).await;
    supervisor.api.post(&format!("/followups/sequences/{}/pause", text(&other["id"])), json!({})).await.expect(200);
    company.phone.receive_text(&phone, "Tenho interesse").await;
    for sequence in [&one, &other] {
        let found = execution(agent, sequence, &lead).await;
        assert_eq!(text(&found["status"]), "responded", "{found}");
        assert!(!found["responded_at"].is_null() && found["next_run_at"].is_null());
    }
    let mut expected = vec![answered()];
    expected.extend(before.clone());
    assert_eq!(interactions(&company, &lead).await, expected, "one interaction, whatever ended");
    assert_eq!(titles(&company).await, ["Ana Lima respondeu ao follow-up!"]);
    company.phone.receive_text(&phone, "Alô?").await;
    assert_eq!(interactions(&company, &lead).await, expected);
    let found = execution(agent, &one, &lead).await;
    assert_eq!(logs(agent, &found).await, [log(None, "enrolled", ""), log(None, "responded", "")]);
    fall_due(&stack, &found).await;
    soon().await;
    assert!(sent_to(&company, &phone).await.is_empty());
    let stats = agent.api.get(&format!("/followups/sequences/{}/stats", text(&one["id"]))).await.expect(200);
    assert_eq!((&stats["responded"], text(&stats["response_rate"])), (&json!(1), "100.0"));
}

pub async fn what_is_queued_when_they_reply_is_not_sent(stack: Arc<Stack>) {
    let company = stack.company(Wanted::default()).await;
    let agent = &company.agents[0];
    let steps = json!([{"kind": "whatsapp", "body": "Ainda tem interesse?"}, {"kind": "task", "delay_minutes": 600}]);
    let sequence = make(&company.supervisor, always(steps)).await;
    let (phone, lead) = in_window(&company).await;
    let id: Uuid = text(&company.supervisor.conversation_of(&phone).await["id"]).parse().expect("an id");
    let database = stack.database().await;
    enroll(agent, &sequence, &[&lead]).await;
    super::execution_when(agent, &sequence, &lead, "at its second step", |found| found["current_step"] == 1).await;
    // As if delivery had been slow: the message waits in its queue again.
    let thread = company.supervisor.thread(&id.to_string()).await;
    let ours = thread.iter().find(|message| message["sender_type"] == "bot").cloned().unwrap_or_default();
    company.supervisor.message_with_status(&ours, "read").await;
    let again = "
        with again as (
            update messages set status = 'queued', provider_id = null, sending_at = null
             where conversation_id = $1 and sender_type = 'bot' returning id)
        update jobs set finished_at = null, dispatched_at = null, run_at = now() + interval '1 hour'
          from again where jobs.kind = 'deliver_message' and jobs.payload ->> 'message_id' = again.id::text
        returning jobs.id";
    let jobs = database.query(again, &[&id]).await.expect("it waits again");
    assert_eq!(jobs.len(), 1);
    company.phone.receive_text(&phone, "Tenho!").await;
    let due = "update jobs set run_at = now() where id = $1";
    database.execute(due, &[&jobs[0].get::<_, Uuid>(0)]).await.expect("it is delivered now");
    stack.control("POST", "/fire/DispatchDueJobs", None).await;
    let message = eventually("the message silenced", || async {
        let thread = company.supervisor.thread(&id.to_string()).await;
        thread.into_iter().find(|message| message["sender_type"] == "bot" && message["status"] == "failed")
    })
    .await;
    assert_eq!(text(&message["error_code"]), "silenced", "{message}");
    assert_eq!(sent_to(&company, &phone).await.len(), 1);
}

/// Many pairs: whichever comes first, no message of ours is stored after the reply, and what is sent was sent before.
pub async fn of_a_reply_and_a_step_at_once_nothing_is_sent_after(stack: Arc<Stack>) {
    let company = stack.company(Wanted::default()).await;
    let agent = &company.agents[0];
    let mut pairs = Vec::new();
    for number in 0..24 {
        let sequence = make(&company.supervisor, always(far_off(&format!("Passo {number}")))).await;
        let (phone, lead) = in_window(&company).await;
        enroll(agent, &sequence, &[&lead]).await;
        let going = execution(agent, &sequence, &lead).await;
        pairs.push((phone, lead, sequence, going));
    }
    let race =
        pairs.iter().map(|(phone, _, _, going)| join(company.phone.receive_text(phone, "Oi de novo"), fall_due(&stack, going)));
    join_all(race).await;
    eventually("all over", || async {
        let open = executions(&company.supervisor, "status=active&limit=100").await;
        open.is_empty().then_some(())
    })
    .await;
    let ordered = "
        select count(*)
          from messages ours
          join messages theirs on theirs.company_id = ours.company_id and theirs.conversation_id = ours.conversation_id
                              and theirs.sender_type = 'client' and theirs.body = 'Oi de novo'
         where ours.company_id = $1 and ours.client_message_id like 'followup:%' and ours.created_at > theirs.created_at
           and exists (select from followup_executions executions
                         join followup_logs logs on logs.execution_id = executions.id
                        where logs.message_id = ours.id and executions.status = 'responded')";
    let late: i64 = stack.database().await.query_one(ordered, &[&company.id]).await.expect("a count").get(0);
    assert_eq!(late, 0);
    for (phone, lead, sequence, _) in &pairs {
        let found = execution(agent, sequence, lead).await;
        let count = sent_to(&company, phone).await.len();
        match text(&found["status"]) {
            "responded" => assert_eq!(count, 0, "{found}"),
            // The step was first, and its end with it; it went out unless the reply came before it was handed over.
            "completed" => assert!(count <= 1, "{found}"),
            other => panic!("{other}: {found}"),
        }
        let what = logs(agent, &found).await;
        assert_eq!(
            what.iter().filter(|(_, outcome, _)| outcome == "sent").count(),
            usize::from(found["status"] == "completed"),
            "{what:?}"
        );
    }
}

pub async fn a_reply_told_by_hand_counts_as_one(stack: Arc<Stack>) {
    let company = stack.company(Wanted::default()).await;
    let (supervisor, agent) = (&company.supervisor, &company.agents[0]);
    let sequence = make(supervisor, always(json!([{"kind": "task", "delay_minutes": 600}]))).await;
    let lead = lead(supervisor, json!({"closer_id": agent.id})).await;
    enroll(supervisor, &sequence, &[&lead]).await;
    let response = json!({"lead_id": lead["id"], "channel": "email", "message": "Pode me ligar"});
    let told = supervisor.api.post("/followup/responses", response.clone()).await.expect(200);
    assert_eq!(told, json!({"success": true, "message": "Resposta processada com sucesso"}));
    ended(agent, &sequence, &lead, "responded").await;
    assert_eq!(interactions(&company, &lead).await, [answered()]);
    assert_eq!(titles(&company).await, ["Ana Lima respondeu ao follow-up!"]);
    // Where nothing goes on, an e-mail is none, and the first by WhatsApp of a day is written down once; on this day a reply was.
    supervisor.api.post("/followups/responses", response).await.expect(200);
    assert_eq!(interactions(&company, &lead).await, [answered()]);
    let other = super::lead(supervisor, json!({"name": "Bia"})).await;
    for _ in 0..2 {
        let response = json!({"lead_id": other["id"], "channel": "whatsapp", "message": "Oi"});
        supervisor.api.post("/followups/responses", response).await.expect(200);
    }
    assert_eq!(interactions(&company, &other).await, [received()]);
    for wrong in [
        json!({"lead_id": Uuid::new_v4(), "channel": "whatsapp", "message": "Oi"}),
        json!({"lead_id": other["id"], "channel": "pombo", "message": "Oi"}),
        json!({"channel": "whatsapp", "message": "Oi"}),
    ] {
        let status = supervisor.api.post("/followups/responses", wrong).await.status;
        assert!([404, 422].contains(&status), "{status}");
    }
}

pub async fn of_two_leads_who_become_one_nothing_is_sent_twice(stack: Arc<Stack>) {
    let company = stack.company(Wanted::default()).await;
    let supervisor = &company.supervisor;
    let steps = json!([{"kind": "task", "subject": "Um"}, {"kind": "task", "subject": "Dois", "delay_minutes": 600}]);
    let (both, one) = (make(supervisor, always(steps.clone())).await, make(supervisor, always(steps)).await);
    let (kept, gone) = (lead(supervisor, json!({"name": "Fica"})).await, lead(supervisor, json!({"name": "Vai"})).await);
    enroll(supervisor, &both, &[&gone]).await;
    enroll(supervisor, &one, &[&gone]).await;
    for sequence in [&both, &one] {
        super::execution_when(supervisor, sequence, &gone, "at its second step", |found| found["current_step"] == 1).await;
    }
    // Who stays is in one of them, and has not been through its first step.
    let later = "
        insert into followup_executions (company_id, sequence_id, lead_id, next_run_at)
        values ($1, $2::text::uuid, $3::text::uuid, now() + interval '1 hour')";
    let values: [&(dyn tokio_postgres::types::ToSql + Sync); 3] = [&company.id, &text(&both["id"]), &text(&kept["id"])];
    stack.database().await.execute(later, &values).await.expect("an execution");
    let path = format!("/leads/{}/merge", text(&kept["id"]));
    supervisor.api.post(&path, json!({"lead_id": gone["id"]})).await.expect(201);
    let [of_both, of_one] = [execution(supervisor, &both, &kept).await, execution(supervisor, &one, &kept).await];
    assert_eq!(
        (&of_both["current_step"], text(&of_both["status"])),
        (&json!(1), "active"),
        "as far as who was farther: {of_both}"
    );
    assert_eq!((&of_one["current_step"], text(&of_one["status"])), (&json!(1), "active"), "{of_one}");
    let stopped = "
        select count(*) from followup_executions
         where company_id = $1 and lead_id = $2::text::uuid and status = 'cancelled' and reason = 'merged'";
    let count: i64 = stack.database().await.query_one(stopped, &[&company.id, &text(&gone["id"])]).await.expect("a count").get(0);
    assert_eq!(count, 1);
}
