//! Who has the word: takeover, transfer, close, and the bot's silence once a human has it.

use std::sync::Arc;

use futures_util::future::join_all;
use serde_json::{Value, json};
use tests::{Company, Stack, Wanted, company::text, eventually, sandbox::fresh_number, soon};

/// A waiting conversation.
async fn waiting(company: &Company) -> String {
    let client = fresh_number();
    company.phone.receive_text(&client, "Oi").await;
    company.admin.conversation_id_of(&client).await
}

pub async fn one_of_twenty_agents_wins(stack: Arc<Stack>) {
    let company = stack.company(Wanted { agents: 20, students: 0, takeover_text: None, ..Wanted::default() }).await;
    let id = waiting(&company).await;
    let path = format!("/conversations/{id}/takeover");
    let answers = join_all(company.agents.iter().map(|agent| agent.api.post(&path, json!({})))).await;
    let winners: Vec<usize> = (0..20).filter(|index| answers[*index].status == 200).collect();
    assert_eq!(winners.len(), 1, "{:?}", answers.iter().map(|answer| answer.status).collect::<Vec<_>>());
    let winner = company.agents[winners[0]].id.to_string();
    for (index, answer) in answers.into_iter().enumerate().filter(|(index, _)| *index != winners[0]) {
        let lost = answer.expect(409);
        assert_eq!(
            (text(&lost["code"]), text(&lost["current"]["assignee_id"])),
            ("already_taken", winner.as_str()),
            "agent {index}"
        );
        assert!(!text(&lost["current"]["assignee_name"]).is_empty());
    }
    let lines = company.admin.thread(&id).await;
    assert_eq!(lines.iter().filter(|message| message["payload"]["act"] == "taken_over").count(), 1);
    // The winner asking again is told what is so.
    company.agents[winners[0]].take_over(&id).await;
    company.phone.sent_at_least(1).await;
    soon().await;
    assert_eq!(company.phone.sent().await.len(), 1, "the client was greeted twice");
}

/// Backends that wait for this one, or for one that does.
const WAITING: &str = "
    with direct as (select pid from pg_stat_activity where $1::integer = any (pg_blocking_pids(pid)))
    select count(*) from pg_stat_activity
     where pid in (select pid from direct) or pg_blocking_pids(pid) && (select array_agg(pid) from direct)";

/// With sight of what waits and their own only, whoever loses loses sight of it too, and is still told that they lost.
pub async fn loser_who_may_not_see_it_any_more_is_told_so(stack: Arc<Stack>) {
    let company = stack.company(Wanted { agents: 2, students: 0, agent_visibility: "own", ..Wanted::default() }).await;
    let id = waiting(&company).await;
    let path = format!("/conversations/{id}/takeover");
    let holder = stack.database().await;
    holder.batch_execute("begin").await.expect("a transaction");
    let row: uuid::Uuid = id.parse().expect("an id");
    let held = holder.query_one("select pg_backend_pid() from conversations where id = $1 for update", &[&row]).await;
    let backend: i32 = held.expect("it is held").get(0);
    // Within a transaction the activity would be the same each time.
    let watcher = stack.database().await;
    let taking: Vec<_> = company
        .agents
        .iter()
        .map(|agent| {
            let (api, path) = (agent.api.clone(), path.clone());
            tokio::spawn(async move { api.post(&path, json!({})).await })
        })
        .collect();
    eventually("both waiting", || async {
        (watcher.query_one(WAITING, &[&backend]).await.expect("activity").get::<_, i64>(0) >= 2).then_some(())
    })
    .await;
    holder.batch_execute("commit").await.expect("it is let go");
    let mut statuses = Vec::new();
    for taking in taking {
        let answer = taking.await.expect("an answer");
        if answer.status == 409 {
            assert_eq!((text(&answer.body["code"]), &answer.body["current"]), ("already_taken", &Value::Null));
        }
        statuses.push(answer.status);
    }
    statuses.sort_unstable();
    assert_eq!(statuses, [200, 409]);
}

pub async fn greeting_after_the_window_takes_nothing_over(stack: Arc<Stack>) {
    let company = stack.company(Wanted { agents: 1, students: 0, ..Wanted::default() }).await;
    let id = waiting(&company).await;
    let row: uuid::Uuid = id.parse().expect("an id");
    let past = "update conversations set window_expires_at = now() - interval '1 minute' where id = $1";
    stack.database().await.execute(past, &[&row]).await.expect("the window closes");
    let (api, path) = (&company.agents[0].api, format!("/conversations/{id}/takeover"));
    assert_eq!(api.post(&path, json!({"greeting": "Olá!"})).await.problem(409), "window_closed");
    assert_eq!(api.get(&format!("/conversations/{id}")).await.expect(200)["assignee_id"], Value::Null);
    api.post(&path, json!({})).await.expect(200);
}

pub async fn greeting_of_the_takeover_reaches_the_client(stack: Arc<Stack>) {
    let company = stack.company(Wanted { students: 0, ..Wanted::default() }).await;
    let id = waiting(&company).await;
    let taken =
        company.agents[0].api.post(&format!("/chats/{id}/start"), json!({"greeting": "Olá, sou a Bruna."})).await.expect(200);
    assert_eq!((text(&taken["status"]), text(&taken["last_message_preview"])), ("active", "Olá, sou a Bruna."));
    let sent = company.phone.sent_at_least(1).await;
    assert_eq!(sent[0]["body"]["text"]["body"], "Olá, sou a Bruna.");
}

pub async fn takeover_during_a_turn_silences_the_bot(stack: Arc<Stack>) {
    let company = stack.company(Wanted { students: 0, bot: true, ..Wanted::default() }).await;
    let client = fresh_number();
    company.phone.receive_text(&client, "Oi").await;
    company.phone.sent_at_least(1).await;
    let id = company.admin.conversation_id_of(&client).await;
    // The bot will say two things; the first is slow on its way, and meanwhile an agent takes over.
    company.phone.fault(json!({"target": "whatsapp.messages", "kind": "timeout", "ms": 2000, "times": 1})).await;
    company.phone.receive_text(&client, "qualquer coisa").await;
    company.phone.sent_at_least(2).await;
    company.agents[0].take_over(&id).await;
    let silenced = company.admin.message_when(&id, "a silenced message", |message| message["error_code"] == "silenced").await;
    assert_eq!((text(&silenced["sender_type"]), text(&silenced["status"])), ("bot", "failed"));
    company.agents[0].say(&id, "Agora sou eu").await;
    let sent = company.phone.sent_at_least(3).await;
    assert_eq!((sent.len(), text(&sent[2]["body"]["text"]["body"])), (3, "Agora sou eu"));
    company.phone.receive_text(&client, "menu").await;
    soon().await;
    assert_eq!(company.phone.sent().await.len(), 3, "the bot spoke over a human");
}

pub async fn takeover_at_the_moment_of_a_message_leaves_one_voice(stack: Arc<Stack>) {
    let company = stack.company(Wanted { students: 0, bot: true, takeover_text: None, ..Wanted::default() }).await;
    for _ in 0..5 {
        let client = fresh_number();
        company.phone.receive_text(&client, "Oi").await;
        let id = company.admin.conversation_id_of(&client).await;
        let path = format!("/conversations/{id}/takeover");
        let (_, taken) =
            tokio::join!(company.phone.receive_text(&client, "Quero falar"), company.agents[0].api.post(&path, json!({})));
        taken.expect(200);
        let answered = jiff::Timestamp::now();
        soon().await;
        let thread = company.admin.thread(&id).await;
        let sent_at = |message: &Value| text(&message["sent_at"]).parse::<jiff::Timestamp>().expect("a time");
        let is_late = |message: &&Value| message["sender_type"] == "bot" && sent_at(message) > answered;
        let spoken: Vec<_> = thread.iter().filter(is_late).collect();
        assert!(spoken.is_empty(), "the bot spoke after the takeover: {spoken:?}");
    }
}

pub async fn transfer_to_a_person_is_told_to_them(stack: Arc<Stack>) {
    let company = stack.company(Wanted { students: 0, agent_visibility: "own", ..Wanted::default() }).await;
    let (_, id) = company.served().await;
    let (giver, receiver) = (&company.agents[0], &company.agents[1]);
    let (mut theirs, mut mine) = (receiver.socket().await, giver.socket().await);
    let moved = giver.transfer(&id, json!({"to_user_id": receiver.id, "reason": "fala inglês"})).await;
    assert_eq!((text(&moved["status"]), text(&moved["assignee_id"])), ("active", receiver.id.to_string().as_str()));
    let topic = format!("user:{}", receiver.id);
    let told = theirs.frame("the assignment", |frame| frame["type"] == "conversation.assigned" && frame["topic"] == topic).await;
    assert_eq!(told["data"]["by_user_id"], giver.id.to_string());
    // The giver loses sight of it, and is told so.
    mine.of_type("conversation.transferred").await;
    giver.api.get(&format!("/conversations/{id}")).await.expect(404);
    let thread = receiver.thread(&id).await;
    let line = thread.iter().find(|message| message["payload"]["act"] == "transferred").expect("a line in the thread");
    assert!(text(&line["body"]).contains("fala inglês"), "{line}");
    receiver.say(&id, "Hello!").await;
}

pub async fn transfer_to_a_department_waits_there(stack: Arc<Stack>) {
    let departments = vec![("Atendimento", vec![1]), ("Financeiro", vec![2])];
    let company = stack.company(Wanted { students: 0, departments, ..Wanted::default() }).await;
    let (_, id) = company.served().await;
    let (mut there, mut here) = (company.agents[1].socket().await, company.agents[0].socket().await);
    let moved = company.agents[0].transfer(&id, json!({"to_department_id": company.departments[1].1})).await;
    assert_eq!((text(&moved["status"]), &moved["assignee_id"]), ("pending", &Value::Null));
    assert_eq!(moved["department_name"], "Financeiro");
    let told = there.of_type("conversation.transferred").await;
    assert_eq!(told["data"]["conversation"]["id"], id.as_str());
    here.of_type("conversation.transferred").await;
    company.agents[0].api.get(&format!("/conversations/{id}")).await.expect(404);
    company.agents[1].take_over(&id).await;
}

pub async fn only_the_holder_moves_it_and_only_to_somebody(stack: Arc<Stack>) {
    let company = stack.company(Wanted { students: 1, agent_visibility: "company", ..Wanted::default() }).await;
    let other = stack.company(Wanted { agents: 1, students: 0, ..Wanted::default() }).await;
    let (_, id) = company.served().await;
    let path = format!("/conversations/{id}/transfer");
    let target = json!({"to_user_id": company.agents[1].id});
    let moved = company.agents[1].api.post(&path, target).await;
    let ended = company.agents[1].api.post(&format!("/conversations/{id}/close"), json!({})).await;
    for refused in [moved.expect(409), ended.expect(409)] {
        assert_eq!(refused["code"], "not_holder");
        assert_eq!(refused["current"]["assignee_id"], company.agents[0].id.to_string());
    }
    let api = &company.agents[0].api;
    for target in [company.students[0].id, other.agents[0].id, company.id] {
        assert_eq!(api.post(&path, json!({"to_user_id": target})).await.problem(422), "invalid_target");
    }
    assert_eq!(api.post(&path, json!({"to_department_id": other.id})).await.problem(422), "invalid_target");
    api.post(&path, json!({})).await.expect(422);
    api.post(&path, json!({"to_user_id": company.id, "to_department_id": company.id})).await.expect(422);
    company.supervisor.transfer(&id, json!({"to_user_id": company.agents[1].id})).await;
}

pub async fn closed_is_closed_for_everybody(stack: Arc<Stack>) {
    let company = stack.company(Wanted { students: 0, ..Wanted::default() }).await;
    let (_, id) = company.served().await;
    let mut socket = company.agents[1].socket().await;
    let path = format!("/chats/{id}/end");
    let closed = company.agents[0].api.post(&path, json!({"reason": "resolvido"})).await.expect(200);
    assert_eq!((text(&closed["status"]), text(&closed["close_reason"]), &closed["unread"]), ("closed", "resolvido", &json!(0)));
    socket.of_type("conversation.closed").await;
    let ended = company.agents[0].api.post(&path, json!({})).await;
    let taken = company.agents[0].api.post(&format!("/conversations/{id}/takeover"), json!({})).await;
    let moved =
        company.agents[0].api.post(&format!("/conversations/{id}/transfer"), json!({"to_user_id": company.agents[1].id})).await;
    for refused in [ended.expect(409), taken.expect(409), moved.expect(409)] {
        assert_eq!(refused["code"], "conversation_closed");
        assert_eq!((&refused["current"]["id"], text(&refused["current"]["close_reason"])), (&json!(id), "resolvido"));
    }
}

pub async fn every_act_moves_the_fence(stack: Arc<Stack>) {
    let company = stack.company(Wanted { students: 0, ..Wanted::default() }).await;
    let id = waiting(&company).await;
    let version = |value: &Value| value["version"].as_i64().expect("a version");
    let mut seen = vec![version(&company.admin.conversation(&id).await)];
    seen.push(version(&company.agents[0].take_over(&id).await));
    company.agents[0].say(&id, "Olá").await;
    seen.push(version(&company.admin.conversation(&id).await));
    seen.push(version(&company.agents[0].transfer(&id, json!({"to_user_id": company.agents[1].id})).await));
    seen.push(version(&company.agents[1].close(&id).await));
    assert!(seen.windows(2).all(|pair| pair[0] < pair[1]), "{seen:?}");
}
