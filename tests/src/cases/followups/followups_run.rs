//! What steps do, and when they do not.

use std::sync::Arc;

use reqwest::Method;
use serde_json::{Value, json};
use tests::{Company, Stack, Wanted, company::text, eventually, soon};
use uuid::Uuid;

use super::{
    always, ended, enroll, execution, execution_when, executions, fall_due, first_sent_to, in_window, lead, log, logs, make,
    reachable, sent_to,
};
use crate::cases::desk::templates;

async fn tasks(stack: &Stack, company: &Company) -> Vec<(String, String, String, Uuid)> {
    let rows = "select kind, title, notes, owner_id from tasks where company_id = $1 order by created_at, id";
    let rows = stack.database().await.query(rows, &[&company.id]).await.expect("tasks");
    rows.iter().map(|row| (row.get(0), row.get(1), row.get(2), row.get(3))).collect()
}

fn whatsapp(body: &str) -> Value {
    json!({"kind": "whatsapp", "body": body})
}

pub async fn words_go_out_in_the_window_and_templates_outside(stack: Arc<Stack>) {
    let (company, _) = templates::company(&stack).await;
    templates::sync(&company).await;
    let (supervisor, agent) = (&company.supervisor, &company.agents[0]);
    let values = json!([{"name": "1", "value": "{{client.name}}"}, {"name": "2", "value": "Escola Sol"}]);
    let step = json!({
        "kind": "whatsapp", "body": "Oi, {{client.name}}! Aqui é {{agent.name}}.", "template": {"name": "boas_vindas", "parameters": values},
    });
    let sequence = make(supervisor, always(json!([step]))).await;
    let (near, in_time) = in_window(&company).await;
    let (far, late) = reachable(supervisor).await;
    assert_eq!(enroll(agent, &sequence, &[&in_time, &late]).await, 2);
    let done = ended(agent, &sequence, &in_time, "completed").await;
    ended(agent, &sequence, &late, "completed").await;
    let named = "select name from users where id = $1";
    let name: String = stack.database().await.query_one(named, &[&agent.id]).await.expect("a name").get(0);
    assert_eq!(text(&first_sent_to(&company, &near).await["text"]["body"]), format!("Oi, Ana Lima! Aqui é {name}."));
    let template = first_sent_to(&company, &far).await;
    assert_eq!(text(&template["template"]["name"]), "boas_vindas");
    assert_eq!(template["template"]["components"][0]["parameters"][0]["text"], "Ana Lima", "{template}");
    assert_eq!(logs(agent, &done).await, [log(None, "enrolled", ""), log(Some(0), "sent", ""), log(None, "completed", "")]);
    // The conversation that began is somebody's, and the lead is a client now.
    let conversation = supervisor.conversation_of(&far).await;
    assert_eq!((text(&conversation["status"]), text(&conversation["mode"])), ("active", "human"), "{conversation}");
    let lead = agent.api.get(&format!("/leads/{}", text(&late["id"]))).await.expect(200);
    assert_eq!(lead["client_id"], conversation["client_id"]);
    // Nobody has answered with it: the client's words still wait.
    let conversation = supervisor.conversation_of(&near).await;
    assert_eq!((text(&conversation["status"]), &conversation["unread"]), ("pending", &json!(1)), "{conversation}");
    let mine = text(&done["id"]);
    let path = format!("/followups/executions/{mine}/logs");
    let told = agent.api.get(&path).await.expect(200);
    let message = told["data"].as_array().into_iter().flatten().find(|log| log["outcome"] == "sent").cloned().unwrap_or_default();
    let thread = supervisor.thread(text(&conversation["id"])).await;
    assert!(
        thread.iter().any(|said| said["id"] == message["message_id"] && said["sender_type"] == "bot"),
        "{message} {thread:?}"
    );
}

pub async fn what_cannot_be_sent_becomes_a_task(stack: Arc<Stack>) {
    let company = stack.company(Wanted::default()).await;
    let (supervisor, agent) = (&company.supervisor, &company.agents[0]);
    let unknown = json!({"kind": "whatsapp", "template": {"name": "nenhum"}});
    let steps =
        json!([whatsapp("Oi"), unknown, {"kind": "call_task", "subject": "Ligar para {{client.name}}", "body": "Insistir"}]);
    let sequence = make(supervisor, always(steps)).await;
    let (phone, lead) = reachable(supervisor).await;
    agent.api.call(Method::PUT, &format!("/leads/{}", text(&lead["id"])), Some(json!({"closer_id": agent.id}))).await.expect(200);
    enroll(agent, &sequence, &[&lead]).await;
    let done = ended(agent, &sequence, &lead, "completed").await;
    let expected = [
        log(None, "enrolled", ""),
        log(Some(0), "task", "window_closed"),
        log(Some(1), "task", "unknown_template"),
        log(Some(2), "task", ""),
        log(None, "completed", ""),
    ];
    assert_eq!(logs(agent, &done).await, expected);
    let told: Vec<_> = tasks(&stack, &company).await;
    let shown: Vec<_> =
        told.iter().map(|(kind, title, notes, owner)| (kind.as_str(), title.as_str(), notes.as_str(), *owner)).collect();
    assert_eq!(
        shown,
        [
            ("message", "Escrever para Ana Lima no WhatsApp", "Oi", agent.id),
            ("message", "Escrever para Ana Lima no WhatsApp", "", agent.id),
            ("call", "Ligar para Ana Lima", "Insistir", agent.id),
        ]
    );
    assert!(sent_to(&company, &phone).await.is_empty());
    let begun = "select count(*) from clients join client_identities on client_id = clients.id where clients.company_id = $1 and value = $2";
    let count: i64 = stack.database().await.query_one(begun, &[&company.id, &phone]).await.expect("a count").get(0);
    assert_eq!(count, 0, "no conversation and no client were left behind");
}

pub async fn conditions_pass_steps_over_and_variants_are_told(stack: Arc<Stack>) {
    let company = stack.company(Wanted::default()).await;
    let supervisor = &company.supervisor;
    let steps = json!([
        {"kind": "task", "subject": "A", "variants": [{"subject": "B"}]},
        {"kind": "task", "subject": "Quente", "condition": {"temperatures": ["hot"]}},
        {"kind": "email", "subject": "Oi", "body": "Oi"},
        whatsapp("Oi"),
    ]);
    let sequence = make(supervisor, always(steps)).await;
    let mut leads = Vec::new();
    for _ in 0..12 {
        leads.push(lead(supervisor, json!({})).await);
    }
    assert_eq!(enroll(supervisor, &sequence, &leads.iter().collect::<Vec<_>>()).await, 12);
    for lead in &leads {
        let done = ended(supervisor, &sequence, lead, "completed").await;
        let expected = [
            log(None, "enrolled", ""),
            log(Some(0), "task", ""),
            log(Some(1), "skipped", "condition"),
            log(Some(2), "skipped", "no_email"),
            log(Some(3), "skipped", "no_phone"),
            log(None, "completed", ""),
        ];
        assert_eq!(logs(supervisor, &done).await, expected);
    }
    let stats = supervisor.api.get(&format!("/followups/sequences/{}/stats", text(&sequence["id"]))).await.expect(200);
    assert_eq!(
        (&stats["enrolled"], &stats["completed"], text(&stats["response_rate"])),
        (&json!(12), &json!(12), "0.0"),
        "{stats}"
    );
    let variants = stats["steps"].as_array().cloned().unwrap_or_default();
    assert_eq!(variants.iter().map(|row| row["tasks"].as_i64().unwrap_or_default()).sum::<i64>(), 12, "{stats}");
    assert_eq!(variants.len(), 2, "of twelve, some have each: {stats}");
    assert_eq!(stats["skipped"].as_array().map(Vec::len), Some(3), "{stats}");
    let written: Vec<String> = tasks(&stack, &company).await.into_iter().map(|(_, title, ..)| title).collect();
    assert!(written.iter().all(|title| title == "A" || title == "B") && written.len() == 12, "{written:?}");
}

pub async fn the_window_is_asked_again_when_a_step_is_due(stack: Arc<Stack>) {
    let company = stack.company(Wanted::default()).await;
    let supervisor = &company.supervisor;
    let sequence = make(supervisor, always(json!([{"kind": "task", "delay_minutes": 600}]))).await;
    let lead = lead(supervisor, json!({})).await;
    enroll(supervisor, &sequence, &[&lead]).await;
    // It closes once they are on their way: of two windows one is never now.
    let zone = jiff::tz::TimeZone::get("America/Sao_Paulo").expect("a zone");
    let is_morning = zone.to_datetime(jiff::Timestamp::now()).hour() < 12;
    let window = if is_morning { ["13:00", "14:00"] } else { ["08:00", "09:00"] };
    let path = format!("/followups/sequences/{}", text(&sequence["id"]));
    let change = |[start, end]: [&str; 2]| Some(json!({"window_start": start, "window_end": end}));
    supervisor.api.call(Method::PUT, &path, change(window)).await.expect(200);
    fall_due(&stack, &execution(supervisor, &sequence, &lead).await).await;
    eventually("put off", || async {
        let found = execution(supervisor, &sequence, &lead).await;
        logs(supervisor, &found).await.contains(&log(Some(0), "put_off", "outside_window")).then_some(())
    })
    .await;
    let put_off = execution(supervisor, &sequence, &lead).await;
    let runs: jiff::Timestamp = text(&put_off["next_run_at"]).parse().expect("a time");
    assert_eq!(zone.to_datetime(runs).strftime("%H:%M").to_string(), window[0]);
    assert!(tasks(&stack, &company).await.is_empty());
    supervisor.api.call(Method::PUT, &path, change(["00:00", "23:59"])).await.expect(200);
    fall_due(&stack, &put_off).await;
    let done = ended(supervisor, &sequence, &lead, "completed").await;
    let attempts = supervisor.api.get(&format!("/followups/executions/{}/logs?order=asc", text(&done["id"]))).await.expect(200);
    let attempts: Vec<_> = attempts["data"].as_array().into_iter().flatten().filter_map(|log| log["attempt"].as_i64()).collect();
    assert_eq!(attempts, [1, 2], "each attempt once");
}

pub async fn a_lead_gets_no_more_in_a_day_than_may_be(stack: Arc<Stack>) {
    let company = stack.company(Wanted::default()).await;
    let (supervisor, agent) = (&company.supervisor, &company.agents[0]);
    let limited = |body: &str| {
        let mut sequence = always(json!([whatsapp(body)]));
        sequence["max_per_day"] = json!(1);
        sequence
    };
    let (one, other) = (make(supervisor, limited("Um")).await, make(supervisor, limited("Dois")).await);
    let (phone, lead) = in_window(&company).await;
    enroll(agent, &one, &[&lead]).await;
    ended(agent, &one, &lead, "completed").await;
    enroll(agent, &other, &[&lead]).await;
    let later = execution_when(agent, &other, &lead, "put off", |found| {
        text(&found["next_run_at"])
            .parse::<jiff::Timestamp>()
            .is_ok_and(|at| at > jiff::Timestamp::now() + jiff::SignedDuration::from_secs(1))
    })
    .await;
    assert!(logs(agent, &later).await.contains(&log(Some(0), "put_off", "max_per_day")));
    first_sent_to(&company, &phone).await;
    assert_eq!(sent_to(&company, &phone).await.len(), 1);
}

pub async fn what_is_paused_waits_and_goes_on(stack: Arc<Stack>) {
    let company = stack.company(Wanted::default()).await;
    let supervisor = &company.supervisor;
    let sequence = make(supervisor, always(json!([{"kind": "task", "delay_minutes": 600}, {"kind": "task"}]))).await;
    let lead = lead(supervisor, json!({})).await;
    enroll(supervisor, &sequence, &[&lead]).await;
    let path = format!("/followups/sequences/{}", text(&sequence["id"]));
    let paused = supervisor.api.post(&format!("{path}/pause"), json!({})).await.expect(200);
    assert_eq!(paused["is_active"], false);
    assert_eq!(supervisor.api.post(&format!("{path}/pause"), json!({})).await.expect(200), paused, "as it is");
    let waiting = ended(supervisor, &sequence, &lead, "paused").await;
    fall_due(&stack, &waiting).await;
    soon().await;
    assert_eq!(execution(supervisor, &sequence, &lead).await["status"], "paused");
    assert!(tasks(&stack, &company).await.is_empty());
    let active = supervisor.api.post(&format!("{path}/activate"), json!({})).await.expect(200);
    assert_eq!((&active["is_active"], &active["version"]), (&json!(true), &json!(3)));
    // What fell due meanwhile is done at once, and goes on.
    let done = ended(supervisor, &sequence, &lead, "completed").await;
    let outcomes: Vec<String> = logs(supervisor, &done).await.into_iter().map(|(_, outcome, _)| outcome).collect();
    assert_eq!(outcomes, ["enrolled", "paused", "active", "task", "task", "completed"]);
}

pub async fn what_is_cancelled_deleted_or_closed_goes_no_further(stack: Arc<Stack>) {
    let company = stack.company(Wanted::default()).await;
    let supervisor = &company.supervisor;
    let steps = json!([{"kind": "task", "delay_minutes": 600}]);
    let (sequence, going) = (make(supervisor, always(steps.clone())).await, make(supervisor, always(steps)).await);
    let [won, lost, deleted, left] = [
        lead(supervisor, json!({})).await,
        lead(supervisor, json!({})).await,
        lead(supervisor, json!({})).await,
        lead(supervisor, json!({})).await,
    ];
    enroll(supervisor, &sequence, &[&won, &lost, &deleted, &left]).await;
    enroll(supervisor, &going, &[&left]).await;
    let close = async |lead: &Value, end: Value| {
        supervisor.api.post(&format!("/leads/{}/close", text(&lead["id"])), end).await.expect(200);
    };
    close(&won, json!({"outcome": "won"})).await;
    close(&lost, json!({"outcome": "lost", "reason": "Preço"})).await;
    supervisor.api.call(Method::DELETE, &format!("/leads/{}", text(&deleted["id"])), None).await.expect(204);
    supervisor.api.call(Method::DELETE, &format!("/followups/sequences/{}", text(&going["id"])), None).await.expect(204);
    for (sequence, lead, reason) in
        [(&sequence, &won, "lead_won"), (&sequence, &lost, "lead_lost"), (&going, &left, "sequence_deleted")]
    {
        let found = execution(supervisor, sequence, lead).await;
        assert_eq!((text(&found["status"]), text(&found["reason"])), ("cancelled", reason), "{found}");
        assert!(found["next_run_at"].is_null() && !found["finished_at"].is_null());
    }
    assert_eq!(execution(supervisor, &sequence, &deleted).await["reason"], "lead_deleted");
    assert_eq!(execution(supervisor, &sequence, &left).await["status"], "active");
    assert_eq!(enroll(supervisor, &sequence, &[&won]).await, 0, "only open leads are taken in");
    let all = executions(supervisor, "status=cancelled,active").await;
    assert_eq!(all.len(), 5);
}

pub async fn leads_that_come_to_match_are_taken_in(stack: Arc<Stack>) {
    let company = stack.company(Wanted::default()).await;
    let supervisor = &company.supervisor;
    let wanted = lead(supervisor, json!({"origin": "Instagram", "tags": ["curso"]})).await;
    let mut sequence = always(json!([{"kind": "task", "delay_minutes": 600}]));
    sequence["criteria"] =
        json!({"origins": ["INSTAGRAM"], "tags": ["curso", "outro"], "stages": ["new"], "score_max": 99, "has_email": false});
    let sequence = make(supervisor, sequence).await;
    execution_when(supervisor, &sequence, &wanted, "of who matched", |found| found["status"] == "active").await;
    let later = lead(supervisor, json!({"origin": "instagram", "tags": ["outro"]})).await;
    let never = lead(supervisor, json!({"origin": "Indicação", "tags": ["curso"]})).await;
    stack.control("POST", "/fire/EnrollDueLeads", None).await;
    execution_when(supervisor, &sequence, &later, "of who came to match", |found| found["status"] == "active").await;
    assert!(execution(supervisor, &sequence, &never).await.is_null());
    let path = format!("/leads/{}", text(&never["id"]));
    supervisor.api.call(Method::PUT, &path, Some(json!({"origin": "Instagram"}))).await.expect(200);
    stack.control("POST", "/fire/EnrollDueLeads", None).await;
    let found = execution_when(supervisor, &sequence, &never, "of who matches now", |found| found["status"] == "active").await;
    assert!(found["enrolled_by"].is_null(), "{found}");
}
