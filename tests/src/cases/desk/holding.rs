//! Who has the word: takeover, transfer, close, and the bot's silence once a human has it.

use std::sync::Arc;

use futures_util::future::join_all;
use serde_json::{Value, json};
use tests::{Company, Stack, Wanted, company::text, sandbox::fresh_number, soon};

/// A waiting conversation.
async fn waiting(company: &Company) -> String {
    let client = fresh_number();
    company.phone.receive_text(&client, "Oi").await;
    company.admin.conversation_id_of(&client).await
}

pub async fn one_of_twenty_agents_wins(stack: Arc<Stack>) {
    let company = stack.company(Wanted { agents: 20, students: 0, ..Wanted::default() }).await;
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
    let company = stack.company(Wanted { students: 0, bot: true, ..Wanted::default() }).await;
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
