//! `POST /{phone_number_id}/messages`: sends, marks as read, shows typing.

use std::sync::Arc;

use axum::{
    extract::{Path, State},
    http::HeaderMap,
    response::Response,
};
use bytes::Bytes;
use jiff::Timestamp;
use serde_json::{Value, json};

use super::{
    GraphPath, Sandbox, Sent, admit,
    errors::{GraphError, failure},
    new_message_id,
    parameter::Parameter,
    validation,
};
use crate::sandbox::{
    calls::{Answer, Call},
    faults::Target,
};

pub(super) async fn send(
    State(sandbox): State<Arc<Sandbox>>,
    Path((version, phone_number_id)): GraphPath,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let path = format!("/{version}/{phone_number_id}/messages");
    let mut call = Call::new(Target::Messages, "POST", path, &headers);
    let request: Option<Value> = serde_json::from_slice(&body).ok();
    call.phone_number_id = Some(phone_number_id.clone());
    call.to = request.as_ref().and_then(recipient_of).map(str::to_owned);
    call.request = request.clone().unwrap_or_else(|| Value::String(String::from_utf8_lossy(&body).into_owned()));
    let admitted = admit(&call, &version);
    let work = || {
        let accepted = admitted.and_then(|()| {
            let request = request.ok_or_else(|| GraphError::invalid("Invalid JSON body."))?;
            accept(&sandbox, &phone_number_id, &request)
        });
        accepted.map_or_else(|error| error.answer(), Answer::ok)
    };
    sandbox.perform(call, failure, work).await
}

fn recipient_of(request: &Value) -> Option<&str> {
    request["to"].as_str().or_else(|| request["recipient"].as_str())
}

fn accept(sandbox: &Arc<Sandbox>, phone_number_id: &str, request: &Value) -> Result<Value, GraphError> {
    let root = Parameter::root(request);
    root.one_of("messaging_product", &["whatsapp"])?;
    if request.get("status").is_some() {
        return mark_read(&root);
    }
    let settings = sandbox.whatsapp.settings(phone_number_id);
    let recipient = validation::recipient(&root)?;
    if recipient.trim_start_matches('+') == settings.display_phone_number {
        return Err(GraphError::new(131_021, "Recipient phone number is the sender's own."));
    }
    validation::check_message(&sandbox.whatsapp, phone_number_id, &root)?;

    let id = new_message_id();
    let by_user_id = request["to"].as_str().is_none();
    let (contact, person) = if by_user_id {
        (json!({"input": recipient, "user_id": recipient}), recipient.to_owned())
    } else {
        let wa_id = sandbox.whatsapp.account_of(phone_number_id, recipient);
        (json!({"input": recipient, "wa_id": wa_id}), wa_id)
    };
    let sent = Sent {
        id: id.clone(),
        at: Timestamp::now(),
        phone_number_id: phone_number_id.to_owned(),
        to: recipient.to_owned(),
        body: request.clone(),
        statuses: Vec::new(),
    };
    sandbox.whatsapp.accepted.write(&sent);
    sandbox.whatsapp.sent.push(sent.clone());
    sandbox.follow_up(sent, person, by_user_id);
    Ok(json!({
        "messaging_product": "whatsapp",
        "contacts": [contact],
        "messages": [if request["type"] == "template" {
            json!({"id": id, "message_status": "accepted"})
        } else {
            json!({"id": id})
        }],
    }))
}

fn mark_read(root: &Parameter) -> Result<Value, GraphError> {
    root.only(&["messaging_product", "status", "message_id", "typing_indicator"])?;
    root.one_of("status", &["read"])?;
    let id = root.text("message_id", 512)?;
    if !id.starts_with("wamid.") {
        return Err(GraphError::new(131_009, "Message ID is invalid."));
    }
    if root.get("typing_indicator").is_some() {
        root.object("typing_indicator")?.one_of("type", &["text"])?;
    }
    Ok(json!({"success": true}))
}
