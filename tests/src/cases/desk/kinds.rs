//! Every kind of message a client can send is stored as what it is.

use std::sync::Arc;

use serde_json::{Value, json};
use tests::{
    Company, Stack, Wanted,
    company::text,
    desk::{MP4, PDF, PNG, WEBP, media, voice_note},
    sandbox::fresh_number,
};

async fn company(stack: &Stack) -> Company {
    stack.company(Wanted { agents: 1, students: 0, ..Wanted::default() }).await
}

/// Stores this content and holds what came of it against kind, body and preview.
async fn stored(stack: &Stack, content: Value, kind: &str, body: &str, preview: &str) -> Value {
    let company = company(stack).await;
    let (conversation, message) = company.received(content).await;
    assert_eq!((text(&message["kind"]), text(&message["body"])), (kind, body), "{message}");
    assert_eq!(message["sender_type"], "client");
    assert_eq!((&message["status"], &message["inbound_number"]), (&Value::Null, &json!(1)));
    assert_eq!(conversation["last_message_preview"], preview);
    assert_eq!(conversation["last_message_from"], "client");
    assert_eq!(conversation["unread"], 1);
    message
}

pub async fn text_opens_a_waiting_conversation_with_its_window(stack: Arc<Stack>) {
    let company = company(&stack).await;
    let at = jiff::Timestamp::now().as_second() - 60;
    let content = json!({"text": "Olá, São Paulo 😀 a/b\nsegunda linha", "timestamp": at});
    let (conversation, message) = company.received(content).await;
    assert_eq!(message["body"], "Olá, São Paulo 😀 a/b\nsegunda linha");
    assert_eq!(conversation["last_message_preview"], "Olá, São Paulo 😀 a/b segunda linha");
    assert_eq!((text(&conversation["status"]), text(&conversation["mode"])), ("pending", "human"));
    assert_eq!((&conversation["unread"], text(&conversation["client_name"])), (&json!(1), "Maria Teste"));
    let second = |value: &Value| text(value).parse::<jiff::Timestamp>().expect("a time").as_second();
    assert_eq!(second(&message["sent_at"]), at);
    assert_eq!(second(&conversation["last_message_at"]), at);
    assert_eq!(second(&conversation["window_expires_at"]), at + 86_400);
}

pub async fn image_keeps_its_caption(stack: Arc<Stack>) {
    let content = media("image/png", PNG, json!({"caption": "Fachada"}));
    let message = stored(&stack, content, "image", "Fachada", "Fachada").await;
    assert_eq!(message["file"]["name"], "image");
}

pub async fn voice_note_is_told_from_an_audio_file(stack: Arc<Stack>) {
    let note = media("audio/ogg; codecs=opus", &voice_note(3), json!({"voice": true}));
    let message = stored(&stack, note, "audio", "", "🎤 Áudio").await;
    assert_eq!(message["payload"]["voice"], true);
    let file = json!({"type": "audio", "audio": {"id": "1", "mime_type": "audio/mpeg", "sha256": "x"}});
    let message = stored(&stack, json!({"message": file}), "audio", "", "🎤 Áudio").await;
    assert_eq!(message["payload"]["voice"], false);
}

pub async fn video_is_stored(stack: Arc<Stack>) {
    let message = stored(&stack, media("video/mp4", MP4, json!({})), "video", "", "🎬 Vídeo").await;
    assert_eq!(message["file"]["mime_type"], "video/mp4");
}

pub async fn document_keeps_its_name(stack: Arc<Stack>) {
    let content = media("application/pdf", PDF, json!({"filename": "contrato.pdf", "caption": "Segue assinado"}));
    let message = stored(&stack, content, "document", "Segue assinado", "Segue assinado").await;
    assert_eq!(message["file"]["name"], "contrato.pdf");
}

pub async fn sticker_is_stored(stack: Arc<Stack>) {
    let message = stored(&stack, media("image/webp", WEBP, json!({})), "sticker", "", "Figurinha").await;
    assert_eq!(message["payload"]["animated"], false);
}

pub async fn location_has_coordinates_whether_numbers_or_text(stack: Arc<Stack>) {
    let place =
        json!({"location": {"latitude": -23.561, "longitude": -46.656, "name": "Escritório", "address": "Av. Exemplo, 100"}});
    let message = stored(&stack, place, "location", "Escritório", "Escritório").await;
    assert_eq!((&message["payload"]["latitude"], &message["payload"]["longitude"]), (&json!(-23.561), &json!(-46.656)));
    let place = json!({"location": {"latitude": "-23.561", "longitude": "-46.656"}});
    let message = stored(&stack, place, "location", "", "📍 Localização").await;
    assert_eq!((&message["payload"]["latitude"], &message["payload"]["longitude"]), (&json!(-23.561), &json!(-46.656)));
}

pub async fn contacts_keep_the_whole_card(stack: Arc<Stack>) {
    let card = json!([{"name": {"formatted_name": "João Exemplo", "first_name": "João"},
                       "phones": [{"phone": "+55 11 91234-5678", "wa_id": "5511912345678"}]}]);
    let content = json!({"message": {"type": "contacts", "contacts": card}});
    let message = stored(&stack, content, "contacts", "João Exemplo", "João Exemplo").await;
    assert_eq!(message["payload"]["contacts"], card);
}

pub async fn tapped_buttons_and_rows_keep_their_ids(stack: Arc<Stack>) {
    let button = json!({"button_reply": {"id": "confirmar:42", "title": "Confirmar"}});
    let message = stored(&stack, button, "interactive", "Confirmar", "Confirmar").await;
    assert_eq!(message["payload"]["reply"]["id"], "confirmar:42");
    let row = json!({"list_reply": {"id": "slot:1", "title": "Ter 10h", "description": "Zona Sul"}});
    let message = stored(&stack, row, "interactive", "Ter 10h", "Ter 10h").await;
    assert_eq!(message["payload"]["reply"]["description"], "Zona Sul");
}

pub async fn button_of_a_template_and_of_a_flow_are_stored(stack: Arc<Stack>) {
    let button = json!({"button": {"payload": "OPT_OUT", "text": "Sair da lista"}});
    let message = stored(&stack, button, "interactive", "Sair da lista", "Sair da lista").await;
    assert_eq!(message["payload"]["reply"]["id"], "OPT_OUT");
    let flow = json!({"type": "interactive", "interactive": {"type": "nfm_reply",
        "nfm_reply": {"name": "flow", "body": "Sent", "response_json": "{\"cidade\":\"Santos\"}"}}});
    let message =
        stored(&stack, json!({"message": flow}), "interactive", "Respondeu a um formulário", "Respondeu a um formulário").await;
    assert_eq!(message["payload"]["reply"]["response_json"], "{\"cidade\":\"Santos\"}");
}

pub async fn order_keeps_its_items(stack: Arc<Stack>) {
    let items = json!([{"product_retailer_id": "sku-1", "quantity": 2, "item_price": 49.9, "currency": "BRL"}]);
    let order = json!({"type": "order", "order": {"catalog_id": "77", "text": "", "product_items": items}});
    let message = stored(&stack, json!({"message": order}), "order", "", "🛒 Pedido").await;
    assert_eq!(message["payload"]["order"]["product_items"], items);
}

pub async fn unsupported_and_unknown_types_are_kept_whole(stack: Arc<Stack>) {
    let poll = json!({"type": "unsupported", "unsupported": {"type": "poll"}, "errors": [{"code": 131_051}]});
    let message =
        stored(&stack, json!({"message": poll}), "unsupported", "Enquete (não suportada)", "Enquete (não suportada)").await;
    assert_eq!(message["payload"]["errors"][0]["code"], 131_051);
    let future = json!({"type": "hologram", "hologram": {"depth": 3}});
    let message =
        stored(&stack, json!({"message": future}), "unsupported", "Mensagem não suportada", "Mensagem não suportada").await;
    assert_eq!((&message["payload"]["type"], &message["payload"]["content"]["depth"]), (&json!("hologram"), &json!(3)));
    let empty = json!({"type": "interactive", "errors": [{"code": 131_000}]});
    let told = "Resposta que o WhatsApp não entregou";
    stored(&stack, json!({"message": empty}), "unsupported", told, told).await;
    let call = json!({"type": "interactive", "interactive": {"type": "call_permission_reply",
        "call_permission_reply": {"response": "accept", "expiration_timestamp": 1_764_600_000, "response_source": "user_action"}}});
    let told = "Aceitou receber ligações";
    let message = stored(&stack, json!({"message": call}), "interactive", told, told).await;
    assert_eq!(message["payload"]["reply"]["response"], "accept");
}

pub async fn first_contact_without_words_is_stored(stack: Arc<Stack>) {
    let message =
        stored(&stack, json!({"message": {"type": "request_welcome"}}), "system", "Abriu a conversa", "Abriu a conversa").await;
    assert_eq!(message["payload"]["request_welcome"], true);
}

pub async fn changed_number_stays_the_same_client(stack: Arc<Stack>) {
    let company = company(&stack).await;
    let (old, new) = (fresh_number(), fresh_number());
    company.phone.receive_text(&old, "Oi").await;
    let system =
        json!({"type": "system", "system": {"type": "user_changed_number", "body": "User changed number", "wa_id": new}});
    company.phone.receive(&old, json!({"message": system})).await;
    company.phone.receive(&new, json!({"text": "Sou eu", "user_id": "BR.77001"})).await;
    let list = company.admin.api.get("/conversations").await.expect(200);
    assert_eq!(list["data"].as_array().map(Vec::len), Some(1), "{list}");
    assert_eq!(company.admin.thread(text(&list["data"][0]["id"])).await.len(), 3);
}

pub async fn reply_and_advertisement_travel_with_the_message(stack: Arc<Stack>) {
    let company = company(&stack).await;
    let client = fresh_number();
    let first = company.phone.receive_text(&client, "Primeira").await;
    let referral = json!({"source_id": "1", "source_type": "ad", "source_url": "https://fb.example/1"});
    let context = json!({"from": "551140000000", "id": first});
    company.phone.receive(&client, json!({"text": "Essa", "context": context, "referral": referral})).await;
    let id = company.admin.conversation_id_of(&client).await;
    let thread = company.admin.thread(&id).await;
    let answer = thread.iter().find(|message| message["body"] == "Essa").expect("the answer");
    let answered = thread.iter().find(|message| message["body"] == "Primeira").expect("the answered");
    assert_eq!(answer["reply_to_id"], answered["id"]);
    assert_eq!(answer["payload"]["referral"], referral);
}
