//! What the company is reached by: two numbers of the Cloud API, one behind an Evolution API server, and the flows of an account of BotConversa.
//! That server and BotConversa are outside: they go on while the cloud is away.

use std::sync::Arc;

use jiff::Timestamp;
use serde_json::{Value, json};
use tests::{Company, Stack, company::text, sandbox::Phone};

use super::ledger::Inbound;
use crate::cases::{
    botconversa,
    evolution::{Server, check, open},
};

pub enum Line {
    Number(Phone),
    Instance { outside: Arc<Stack>, server: Server, name: String },
    Flow { outside: Arc<Stack>, key: String, url: String, secret: String },
}

/// Where BotConversa is for a cloud whose accounts are in another one's sandbox.
pub fn botconversa_url(outside: &Stack) -> String {
    format!("{}/botconversa/api/v1/webhook", outside.addresses.sandbox)
}

/// A message that the provider has taken.
pub struct Taken {
    /// By which our own is found: its id, or the provider's.
    pub key: String,
    pub message: Value,
}

impl Line {
    /// An instance of a server that runs in another cloud's sandbox.
    pub async fn instance(outside: &Arc<Stack>, company: &Company, number: &str) -> Self {
        let server = Server::start(outside).await;
        let made = open(outside, company, &server, ("Vendas", number)).await;
        Self::Instance { outside: Arc::clone(outside), server, name: text(&made["instance_name"]).to_owned() }
    }

    /// An account with these subscribers, in another cloud's sandbox.
    pub async fn flow(outside: &Arc<Stack>, company: &Company, numbers: &[String]) -> Self {
        let key = botconversa::fresh_key(outside).await;
        let subscribers: Vec<Value> = numbers.iter().map(|number| json!({"phone": number})).collect();
        outside.control("POST", "/sandbox/botconversa/seed", Some(json!({"key": key, "subscribers": subscribers}))).await;
        let (_, [url, secret]) = botconversa::connect(company, &key, json!({})).await;
        Self::Flow { outside: Arc::clone(outside), key, url, secret }
    }

    /// What the message is called in the ledger: the provider's id, and of a flow, which tells none, its words.
    pub fn name_of(&self, inbound: &Inbound) -> String {
        if matches!(self, Self::Flow { .. }) { text(&inbound.content["text"]).to_owned() } else { inbound.id.clone() }
    }

    /// Whether its webhook was answered with 200.
    pub async fn was_received(&self, inbound: &Inbound) -> bool {
        match self {
            Self::Number(phone) => {
                let mut message = inbound.content.clone();
                message["id"] = json!(inbound.id);
                phone.was_received(&inbound.from, message).await
            }
            Self::Instance { outside, server, name } => {
                let (file, message) = as_on_the_phone(&inbound.content);
                let key = json!({"remoteJid": format!("{}@s.whatsapp.net", inbound.from), "fromMe": false, "id": inbound.id});
                let with = json!({"key": key, "message": message, "messageTimestamp": Timestamp::now().as_second()});
                let order = json!({"instance": name, "from": inbound.from, "with": with, "file": file});
                let told = server.order(outside, "inbound", order).await;
                if told["status"] != 200 {
                    eprintln!("{} was told of {}: {told}", server.name, inbound.id);
                }
                told["status"] == 200
            }
            Self::Flow { outside, url, secret, .. } => {
                let told = json!({"phone": inbound.from, "message": inbound.content["text"], "message_id": inbound.id});
                let posted = outside.http.post(url).header("x-webhook-secret", secret).json(&told).send().await;
                posted.is_ok_and(|answer| answer.status() == 200)
            }
        }
    }

    /// Of a flow: nothing, its answers name no message.
    pub async fn taken(&self) -> Vec<Taken> {
        match self {
            Self::Number(phone) => {
                let of = |message: Value| Taken { key: text(&message["body"]["biz_opaque_callback_data"]).to_owned(), message };
                phone.sent().await.into_iter().map(of).collect()
            }
            Self::Instance { outside, server, name } => {
                let path = format!("/sandbox/evolution/messages?server={}&instance={name}", server.name);
                let all = outside.control("GET", &path, None).await.as_array().cloned().unwrap_or_default();
                let own = all.into_iter().filter(|message| message["key"]["fromMe"] == true);
                own.map(|message| Taken { key: text(&message["key"]["id"]).to_owned(), message }).collect()
            }
            Self::Flow { .. } => Vec::new(),
        }
    }

    /// The texts and files that subscribers have, file after file as `file`.
    pub async fn subscribers_have(&self) -> Vec<String> {
        let Self::Flow { outside, key, .. } = self else { return Vec::new() };
        let received = outside.control("GET", &format!("/sandbox/botconversa/received?key={key}"), None).await;
        let shown = |one: &Value| text(if one["type"] == "text" { &one["value"] } else { &one["type"] }).to_owned();
        received.as_array().into_iter().flatten().map(shown).collect()
    }

    /// The cloud was started again, somewhere else.
    pub async fn go_on(&mut self, stack: &Stack, company: &Company) {
        match self {
            Self::Number(phone) => *phone = Phone::new(stack, &phone.number_id),
            // The check finds that the server tells a place where nobody is.
            Self::Instance { .. } => check(stack, company).await,
            // As an admin has it set in the flows.
            Self::Flow { url, .. } => {
                let path = url.find("/webhooks/").expect("a path");
                *url = format!("{}{}", stack.addresses.api, &url[path..]);
            }
        }
    }

    /// What WhatsApp could tell nobody while the cloud was away, it tells again.
    pub async fn tell_statuses(&self) {
        let Self::Number(phone) = self else { return };
        for sent in phone.sent().await {
            for status in ["sent", "delivered", "read"] {
                let told = json!({"phone_number_id": phone.number_id, "id": sent["id"], "status": status});
                phone.post("/whatsapp/status", told).await;
            }
        }
    }
}

/// What the Cloud API's sandbox takes, as a phone has it; and its file.
fn as_on_the_phone(content: &Value) -> (Value, Value) {
    let media = &content["media"];
    if media.is_object() {
        let document = json!({"mimetype": media["mime_type"], "caption": media["caption"], "fileName": "boleto.pdf"});
        return (media["base64"].clone(), json!({"documentMessage": document}));
    }
    let place = &content["location"];
    if place.is_object() {
        let place = json!({"degreesLatitude": place["latitude"], "degreesLongitude": place["longitude"], "name": place["name"]});
        return (Value::Null, json!({"locationMessage": place}));
    }
    (Value::Null, json!({"conversation": content["text"]}))
}
