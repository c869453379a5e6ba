//! What stages do by themselves when leads enter them.

use std::sync::Arc;

use futures_util::future::join_all;
use reqwest::Method;
use serde_json::{Value, json};
use tests::{Answer, Company, Stack, Wanted, company::Person, company::text, eventually, sandbox::fresh_number, soon};
use uuid::Uuid;

use super::{
    company, fresh, lead, lead_with, mov, path, pipeline, stage,
    stages::{draw, drawn},
};
use crate::cases::desk::templates;

/// The first pipeline, a stage of which does these.
pub async fn automate(person: &Person, key: &str, automations: Value) -> Value {
    asked(person, key, automations).await.expect(200)
}

async fn asked(person: &Person, key: &str, automations: Value) -> Answer {
    let before = pipeline(person).await;
    let mut stages = drawn(&before);
    let stage = stages.iter_mut().find(|stage| stage["key"] == key).expect("a stage");
    stage["automations"] = automations;
    draw(person, &before, json!({"stages": stages})).await
}

/// What was done by itself: which it was, what came of it, why.
pub async fn told(person: &Person, lead: &Value) -> Vec<(String, String, String)> {
    let page = person.api.get(&format!("{}/history?kind=automation&order=asc&limit=100", path(lead))).await.expect(200);
    let of = |entry: &Value| {
        let said = |field: &str| entry["data"][field].as_str().unwrap_or_default().to_owned();
        (said("automation"), said("outcome"), said("reason"))
    };
    page["data"].as_array().into_iter().flatten().map(of).collect()
}

/// As soon as so many were.
async fn came(person: &Person, lead: &Value, count: usize) -> Vec<(String, String, String)> {
    eventually("what a stage does", || async {
        let told = told(person, lead).await;
        (told.len() >= count).then_some(told)
    })
    .await
}

fn was(automation: &str, outcome: &str, reason: &str) -> (String, String, String) {
    (automation.to_owned(), outcome.to_owned(), reason.to_owned())
}

/// Titles and owners of the company's tasks.
pub async fn tasks(stack: &Stack, company: &Company) -> Vec<(String, Uuid, i64)> {
    let rows = "
        select title, owner_id, round(extract(epoch from due_at - created_at) / 3600)::bigint from tasks where company_id = $1 order by created_at, id";
    let rows = stack.database().await.query(rows, &[&company.id]).await.expect("tasks");
    rows.iter().map(|row| (row.get(0), row.get(1), row.get(2))).collect()
}

async fn sent_to(company: &Company, phone: &str) -> Vec<Value> {
    company.phone.sent().await.into_iter().filter(|sent| sent["body"]["to"] == phone).map(|sent| sent["body"].clone()).collect()
}

async fn first_sent_to(company: &Company, phone: &str) -> Value {
    eventually("a message", || async { sent_to(company, phone).await.first().cloned() }).await
}

async fn sequence(person: &Person, is_active: bool) -> Value {
    let sequence = json!({
        "name": format!("Sequência {}", Uuid::new_v4()), "is_active": is_active, "criteria": {"tags": ["nunca"]},
        "steps": [{"kind": "task", "delay_minutes": 600}], "window_start": "00:00", "window_end": "23:59",
        "pause_weekends": false, "pause_holidays": false,
    });
    person.api.post("/followups/sequences", sequence).await.expect(201)
}

/// Somebody who has written, as a lead.
async fn who_wrote(company: &Company) -> (String, Value) {
    let phone = fresh_number();
    company.phone.receive_text(&phone, "Quero saber mais").await;
    let client = company.admin.conversation_of(&phone).await["client_id"].clone();
    let lead = lead_with(&company.supervisor, json!({"name": "Ana Lima", "phone": phone, "client_id": client})).await;
    (phone, lead)
}

pub async fn who_enters_is_given_tasked_told_of_and_taken_in(stack: Arc<Stack>) {
    let company = company(&stack).await;
    let (boss, mover, closer, sdr) = (&company.supervisor, &company.agents[0], &company.agents[1], &company.agents[2]);
    let sequence = sequence(boss, true).await;
    let first = automate(
        boss,
        "contacted",
        json!([
            {"kind": "assign", "closer_id": closer.id, "sdr_id": sdr.id},
            {"kind": "task", "title": "Ligar para {{client.name}}", "due_in_days": 1, "due_in_hours": 3},
            {"kind": "task", "title": "Conferir", "owner_id": mover.id},
            {"kind": "notify", "closer": true, "user_ids": [boss.id], "text": "Pediu proposta"},
            {"kind": "sequence", "sequence_id": sequence["id"]},
        ]),
    )
    .await;
    let ana = lead(mover, "Ana Lima").await;
    assert!(told(mover, &ana).await.is_empty(), "a stage without any does nothing");
    let moved = mov(mover, &ana, json!({"stage_id": stage(&first, "contacted")})).await.expect(200);
    assert!(moved["closer"].is_null(), "whoever moves waits for none of it");
    let came = came(boss, &ana, 5).await;
    let expected = [
        was("assign", "done", ""),
        was("task", "done", ""),
        was("task", "done", ""),
        was("notify", "done", ""),
        was("sequence", "done", ""),
    ];
    assert_eq!(came, expected);
    let given = fresh(boss, &ana).await;
    assert_eq!((&given["closer"]["id"], &given["sdr"]["id"]), (&json!(closer.id), &json!(sdr.id)));
    assert_eq!(
        tasks(&stack, &company).await,
        [("Ligar para Ana Lima".to_owned(), closer.id, 27), ("Conferir".to_owned(), mover.id, 0)]
    );
    for (person, is_told) in [(closer, true), (boss, true), (sdr, false), (mover, false)] {
        let page = person.api.get("/notifications").await.expect(200);
        let found: Vec<&Value> =
            page["data"].as_array().into_iter().flatten().filter(|one| one["type"] == "lead_entered_stage").collect();
        assert_eq!(found.len(), usize::from(is_told), "{page}");
        for one in found {
            assert_eq!((text(&one["title"]), text(&one["body"])), ("Ana Lima entrou em Contatado", "Pediu proposta"), "{one}");
        }
    }
    let query = format!("/followups/executions?sequence_id={}&lead_id={}", text(&sequence["id"]), text(&ana["id"]));
    let going = boss.api.get(&query).await.expect(200);
    assert_eq!((&going["data"][0]["status"], &going["data"][0]["enrolled_by"]), (&json!("active"), &Value::Null), "{going}");
    // The same card dropped elsewhere in its stage has not entered it again; one that comes back has.
    mov(mover, &ana, json!({"stage_id": stage(&first, "contacted")})).await.expect(200);
    mov(mover, &ana, json!({"stage_id": stage(&first, "proposal")})).await.expect(200);
    mov(mover, &ana, json!({"stage_id": stage(&first, "contacted")})).await.expect(200);
    let again = self::came(boss, &ana, 10).await;
    assert_eq!((&again[5], &again[9]), (&was("assign", "skipped", "given_already"), &was("sequence", "skipped", "not_taken_in")));
    assert_eq!(tasks(&stack, &company).await.len(), 4);
}

pub async fn every_way_into_a_stage_sets_it_off_and_undoing_does_not(stack: Arc<Stack>) {
    let company = company(&stack).await;
    let (boss, agent) = (&company.supervisor, &company.agents[0]);
    let task = json!([{"kind": "task", "title": "Entrou"}]);
    for key in ["new", "contacted", "won"] {
        automate(boss, key, task.clone()).await;
    }
    let drawn_now = pipeline(boss).await;
    let once = async |lead: &Value, count: usize| {
        let came = came(boss, lead, count).await;
        assert_eq!(came, vec![was("task", "done", ""); count]);
    };
    let made = lead(agent, "Feita").await;
    once(&made, 1).await;
    let (_, conversation) = company.served().await;
    let of_conversation = agent.api.post(&format!("/conversations/{conversation}/lead"), json!({})).await.expect(201);
    once(&of_conversation, 1).await;
    let many = json!({"lead_ids": [made["id"], of_conversation["id"]], "stage": {"id": stage(&drawn_now, "contacted")}});
    boss.api.post("/leads/bulk", many).await.expect(200);
    once(&made, 2).await;
    once(&of_conversation, 2).await;
    agent.api.post(&format!("{}/close", path(&made)), json!({"outcome": "won"})).await.expect(200);
    once(&made, 3).await;
    // Joined and parted, deleted and brought back: nobody has entered anything.
    let twin = lead(boss, "Gêmea").await;
    once(&twin, 1).await;
    let merge = boss.api.post(&format!("{}/merge", path(&of_conversation)), json!({"lead_id": twin["id"]})).await.expect(201);
    boss.api.post(&format!("/lead-merges/{}/undo", text(&merge["id"])), json!({})).await.expect(200);
    agent.api.call(Method::DELETE, &path(&made), None).await.expect(204);
    agent.api.post(&format!("{}/restore", path(&made)), json!({})).await.expect(200);
    soon().await;
    assert_eq!(
        (told(boss, &made).await.len(), told(boss, &twin).await.len(), told(boss, &of_conversation).await.len()),
        (3, 1, 2)
    );
    assert_eq!(tasks(&stack, &company).await.len(), 6);
}

pub async fn messages_go_out_as_they_may_and_become_tasks_where_they_may_not(stack: Arc<Stack>) {
    let (company, _) = templates::company(&stack).await;
    templates::sync(&company).await;
    let (boss, agent) = (&company.supervisor, &company.agents[0]);
    let values = json!([{"name": "1", "value": "{{client.name}}"}, {"name": "2", "value": "Escola Sol"}]);
    let drawn_now = automate(
        boss,
        "contacted",
        json!([{"kind": "message", "body": "Oi, {{client.name}}!", "template": {"name": "boas_vindas", "parameters": values}}]),
    )
    .await;
    let contacted = json!({"stage_id": stage(&drawn_now, "contacted")});
    let (near, in_time) = who_wrote(&company).await;
    let far = fresh_number();
    let late = lead_with(boss, json!({"name": "Beto Reis", "phone": far})).await;
    let nowhere = lead(boss, "Caio").await;
    for lead in [&in_time, &late, &nowhere] {
        mov(agent, lead, contacted.clone()).await.expect(200);
    }
    assert_eq!(text(&first_sent_to(&company, &near).await["text"]["body"]), "Oi, Ana Lima!");
    let template = first_sent_to(&company, &far).await;
    assert_eq!(template["template"]["components"][0]["parameters"][0]["text"], "Beto Reis", "{template}");
    assert_eq!(came(boss, &in_time, 1).await, [was("message", "done", "")]);
    assert_eq!(came(boss, &late, 1).await, [was("message", "done", "")]);
    assert_eq!(came(boss, &nowhere, 1).await, [was("message", "skipped", "no_phone")]);
    let begun = boss.conversation_of(&far).await;
    assert_eq!(fresh(boss, &late).await["client_id"], begun["client_id"], "they are a client now");
    // Words alone are for who has written.
    let drawn_now = automate(boss, "proposal", json!([{"kind": "message", "body": "Segue a proposta"}])).await;
    let silent = lead_with(boss, json!({"name": "Davi", "phone": fresh_number(), "closer_id": agent.id})).await;
    mov(agent, &silent, json!({"stage_id": stage(&drawn_now, "proposal")})).await.expect(200);
    assert_eq!(came(boss, &silent, 1).await, [was("message", "task", "window_closed")]);
    let tasks = tasks(&stack, &company).await;
    assert_eq!(tasks, [("Escrever para Davi no WhatsApp".to_owned(), agent.id, 24)]);
    // Who wants nothing more is written to no more.
    mov(agent, &in_time, json!({"stage_id": stage(&drawn_now, "new")})).await.expect(200);
    let id: Uuid = text(&in_time["id"]).parse().expect("an id");
    let optout = "insert into followup_optouts (company_id, kind, value, source) values ($1, 'lead', $2::uuid::text, 'word')";
    stack.database().await.execute(optout, &[&company.id, &id]).await.expect("they want no more");
    mov(agent, &in_time, contacted).await.expect(200);
    assert_eq!(came(boss, &in_time, 2).await[1], was("message", "skipped", "unsubscribed"));
    assert_eq!(sent_to(&company, &near).await.len(), 1);
}

pub async fn what_is_gone_when_it_runs_is_told_and_the_rest_goes_on(stack: Arc<Stack>) {
    let company = stack.company(Wanted { agents: 3, ..Wanted::default() }).await;
    let (boss, agent, leaves) = (&company.supervisor, &company.agents[0], &company.agents[1]);
    let (gone, paused) = (sequence(boss, true).await, sequence(boss, false).await);
    let drawn_now = automate(
        boss,
        "contacted",
        json!([
            {"kind": "sequence", "sequence_id": gone["id"]},
            {"kind": "sequence", "sequence_id": paused["id"]},
            {"kind": "task", "title": "De quem saiu", "owner_id": leaves.id},
            {"kind": "notify", "user_ids": [leaves.id]},
            {"kind": "assign", "closer_id": leaves.id},
            {"kind": "task", "title": "Fica", "owner_id": agent.id},
        ]),
    )
    .await;
    boss.api.call(Method::DELETE, &format!("/followups/sequences/{}", text(&gone["id"])), None).await.expect(204);
    let leave = "update memberships set status = 'inactive' where company_id = $1 and user_id = $2";
    stack.database().await.execute(leave, &[&company.id, &leaves.id]).await.expect("they leave");
    let ana = lead(agent, "Ana").await;
    mov(agent, &ana, json!({"stage_id": stage(&drawn_now, "contacted")})).await.expect(200);
    let expected = [
        was("sequence", "skipped", "sequence_gone"),
        was("sequence", "skipped", "sequence_paused"),
        was("task", "skipped", "user_gone"),
        was("notify", "skipped", "nobody"),
        was("assign", "skipped", "user_gone"),
        was("task", "done", ""),
    ];
    assert_eq!(came(boss, &ana, 6).await, expected);
    // What names somebody who is gone stays as it is while something else is changed.
    automate(boss, "proposal", json!([{"kind": "notify", "closer": true}])).await;
}

pub async fn automations_that_name_what_is_not_there_are_refused(stack: Arc<Stack>) {
    let (mine, other) = (company(&stack).await, company(&stack).await);
    let boss = &mine.supervisor;
    let theirs = sequence(&other.supervisor, true).await;
    let (with_templates, _) = templates::company(&stack).await;
    templates::sync(&with_templates).await;
    let own = sequence(boss, true).await;
    let before = pipeline(boss).await;
    let person = other.agents[0].id;
    for (key, automation, field, code) in [
        ("contacted", json!({"kind": "sequence", "sequence_id": theirs["id"]}), "sequence_id", "unknown_sequence"),
        ("won", json!({"kind": "sequence", "sequence_id": own["id"]}), "kind", "not_open"),
        ("contacted", json!({"kind": "message", "template": {"name": "boas_vindas"}}), "template", "unknown_template"),
        ("contacted", json!({"kind": "message"}), "body", "required"),
        ("contacted", json!({"kind": "message", "body": "{{senha}}"}), "body", "unknown_variable"),
        (
            "contacted",
            json!({"kind": "message", "body": "Oi", "channel_account_id": other.channel_account_id}),
            "channel_account_id",
            "unknown_channel",
        ),
        ("contacted", json!({"kind": "task", "title": "x", "owner_id": person}), "owner_id", "unknown_user"),
        ("contacted", json!({"kind": "task", "title": " "}), "title", "required"),
        ("contacted", json!({"kind": "notify", "user_ids": [boss.id, person]}), "user_ids[1]", "unknown_user"),
        ("contacted", json!({"kind": "notify"}), "user_ids", "required"),
        ("contacted", json!({"kind": "assign", "closer_id": mine.students[0].id}), "closer_id", "unknown_user"),
        ("contacted", json!({"kind": "move", "stage_id": before["id"]}), "kind", "unknown_value"),
    ] {
        let refused = asked(boss, key, json!([automation])).await;
        let place = if key == "won" { 5 } else { 1 };
        let error = &refused.body["errors"][0];
        let told = (refused.status, text(&error["field"]), text(&error["code"]));
        assert_eq!(told, (422, format!("stages[{place}].automations[0].{field}").as_str(), code), "{}", refused.body);
    }
    let eleven: Vec<Value> = (0..11).map(|_| json!({"kind": "task", "title": "x"})).collect();
    let refused = asked(boss, "contacted", json!(eleven)).await;
    assert_eq!((refused.status, text(&refused.body["errors"][0]["field"])), (422, "stages[1].automations"));
    assert_eq!(pipeline(boss).await, before, "nothing was changed");
    let mut stages: Vec<Value> = drawn(&before);
    for stage in &mut stages {
        stage.as_object_mut().expect("a stage").remove("id");
    }
    stages[0]["automations"] = json!([{"kind": "sequence", "sequence_id": theirs["id"]}]);
    let refused = boss.api.post("/pipelines", json!({"name": "Outro", "stages": stages})).await;
    assert_eq!((refused.status, text(&refused.body["errors"][0]["code"])), (422, "unknown_sequence"));
    stages[0]["automations"] = json!([{"kind": "sequence", "sequence_id": own["id"]}]);
    boss.api.post("/pipelines", json!({"name": "Outro", "stages": stages})).await.expect(201);
}

pub async fn fifty_cards_by_eight_people_set_it_off_once_each(stack: Arc<Stack>) {
    let company = company(&stack).await;
    let (boss, agents) = (&company.supervisor, &company.agents);
    let drawn_now =
        automate(boss, "contacted", json!([{"kind": "task", "title": "Uma"}, {"kind": "notify", "user_ids": [boss.id]}])).await;
    let contacted = stage(&drawn_now, "contacted");
    let cards: Vec<Value> = join_all((0..50).map(|number| lead_with(boss, json!({"name": format!("Lead {number}")})))).await;
    let people = [&company.admin, boss, &agents[0], &agents[1], &agents[2], &company.admin, &agents[0], &agents[1]];
    // Each card is dropped there by two of them, some of them many at once.
    let clients = people.iter().enumerate().map(|(number, person)| {
        let mine: Vec<&Value> = cards.iter().skip(number).step_by(4).collect();
        let contacted = contacted.clone();
        async move {
            if number % 4 == 3 {
                let ids: Vec<&Value> = mine.iter().map(|card| &card["id"]).collect();
                person.api.post("/leads/bulk", json!({"lead_ids": ids, "stage": {"id": contacted}})).await.expect(200);
                return;
            }
            for card in mine {
                mov(person, card, json!({"stage_id": contacted})).await.expect(200);
            }
        }
    });
    join_all(clients).await;
    for card in &cards {
        assert_eq!(came(boss, card, 2).await, [was("task", "done", ""), was("notify", "done", "")]);
    }
    soon().await;
    assert_eq!(tasks(&stack, &company).await.len(), 50);
    let database = stack.database().await;
    let counts = "
        select (select count(*) from notification_causes where company_id = $1 and cause like 'stage:%'),
               (select count(*) from jobs where company_id = $1 and kind = 'run_stage_automation'),
               (select count(*) from jobs where company_id = $1 and failed)";
    let row = database.query_one(counts, &[&company.id]).await.expect("counts");
    assert_eq!((row.get::<_, i64>(0), row.get::<_, i64>(1), row.get::<_, i64>(2)), (50, 50, 0));
}
