//! What nobody else sees, and where nobody gets by a server's address.

use std::sync::Arc;

use reqwest::Method;
use serde_json::{Value, json};
use tests::{Stack, company::text, sandbox::fresh_number};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpListener,
};

use super::{INSTANCES, Server, act, company, create, listed, open, remove};
use crate::cases::canary;

pub async fn keys_are_kept_where_nobody_finds_them(stack: Arc<Stack>) {
    let (company, server) = (company(&stack).await, Server::start(&stack).await);
    let instance = open(&stack, &company, &server, ("Vendas", &fresh_number())).await;
    let there = server.instances(&stack).await;
    let created = server.calls(&stack, "instance/create").await;
    let token = text(&created[0]["request"]["token"]).to_owned();
    let (_, webhook_token) = text(&there[0]["webhook"]["url"]).rsplit_once('/').expect("a token");
    let secret = text(&there[0]["webhook"]["headers"]["authorization"]).trim_start_matches("Bearer ");
    assert!(token.len() > 40 && secret.len() > 40 && webhook_token != secret && secret != token);
    assert_eq!(text(&instance["api_key"]), format!("••••{}", &token[token.len() - 4..]));
    // The server repeats the key in its words.
    let words = json!({"kind": "error", "status": 400, "message": format!("bad key {token}"), "times": 1});
    server.fault(&stack, "evolution.instances", "connectionState", words).await;
    let refused = act(&company, &instance, "restart").await;
    assert_eq!(text(&refused.body["current"]["detail"]), "bad key ••••", "{}", refused.body);
    let shown = [
        refused.body,
        act(&company, &instance, "test").await.body,
        act(&company, &instance, "connect").await.body,
        company.admin.api.get(INSTANCES).await.body,
        company.admin.api.get("/whatsapp/instances/check-status").await.body,
        company.admin.api.get("/integrations/config").await.body,
        company.admin.api.get("/integrations/logs").await.body,
        company.admin.api.get("/events").await.body,
    ];
    let secrets = [token.as_str(), server.global_key.as_str(), secret, webhook_token];
    for shown in shown {
        assert!(!secrets.iter().any(|secret| shown.to_string().contains(secret)), "{shown}");
    }
    remove(&company, &instance, "conversations=keep").await.expect(204);
    canary::assert_nowhere(&stack, &secrets, &[]).await;
    let kept = "select count(*) from channel_credentials where channel_account_id = $1::text::uuid";
    let row = stack.database().await.query_one(kept, &[&text(&instance["id"])]).await.expect("the database answers");
    assert_eq!(row.get::<_, i64>(0), 0, "a key that nobody needs is gone");
}

pub async fn another_companys_instances_are_not_there(stack: Arc<Stack>) {
    let (company, other) = (company(&stack).await, company(&stack).await);
    let server = Server::start(&stack).await;
    let instance = open(&stack, &company, &server, ("Vendas", &fresh_number())).await;
    for what in ["connect", "test", "restart", "logout"] {
        assert_eq!(act(&other, &instance, what).await.problem(404), "not_found", "{what}");
    }
    assert_eq!(remove(&other, &instance, "conversations=close&force=true").await.problem(404), "not_found");
    assert_eq!(listed(&other).await, [Value::Null; 0]);
    let checked = other.admin.api.get("/whatsapp/instances/check-status").await.expect(200);
    assert_eq!(checked["data"], json!([]));
    // The server that one company remembers is not the other's.
    let refused = other.admin.api.post(INSTANCES, json!({"name": "Vendas"})).await.expect(422);
    assert_eq!(text(&refused["errors"][0]["field"]), "server");
    // At one server, the same name of two companies is two instances.
    let theirs = create(&other, &server, "Vendas").await;
    assert_ne!(theirs["instance_name"], instance["instance_name"]);
    let claimed = json!({"kind": "evolution", "name": "Roubo", "base_url": server.base_url,
        "instance": instance["instance_name"], "api_key": server.global_key});
    assert_eq!(other.admin.api.post("/integrations/config", claimed).await.problem(409), "instance_in_use");
    // A token of theirs opens none of ours.
    let token = text(&server.calls(&stack, "instance/create").await[1]["request"]["token"]).to_owned();
    let path = format!("/instance/connectionState/{}", text(&instance["instance_name"]));
    let (status, _) = server.call(&stack, Method::GET, &path, &token, Value::Null).await;
    assert_eq!(status, 401);
    assert_eq!(text(&listed(&company).await[0]["state"]), "open");
}

pub async fn addresses_that_lead_inside_are_not_called(stack: Arc<Stack>) {
    let (company, server) = (company(&stack).await, Server::start(&stack).await);
    let cases = [
        ("http://10.0.0.7:8080", "not_public"),
        ("https://169.254.169.254/latest", "not_public"),
        ("https://[::1]:8080", "not_public"),
        ("https://localhost.localdomain.invalid", "unknown_host"),
        ("ftp://evo.exemplo.com.br", "invalid_address"),
        ("https://user:pass@8.8.8.8", "invalid_address"),
        ("http://8.8.8.8", "not_encrypted"),
        ("https://8.8.8.8/?a=b", "invalid_address"),
        ("evo", "invalid_address"),
    ];
    for (address, code) in cases {
        let mut body = server.body("Vendas");
        body["server"]["base_url"] = json!(address);
        let refused = company.admin.api.post(INSTANCES, body).await.expect(422);
        let problem = &refused["errors"][0];
        assert_eq!((text(&problem["field"]), text(&problem["code"])), ("server.base_url", code), "{address}");
        let saved = json!({"kind": "evolution", "name": "x", "base_url": address, "instance": "x", "api_key": "12345678"});
        let refused = company.admin.api.post("/integrations/config", saved).await.expect(422);
        assert_eq!(text(&refused["errors"][0]["code"]), code, "{address}");
    }
    // What was public when it was saved is judged again with every call.
    let instance = create(&company, &server, "Vendas").await;
    let moved =
        "update channel_accounts set settings = settings || '{\"base_url\": \"https://10.0.0.7\"}' where id = $1::text::uuid";
    stack.database().await.execute(moved, &[&text(&instance["id"])]).await.expect("it moves");
    let test = act(&company, &instance, "test").await.expect(200);
    assert_eq!((&test["works"], text(&test["problem"])), (&json!(false), "unreachable"));
    assert_eq!(text(&test["detail"]), "Este endereço não é público.");
}

/// Answers every request with a redirect to `address`.
async fn redirecting(address: String) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let here = format!("http://{}", listener.local_addr().expect("an address"));
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let mut asked = [0; 4096];
            let _ = stream.read(&mut asked).await;
            let answer = format!("HTTP/1.1 302 Found\r\nlocation: {address}\r\ncontent-length: 0\r\nconnection: close\r\n\r\n");
            let _ = stream.write_all(answer.as_bytes()).await;
        }
    });
    here
}

pub async fn a_server_that_redirects_is_not_followed(stack: Arc<Stack>) {
    let (company, server) = (company(&stack).await, Server::start(&stack).await);
    let mut body = server.body("Vendas");
    body["server"]["base_url"] = json!(redirecting(format!("{}/", server.base_url)).await);
    let refused = company.admin.api.post(INSTANCES, body).await.expect(422);
    assert_eq!(text(&refused["errors"][0]["field"]), "server.base_url");
    let instance = create(&company, &server, "Vendas").await;
    // Its webhooks have us ask how it stands.
    tokio::time::sleep(std::time::Duration::from_secs(1)).await;
    let before = server.calls(&stack, "").await.len();
    let elsewhere =
        redirecting(format!("{}/instance/connectionState/{}", server.base_url, text(&instance["instance_name"]))).await;
    let moved =
        "update channel_accounts set settings = settings || jsonb_build_object('base_url', $2::text) where id = $1::text::uuid";
    stack.database().await.execute(moved, &[&text(&instance["id"]), &elsewhere]).await.expect("it moves");
    assert_eq!(act(&company, &instance, "test").await.expect(200)["works"], false);
    assert_eq!(act(&company, &instance, "connect").await.problem(409), "refused_by_server");
    assert_eq!(server.calls(&stack, "").await.len(), before, "nothing came where the redirect leads");
}

pub async fn agents_see_instances_and_no_codes(stack: Arc<Stack>) {
    let (company, server) = (company(&stack).await, Server::start(&stack).await);
    create(&company, &server, "Vendas").await;
    for person in [&company.agents[0], &company.supervisor] {
        for path in [INSTANCES, "/whatsapp/instances/check-status"] {
            let page = person.api.get(path).await.expect(200);
            let shown = &page["data"][0];
            assert_eq!((text(&shown["name"]), text(&shown["state"])), ("Vendas", "connecting"));
            for hidden in ["qr_code", "pairing_code", "base_url", "instance_name", "api_key", "detail"] {
                assert_eq!(shown[hidden], Value::Null, "{hidden}");
            }
        }
        let head = person.head().await;
        assert_eq!(person.api.post(INSTANCES, server.body("Outra")).await.problem(403), "forbidden");
        assert_eq!(person.events_after(&head).await, [Value::Null; 0]);
    }
}
