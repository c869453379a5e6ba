//! What people change of a conversation: what it is about, whose it is, whether it is open, whether it is read.

use std::sync::Arc;

use futures_util::future::join_all;
use reqwest::Method;
use serde_json::{Value, json};
use tests::{
    Answer, Company, Stack, Wanted,
    company::{Person, text},
    sandbox::fresh_number,
};

async fn company(stack: &Stack) -> Company {
    stack.company(Wanted { agent_visibility: "company", ..Wanted::default() }).await
}

async fn put(person: &Person, id: &str, changes: Value) -> Answer {
    person.api.call(Method::PUT, &format!("/conversations/{id}"), Some(changes)).await
}

async fn act(person: &Person, id: &str, act: &str, body: Value) -> Answer {
    person.api.post(&format!("/conversations/{id}/{act}"), body).await
}

fn holder(person: &Person) -> Value {
    json!(person.id.to_string())
}

pub async fn people_change_what_a_conversation_is_about(stack: Arc<Stack>) {
    let company = company(&stack).await;
    let (_, id) = company.served().await;
    let agent = &company.agents[0];
    let mut socket = company.agents[1].socket().await;
    let changes =
        json!({"subject": "Matrícula", "tags": ["vip", "curso", "vip"], "priority": "urgent", "metadata": {"turma": 7}});
    let changed = put(agent, &id, changes).await.expect(200);
    assert_eq!((text(&changed["subject"]), &changed["tags"]), ("Matrícula", &json!(["vip", "curso"])));
    assert_eq!((text(&changed["priority"]), &changed["metadata"]), ("urgent", &json!({"turma": 7})));
    let told = socket.frame("the change", |frame| frame["data"]["conversation"]["subject"] == "Matrícula").await;
    assert_eq!((text(&told["type"]), &told["data"]["by_user_id"]), ("conversation.updated", &holder(agent)));
    let found = agent.api.get("/conversations?tag=vip&priority=urgent").await.expect(200);
    assert_eq!(found["data"][0]["id"], json!(id));
    for (wrong, field) in [
        (json!({"tags": vec!["x"; 21]}), "tags"),
        (json!({"tags": ["a\u{200b}b"]}), "tags[0]"),
        (json!({"tags": [""]}), "tags[0]"),
        (json!({"subject": "x".repeat(201)}), "subject"),
        (json!({"priority": "now"}), "priority"),
        (json!({"metadata": []}), "metadata"),
    ] {
        let refused = put(agent, &id, wrong).await.expect(422);
        assert_eq!(text(&refused["errors"][0]["field"]), field);
    }
    // Sixteen thousand bytes as Postgres writes them, however short they came.
    for large in [json!({"x": "x".repeat(16_384)}), json!({"x": vec![1e300; 60]})] {
        assert_eq!(put(agent, &id, json!({"metadata": large})).await.problem(422), "metadata_too_long");
    }
    assert_eq!(agent.conversation(&id).await["revision"], changed["revision"]);
    let emptied = put(agent, &id, json!({"subject": "", "tags": []})).await.expect(200);
    assert_eq!((&emptied["subject"], &emptied["tags"], text(&emptied["priority"])), (&Value::Null, &json!([]), "urgent"));
}

pub async fn one_of_ten_changes_of_the_same_version_counts(stack: Arc<Stack>) {
    let company = company(&stack).await;
    let (_, id) = company.served().await;
    let version = company.admin.conversation(&id).await["version"].to_string();
    let changes = (0..10).map(|number| {
        let api = company.agents[number % 2].api.with_header("if-match", &version);
        let path = format!("/conversations/{id}");
        async move { api.call(Method::PATCH, &path, Some(json!({"subject": format!("Assunto {number}")}))).await }
    });
    let (won, lost): (Vec<Answer>, Vec<Answer>) = join_all(changes).await.into_iter().partition(|answer| answer.status == 200);
    assert_eq!(won.len(), 1);
    for answer in lost {
        let refused = answer.expect(409);
        assert_eq!((text(&refused["code"]), &refused["current"]["subject"]), ("stale_version", &won[0].body["subject"]));
    }
}

pub async fn another_tag_does_not_silence_the_bot(stack: Arc<Stack>) {
    let company = stack.company(Wanted { students: 0, bot: true, ..Wanted::default() }).await;
    let client = fresh_number();
    company.phone.receive_text(&client, "Oi").await;
    company.phone.sent_at_least(1).await;
    let id = company.admin.conversation_id_of(&client).await;
    // The bot will say two things; the first is slow on its way, and meanwhile the second waits.
    company.phone.fault(json!({"target": "whatsapp.messages", "kind": "timeout", "ms": 2000, "times": 1})).await;
    company.phone.receive_text(&client, "qualquer coisa").await;
    company.phone.sent_at_least(2).await;
    let before = company.admin.conversation(&id).await["version"].as_i64();
    let changed = put(&company.supervisor, &id, json!({"tags": ["novo"]})).await.expect(200);
    assert_eq!((text(&changed["mode"]), changed["version"].as_i64() > before), ("bot", true));
    company.phone.sent_at_least(3).await;
    let thread = company.admin.thread(&id).await;
    assert!(thread.iter().all(|message| message["error_code"] != "silenced"), "{thread:?}");
}

pub async fn supervisors_give_what_anybody_holds(stack: Arc<Stack>) {
    let company = company(&stack).await;
    let (_, id) = company.served().await;
    let (first, second) = (&company.agents[0], &company.agents[1]);
    act(first, &id, "assign", json!({"assignee_id": second.id})).await.expect(403);
    let mut socket = second.socket().await;
    let given = act(&company.supervisor, &id, "assign", json!({"assignee_id": second.id, "reason": "férias"})).await.expect(200);
    assert_eq!((&given["assignee_id"], text(&given["status"])), (&holder(second), "active"));
    let topic = format!("user:{}", second.id);
    socket.frame("the assignment", |frame| frame["type"] == "conversation.assigned" && frame["topic"] == topic).await;
    let again = act(&company.supervisor, &id, "assign", json!({"assignee_id": second.id})).await.expect(200);
    assert_eq!(again["version"], given["version"]);
    let queued = act(&company.supervisor, &id, "assign", json!({"assignee_id": null})).await.expect(200);
    assert_eq!((&queued["assignee_id"], text(&queued["status"])), (&Value::Null, "pending"));
    let rows = company.admin.api.get(&format!("/conversations/{id}/transfers?order=asc")).await.expect(200);
    let hands: Vec<_> =
        rows["data"].as_array().expect("rows").iter().map(|row| (&row["from_user_id"], &row["to_user_id"])).collect();
    let (first, second) = (holder(first), holder(second));
    assert_eq!(hands, [(&Value::Null, &first), (&first, &second), (&second, &Value::Null)]);
    assert_eq!(rows["data"][1]["reason"], "férias");
    for nobody in [company.students[0].id, company.id] {
        let refused = act(&company.supervisor, &id, "assign", json!({"assignee_id": nobody})).await;
        assert_eq!(refused.problem(422), "invalid_target");
    }
    company.supervisor.close(&id).await;
    let refused = act(&company.supervisor, &id, "assign", json!({"assignee_id": company.agents[0].id})).await;
    assert_eq!(refused.problem(409), "conversation_closed");
}

pub async fn what_is_closed_is_opened_again_once(stack: Arc<Stack>) {
    let company = company(&stack).await;
    let (_, id) = company.served().await;
    let agent = &company.agents[0];
    assert_eq!(act(agent, &id, "reopen", json!({})).await.problem(409), "not_closed");
    agent.close(&id).await;
    assert_eq!(act(&company.agents[1], &id, "reopen", json!({})).await.problem(409), "not_holder");
    let mut socket = company.agents[1].socket().await;
    let people = [agent, &company.supervisor, &company.admin];
    let tries = join_all((0..9).map(|number| act(people[number % 3], &id, "reopen", json!({})))).await;
    let (won, lost): (Vec<_>, Vec<_>) = tries.into_iter().partition(|answer| answer.status == 200);
    assert_eq!(won.len(), 1);
    for refused in lost {
        assert_eq!(refused.problem(409), "not_closed");
    }
    let open = &won[0].body;
    assert_eq!((text(&open["status"]), &open["assignee_id"], &open["ended_at"]), ("active", &holder(agent), &Value::Null));
    socket.of_type("conversation.reopened").await;
    let lines = agent.thread(&id).await.into_iter().filter(|message| message["payload"]["act"] == "reopened");
    assert_eq!(lines.count(), 1);
    agent.say(&id, "Voltamos").await;
}

pub async fn a_client_has_one_open_conversation_whoever_opens_another(stack: Arc<Stack>) {
    let company = company(&stack).await;
    company
        .admin
        .api
        .call(Method::PUT, &format!("/companies/{}", company.id), Some(json!({"reopen_window": 0})))
        .await
        .expect(200);
    let (client, id) = company.served().await;
    company.agents[0].close(&id).await;
    company.phone.receive_text(&client, "De novo").await;
    let open = company.admin.conversation_id_of(&client).await;
    assert_ne!(open, id);
    let refused = act(&company.agents[0], &id, "reopen", json!({})).await.expect(409);
    assert_eq!((text(&refused["code"]), &refused["current"]["id"]), ("already_open", &json!(open)));
}

pub async fn what_is_marked_unread_is_unread_for_staff_only(stack: Arc<Stack>) {
    let company = company(&stack).await;
    let (client, id) = company.served().await;
    let agent = &company.agents[0];
    act(agent, &id, "read", json!({})).await.expect(200);
    let marked = act(agent, &id, "unread", json!({})).await.expect(200);
    assert_eq!(marked["unread"], 1);
    let again = act(agent, &id, "unread", json!({})).await.expect(200);
    assert_eq!((&again["unread"], &again["revision"]), (&json!(1), &marked["revision"]));
    let page = agent.api.get("/conversations?unread=true").await.expect(200);
    assert_eq!(page["data"][0]["id"], json!(id));
    company.phone.receive_text(&client, "Mais").await;
    assert_eq!(agent.conversation(&id).await["unread"], 2);
    let read = act(agent, &id, "read", json!({})).await.expect(200);
    assert_eq!(read["unread"], 0);
    assert_eq!(agent.api.get(&format!("/chats/{id}")).await.expect(200)["id"], json!(id));
}

pub async fn stats_count_what_the_caller_sees(stack: Arc<Stack>) {
    let departments = vec![("Atendimento", vec![1]), ("Financeiro", vec![2])];
    let company = stack.company(Wanted { students: 0, departments, ..Wanted::default() }).await;
    let empty = company.supervisor.api.get("/conversations/stats").await.expect(200);
    assert_eq!((&empty["waiting"], &empty["oldest_waiting_at"], &empty["by_agent"]), (&json!(0), &Value::Null, &json!([])));
    assert_eq!(empty["average_wait_seconds"], Value::Null);
    let (_, held) = company.served().await;
    let (_, closed) = company.served().await;
    company.agents[0].close(&closed).await;
    let (_, moved) = company.served().await;
    company.agents[0].transfer(&moved, json!({"to_department_id": company.departments[1].1})).await;
    let stats = company.supervisor.api.get("/conversations/stats").await.expect(200);
    let counts =
        ["bot", "pending", "active", "closed_today", "open", "waiting"].map(|name| stats[name].as_i64().expect("a count"));
    assert_eq!(counts, [0, 1, 1, 1, 1, 1]);
    let waiting = company.supervisor.conversation(&moved).await;
    assert_eq!(stats["oldest_waiting_at"], waiting["pending_since"]);
    assert!(stats["average_wait_seconds"].as_i64().is_some_and(|seconds| seconds < 60), "{stats}");
    let of = |row: &Value| (text(&row["department_name"]).to_owned(), row["pending"].clone(), row["active"].clone());
    let rows: Vec<_> = stats["by_department"].as_array().expect("rows").iter().map(of).collect();
    let expected = [("Atendimento", 0, 1), ("Financeiro", 1, 0)];
    assert_eq!(rows, expected.map(|(name, pending, active)| (name.to_owned(), json!(pending), json!(active))));
    let agent = &stats["by_agent"][0];
    assert_eq!(
        (&agent["assignee_id"], &agent["active"], &agent["closed_today"]),
        (&holder(&company.agents[0]), &json!(1), &json!(1))
    );
    // Agents see their own and what waits in their departments.
    let mine = company.agents[1].api.get("/conversations/stats").await.expect(200);
    assert_eq!((&mine["active"], &mine["pending"], &mine["by_agent"]), (&json!(0), &json!(1), &json!([])));
    company.agents[0].conversation(&held).await;
}
