//! Whoever brings messages, as the contract tests speak for them: what happened, and how each of them tells it. A further provider is one
//! more row of `ADAPTERS`, and its arms.

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex, PoisonError},
};

use futures_util::future::join_all;
use serde_json::{Value, json};
use tests::{
    Company, Stack,
    company::text,
    eventually,
    sandbox::{Phone, fresh_number},
};
use uuid::Uuid;

use super::Dice;
use crate::cases::{
    botconversa,
    evolution::{self, Server},
};

pub const CONNECTIONS: usize = 8;

/// One change of a Cloud webhook holds no more than this many entries' worth.
const MOST_ENTRIES: usize = 3;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Adapter {
    Cloud,
    Evolution,
    BotConversa,
}

pub const ADAPTERS: [Adapter; 3] = [Adapter::Cloud, Adapter::Evolution, Adapter::BotConversa];

/// Those that tell what was said before.
pub const WITH_HISTORY: [Adapter; 2] = [Adapter::Cloud, Adapter::Evolution];

impl Adapter {
    /// A flow tells the words of the one who is in it, and not when they were written.
    pub fn tells(self, told: &Told) -> bool {
        self != Self::BotConversa || matches!(told, Told::Said { content: Content::Words(_), .. })
    }

    pub fn tells_times(self) -> bool {
        self != Self::BotConversa
    }
}

/// A client, by what a provider knows of them.
#[derive(Clone, Debug, Default)]
pub struct Who {
    pub number: Option<String>,
    /// Digits of their hidden id.
    pub hidden: Option<String>,
}

impl Who {
    pub fn of(number: &str) -> Self {
        Self { number: Some(number.to_owned()), hidden: None }
    }
}

#[derive(Clone, Debug)]
pub enum Content {
    Words(String),
    Place(String),
}

/// Something that happened, at a second.
#[derive(Clone, Debug)]
pub enum Told {
    Said {
        who: Who,
        id: String,
        content: Content,
        at: i64,
    },
    /// By the business on its own phone.
    Typed {
        to: Who,
        id: String,
        words: String,
        at: i64,
    },
    Edited {
        who: Who,
        target: String,
        words: String,
        at: i64,
    },
    TakenBack {
        who: Who,
        target: String,
        at: i64,
    },
    /// A thumb up on a message of the business.
    Reacted {
        who: Who,
        target: String,
        at: i64,
    },
    Status {
        to: Who,
        id: String,
        status: &'static str,
    },
}

/// Something that was said before the number was connected.
#[derive(Clone, Debug)]
pub struct Old {
    pub with: Who,
    pub id: String,
    /// Whether the business said it.
    pub is_own: bool,
    pub words: String,
    pub at: i64,
}

enum Address {
    Cloud(Phone),
    Evolution { server: Server, instance: String, url: String, secret: String },
    BotConversa { key: String, url: String, secret: String },
}

/// A company's channel of one provider, with what it takes to speak as that provider.
pub struct Line {
    pub adapter: Adapter,
    pub channel_account_id: Uuid,
    address: Arc<Address>,
}

impl Line {
    pub async fn open(stack: &Arc<Stack>, company: &Company, adapter: Adapter) -> Self {
        let (channel_account_id, address) = match adapter {
            Adapter::Cloud => (company.channel_account_id, Address::Cloud(company.phone.clone())),
            Adapter::Evolution => {
                let server = Server::start(stack).await;
                let instance = evolution::open(stack, company, &server, ("Vendas", &fresh_number())).await;
                let webhook = server.instances(stack).await[0]["webhook"].clone();
                let [url, secret] = [&webhook["url"], &webhook["headers"]["authorization"]].map(|value| text(value).to_owned());
                let name = text(&instance["instance_name"]).to_owned();
                (text(&instance["id"]).parse().expect("an id"), Address::Evolution { server, instance: name, url, secret })
            }
            Adapter::BotConversa => {
                let (key, channel) = (botconversa::fresh_key(stack).await, json!({}));
                let (channel, [url, secret]) = botconversa::connect(company, &key, channel).await;
                (text(&channel["id"]).parse().expect("an id"), Address::BotConversa { key, url, secret })
            }
        };
        Self { adapter, channel_account_id, address: Arc::new(address) }
    }

    /// An id as the provider gives them.
    pub fn fresh_id(&self) -> String {
        let id = Uuid::now_v7().simple();
        match self.adapter {
            Adapter::Cloud => format!("wamid.{id}"),
            Adapter::Evolution => format!("3EB0{id}").to_uppercase(),
            Adapter::BotConversa => id.to_string(),
        }
    }

    /// What the message that this tells of is called here.
    pub fn provider_id(&self, told: &Told) -> String {
        match (self.adapter, told) {
            (Adapter::BotConversa, _) => {
                format!("flow:{}", botconversa::fingerprint(of_botconversa(told).to_string().as_bytes()))
            }
            (_, Told::Said { id, .. } | Told::Typed { id, .. } | Told::Status { id, .. }) => id.clone(),
            (_, Told::Edited { target, .. } | Told::TakenBack { target, .. } | Told::Reacted { target, .. }) => target.clone(),
        }
    }

    /// The provider's ids of what was sent by this channel, as it will tell of it, once it is so much.
    pub async fn sent_at_least(&self, stack: &Stack, count: usize) -> Vec<String> {
        match &*self.address {
            Address::Cloud(phone) => phone.sent_at_least(count).await.iter().map(|sent| text(&sent["id"]).to_owned()).collect(),
            Address::Evolution { server, instance, .. } => {
                eventually("messages that the server has sent", || async {
                    let path = format!("/sandbox/evolution/messages?server={}&instance={instance}", server.name);
                    let messages = stack.control("GET", &path, None).await;
                    let own = messages.as_array().into_iter().flatten().filter(|message| message["key"]["fromMe"] == true);
                    let ids: Vec<String> = own.map(|message| text(&message["key"]["id"]).to_owned()).collect();
                    (ids.len() >= count).then_some(ids)
                })
                .await
            }
            Address::BotConversa { key, .. } => {
                eventually("messages that BotConversa has sent", || async {
                    let sent = stack.control("GET", &format!("/sandbox/botconversa/received?key={key}"), None).await;
                    (sent.as_array().map_or(0, Vec::len) >= count).then_some(())
                })
                .await;
                Vec::new()
            }
        }
    }

    /// The bodies in which the provider tells this, in this order as far as it keeps one.
    pub fn webhooks(&self, told: &[Told], dice: &mut Dice) -> Vec<String> {
        match &*self.address {
            Address::Cloud(phone) => vec![of_cloud(&phone.number_id, told, dice)],
            Address::Evolution { instance, .. } => of_evolution(instance, told),
            Address::BotConversa { .. } => told.iter().map(|told| of_botconversa(told).to_string()).collect(),
        }
    }

    /// The body in which a part of the past comes, of this phase and so far along.
    pub fn history(&self, told: &[Old], (phase, progress): (i32, i32)) -> String {
        match &*self.address {
            Address::Cloud(phone) => old_of_cloud(&phone.number_id, told, (phase, progress)),
            Address::Evolution { instance, .. } => {
                let message = |old: &Old| {
                    let number = old.with.number.as_deref().unwrap_or_default();
                    let key = json!({"remoteJid": format!("{number}@s.whatsapp.net"), "fromMe": old.is_own, "id": old.id});
                    json!({"key": key, "message": {"conversation": old.words}, "messageTimestamp": old.at, "status": "READ"})
                };
                let data: Vec<Value> = told.iter().map(message).collect();
                let event = json!({"event": "messages.set", "instance": instance, "data": data, "progress": progress, "isLatest": progress == 100});
                event.to_string()
            }
            Address::BotConversa { .. } => panic!("it tells of no past"),
        }
    }

    pub async fn tell_history(&self, stack: &Stack, told: &[Old], come: (i32, i32)) {
        assert_eq!(self.post(stack, &self.history(told, come)).await, 200, "{:?}", self.adapter);
    }

    /// Posts a body as the provider does, and answers the status.
    pub async fn post(&self, stack: &Stack, raw: &str) -> u64 {
        self.address.post(&stack.http, raw).await
    }

    /// Tells this now. Whose flow it is has subscribed before.
    pub async fn tell(&self, stack: &Stack, told: &[Told]) {
        if let Address::BotConversa { key, .. } = &*self.address {
            let numbers =
                told.iter().filter_map(|told| if let Told::Said { who, .. } = told { who.number.as_ref() } else { None });
            let subscribers: Vec<Value> = numbers.map(|number| json!({"phone": number})).collect();
            stack.control("POST", "/sandbox/botconversa/seed", Some(json!({"key": key, "subscribers": subscribers}))).await;
        }
        for body in self.webhooks(told, &mut Dice(1)) {
            assert_eq!(self.post(stack, &body).await, 200, "{:?}: {body}", self.adapter);
        }
    }

    /// Posts every body from eight connections, each again until it is taken, as providers do, some twice at the same moment, and some cut
    /// off in the middle first. Answers every status there was.
    pub async fn post_all(&self, stack: &Stack, bodies: Vec<String>) -> Vec<u64> {
        let waiting = Arc::new(Mutex::new(VecDeque::from(bodies)));
        let posted = join_all((0..CONNECTIONS).map(|connection| {
            let (address, http, waiting) = (Arc::clone(&self.address), stack.http.clone(), Arc::clone(&waiting));
            tokio::spawn(async move {
                let mut statuses = Vec::new();
                loop {
                    let next = waiting.lock().unwrap_or_else(PoisonError::into_inner).pop_front();
                    let Some(raw) = next else { return statuses };
                    let turn = statuses.len() % CONNECTIONS;
                    if turn == (connection + 1) % CONNECTIONS {
                        statuses.push(address.post(&http, raw.get(..raw.len() / 2).unwrap_or_default()).await);
                    }
                    let copies = if turn == connection { 2 } else { 1 };
                    for _ in 0..5 {
                        let answered = join_all((0..copies).map(|_| address.post(&http, &raw))).await;
                        let is_taken = answered.iter().all(|status| *status == 200);
                        statuses.extend(answered);
                        if is_taken {
                            break;
                        }
                    }
                }
            })
        }))
        .await;
        posted.into_iter().flat_map(|statuses| statuses.expect("the connection")).collect()
    }
}

impl Address {
    async fn post(&self, http: &reqwest::Client, raw: &str) -> u64 {
        match self {
            Self::Cloud(phone) => {
                let told = phone.post("/whatsapp/webhook", json!({"raw": raw})).await;
                told["status"].as_u64().unwrap_or_default()
            }
            Self::Evolution { url, secret, .. } => post(http, url, ("authorization", secret), raw).await,
            Self::BotConversa { url, secret, .. } => post(http, url, ("x-webhook-secret", secret), raw).await,
        }
    }
}

async fn post(http: &reqwest::Client, url: &str, (header, secret): (&str, &str), raw: &str) -> u64 {
    let request = http.post(url).header(header, secret).header("content-type", "application/json");
    let answer = request.body(raw.to_owned()).send().await;
    answer.map_or(0, |answer| u64::from(answer.status().as_u16()))
}

/// One element of a change, and in which field and list it stands.
fn element(told: &Told) -> (&'static str, &'static str, Value) {
    let of = |who: &Who, id: &str, at: i64, content: Value| {
        let mut value = json!({"id": id, "timestamp": at.to_string()});
        let fields = value.as_object_mut().expect("an object");
        fields.extend(content.as_object().cloned().unwrap_or_default());
        if let Some(number) = &who.number {
            fields.insert("from".into(), json!(number));
        }
        if let Some(hidden) = &who.hidden {
            fields.insert("from_user_id".into(), json!(format!("BR.{hidden}")));
        }
        ("messages", "messages", value)
    };
    let text = |words: &str| json!({"type": "text", "text": {"body": words}});
    match told {
        Told::Said { who, id, content, at } => {
            let content = match content {
                Content::Words(words) => text(words),
                Content::Place(name) => {
                    json!({"type": "location", "location": {"latitude": -23.5, "longitude": -46.6, "name": name}})
                }
            };
            of(who, id, *at, content)
        }
        Told::Typed { to, id, words, at } => {
            let mut value = text(words);
            value["id"] = json!(id);
            value["timestamp"] = json!(at.to_string());
            (value["from"], value["to"]) = (json!("551140000000"), json!(to.number));
            ("smb_message_echoes", "message_echoes", value)
        }
        Told::Edited { who, target, words, at } => {
            let edit = json!({"original_message_id": target, "message": text(words)});
            of(who, &format!("{target}.edit"), *at, json!({"type": "edit", "edit": edit}))
        }
        Told::TakenBack { who, target, at } => {
            of(who, &format!("{target}.revoke"), *at, json!({"type": "revoke", "revoke": {"original_message_id": target}}))
        }
        Told::Reacted { who, target, at } => {
            let reaction = json!({"message_id": target, "emoji": "👍"});
            let id = format!("{target}.{}", who.number.as_deref().unwrap_or_default());
            of(who, &id, *at, json!({"type": "reaction", "reaction": reaction}))
        }
        Told::Status { to, id, status } => {
            let at = jiff::Timestamp::now().as_second().to_string();
            ("messages", "statuses", json!({"id": id, "status": status, "timestamp": at, "recipient_id": to.number}))
        }
    }
}

/// Some entries, each with a change for every field it tells something of.
fn of_cloud(number_id: &str, told: &[Told], dice: &mut Dice) -> String {
    let entries = 1 + dice.below(MOST_ENTRIES);
    let parts = told.chunks(told.len().div_ceil(entries).max(1)).map(|part| {
        let mut changes: Vec<Value> = Vec::new();
        for (field, list, value) in part.iter().map(element) {
            let known = changes.iter().position(|change| change["field"] == field);
            let place = known.unwrap_or_else(|| {
                let metadata = json!({"display_phone_number": "551140000000", "phone_number_id": number_id});
                changes.push(json!({"field": field, "value": {"messaging_product": "whatsapp", "metadata": metadata}}));
                changes.len() - 1
            });
            let list = &mut changes[place]["value"][list];
            if list.is_null() {
                *list = json!([]);
            }
            list.as_array_mut().expect("a list").push(value);
        }
        json!({"id": "104200000000001", "changes": changes})
    });
    json!({"object": "whatsapp_business_account", "entry": parts.collect::<Vec<_>>()}).to_string()
}

/// One chunk, its threads in the order in which they are named first.
fn old_of_cloud(number_id: &str, told: &[Old], (phase, progress): (i32, i32)) -> String {
    let mut threads: Vec<(&str, Vec<Value>)> = Vec::new();
    for old in told {
        let number = old.with.number.as_deref().unwrap_or_default();
        let mut message = json!({"from": number, "id": old.id, "timestamp": old.at.to_string(), "type": "text",
            "text": {"body": old.words}, "history_context": {"status": "READ"}});
        if old.is_own {
            (message["from"], message["to"]) = (json!("551140000000"), json!(number));
        }
        match threads.iter_mut().find(|(known, _)| *known == number) {
            Some((_, messages)) => messages.push(message),
            None => threads.push((number, vec![message])),
        }
    }
    let threads: Vec<Value> = threads.into_iter().map(|(id, messages)| json!({"id": id, "messages": messages})).collect();
    let part = json!({"metadata": {"phase": phase, "chunk_order": 1, "progress": progress}, "threads": threads});
    let metadata = json!({"display_phone_number": "551140000000", "phone_number_id": number_id});
    let value = json!({"messaging_product": "whatsapp", "metadata": metadata, "history": [part]});
    let entry = json!({"id": "104200000000001", "changes": [{"field": "history", "value": value}]});
    json!({"object": "whatsapp_business_account", "entry": [entry]}).to_string()
}

/// The event that tells this, and its data.
fn event(told: &Told) -> (&'static str, Value) {
    let key = |who: &Who, id: &str, is_own: bool| {
        let number = who.number.as_ref().map(|number| format!("{number}@s.whatsapp.net"));
        let hidden = who.hidden.as_ref().map(|hidden| format!("{hidden}@lid"));
        let (address, other) = if hidden.is_some() { (hidden, number) } else { (number, None) };
        json!({"remoteJid": address, "remoteJidAlt": other, "fromMe": is_own, "id": id})
    };
    let message = |key: Value, message: Value, at: i64| {
        ("messages.upsert", json!({"key": key, "pushName": "Maria Teste", "message": message, "messageTimestamp": at}))
    };
    match told {
        Told::Said { who, id, content, at } => {
            let content = match content {
                Content::Words(words) => json!({"conversation": words}),
                Content::Place(name) => {
                    json!({"locationMessage": {"degreesLatitude": -23.5, "degreesLongitude": -46.6, "name": name}})
                }
            };
            message(key(who, id, false), content, *at)
        }
        Told::Typed { to, id, words, at } => message(key(to, id, true), json!({"conversation": words}), *at),
        Told::Edited { who, target, words, at } => {
            let data = json!({"key": key(who, target, false), "type": 14, "editedMessage": {"conversation": words},
                "timestampMs": (at * 1_000).to_string()});
            ("messages.edited", data)
        }
        Told::TakenBack { who, target, .. } => ("messages.delete", key(who, target, false)),
        Told::Reacted { who, target, at } => {
            let id = format!("{target}.{}", who.number.as_deref().unwrap_or_default());
            message(key(who, &id, false), json!({"reactionMessage": {"key": {"id": target, "fromMe": true}, "text": "👍"}}), *at)
        }
        Told::Status { to, id, status } => {
            let word = match *status {
                "sent" => "SERVER_ACK",
                "delivered" => "DELIVERY_ACK",
                _ => "READ",
            };
            let address = to.number.as_ref().map(|number| format!("{number}@s.whatsapp.net"));
            ("messages.update", json!({"keyId": id, "remoteJid": address, "fromMe": true, "status": word}))
        }
    }
}

/// One body for what comes under one name after another.
fn of_evolution(instance: &str, told: &[Told]) -> Vec<String> {
    let mut bodies: Vec<(&str, Vec<Value>)> = Vec::new();
    for (name, data) in told.iter().map(event) {
        match bodies.iter_mut().find(|(known, _)| *known == name) {
            Some((_, list)) => list.push(data),
            None => bodies.push((name, vec![data])),
        }
    }
    let write = |(event, mut list): (&str, Vec<Value>)| {
        let data = if list.len() == 1 { list.remove(0) } else { Value::Array(list) };
        json!({"event": event, "instance": instance, "data": data}).to_string()
    };
    bodies.into_iter().map(write).collect()
}

/// A flow's webhook, of what flows tell.
fn of_botconversa(told: &Told) -> Value {
    let Told::Said { who, id, content: Content::Words(words), .. } = told else { panic!("no flow tells {told:?}") };
    let subscriber_id = who.hidden.as_ref().map(|hidden| hidden.parse::<u64>().expect("digits"));
    json!({"phone": who.number, "subscriber_id": subscriber_id, "name": "Maria Teste", "message": words, "message_id": id})
}
