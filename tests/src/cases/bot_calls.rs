//! Turns that stop for somebody else's answer: what is asked, how it is proved, and what becomes of the conversation meanwhile.

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

use reqwest::Method;
use serde_json::{Value, json};
use tests::{Company, Stack, company::text, eventually, sandbox::fresh_number, soon};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
};

use super::{
    bot_flows::{begins, company, handover, publish, said, save, status},
    faults::{kill, let_leases_pass, until_all_done},
};
use crate::Case;

pub fn cases() -> Vec<(&'static str, Case)> {
    use self as bot_calls;
    cases! {
        bot_calls::{
            a_flow_asks_a_server_and_goes_on_with_its_answer,
            what_is_no_answer_goes_the_other_way,
            what_is_said_during_a_call_is_no_answer_to_it,
            people_are_faster_than_a_call,
            calls_are_signed_with_a_secret_that_only_admins_renew,
            a_played_flow_asks_nobody,
        };
    }
}

/// A request as a company's server has it.
#[derive(Clone, Debug)]
struct Heard {
    line: String,
    headers: Vec<(String, String)>,
    body: String,
}

impl Heard {
    fn header(&self, name: &str) -> &str {
        self.headers.iter().find(|(known, _)| known == name).map_or("", |(_, value)| value)
    }

    fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_default()
    }

    /// Whether one of its signatures is made with this secret.
    fn is_signed_with(&self, secret: &str) -> bool {
        let header = self.header("x-balcao-signature");
        let mut parts = header.split(',');
        let time = parts.next().and_then(|part| part.strip_prefix("t=")).unwrap_or_default();
        let key = ring::hmac::Key::new(ring::hmac::HMAC_SHA256, secret.as_bytes());
        let proof = hex::encode(ring::hmac::sign(&key, format!("{time}.{}", self.body).as_bytes()));
        parts.any(|part| part.strip_prefix("v1=") == Some(&proof))
    }
}

/// A company's server, which answers everything alike.
struct Server {
    url: String,
    heard: Arc<Mutex<Vec<Heard>>>,
}

impl Server {
    /// Answers with this status line and this body, after a while.
    async fn start(answer: &str, body: &str, after: Duration) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let url = format!("http://{}/pedidos", listener.local_addr().expect("an address"));
        let heard = Arc::new(Mutex::new(Vec::new()));
        let (kept, whole) = (
            Arc::clone(&heard),
            format!("HTTP/1.1 {answer}\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{body}", body.len()),
        );
        tokio::spawn(async move {
            while let Ok((mut stream, _)) = listener.accept().await {
                let (kept, whole) = (Arc::clone(&kept), whole.clone());
                tokio::spawn(async move {
                    let Some(request) = read(&mut stream).await else { return };
                    kept.lock().unwrap_or_else(PoisonError::into_inner).push(request);
                    tokio::time::sleep(after).await;
                    let _ = stream.write_all(whole.as_bytes()).await;
                });
            }
        });
        Self { url, heard }
    }

    async fn quick(answer: &str, body: &str) -> Self {
        Self::start(answer, body, Duration::ZERO).await
    }

    fn heard(&self) -> Vec<Heard> {
        self.heard.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    async fn heard_at_least(&self, count: usize) -> Vec<Heard> {
        eventually("calls", || async {
            let heard = self.heard();
            (heard.len() >= count).then_some(heard)
        })
        .await
    }
}

async fn read(stream: &mut TcpStream) -> Option<Heard> {
    let (mut bytes, mut chunk) = (Vec::new(), [0; 4096]);
    loop {
        let count = stream.read(&mut chunk).await.ok().filter(|count| *count > 0)?;
        bytes.extend_from_slice(&chunk[..count]);
        let whole = String::from_utf8_lossy(&bytes).into_owned();
        let Some((head, body)) = whole.split_once("\r\n\r\n") else { continue };
        let mut lines = head.lines();
        let line = lines.next()?.to_owned();
        let split = |line: &str| line.split_once(": ").map(|(name, value)| (name.to_lowercase(), value.to_owned()));
        let headers: Vec<(String, String)> = lines.filter_map(split).collect();
        let length = headers.iter().find(|(name, _)| name == "content-length").and_then(|(_, value)| value.parse().ok());
        if body.len() >= length.unwrap_or(0) {
            return Some(Heard { line, headers, body: body.to_owned() });
        }
    }
}

/// A flow that asks for an order and then a server.
fn calls(url: &str) -> Value {
    json!({"start": "ask", "nodes": {
        "ask": {"type": "question", "text": "Qual pedido?", "field": "pedido", "go_to": "call"},
        "call": {"type": "webhook", "url": url, "headers": {"X-Loja": "7"}, "fields": ["pedido"],
                 "save": {"/situacao": "situacao"}, "go_to": "tell", "on_failure": "human"},
        "tell": {"type": "question", "text": "Situação: {{situacao}}. Algo mais?", "field": "mais", "go_to": "human"},
        "human": handover("Vou chamar alguém."),
    }})
}

async fn secret(company: &Company) -> String {
    text(&company.admin.api.post("/bot/secret", json!({})).await.expect(200)["secret"]).to_owned()
}

/// A client who has been asked for their order.
async fn asked(company: &Company) -> String {
    let client = fresh_number();
    company.phone.receive_text(&client, "Oi").await;
    said(company, &client, 1).await;
    client
}

pub async fn a_flow_asks_a_server_and_goes_on_with_its_answer(stack: Arc<Stack>) {
    let company = company(&stack).await;
    let secret = secret(&company).await;
    let server = Server::quick("200 OK", r#"{"situacao": "Enviado"}"#).await;
    begins(&company, calls(&server.url)).await;
    let client = asked(&company).await;
    company.phone.receive_text(&client, "4711").await;
    assert_eq!(said(&company, &client, 2).await[1], "Situação: Enviado. Algo mais?");
    let heard = server.heard();
    assert_eq!(heard.len(), 1);
    let (call, told) = (&heard[0], heard[0].json());
    assert!(call.line.starts_with("POST /pedidos ") && call.is_signed_with(&secret) && !call.is_signed_with("outro"), "{call:?}");
    assert_eq!((call.header("x-loja"), call.header("content-type")), ("7", "application/json"));
    assert_eq!(text(&told["event_id"]), call.header("x-balcao-event-id"));
    let conversation = company.admin.conversation_of(&client).await;
    assert_eq!((&told["fields"], text(&told["flow"]), text(&told["node"])), (&json!({"pedido": "4711"}), "menu", "call"));
    assert_eq!(
        (&told["conversation"]["id"], &told["conversation"]["protocol"], text(&told["conversation"]["channel"])),
        (&conversation["id"], &conversation["protocol"], "whatsapp_cloud")
    );
    assert_eq!((&told["client"]["id"], text(&told["client"]["phone"])), (&conversation["client_id"], client.as_str()));
    // What comes next is an answer again.
    company.phone.receive_text(&client, "Não").await;
    assert_eq!(said(&company, &client, 3).await[2], "Vou chamar alguém.");
    let figures = company.supervisor.api.get("/bot/analytics?key=menu").await.expect(200);
    let nodes: Vec<&str> = figures["nodes"].as_array().expect("nodes").iter().map(|node| text(&node["node"])).collect();
    assert!(nodes.contains(&"call"), "{nodes:?}");
    // Of a server that is only asked, nothing is told.
    let asked_only = Server::quick("200 OK", r#"{"situacao": 3}"#).await;
    let mut flow = calls(&asked_only.url);
    flow["nodes"]["call"]["method"] = json!("GET");
    begins(&company, flow).await;
    let client = asked(&company).await;
    company.phone.receive_text(&client, "1").await;
    assert_eq!(said(&company, &client, 2).await[1], "Situação: 3. Algo mais?");
    let call = &asked_only.heard()[0];
    assert!(call.line.starts_with("GET /pedidos ") && call.body.is_empty() && call.is_signed_with(&secret), "{call:?}");
    // What no text may have is not kept, and holds nobody up.
    let strange = Server::quick("200 OK", r#"{"situacao": "En\u0000vi\u0007a\u001bdo", "\u0000": 1}"#).await;
    begins(&company, calls(&strange.url)).await;
    let client = asked(&company).await;
    company.phone.receive_text(&client, "1").await;
    assert_eq!(said(&company, &client, 2).await[1], "Situação: Enviado. Algo mais?");
    assert_eq!(strange.heard().len(), 1);
}

pub async fn what_is_no_answer_goes_the_other_way(stack: Arc<Stack>) {
    let company = company(&stack).await;
    secret(&company).await;
    let large = format!(r#"{{"situacao": "{}"}}"#, "a".repeat(70_000));
    let elsewhere = Server::quick("200 OK", r#"{"situacao": "Outro"}"#).await;
    let moved = format!("302 Found\r\nlocation: {}", elsewhere.url);
    let servers = [
        Server::quick("500 Internal Server Error", "{}").await,
        Server::quick("404 Not Found", r#"{"situacao": "Enviado"}"#).await,
        Server::quick("200 OK", "<html>").await,
        Server::quick("200 OK", &large).await,
        Server::quick(&moved, "").await,
        Server::start("200 OK", r#"{"situacao": "Tarde"}"#, Duration::from_secs(8)).await,
    ];
    let mut urls: Vec<String> = servers.iter().map(|server| server.url.clone()).collect();
    // Nobody is there.
    urls.push("http://127.0.0.1:9/".to_owned());
    for url in urls {
        begins(&company, calls(&url)).await;
        let client = asked(&company).await;
        company.phone.receive_text(&client, "1").await;
        assert_eq!(said(&company, &client, 2).await[1], "Vou chamar alguém.", "{url}");
        assert_eq!(status(&company, &client).await, "pending");
    }
    assert!(servers.iter().all(|server| server.heard().len() == 1) && elsewhere.heard().is_empty());
    // What leads inside is not even kept for publishing, nor called, whatever it was when it was published.
    let inside = save(&company.supervisor, "dentro", calls("https://10.0.0.7/")).await.expect(200);
    let problem = &inside["problems"][0];
    assert_eq!((text(&problem["node"]), text(&problem["field"]), text(&problem["code"])), ("call", "url", "not_public"));
    assert_eq!(publish(&company.supervisor, "dentro", json!({})).await.problem(409), "flow_has_problems");
}

pub async fn what_is_said_during_a_call_is_no_answer_to_it(stack: Arc<Stack>) {
    let company = company(&stack).await;
    secret(&company).await;
    let server = Server::start("200 OK", r#"{"situacao": "Enviado"}"#, Duration::from_secs(2)).await;
    begins(&company, calls(&server.url)).await;
    let client = asked(&company).await;
    company.phone.receive_text(&client, "1").await;
    server.heard_at_least(1).await;
    company.phone.receive_text(&client, "Alô?").await;
    assert_eq!(said(&company, &client, 2).await[1], "Situação: Enviado. Algo mais?");
    until_all_done(&stack, &company).await;
    soon().await;
    assert_eq!((said(&company, &client, 2).await.len(), status(&company, &client).await.as_str()), (2, "bot"));
    assert_eq!(server.heard().len(), 1);
    company.phone.receive_text(&client, "Não").await;
    assert_eq!(said(&company, &client, 3).await[2], "Vou chamar alguém.");
}

pub async fn people_are_faster_than_a_call(stack: Arc<Stack>) {
    let company = company(&stack).await;
    secret(&company).await;
    let server = Server::start("200 OK", r#"{"situacao": "Enviado"}"#, Duration::from_secs(2)).await;
    begins(&company, calls(&server.url)).await;
    let (taken, calls) = (asked(&company).await, asked(&company).await);
    for client in [&taken, &calls] {
        company.phone.receive_text(client, "1").await;
    }
    server.heard_at_least(2).await;
    let conversation = company.agents[0].conversation_id_of(&taken).await;
    company.agents[0].take_over(&conversation).await;
    company.phone.receive_text(&calls, "atendente").await;
    until_all_done(&stack, &company).await;
    soon().await;
    let words = |words: Vec<String>| words.into_iter().filter(|words| words.starts_with("Situação")).count();
    assert_eq!(words(said(&company, &taken, 1).await), 0);
    assert_eq!(status(&company, &taken).await, "active");
    // Words that work anywhere are heard once the answer is there, and go before it.
    assert_eq!(said(&company, &calls, 2).await[1..], ["Vou chamar alguém."]);
}

pub async fn calls_are_signed_with_a_secret_that_only_admins_renew(stack: Arc<Stack>) {
    let company = company(&stack).await;
    let server = Server::quick("200 OK", r#"{"situacao": "Enviado"}"#).await;
    for person in [&company.supervisor, &company.agents[0]] {
        assert_eq!(person.api.post("/bot/secret", json!({})).await.problem(403), "forbidden");
    }
    let drawn = save(&company.supervisor, "menu", calls(&server.url)).await.expect(200);
    assert_eq!((text(&drawn["problems"][0]["code"]), text(&drawn["problems"][0]["node"])), ("no_secret", "call"));
    assert_eq!(publish(&company.supervisor, "menu", json!({})).await.problem(409), "flow_has_problems");
    let first = secret(&company).await;
    publish(&company.supervisor, "menu", json!({})).await.expect(200);
    let call = async |count: usize| {
        let client = asked(&company).await;
        company.phone.receive_text(&client, "1").await;
        said(&company, &client, 2).await;
        server.heard()[count - 1].clone()
    };
    assert!(call(1).await.is_signed_with(&first));
    let second = secret(&company).await;
    let both = call(2).await;
    assert!(second != first && both.is_signed_with(&first) && both.is_signed_with(&second));
    // The answer was lost: what is in use stays in use.
    let third = secret(&company).await;
    let both = call(3).await;
    assert!(both.is_signed_with(&first) && both.is_signed_with(&third) && !both.is_signed_with(&second));
    // It stands nowhere as it is.
    let kept = "select position('whsec_'::bytea in sealed) = 0 from company_secrets where company_id = $1 and name = 'bot'";
    assert!(stack.database().await.query_one(kept, &[&company.id]).await.expect("a row").get::<_, bool>(0));
    let audit = "select coalesce(string_agg(after::text, ''), '') from audit_log where company_id = $1";
    let audit: String = stack.database().await.query_one(audit, &[&company.id]).await.expect("a row").get(0);
    assert!(audit.contains("renewed_at") && !audit.contains("whsec_"));
}

pub async fn a_played_flow_asks_nobody(stack: Arc<Stack>) {
    let company = company(&stack).await;
    let server = Server::quick("200 OK", r#"{"situacao": "Enviado"}"#).await;
    let api = &company.supervisor.api;
    let play = async |run: &Value, event: Value| {
        let turn = json!({"definition": calls(&server.url), "run": run, "event": event});
        api.post("/bot/simulate", turn).await.expect(200)
    };
    let asked = play(&json!({}), json!({"kind": "text", "text": "Oi"})).await;
    // Three lines are one answer.
    let stopped = play(&asked["run"], json!({"kind": "says", "says": ["o pedido", "é", "4711"]})).await;
    assert_eq!((text(&stopped["next"]), text(&stopped["run"]["node"])), ("call", "call"));
    assert_eq!(stopped["run"]["fields"]["pedido"], "o pedido\né\n4711");
    let effect = json!({"kind": "call", "method": "POST", "url": server.url, "fields": {"pedido": "o pedido\né\n4711"}});
    assert_eq!(stopped["effects"], json!([effect]));
    let told = play(&stopped["run"], json!({"kind": "called", "ok": true, "body": {"situacao": "Pronto"}})).await;
    assert_eq!((text(&told["says"][0]["text"]), text(&told["next"])), ("Situação: Pronto. Algo mais?", "wait"));
    assert_eq!(told["trace"][0], json!({"node": "call", "outcome": "called"}));
    let failed = play(&stopped["run"], json!({"kind": "called", "ok": false})).await;
    assert_eq!((text(&failed["says"][0]["text"]), text(&failed["next"])), ("Vou chamar alguém.", "handover"));
    for wrong in [json!({"kind": "says", "says": []}), json!({"kind": "says", "says": vec![""; 21]}), json!({"kind": "called"})] {
        let refused =
            api.call(Method::POST, "/bot/simulate", Some(json!({"definition": calls(&server.url), "event": wrong}))).await;
        assert_eq!(refused.status / 100, 4, "{wrong}");
    }
    assert!(server.heard().is_empty());
}

pub async fn a_call_whose_worker_is_killed_is_made_again_and_moves_the_conversation_once(stack: Arc<Stack>) {
    let company = company(&stack).await;
    secret(&company).await;
    let server = Server::start("200 OK", r#"{"situacao": "Enviado"}"#, Duration::from_secs(2)).await;
    begins(&company, calls(&server.url)).await;
    let client = asked(&company).await;
    company.phone.receive_text(&client, "1").await;
    for count in 1..=2 {
        server.heard_at_least(count).await;
        kill(&stack, "RunBotTurn").await;
        let_leases_pass(&stack, &company, "BotQueue").await;
    }
    assert_eq!(said(&company, &client, 2).await, ["Qual pedido?", "Situação: Enviado. Algo mais?"]);
    until_all_done(&stack, &company).await;
    let heard = server.heard();
    let ids: Vec<Value> = heard.iter().map(|call| call.json()["event_id"].clone()).collect();
    assert!(heard.len() == 3 && ids.iter().all(|id| *id == ids[0]), "{ids:?}");
    assert_eq!(said(&company, &client, 2).await.len(), 2);
    let steps = "select count(*) from bot_steps where company_id = $1 and outcome = 'called'";
    assert_eq!(stack.database().await.query_one(steps, &[&company.id]).await.expect("steps").get::<_, i64>(0), 1);
}

/// Nothing is hurried here: this is how long a client waits whose turn was killed.
pub async fn a_killed_turn_is_taken_up_soon(stack: Arc<Stack>) {
    let company = company(&stack).await;
    secret(&company).await;
    let server = Server::start("200 OK", r#"{"situacao": "Enviado"}"#, Duration::from_secs(1)).await;
    begins(&company, calls(&server.url)).await;
    let client = asked(&company).await;
    company.phone.receive_text(&client, "1").await;
    server.heard_at_least(1).await;
    kill(&stack, "RunBotTurn").await;
    let killed = Instant::now();
    while company.phone.sent().await.iter().filter(|sent| sent["body"]["to"] == client.as_str()).count() < 2 {
        assert!(killed.elapsed() < Duration::from_secs(35), "the client still waits");
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
    println!("a killed turn was taken up after {:.1} s", killed.elapsed().as_secs_f64());
    assert_eq!(server.heard().len(), 2);
}
