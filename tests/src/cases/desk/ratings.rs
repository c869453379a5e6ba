//! What clients think of how they were served: asked when their conversation is closed, answered with a figure, once.

use std::sync::Arc;

use serde_json::{Value, json};
use tests::{Company, Stack, Wanted, company::text, each, eventually, sandbox::fresh_number};

const QUESTION: &str = "Como foi o seu atendimento? Responda com uma nota de 1 a 5, sendo 1 muito ruim e 5 excelente.";

async fn company(stack: &Stack) -> Company {
    stack.company(Wanted { students: 0, ..Wanted::default() }).await
}

async fn set(company: &Company, settings: Value) {
    let id = company.id;
    let current = company.admin.api.get(&format!("/companies/{id}")).await.expect(200);
    let api = company.admin.api.with_header("if-match", &format!("\"{}\"", current["version"]));
    api.call(reqwest::Method::PUT, &format!("/companies/{id}"), Some(settings)).await.expect(200);
}

async fn close(company: &Company, id: &str, body: Value) -> Value {
    company.agents[0].api.post(&format!("/conversations/{id}/close"), body).await.expect(200)
}

fn is_question(message: &Value) -> bool {
    message["kind"] == "interactive" && message["payload"]["automatic"] == true
}

/// Closed, with the question on the client's phone.
async fn asked(company: &Company) -> (String, String) {
    let (client, id) = company.served().await;
    close(company, &id, json!({"ask_rating": true})).await;
    company.admin.message_when(&id, "the question sent", |message| is_question(message) && message["status"] == "read").await;
    (client, id)
}

async fn rated(company: &Company, id: &str) -> (String, Value) {
    let shown = company.admin.conversation(id).await;
    assert_eq!(shown["rating"].is_null(), shown["rated_at"].is_null(), "{shown}");
    (text(&shown["status"]).to_owned(), shown["rating"].clone())
}

async fn jobs_of_bot(stack: &Stack, company: &Company) -> i64 {
    let sql = "select count(*) from jobs where company_id = $1 and queue = 'bot'";
    stack.database().await.query_one(sql, &[&company.id]).await.expect("a count").get(0)
}

pub async fn client_is_asked_where_the_company_or_the_closing_wants_it(stack: Arc<Stack>) {
    let company = company(&stack).await;
    let closed = async |body: Value| {
        let (_, id) = company.served().await;
        let closed = close(&company, &id, body).await;
        let thread = company.admin.thread(&id).await;
        let question = thread.into_iter().find(is_question);
        let shown = closed["last_message_preview"] == company.admin.conversation(&id).await["last_message_preview"];
        assert!(shown && closed["status"] == "closed", "{closed}");
        question.map(|question| text(&question["body"]).to_owned())
    };
    assert_eq!(closed(json!({})).await, None);
    assert_eq!(closed(json!({"ask_rating": true})).await.as_deref(), Some(QUESTION));
    set(&company, json!({"asks_rating": true, "rating_text": "Nota de 1 a 5, {{client.name}}? {{agent.name}}"})).await;
    assert_eq!(closed(json!({"reason": "resolvido"})).await.as_deref(), Some("Nota de 1 a 5, Maria Teste? Bruna Lima"));
    assert_eq!(closed(json!({"ask_rating": false})).await, None);
    set(&company, json!({"rating_text": " "})).await;
    assert_eq!(closed(json!({"ask_rating": null})).await.as_deref(), Some(QUESTION));
    let sent = company.phone.sent_at_least(3).await;
    let rows: Vec<&Value> =
        sent[0]["body"]["interactive"]["action"]["sections"][0]["rows"].as_array().into_iter().flatten().collect();
    let titles: Vec<&str> = rows.iter().map(|row| text(&row["title"])).collect();
    assert_eq!((titles, text(&rows[0]["description"])), (vec!["5", "4", "3", "2", "1"], "Excelente"));
    // Many at once: the company's word, and only those who can be written to.
    let mut ids = Vec::new();
    for _ in 0..4 {
        ids.push(company.served().await.1);
    }
    let database = stack.database().await;
    let late = "update conversations set window_expires_at = now() - interval '1 second' where id::text = $1";
    database.execute(late, &[&ids[0]]).await.expect("a closed window");
    let blocked = text(&company.admin.conversation(&ids[1]).await["client_id"]).to_owned();
    company.admin.api.post(&format!("/clients/{blocked}/block"), json!({})).await.expect(200);
    let done = company.agents[0].api.post("/conversations/bulk", json!({"conversation_ids": ids, "close": {}})).await.expect(200);
    assert!(done["data"].as_array().into_iter().flatten().all(|row| row["outcome"] == "done"), "{done}");
    for (place, id) in ids.iter().enumerate() {
        let count = company.admin.thread(id).await.iter().filter(|message| is_question(message)).count();
        assert_eq!(count, usize::from(place > 1), "the one of place {place}");
    }
}

pub async fn figure_rates_a_closed_conversation_and_wakes_nobody(stack: Arc<Stack>) {
    let company = stack.company(Wanted { students: 0, bot: true, ..Wanted::default() }).await;
    let (client, id) = asked(&company).await;
    let mut socket = company.admin.socket().await;
    let (turns, head) = (jobs_of_bot(&stack, &company).await, company.admin.head().await);
    company.phone.receive_text(&client, "Nota 4").await;
    let told = socket.of_type("conversation.updated").await;
    assert_eq!((&told["data"]["conversation"]["rating"], text(&told["data"]["conversation"]["status"])), (&json!(4), "closed"));
    let shown = company.admin.conversation(&id).await;
    assert_eq!((&shown["unread"], text(&shown["last_message_preview"])), (&json!(0), "Nota 4"));
    assert_eq!(rated(&company, &id).await, ("closed".into(), json!(4)));
    let kinds: Vec<String> =
        company.admin.events_after(&head).await.iter().map(|event| text(&event["type"]).to_owned()).collect();
    assert_eq!(kinds, ["conversation.updated", "message.created"]);
    assert_eq!(jobs_of_bot(&stack, &company).await, turns, "no turn of the bot");
    let thread = company.admin.thread(&id).await;
    // WhatsApp tells whole seconds: within one, what is answered may stand behind its answer.
    let figure = thread.iter().find(|message| message["body"] == "Nota 4").expect("the figure");
    assert_eq!((&figure["payload"]["rating"], &figure["is_read"]), (&json!(4), &json!(true)));
    let history =
        company.admin.api.get(&format!("/clients/{}/history?kind=conversation", text(&shown["client_id"]))).await.expect(200);
    assert_eq!(history["data"][0]["data"]["rating"], json!(4), "{history}");
    let listed = company.admin.api.get("/conversations?category=closed").await.expect(200);
    assert_eq!((&listed["data"][0]["id"], &listed["data"][0]["rating"]), (&json!(id), &json!(4)));
    // Once: the next figure is a message like any other.
    company.phone.receive_text(&client, "1").await;
    assert_eq!(rated(&company, &id).await, ("active".into(), json!(4)));
    // Asked again when it is closed again; a tap is an answer too.
    close(&company, &id, json!({"ask_rating": true})).await;
    let mut questions = Vec::new();
    while questions.len() < 2 {
        questions = company.admin.thread(&id).await;
        questions.retain(|message| is_question(message) && message["status"] == "read");
    }
    let context = json!({"id": questions[0]["provider_id"], "from": "1"});
    let tap = json!({"list_reply": {"id": "rating:1", "title": "1"}, "context": context});
    company.phone.receive(&client, tap).await;
    assert_eq!(rated(&company, &id).await, ("active".into(), json!(4)), "a tap on the first question answers nothing");
    close(&company, &id, json!({"ask_rating": true})).await;
    let newest = eventually("the third question", || async {
        let thread = company.admin.thread(&id).await;
        thread.into_iter().filter(|message| is_question(message) && message["status"] == "read").nth(2)
    })
    .await;
    let tap = json!({"list_reply": {"id": "rating:2", "title": "2"}, "context": {"id": newest["provider_id"], "from": "1"}});
    company.phone.receive(&client, tap).await;
    assert_eq!(rated(&company, &id).await, ("closed".into(), json!(2)));
}

pub async fn all_else_is_a_message_like_any_other(stack: Arc<Stack>) {
    let company = company(&stack).await;
    let database = stack.database().await;
    let seconds = |ago: i64| json!(jiff::Timestamp::now().as_second() - ago);
    // Words; then even a figure rates nothing any more.
    let (client, id) = asked(&company).await;
    company.phone.receive_text(&client, "Muito bom, 5!").await;
    assert_eq!(rated(&company, &id).await, ("active".into(), Value::Null));
    close(&company, &id, json!({"ask_rating": false})).await;
    company.phone.receive_text(&client, "5").await;
    assert_eq!(rated(&company, &id).await, ("active".into(), Value::Null));
    // Nobody asked.
    let (client, id) = company.served().await;
    close(&company, &id, json!({})).await;
    company.phone.receive_text(&client, "5").await;
    assert_eq!(rated(&company, &id).await, ("active".into(), Value::Null));
    // Too late.
    let (client, id) = asked(&company).await;
    let yesterday = "update conversations set ended_at = now() - interval '25 hours' where id::text = $1";
    database.execute(yesterday, &[&id]).await.expect("a day ago");
    company.phone.receive_text(&client, "5").await;
    assert_eq!(rated(&company, &id).await, ("closed".into(), Value::Null));
    let waiting = company.admin.api.get(&format!("/conversations?search={client}&category=pending")).await.expect(200);
    assert_eq!(waiting["data"].as_array().map(Vec::len), Some(1), "a new one: {waiting}");
    // Written before the question, told after it.
    let (client, id) = asked(&company).await;
    company.phone.receive(&client, json!({"text": "5", "timestamp": seconds(5)})).await;
    assert_eq!(rated(&company, &id).await, ("active".into(), Value::Null));
    // Of a blocked client it is kept, and nothing else.
    let (client, id) = asked(&company).await;
    let client_id = text(&company.admin.conversation(&id).await["client_id"]).to_owned();
    company.admin.api.post(&format!("/clients/{client_id}/block"), json!({})).await.expect(200);
    company.phone.receive_text(&client, "5").await;
    assert_eq!(rated(&company, &id).await, ("closed".into(), Value::Null));
    // The window was shut: nothing was asked.
    let (client, id) = company.served().await;
    let shut = "update conversations set window_expires_at = now() - interval '1 second' where id::text = $1";
    database.execute(shut, &[&id]).await.expect("a closed window");
    close(&company, &id, json!({"ask_rating": true})).await;
    assert!(!company.admin.thread(&id).await.iter().any(is_question));
    company.phone.receive_text(&client, "5").await;
    assert_eq!(rated(&company, &id).await, ("active".into(), Value::Null));
}

pub async fn question_that_has_not_gone_out_is_not_answered(stack: Arc<Stack>) {
    let company = company(&stack).await;
    for status in ["queued", "failed"] {
        let (client, id) = asked(&company).await;
        let held_up =
            "update messages set status = $2, sending_at = null where conversation_id::text = $1 and kind = 'interactive'";
        stack.database().await.execute(held_up, &[&id, &status]).await.expect("a question held up");
        company.phone.receive_text(&client, "3").await;
        assert_eq!(rated(&company, &id).await, ("active".into(), Value::Null), "{status}");
    }
    // Whoever has opened it again is not asked after all.
    let (client, id) = company.served().await;
    let asked_before = company.phone.sent().await.len();
    company
        .phone
        .fault(json!({"target": "whatsapp.messages", "kind": "error", "status": 503, "code": 131_016, "times": 0}))
        .await;
    close(&company, &id, json!({"ask_rating": true})).await;
    company.agents[0].api.post(&format!("/conversations/{id}/reopen"), json!({})).await.expect(200);
    company.phone.heal().await;
    let silenced = |message: &Value| is_question(message) && message["status"] == "failed" && message["error_code"] == "silenced";
    company.admin.message_when(&id, "the question silenced", silenced).await;
    company.phone.receive_text(&client, "3").await;
    assert_eq!(rated(&company, &id).await, ("active".into(), Value::Null));
    assert_eq!(company.phone.sent().await.len(), asked_before);
}

pub async fn crowds_rate_at_once_each_once(stack: Arc<Stack>) {
    let company = company(&stack).await;
    set(&company, json!({"asks_rating": true})).await;
    let mut people = Vec::new();
    for _ in 0..12 {
        people.push(company.served().await);
    }
    let ids: Vec<&String> = people.iter().map(|(_, id)| id).collect();
    company.agents[0].api.post("/conversations/bulk", json!({"conversation_ids": ids, "close": {}})).await.expect(200);
    for id in ids {
        company.admin.message_when(id, "the question sent", |message| is_question(message) && message["status"] == "read").await;
    }
    // Each figure thrice at the same time, some with words of the same client beside it, some with a second figure.
    let (company, people) = (&company, &people);
    let answers = each(0..36, |index| async move {
        let (client, _) = &people[index % 12];
        match index / 12 {
            0 => company.phone.receive(client, json!({"text": (index % 5 + 1).to_string(), "copies": 3})).await,
            1 if index % 3 == 0 => company.phone.receive(client, json!({"text": "Obrigado"})).await,
            2 if index % 4 == 0 => company.phone.receive(client, json!({"text": "5"})).await,
            _ => json!({"status": 200}),
        }
    })
    .await;
    assert!(answers.iter().all(|answer| answer["status"] == 200), "{answers:?}");
    for (place, (client, id)) in people.iter().enumerate() {
        let (status, rating) = rated(company, id).await;
        let thread = company.admin.thread(id).await;
        let theirs: Vec<&Value> = thread.iter().filter(|message| message["sender_type"] == "client").collect();
        let ratings: Vec<&Value> =
            theirs.iter().map(|message| &message["payload"]["rating"]).filter(|rating| !rating.is_null()).collect();
        let others = usize::from(place % 3 == 0) + usize::from(place % 4 == 0);
        assert_eq!(theirs.len(), 2 + others, "all of {client}, once: {thread:?}");
        match others {
            0 => assert_eq!((status.as_str(), &rating), ("closed", &json!(place % 5 + 1)), "of {client}"),
            _ => assert_eq!(ratings.len(), usize::from(!rating.is_null()), "one at most of {client}"),
        }
        assert_eq!(ratings.first().copied().unwrap_or(&Value::Null), &rating);
    }
    let outcomes = company.outcomes(&stack).await;
    assert!(outcomes.iter().all(|outcome| ["stored", "duplicate"].contains(&outcome.as_str())), "{outcomes:?}");
}

pub async fn merged_client_rates_what_was_theirs(stack: Arc<Stack>) {
    let company = company(&stack).await;
    let (client, id) = asked(&company).await;
    let other = fresh_number();
    company.phone.receive_text(&other, "Oi").await;
    let stays = company.admin.conversation_of(&other).await;
    company.admin.close(text(&stays["id"])).await;
    let stands_first = "update conversations set ended_at = ended_at - interval '1 hour' where id::text = $1";
    stack.database().await.execute(stands_first, &[&text(&stays["id"])]).await.expect("closed before");
    let goes = company.admin.conversation(&id).await["client_id"].clone();
    let path = format!("/clients/{}/merge", text(&stays["client_id"]));
    company.supervisor.api.post(&path, json!({"client_id": goes})).await.expect(201);
    company.phone.receive_text(&client, "5\u{fe0f}\u{20e3}").await;
    assert_eq!(rated(&company, &id).await, ("closed".into(), json!(5)));
    assert_eq!(company.admin.conversation(&id).await["client_id"], stays["client_id"]);
}
