//! The menu bot as clients meet it.

use std::sync::Arc;

use serde_json::{Value, json};
use tests::{
    Company, Stack, Wanted,
    company::text,
    desk::{media, voice_note},
    sandbox::fresh_number,
    soon,
};

/// A client of a company whose bot has this flow; the standard menu without one.
async fn scene(stack: &Stack, flow: Option<Value>) -> (Company, String) {
    let company = stack.company(Wanted { agents: 1, students: 0, bot: true, flow, ..Wanted::default() }).await;
    (company, fresh_number())
}

/// What WhatsApp was sent, as text.
async fn said(company: &Company, count: usize) -> Vec<String> {
    let sent = company.phone.sent_at_least(count).await;
    let words = |sent: &Value| {
        let body = &sent["body"];
        let found = if body["type"] == "interactive" { &body["interactive"]["body"]["text"] } else { &body["text"]["body"] };
        text(found).to_owned()
    };
    sent.iter().map(words).collect()
}

async fn mode_and_status(company: &Company, client: &str) -> (String, String) {
    let conversation = company.admin.conversation_of(client).await;
    (text(&conversation["mode"]).to_owned(), text(&conversation["status"]).to_owned())
}

fn options(count: usize) -> Vec<Value> {
    (1..=count).map(|index| json!({"id": format!("o{index}"), "title": format!("Opção {index}"), "go_to": "human"})).collect()
}

fn menu(count: usize) -> Value {
    json!({"start": "menu", "nodes": {
        "menu": {"type": "menu", "text": "Escolha, {{client_name}}", "button": "Ver", "options": options(count)},
        "human": {"type": "handover", "text": "Já chamo alguém."},
    }})
}

pub async fn menu_greets_by_name_and_answers_taps(stack: Arc<Stack>) {
    let (company, client) = scene(&stack, None).await;
    company.phone.receive_text(&client, "Oi").await;
    let sent = company.phone.sent_at_least(1).await;
    let interactive = &sent[0]["body"]["interactive"];
    assert!(text(&interactive["body"]["text"]).starts_with("Olá, Maria Teste!"), "{interactive}");
    assert_eq!((text(&interactive["type"]), interactive["action"]["buttons"].as_array().map(Vec::len)), ("button", Some(3)));
    company.phone.receive(&client, json!({"button_reply": {"id": "fees", "title": "Mensalidades"}})).await;
    let words = said(&company, 3).await;
    assert!(words[1].contains("dia 10") && words[2].starts_with("Olá"), "{words:?}");
    assert_eq!(mode_and_status(&company, &client).await, ("bot".into(), "bot".into()));
}

pub async fn numbers_and_titles_are_understood_too(stack: Arc<Stack>) {
    for answer in ["3", " Falar com ATENDENTE "] {
        let (company, client) = scene(&stack, None).await;
        company.phone.receive_text(&client, "Oi").await;
        said(&company, 1).await;
        company.phone.receive_text(&client, answer).await;
        let words = said(&company, 2).await;
        assert_eq!(words[1], "Um momento, já vou chamar alguém da equipe.");
        assert_eq!(mode_and_status(&company, &client).await, ("human".into(), "pending".into()));
    }
}

pub async fn global_words_work_anywhere(stack: Arc<Stack>) {
    let (company, client) = scene(&stack, None).await;
    company.phone.receive_text(&client, "Oi").await;
    said(&company, 1).await;
    company.phone.receive_text(&client, "Menu").await;
    let words = said(&company, 2).await;
    assert!(words[1].starts_with("Olá"), "{words:?}");
    company.phone.receive_text(&client, " HUMANO ").await;
    said(&company, 3).await;
    assert_eq!(mode_and_status(&company, &client).await, ("human".into(), "pending".into()));
}

pub async fn twice_not_understood_is_handed_over(stack: Arc<Stack>) {
    let (company, client) = scene(&stack, None).await;
    company.phone.receive_text(&client, "Oi").await;
    said(&company, 1).await;
    company.phone.receive_text(&client, "bláblá").await;
    let words = said(&company, 3).await;
    assert!(words[1].starts_with("Não entendi") && words[2].starts_with("Olá"), "{words:?}");
    company.phone.receive_text(&client, "bláblá de novo").await;
    let words = said(&company, 4).await;
    assert_eq!(words[3], "Um momento, já vou chamar alguém da equipe.");
    assert_eq!(mode_and_status(&company, &client).await, ("human".into(), "pending".into()));
    company.phone.receive_text(&client, "alguém?").await;
    soon().await;
    assert_eq!(company.phone.sent().await.len(), 4);
}

pub async fn outside_the_hours_it_says_so(stack: Arc<Stack>) {
    let flow = json!({
        "start": "menu",
        "nodes": {
            "menu": {"type": "menu", "text": "Aberto", "closed_text": "Estamos fechados", "options": options(1)},
            "human": {"type": "handover", "text": "Já vou", "closed_text": "Amanhã respondemos"},
        },
    });
    let (company, client) = scene(&stack, Some(flow)).await;
    company.admin.api.call(reqwest::Method::PUT, "/calendar", Some(json!({"week": {}}))).await.expect(200);
    company.phone.receive_text(&client, "Oi").await;
    company.phone.sent_at_least(1).await;
    company.phone.receive_text(&client, "1").await;
    assert_eq!(said(&company, 2).await, ["Estamos fechados", "Amanhã respondemos"]);
}

pub async fn more_than_three_options_become_a_list(stack: Arc<Stack>) {
    let (company, client) = scene(&stack, Some(menu(7))).await;
    company.phone.receive_text(&client, "Oi").await;
    let sent = company.phone.sent_at_least(1).await;
    let interactive = &sent[0]["body"]["interactive"];
    assert_eq!((text(&interactive["type"]), text(&interactive["action"]["button"])), ("list", "Ver"));
    assert_eq!(interactive["action"]["sections"][0]["rows"].as_array().map(Vec::len), Some(7));
    company.phone.receive(&client, json!({"list_reply": {"id": "o7", "title": "Opção 7"}})).await;
    assert_eq!(said(&company, 2).await[1], "Já chamo alguém.");
}

pub async fn more_than_ten_options_become_numbered_text(stack: Arc<Stack>) {
    let (company, client) = scene(&stack, Some(menu(12))).await;
    company.phone.receive_text(&client, "Oi").await;
    let words = said(&company, 1).await;
    assert!(words[0].contains("\n12. Opção 12"), "{words:?}");
    company.phone.receive_text(&client, "12").await;
    assert_eq!(said(&company, 2).await[1], "Já chamo alguém.");
}

pub async fn several_quick_messages_are_answered_together(stack: Arc<Stack>) {
    let (company, client) = scene(&stack, None).await;
    let phone = &company.phone;
    let words = ["Oi", "tudo bem?", "queria saber", "dos cursos", "por favor"];
    futures_util::future::join_all(words.map(|words| phone.receive_text(&client, words))).await;
    said(&company, 1).await;
    soon().await;
    soon().await;
    let id = company.admin.conversation_id_of(&client).await;
    let thread = company.admin.thread(&id).await;
    let count = |kind: &str| thread.iter().filter(|message| message["sender_type"] == kind).count();
    assert_eq!(count("client"), 5);
    // One turn may begin before the others arrive; none is answered one by one.
    assert!((1..=5).contains(&count("bot")), "{thread:?}");
    let database = stack.database().await;
    let row: uuid::Uuid = id.parse().expect("an id");
    // Read one by one they are not understood twice, and a human has the word: then nothing is left for the bot.
    let sql = "select mode = 'human' or bot_answered = 5 from conversations where id = $1";
    let is_answered: bool = database.query_one(sql, &[&row]).await.expect("a row").get(0);
    assert!(is_answered, "a message was left without an answer");
}

fn call_permission_reply() -> Value {
    json!({"message": {"type": "interactive", "interactive": {"type": "call_permission_reply",
        "call_permission_reply": {"response": "reject", "response_source": "user_action"}}}})
}

pub async fn what_is_no_answer_leaves_the_bot_waiting(stack: Arc<Stack>) {
    let (company, client) = scene(&stack, None).await;
    company.phone.receive_text(&client, "Oi").await;
    said(&company, 1).await;
    let no_answers = [
        call_permission_reply(),
        json!({"message": {"type": "interactive", "errors": [{"code": 131_000}]}}),
        json!({"message": {"type": "unsupported", "unsupported": {"type": "poll"}}}),
        json!({"message": {"type": "request_welcome"}}),
        json!({"message": {"type": "text"}}),
    ];
    for content in no_answers {
        company.phone.receive(&client, content).await;
    }
    soon().await;
    assert_eq!(company.phone.sent().await.len(), 1, "the bot answered what is no answer");
    assert_eq!(mode_and_status(&company, &client).await, ("bot".into(), "bot".into()));
    // Nor did it count as a miss: the first one is still to come.
    company.phone.receive_text(&client, "bláblá").await;
    let words = said(&company, 3).await;
    assert!(words[1].starts_with("Não entendi"), "{words:?}");
    company.phone.receive_text(&client, "1").await;
    said(&company, 5).await;
    assert_eq!(mode_and_status(&company, &client).await, ("bot".into(), "bot".into()));
}

pub async fn voice_note_is_no_answer_to_a_question(stack: Arc<Stack>) {
    let flow = json!({"start": "name", "nodes": {
        "name": {"type": "question", "text": "Seu nome?", "field": "name", "go_to": "human"},
        "human": {"type": "handover", "text": "Já chamo alguém."},
    }});
    let (company, client) = scene(&stack, Some(flow)).await;
    company.phone.receive_text(&client, "Oi").await;
    said(&company, 1).await;
    let voice = || media("audio/ogg", &voice_note(1), json!({"voice": true}));
    company.phone.receive(&client, voice()).await;
    let words = said(&company, 3).await;
    assert_eq!((words[1].starts_with("Não entendi"), words[2].as_str()), (true, "Seu nome?"), "{words:?}");
    assert_eq!(mode_and_status(&company, &client).await, ("bot".into(), "bot".into()));
    company.phone.receive(&client, voice()).await;
    assert_eq!(said(&company, 4).await[3], "Já chamo alguém.");
    assert_eq!(mode_and_status(&company, &client).await, ("human".into(), "pending".into()));
}

pub async fn first_contact_without_words_is_greeted(stack: Arc<Stack>) {
    let (company, client) = scene(&stack, None).await;
    company.phone.receive(&client, json!({"message": {"type": "request_welcome"}})).await;
    let words = said(&company, 1).await;
    assert!(words[0].starts_with("Olá, Maria Teste!"), "{words:?}");
}

pub async fn replayed_message_is_answered_once(stack: Arc<Stack>) {
    let (company, client) = scene(&stack, None).await;
    company.phone.receive(&client, json!({"text": "Oi", "copies": 5})).await;
    said(&company, 1).await;
    soon().await;
    assert_eq!(company.phone.sent().await.len(), 1);
}

pub async fn questions_keep_answers_and_the_end_closes(stack: Arc<Stack>) {
    let flow = json!({"start": "ask", "nodes": {
        "ask": {"type": "question", "text": "Qual é o curso?", "field": "course", "go_to": "bye"},
        "bye": {"type": "end", "text": "Obrigado, {{client_name}}!"},
    }});
    let (company, client) = scene(&stack, Some(flow)).await;
    company.phone.receive_text(&client, "Oi").await;
    said(&company, 1).await;
    company.phone.receive_text(&client, "Inglês").await;
    assert_eq!(said(&company, 2).await, ["Qual é o curso?", "Obrigado, Maria Teste!"]);
    let conversation = company.admin.conversation_of(&client).await;
    assert_eq!((text(&conversation["status"]), text(&conversation["close_reason"])), ("closed", "bot"));
    let database = stack.database().await;
    let id: uuid::Uuid = text(&conversation["id"]).parse().expect("an id");
    let sql = "select bot_fields ->> 'course' from conversations where id = $1";
    assert_eq!(database.query_one(sql, &[&id]).await.expect("a row").get::<_, &str>(0), "Inglês");
}

pub async fn flow_that_cannot_be_read_hands_over(stack: Arc<Stack>) {
    let (company, client) = scene(&stack, Some(json!({"start": "nowhere", "nodes": {}, "surprise": 1}))).await;
    let mut socket = company.agents[0].socket().await;
    company.phone.receive_text(&client, "Oi").await;
    let waiting = |frame: &Value| frame["data"]["conversation"]["status"] == "pending";
    socket.frame("the conversation waiting", waiting).await;
}

pub async fn handover_to_a_department_that_is_gone_waits_for_everybody(stack: Arc<Stack>) {
    let gone = uuid::Uuid::now_v7();
    let flow = json!({"start": "human", "nodes": {
        "human": {"type": "handover", "text": "Já chamo alguém.", "department_id": gone},
    }});
    let (company, client) = scene(&stack, Some(flow)).await;
    company.phone.receive_text(&client, "Oi").await;
    assert_eq!(said(&company, 1).await, ["Já chamo alguém."]);
    let conversation = company.agents[0].conversation_of(&client).await;
    assert_eq!((text(&conversation["status"]), &conversation["department_id"]), ("pending", &Value::Null));
}
