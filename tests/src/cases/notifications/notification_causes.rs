//! What tells people, and whom.

use std::sync::Arc;

use reqwest::Method;
use serde_json::json;
use tests::{Stack, Wanted, company::text, wait::eventually};
use uuid::Uuid;

use super::{name, of_type, read_all, unread};

pub async fn who_is_given_a_conversation_is_told(stack: Arc<Stack>) {
    let departments = vec![("Vendas", vec![1, 2]), ("Apoio", vec![2, 3])];
    let company = stack.company(Wanted { agents: 3, departments, ..Wanted::default() }).await;
    let [one, two, three] = [&company.agents[0], &company.agents[1], &company.agents[2]];
    let mut screen = two.socket().await;
    let (client, id) = company.served().await;
    assert!(unread(one).await.is_empty(), "nobody is told of their own acts");
    one.transfer(&id, json!({"to_user_id": two.id, "reason": "Pergunta do boleto"})).await;
    let frame = screen.of_type("notification.created").await;
    let told = &frame["data"]["notification"];
    assert_eq!((text(&told["type"]), text(&told["body"])), ("transfer", "Pergunta do boleto"), "{frame}");
    assert!(
        text(&told["title"]).starts_with(&format!("{} transferiu ", name(one).await))
            && text(&told["title"]).ends_with(" para você")
    );
    assert_eq!((&frame["data"]["unread"], &frame["data"]["sound"]), (&json!(1), &json!("assignment")));
    assert_eq!((text(&told["conversation_id"]), text(&told["actor_id"])), (id.as_str(), one.id.to_string().as_str()));
    // To a department: all of its people. Whoever takes it ends it for the others.
    let support = company.departments[1].1;
    two.transfer(&id, json!({"to_department_id": support})).await;
    assert_eq!(unread(three).await.len(), 1);
    assert!(unread(three).await[0].1.ends_with(" para Apoio"), "{:?}", unread(three).await);
    assert!(unread(two).await.is_empty(), "it went on, and by themselves");
    let mut other = two.socket().await;
    company.supervisor.api.post(&format!("/conversations/{id}/assign"), json!({"assignee_id": two.id})).await.expect(200);
    assert_eq!(text(&other.of_type("notification.created").await["data"]["notification"]["type"]), "assignment");
    assert!(unread(three).await.is_empty(), "somebody has it now");
    company.phone.receive_text(&client, "Alô?").await;
    assert_eq!(unread(two).await.len(), 2);
    two.close(&id).await;
    assert!(unread(two).await.is_empty(), "what is over rings nobody");
}

pub async fn messages_of_one_client_are_one_until_they_are_read(stack: Arc<Stack>) {
    let company = stack.company(Wanted { agents: 2, ..Wanted::default() }).await;
    let [one, two] = [&company.agents[0], &company.agents[1]];
    let (client, id) = company.served().await;
    company.supervisor.api.post(&format!("/conversations/{id}/participants"), json!({"user_id": two.id})).await.expect(201);
    for words in ["Bom dia", "Tudo bem?", "Quero pagar"] {
        company.phone.receive_text(&client, words).await;
    }
    for person in [one, two] {
        let told = of_type(person, "message").await;
        assert_eq!((told.len(), &told[0]["count"], text(&told[0]["body"])), (1, &json!(3), "Quero pagar"), "{told:?}");
        assert!(text(&told[0]["title"]).starts_with("3 mensagens de "), "{told:?}");
    }
    // Opening the conversation reads it, for whoever opens it; the next one is another.
    one.api.post(&format!("/conversations/{id}/read"), json!({})).await.expect(200);
    assert_eq!((unread(one).await.len(), unread(two).await.len()), (0, 1));
    company.phone.receive_text(&client, "Alô?").await;
    let told = of_type(one, "message").await;
    assert_eq!(
        (told.len(), &told[0]["count"], &told[0]["is_read"], &told[1]["is_read"]),
        (2, &json!(1), &json!(false), &json!(true))
    );
    // Not where it is muted.
    one.api.call(Method::PUT, &format!("/conversations/{id}/preferences"), Some(json!({"muted": true}))).await.expect(200);
    company.phone.receive_text(&client, "Alô??").await;
    assert_eq!(of_type(one, "message").await[0]["count"], 1);
    assert_eq!(of_type(two, "message").await[0]["count"], 5);
}

pub async fn mentions_are_told_to_whom_they_name(stack: Arc<Stack>) {
    let company = stack.company(Wanted { agents: 3, ..Wanted::default() }).await;
    let [one, two, three] = [&company.agents[0], &company.agents[1], &company.agents[2]];
    let (_, id) = company.served().await;
    let note = json!({"conversation_id": id, "text": "@dois veja isto", "mention_ids": [two.id]});
    let note = company.supervisor.api.post("/notes", note).await.expect(201);
    let told = of_type(two, "mention").await;
    assert_eq!((told.len(), text(&told[0]["body"]), text(&told[0]["conversation_id"])), (1, "@dois veja isto", id.as_str()));
    let path = format!("/notes/{}", text(&note["id"]));
    let more = json!({"mention_ids": [two.id, three.id], "text": "@dois @três vejam"});
    company.supervisor.api.call(Method::PUT, &path, Some(more)).await.expect(200);
    assert_eq!((of_type(two, "mention").await[0]["count"].clone(), of_type(three, "mention").await.len()), (json!(1), 1));
    company.supervisor.api.call(Method::PUT, &path, Some(json!({"mention_ids": [two.id]}))).await.expect(200);
    assert!(unread(three).await.is_empty(), "nobody means them any more");
    company.supervisor.api.call(Method::DELETE, &path, None).await.expect(204);
    assert!(unread(two).await.is_empty() && unread(three).await.is_empty(), "nothing is left to read");
    // In the team's chat: whoever has muted the channel is told where they are named, and not with all others; whoever wants nothing, never.
    let channel = json!({"name": "avisos", "kind": "private", "member_ids": [two.id, three.id]});
    let channel = text(&one.api.post("/channels", channel).await.expect(201)["id"]).to_owned();
    two.api.call(Method::PUT, &format!("/channels/{channel}/preferences"), Some(json!({"is_muted": true}))).await.expect(200);
    three.api.call(Method::PUT, &format!("/channels/{channel}/preferences"), Some(json!({"level": "nothing"}))).await.expect(200);
    for mentions in [json!({"channel": true}), json!({"user_ids": [two.id, three.id]})] {
        one.api.post(&format!("/channels/{channel}/messages"), json!({"body": "Olhem", "mentions": mentions})).await.expect(201);
    }
    let told = of_type(two, "mention").await;
    assert_eq!((told.len(), &told[0]["count"], text(&told[0]["channel_id"])), (2, &json!(1), channel.as_str()), "{told:?}");
    assert_eq!(text(&told[0]["title"]), format!("{} mencionou você", name(one).await));
    assert_eq!(of_type(three, "mention").await.len(), 1, "only the note's");
    two.api.post(&format!("/channels/{channel}/read"), json!({})).await.expect(200);
    assert!(unread(two).await.is_empty());
    let words = json!({"body": "@dois", "mentions": {"user_ids": [two.id]}});
    let message = one.api.post(&format!("/channels/{channel}/messages"), words).await.expect(201);
    assert_eq!(unread(two).await.len(), 1);
    let nobody = json!({"body": "ninguém", "mentions": {}});
    one.api.call(Method::PUT, &format!("/chat/messages/{}", text(&message["id"])), Some(nobody)).await.expect(200);
    assert!(unread(two).await.is_empty(), "they are not meant any more");
}

pub async fn direct_messages_and_followed_threads_are_told(stack: Arc<Stack>) {
    let company = stack.company(Wanted { agents: 3, ..Wanted::default() }).await;
    let [one, two, three] = [&company.agents[0], &company.agents[1], &company.agents[2]];
    let direct = one.api.post("/direct-messages", json!({"user_ids": [two.id]})).await;
    let direct = text(&direct.body["id"]).to_owned();
    for words in ["Oi", "Viu o caso da Ana?"] {
        one.api.post(&format!("/channels/{direct}/messages"), json!({"body": words})).await.expect(201);
    }
    let told = of_type(two, "chat_message").await;
    let title = format!("2 mensagens de {}", name(one).await);
    assert_eq!(
        (told.len(), text(&told[0]["title"]), text(&told[0]["body"])),
        (1, title.as_str(), "Viu o caso da Ana?"),
        "{told:?}"
    );
    assert!(unread(one).await.is_empty());
    two.api.post(&format!("/channels/{direct}/read"), json!({"place": 1})).await.expect(200);
    assert_eq!(unread(two).await.len(), 1, "the second is not read yet");
    two.api.post(&format!("/channels/{direct}/read"), json!({})).await.expect(200);
    assert!(unread(two).await.is_empty());
    // In a channel, only the threads that somebody follows.
    let channel = json!({"name": "trocas", "kind": "public", "member_ids": [two.id, three.id]});
    let channel = text(&one.api.post("/channels", channel).await.expect(201)["id"]).to_owned();
    let messages = format!("/channels/{channel}/messages");
    let root = two.api.post(&messages, json!({"body": "Quem cobre sábado?"})).await.expect(201);
    assert!(unread(one).await.is_empty() && unread(three).await.is_empty(), "unread in the channel, and no more than that");
    one.api.post(&messages, json!({"body": "Eu", "root_id": root["id"]})).await.expect(201);
    let told = of_type(two, "chat_message").await;
    assert_eq!((unread(two).await.len(), text(&told[0]["title"]), unread(three).await.len()), (1, name(one).await.as_str(), 0));
    two.api.post(&format!("/channels/{channel}/read"), json!({"root_id": root["id"]})).await.expect(200);
    assert!(unread(two).await.is_empty());
    // What is taken back is not told of any more.
    let answer = one.api.post(&messages, json!({"body": "Ou não", "root_id": root["id"]})).await.expect(201);
    assert_eq!(unread(two).await.len(), 1);
    one.api.call(Method::DELETE, &format!("/chat/messages/{}", text(&answer["id"])), None).await.expect(204);
    assert!(unread(two).await.is_empty());
    // Of several, only what is taken back goes.
    let head = two.head().await;
    let mut said = Vec::new();
    for words in ["um", "dois", "três"] {
        said.push(one.api.post(&format!("/channels/{direct}/messages"), json!({"body": words})).await.expect(201));
    }
    for (gone, left, preview) in [(2, 2, "dois"), (0, 1, "dois")] {
        one.api.call(Method::DELETE, &format!("/chat/messages/{}", text(&said[gone]["id"])), None).await.expect(204);
        let told = of_type(two, "chat_message").await.remove(0);
        assert_eq!((&told["count"], text(&told["body"]), &told["is_read"]), (&json!(left), preview, &json!(false)), "{told}");
    }
    one.api.call(Method::DELETE, &format!("/chat/messages/{}", text(&said[1]["id"])), None).await.expect(204);
    assert!(unread(two).await.is_empty());
    let told = two.events_after(&head).await;
    let of_bell = told.iter().filter(|event| text(&event["type"]).starts_with("notification."));
    let numbers: Vec<_> = of_bell.map(|event| event["data"]["unread"].as_i64().expect("a number")).collect();
    assert_eq!(numbers, [1, 1, 1, 1, 1, 0], "each was told");
    // One of two is named in it: taken back, neither is told of it.
    let three_of_us = one.api.post("/direct-messages", json!({"user_ids": [two.id, three.id]})).await.expect(201);
    let path = format!("/channels/{}/messages", text(&three_of_us["id"]));
    let words = json!({"body": "@dois, e você também", "mentions": {"user_ids": [two.id]}});
    let message = one.api.post(&path, words).await.expect(201);
    assert_eq!((unread(two).await[0].0.as_str(), unread(three).await[0].0.as_str()), ("mention", "chat_message"));
    one.api.call(Method::DELETE, &format!("/chat/messages/{}", text(&message["id"])), None).await.expect(204);
    assert!(unread(two).await.is_empty() && unread(three).await.is_empty());
    // Reading a thread is not saying that one does not follow it.
    let root = one.api.post(&messages, json!({"body": "Outro assunto"})).await.expect(201);
    three.api.post(&format!("/channels/{channel}/read"), json!({"root_id": root["id"]})).await.expect(200);
    three.api.post(&messages, json!({"body": "Eu sei", "root_id": root["id"]})).await.expect(201);
    one.api.post(&messages, json!({"body": "E então?", "root_id": root["id"]})).await.expect(201);
    assert_eq!(unread(three).await.len(), 1);
    // Saying so is, until one answers again.
    let follow = format!("/chat/messages/{}/thread/follow", text(&root["id"]));
    three.api.call(Method::PUT, &follow, Some(json!({"is_following": false}))).await.expect(200);
    read_all(three).await;
    one.api.post(&messages, json!({"body": "Alô?", "root_id": root["id"]})).await.expect(201);
    assert!(unread(three).await.is_empty());
    three.api.post(&messages, json!({"body": "Voltei", "root_id": root["id"]})).await.expect(201);
    one.api.post(&messages, json!({"body": "Que bom", "root_id": root["id"]})).await.expect(201);
    assert_eq!(unread(three).await.len(), 1);
}

/// One act for many is told once, with the number that is right.
pub async fn many_at_once_are_counted_once(stack: Arc<Stack>) {
    let company = stack.company(Wanted { agents: 2, ..Wanted::default() }).await;
    let mut ids = Vec::new();
    for _ in 0..6 {
        ids.push(company.served().await.1);
    }
    let two = &company.agents[1];
    let head = two.head().await;
    let given = json!({"conversation_ids": ids, "assign": {"to_user_id": two.id}});
    company.supervisor.api.post("/conversations/bulk", given).await.expect(200);
    let events = two.events_after(&head).await;
    let told: Vec<_> = events.iter().filter(|event| event["type"] == "notification.created").collect();
    assert!(told.len() == 6 && told.iter().all(|event| event["data"]["unread"] == 6), "{told:?}");
    assert_eq!(told.iter().filter(|event| event["data"]["sound"].is_string()).count(), 1, "one sound: {told:?}");
    assert_eq!(unread(two).await.len(), 6);
}

/// What was told when it came is not told again when two are found to be one, nor when they are parted.
pub async fn a_merge_tells_nothing_again(stack: Arc<Stack>) {
    let company = stack.company(Wanted { agents: 1, ..Wanted::default() }).await;
    let agent = &company.agents[0];
    let mut clients = Vec::new();
    for number in 0..2 {
        let (client, id) = company.served().await;
        company.phone.receive_text(&client, &format!("Mensagem {number}")).await;
        clients.push(text(&company.admin.conversation(&id).await["client_id"]).to_owned());
    }
    read_all(agent).await;
    let head = agent.head().await;
    let path = format!("/clients/{}/merge", clients[0]);
    let merged = company.supervisor.api.post(&path, json!({"client_id": clients[1]})).await.expect(201);
    assert!(unread(agent).await.is_empty());
    let undo = format!("/client-merges/{}/undo", text(&merged["id"]));
    company.supervisor.api.post(&undo, json!({})).await.expect(200);
    assert!(unread(agent).await.is_empty());
    let told = agent.events_after(&head).await;
    assert!(!told.iter().any(|event| event["type"] == "notification.created"), "{told:?}");
}

pub async fn a_low_rating_is_told_to_leaders(stack: Arc<Stack>) {
    let company = stack.company(Wanted { agents: 1, ..Wanted::default() }).await;
    let (_, id) = company.served().await;
    let id: Uuid = id.parse().expect("an id");
    let rate = |rating: i16| {
        let stack = stack.clone();
        async move {
            // As ingest does it, in a transaction of the system with what is left behind at its end.
            let mut database = stack.database().await;
            let transaction = database.transaction().await.expect("begin");
            transaction
                .execute("select app.enter_system(company_id) from conversations where id = $1", &[&id])
                .await
                .expect("enter");
            transaction
                .execute("update conversations set rating = $2, rated_at = now() where id = $1", &[&id, &rating])
                .await
                .expect("rate");
            transaction.execute("select app.tell_notified()", &[]).await.expect("tell");
            transaction.commit().await.expect("commit");
        }
    };
    rate(4).await;
    assert!(unread(&company.supervisor).await.is_empty());
    rate(2).await;
    rate(2).await;
    for leader in [&company.admin, &company.supervisor] {
        let told = of_type(leader, "low_satisfaction").await;
        assert_eq!((told.len(), &told[0]["count"]), (1, &json!(1)), "{told:?}");
        assert!(text(&told[0]["title"]).ends_with(" deu nota 2"), "{told:?}");
        assert_eq!(text(&told[0]["body"]), format!("Atendimento de {}", name(&company.agents[0]).await));
    }
    assert!(unread(&company.agents[0]).await.is_empty());
}

pub async fn a_channel_in_trouble_is_told_to_admins(stack: Arc<Stack>) {
    let company = stack.company(Wanted::default()).await;
    let mut database = stack.database().await;
    let transaction = database.transaction().await.expect("begin");
    transaction.execute("select app.enter_system($1)", &[&company.id]).await.expect("enter");
    let add = "insert into channel_notices (id, channel_account_id, code, text, content, at)
               values (gen_random_uuid(), $1, 'account_disabled', 'A conta foi desativada.', '{}', now())";
    transaction.execute(add, &[&company.channel_account_id]).await.expect("a notice");
    transaction.execute("select app.tell_notified()", &[]).await.expect("tell");
    transaction.commit().await.expect("commit");
    let told =
        eventually("the admin is told", || async { of_type(&company.admin, "integration_broken").await.into_iter().next() })
            .await;
    assert!(text(&told["title"]).ends_with(" precisa de atenção") && !text(&told["body"]).is_empty(), "{told}");
    assert!(unread(&company.supervisor).await.is_empty());
}

pub async fn what_happens_to_an_account_is_told_to_its_owner(stack: Arc<Stack>) {
    let company = stack.company(Wanted::default()).await;
    let person = &company.agents[0];
    let before = of_type(person, "security").await.len();
    let change = json!({"current_password": company.password, "new_password": "uma senha bem outra 7"});
    person.api.call(Method::PUT, "/users/me/password", Some(change)).await.expect(204);
    let told = of_type(person, "security").await;
    assert_eq!((told.len(), text(&told[0]["title"])), (before + 1, "Sua senha foi trocada"), "{told:?}");
    assert!(of_type(&company.admin, "security").await.iter().all(|row| text(&row["title"]) != "Sua senha foi trocada"));
}

pub async fn what_was_planned_and_failed_and_what_comes_back_is_told(stack: Arc<Stack>) {
    let company = stack.company(Wanted { agents: 1, ..Wanted::default() }).await;
    let agent = &company.agents[0];
    let (_, id) = company.served().await;
    let soon = (jiff::Timestamp::now() + std::time::Duration::from_secs(2)).to_string();
    agent.api.post(&format!("/conversations/{id}/snooze"), json!({"until": soon})).await.expect(200);
    let told = eventually("it comes back", || async { of_type(agent, "reminder").await.into_iter().next() }).await;
    assert!(text(&told["title"]).starts_with("Hora de voltar a "), "{told}");
    // A channel that is put away before what was planned for it is due.
    let channel = agent.api.post("/channels", json!({"name": "efêmero", "kind": "public"})).await.expect(201);
    let soon = (jiff::Timestamp::now() + std::time::Duration::from_secs(3)).to_string();
    let plan = json!({"channel_id": channel["id"], "message": {"body": "Bom dia"}, "due_at": soon});
    agent.api.post("/chat/scheduled", plan).await.expect(201);
    agent.api.call(Method::DELETE, &format!("/channels/{}", text(&channel["id"])), None).await.expect(204);
    let told = eventually("it fails", || async { of_type(agent, "planned_failed").await.into_iter().next() }).await;
    assert_eq!((text(&told["title"]), text(&told["body"])), ("Mensagem planejada não enviada", ""));
    read_all(agent).await;
    assert!(unread(agent).await.is_empty());
    // Where they see nothing of the place any more, they are told all the same.
    let channel = json!({"name": "de outros", "kind": "private", "member_ids": [agent.id]});
    let channel = company.admin.api.post("/channels", channel).await.expect(201);
    let soon = (jiff::Timestamp::now() + std::time::Duration::from_secs(2)).to_string();
    let plan = json!({"channel_id": channel["id"], "message": {"body": "Bom dia"}, "due_at": soon});
    agent.api.post("/chat/scheduled", plan).await.expect(201);
    agent.api.post(&format!("/channels/{}/leave", text(&channel["id"])), json!({})).await.expect(204);
    eventually("it fails, too", || async { (unread(agent).await.len() == 1).then_some(()) }).await;
}

pub async fn a_cause_tells_once(stack: Arc<Stack>) {
    let company = stack.company(Wanted { agents: 1, ..Wanted::default() }).await;
    let agent = &company.agents[0];
    let (client, _) = company.served().await;
    let id = format!("wamid.{}", Uuid::now_v7().simple());
    for _ in 0..3 {
        company.phone.receive(&client, json!({"text": "Uma vez", "id": id, "copies": 3})).await;
    }
    let told = of_type(agent, "message").await;
    assert_eq!((told.len(), &told[0]["count"]), (1, &json!(1)));
    // Eight that say the same at once, each in a transaction of its own.
    let say = || async {
        let mut database = stack.database().await;
        let transaction = database.transaction().await.expect("begin");
        transaction.execute("select app.enter_system($1)", &[&company.id]).await.expect("enter");
        let notice = json!({"type": "reminder", "people": [agent.id], "cause": "uma só", "group_key": "uma"});
        transaction.execute("select app.notify($1)", &[&notice]).await.expect("notify");
        transaction.execute("select app.tell_notified()", &[]).await.expect("tell");
        transaction.commit().await.expect("commit");
    };
    tests::each(0..8, |_| say()).await;
    let told = of_type(agent, "reminder").await;
    assert_eq!((told.len(), &told[0]["count"]), (1, &json!(1)), "{told:?}");
}
