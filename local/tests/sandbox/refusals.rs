use axum::http::Request;
use http_body_util::Full;
use serde_json::{Value, json};

use crate::stage::{NUMBER, Stage};

async fn all_refused(code: i64, status: u16, messages: &[Value]) {
    let stage = Stage::new().await;
    for message in messages {
        let answer = stage.message(message.clone()).await;
        let body = answer.json();
        assert_eq!(answer.code(), code, "{message} gave {body}");
        assert_eq!(answer.status, status);
        let text = body["error"]["message"].as_str().unwrap();
        assert!(text.starts_with(&format!("(#{code}) ")), "{text}");
    }
    assert_eq!(stage.look("/whatsapp/sent").await, json!([]));
    let calls = stage.look(&format!("/calls?target=whatsapp.messages&phone_number_id={NUMBER}")).await;
    assert_eq!(calls.as_array().unwrap().len(), messages.len());
}

#[tokio::test]
async fn refuses_a_call_without_token() {
    let stage = Stage::new().await;
    let request = Request::post(format!("{}/graph/v25.0/{NUMBER}/messages", stage.base)).body(Full::from("{}")).unwrap();
    let answer = stage.send(request).await.unwrap();
    assert_eq!((answer.status, answer.code()), (401, 190));
    assert_eq!(answer.json()["error"]["type"], "OAuthException");
}

#[tokio::test]
async fn parameter_errors() {
    let caption = "x".repeat(1025);
    let messages = [
        json!({"type": "text"}),
        json!({"type": "text", "text": {"body": "x".repeat(4097)}}),
        json!({"type": "text", "text": {"body": ""}}),
        json!({"type": "poll", "poll": {}}),
        json!({"to": "abc", "type": "text", "text": {"body": "x"}}),
        json!({"type": "text", "text": {"body": "x"}, "txet": 1}),
        json!({"type": "image", "image": {"id": "404"}}),
        json!({"type": "image", "image": {"link": "https://a.test/a.jpg", "caption": caption}}),
        json!({"type": "audio", "audio": {"link": "https://a.test/a.ogg", "caption": "x"}}),
    ];
    all_refused(100, 400, &messages).await;
    all_refused(131_008, 400, &[json!({"type": "image", "image": {"caption": "x"}})]).await;
}

#[tokio::test]
async fn values_out_of_range() {
    let reaction = json!({"message_id": "wamid.1", "emoji": "👍"});
    let messages = [
        json!({"recipient": "br.1", "type": "text", "text": {"body": "x"}}),
        json!({"type": "location", "location": {"latitude": 91, "longitude": 0}}),
        json!({"type": "reaction", "context": {"message_id": "wamid.1"}, "reaction": reaction}),
    ];
    all_refused(131_009, 400, &messages).await;
}

#[tokio::test]
async fn buttons_beyond_the_limits() {
    let message = |buttons: &[(&str, &str)]| {
        let reply = |(id, title): &(&str, &str)| json!({"type": "reply", "reply": {"id": id, "title": title}});
        let buttons: Vec<Value> = buttons.iter().map(reply).collect();
        json!({"type": "interactive", "interactive": {"type": "button",
            "body": {"text": "Confirma?"}, "action": {"buttons": buttons}}})
    };
    let messages = [
        message(&[]),
        message(&[("1", "a"), ("2", "b"), ("3", "c"), ("4", "d")]),
        message(&[("1", "a"), ("1", "b")]),
        message(&[("1", "a"), ("2", "a")]),
        message(&[(" 1", "a")]),
        message(&[("1", &"x".repeat(21))]),
        message(&[(&"x".repeat(257), "a")]),
    ];
    all_refused(131_009, 400, &messages).await;
}

#[tokio::test]
async fn lists_beyond_the_limits() {
    let row = |id: String| json!({"id": id, "title": "10:00"});
    let section = |title: &str, count: usize| {
        let rows: Vec<Value> = (0..count).map(|number| row(format!("{title}{number}"))).collect();
        json!({"title": title, "rows": rows})
    };
    let message = |sections: Value| {
        json!({"type": "interactive", "interactive": {"type": "list", "body": {"text": "Escolha"},
            "action": {"button": "Ver", "sections": sections}}})
    };
    let messages = [
        message(json!([section("a", 11)])),
        message(json!([section("a", 6), section("b", 5)])),
        message(json!([section("a", 1), section("a", 1)])),
        message(json!([section(&"x".repeat(25), 1)])),
        message(json!([{"rows": [{"id": "1", "title": "x".repeat(25)}]}])),
        message(json!([{"rows": [{"id": "1", "title": "x", "description": "x".repeat(73)}]}])),
    ];
    all_refused(131_009, 400, &messages).await;
    let untitled = message(json!([{"rows": [row("1".to_owned())]}, section("b", 1)]));
    all_refused(131_008, 400, &[untitled]).await;
}

#[tokio::test]
async fn templates_that_do_not_fit() {
    let message = |name: &str, parameters: Value| {
        json!({"type": "template", "template": {"name": name, "language": {"code": "pt_BR"},
            "components": [{"type": "body", "parameters": parameters}]}})
    };
    let text = |text: &str| json!({"type": "text", "text": text});
    let named = json!({"type": "text", "parameter_name": "a", "text": "x"});
    all_refused(132_001, 404, &[message("nenhum", json!([]))]).await;
    let one_missing = message("boas_vindas", json!([text("Maria")]));
    let unnamed = message("pedido_enviado", json!([text("Maria"), text("42")]));
    all_refused(132_000, 400, &[one_missing, unnamed]).await;
    all_refused(132_012, 400, &[message("boas_vindas", json!([named, text("y")]))]).await;
    let no_address = json!([
        {"type": "text", "parameter_name": "nome", "text": "Maria"},
        {"type": "text", "parameter_name": "numero", "text": "42"}]);
    all_refused(131_008, 400, &[message("pedido_enviado", no_address)]).await;
    let mut code = message("codigo_acesso", json!([text("123456")]));
    code["recipient"] = json!("BR.1000000000000001");
    all_refused(131_062, 400, &[code]).await;
}
