//! What an instance tells, and whom.

use std::collections::BTreeMap;

use serde::Serialize;
use serde_json::{Map, Value};

use super::answers::Failed;

const EVENTS: [&str; 31] = [
    "APPLICATION_STARTUP",
    "QRCODE_UPDATED",
    "MESSAGES_SET",
    "MESSAGES_UPSERT",
    "MESSAGES_EDITED",
    "MESSAGES_UPDATE",
    "MESSAGES_DELETE",
    "SEND_MESSAGE",
    "SEND_MESSAGE_UPDATE",
    "CONTACTS_SET",
    "CONTACTS_UPSERT",
    "CONTACTS_UPDATE",
    "PRESENCE_UPDATE",
    "CHATS_SET",
    "CHATS_UPDATE",
    "CHATS_UPSERT",
    "CHATS_DELETE",
    "GROUPS_UPSERT",
    "GROUP_UPDATE",
    "GROUP_PARTICIPANTS_UPDATE",
    "CONNECTION_UPDATE",
    "LABELS_EDIT",
    "LABELS_ASSOCIATION",
    "CALL",
    "TYPEBOT_START",
    "TYPEBOT_CHANGE_STATUS",
    "REMOVE_INSTANCE",
    "LOGOUT_INSTANCE",
    "INSTANCE_CREATE",
    "INSTANCE_DELETE",
    "STATUS_INSTANCE",
];

/// Where an instance tells what happens.
#[derive(Clone, Debug, Serialize)]
pub struct Webhook {
    pub enabled: bool,
    pub url: String,
    pub headers: BTreeMap<String, String>,
    #[serde(rename = "webhookByEvents")]
    pub by_events: bool,
    #[serde(rename = "webhookBase64")]
    pub base64: bool,
    /// All of them when empty.
    pub events: Vec<String>,
}

/// Something that happened to an instance, and whom it is told.
#[derive(Clone, Debug)]
pub struct Notice {
    pub instance: String,
    pub event: String,
    pub data: Value,
    /// Fields that stand beside it.
    pub beside: Map<String, Value>,
    pub to: Option<Webhook>,
    pub token: String,
}

/// Reads what is in `webhook` of a body.
pub(super) fn read(webhook: &Value, is_enabled: bool) -> Result<Webhook, Failed> {
    let Some(url) = webhook["url"].as_str().filter(|url| !url.is_empty()) else {
        return Err(Failed::new(400, "webhook requires property \"url\""));
    };
    // The code reads the length of a list that may not be there.
    let Some(events) = webhook["events"].as_array() else {
        return Err(Failed::new(500, "Cannot read properties of undefined (reading 'length')"));
    };
    let events: Vec<String> = events.iter().filter_map(Value::as_str).map(str::to_owned).collect();
    if let Some(unknown) = events.iter().find(|event| !EVENTS.contains(&event.as_str())) {
        return Err(Failed::new(400, format!("{unknown} is not one of enum values: {}", EVENTS.join(","))));
    }
    let headers = webhook["headers"].as_object().into_iter().flatten();
    let headers = headers.filter_map(|(name, value)| Some((name.clone(), value.as_str()?.to_owned()))).collect();
    Ok(Webhook {
        enabled: is_enabled,
        url: url.to_owned(),
        headers,
        by_events: webhook["byEvents"] == true,
        base64: webhook["base64"] == true,
        events,
    })
}
