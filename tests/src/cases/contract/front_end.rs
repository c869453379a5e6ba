//! A front end written for another back end, as axios sends its calls: under `/api/v1`, in names of its own, commands without body or
//! type, filters that are not set as empty ones.

use std::sync::Arc;

use serde_json::{Value, json};
use tests::{Api, Stack, Wanted, company::text, sandbox::fresh_number};

/// What axios adds to every call.
fn axios(api: &Api) -> Api {
    api.with_header("accept", "application/json, text/plain, */*")
}

/// The company's conversations as its list shows them, filtered as the screen has it.
async fn chats(api: &Api, status: &str) -> Vec<Value> {
    let path = format!("/api/v1/chats?status={status}&search=&assignee=&departmentId=&cursor=&limit=");
    let list = api.get(&path).await.expect(200);
    list["data"].as_array().cloned().unwrap_or_default()
}

pub async fn a_front_end_written_for_another_back_end_is_served(stack: Arc<Stack>) {
    let company = stack.company(Wanted { agents: 2, takeover_text: None, ..Wanted::default() }).await;
    let (me, colleague) = (&company.agents[0], &company.agents[1]);
    let client = fresh_number();
    company.phone.receive_text(&client, "Oi, bom dia").await;

    let public = axios(&stack.api());
    let wrong = public.post("/api/v1/auth/login", json!({"email": me.email, "password": "errada"})).await.expect(401);
    assert_eq!(wrong["error"], "E-mail ou senha incorretos.");
    let login = json!({"email": me.email, "password": company.password});
    let signed_in = public.post("/api/v1/auth/login", login).await.expect(200);
    assert_eq!((&signed_in["expires_in"], &signed_in["user"]["avatar_url"]), (&json!(900), &Value::Null));
    assert!(!text(&signed_in["user"]["full_name"]).is_empty() && !text(&signed_in["company"]["name"]).is_empty());
    let refresh = json!({"refreshToken": signed_in["refreshToken"]});
    let refreshed = public.post("/api/v1/auth/refresh", refresh).await.expect(200);
    let api = axios(&stack.api().with_token(text(&refreshed["accessToken"])));

    let waiting = chats(&api, "waiting").await;
    let [waiting] = waiting.as_slice() else { panic!("one conversation waits: {waiting:?}") };
    let id = text(&waiting["id"]);
    assert_eq!(waiting["customer_id"], waiting["clientId"]);
    let shown = ["customer_name", "channel", "needs_human_attention", "is_bot_active", "attendantId", "firstHumanAt", "endedAt"];
    let shown = shown.map(|name| waiting.get(name).unwrap_or_else(|| panic!("{name} is missing: {waiting}")).clone());
    let name = waiting["client_name"].clone();
    assert_eq!(shown, [name, json!("whatsapp"), json!(true), json!(false), Value::Null, Value::Null, Value::Null]);
    assert_eq!(waiting["current_menu_level"], "main");
    assert!(chats(&api, "open").await.is_empty());

    let taken = api.call(reqwest::Method::POST, &format!("/api/v1/chats/{id}/start"), None).await.expect(200);
    assert_eq!((text(&taken["attendantId"]), text(&taken["assigned_user_id"])), (&*me.id.to_string(), &*me.id.to_string()));
    assert_eq!((&taken["needs_human_attention"], &taken["is_bot_active"]), (&json!(false), &json!(false)));
    assert!(taken["startedAt"].is_string() && taken["firstHumanAt"].is_string(), "{taken}");
    assert_eq!(chats(&api, "OPEN").await.len(), 1);

    let message = json!({"conversation_id": id, "content": "Bom dia! Como posso ajudar?"});
    let sent = api.post("/api/v1/messages", message).await.expect(201);
    assert_eq!((text(&sent["content"]), text(&sent["message_type"])), ("Bom dia! Como posso ajudar?", "text"));
    assert_eq!((text(&sent["sender_user_id"]), &sent["timestamp"]), (&*me.id.to_string(), &sent["sent_at"]));
    me.message_with_status(&sent, "read").await;

    let thread = api.get(&format!("/api/v1/messages?conversation_id={id}")).await.expect(200);
    let rows = thread["data"].as_array().expect("rows");
    let texts: Vec<&Value> = rows.iter().filter(|row| row["message_type"] == "text").collect();
    let said: Vec<&str> = texts.iter().map(|row| text(&row["content"])).collect();
    let greeting = format!("Olá! Meu nome é {} e vou continuar seu atendimento.", text(&signed_in["user"]["full_name"]));
    assert_eq!(said, ["Bom dia! Como posso ajudar?", greeting.as_str(), "Oi, bom dia"]);
    assert_eq!((&texts[0]["is_read"], &texts[2]["is_read"]), (&json!(true), &json!(true)));
    for row in texts {
        assert!(text(&row["whatsapp_message_id"]).starts_with("wamid."), "{row}");
        assert_eq!((&row["media_url"], &row["mediaType"]), (&Value::Null, &Value::Null));
    }

    let transfer = json!({"attendantId": colleague.id, "reason": "Férias"});
    let moved = api.post(&format!("/api/v1/chats/{id}/transfer"), transfer).await.expect(200);
    assert_eq!(text(&moved["attendantId"]), colleague.id.to_string());
    let other = axios(&colleague.api);
    let ended = other.call(reqwest::Method::POST, &format!("/api/v1/chats/{id}/end"), None).await.expect(200);
    assert!(ended["endedAt"].is_string() && ended["needs_human_attention"] == false, "{ended}");
    api.call(reqwest::Method::POST, "/api/v1/auth/logout", None).await.expect(204);
}
