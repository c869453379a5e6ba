//! Servers of the Evolution API v2, which companies run themselves: instances made, connected, asked after and removed.
//! Their answers are taken as they come, from whatever version: what is not there is unknown, and no failure by itself.

use std::{fmt, time::Duration};

use base64::{Engine, engine::general_purpose::STANDARD};
use bytes::Bytes;
use futures_util::future::BoxFuture;
use reqwest::{Method, Response, StatusCode};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use url::form_urlencoded;
use uuid::Uuid;

use crate::{
    closed_set,
    context::Context,
    crypto, phone,
    provider::{Call, Failure, Outcome, read_up_to, retry_after, unanswered},
    settings::EncryptionKey,
    text::without_nul,
};

/// How long a question is waited for, and what makes the server talk to WhatsApp: creating with a code takes it five seconds by itself.
const QUICK: Duration = Duration::from_secs(5);
const SLOW: Duration = Duration::from_secs(14);

/// An answer is read up to here: a server has hundreds of instances at most, and a code is a small picture.
const LARGEST_ANSWER: usize = 2_000_000;

/// Characters of the server's own words that are kept.
const LONGEST_DETAIL: usize = 300;

/// What we want to be told of. Without a list the server would tell everything, or break.
const EVENTS: [&str; 14] = [
    "MESSAGES_SET",
    "MESSAGES_UPSERT",
    "MESSAGES_UPDATE",
    "MESSAGES_EDITED",
    "MESSAGES_DELETE",
    "SEND_MESSAGE",
    "CONNECTION_UPDATE",
    "STATUS_INSTANCE",
    "QRCODE_UPDATED",
    "CONTACTS_SET",
    "CONTACTS_UPSERT",
    "CONTACTS_UPDATE",
    "LOGOUT_INSTANCE",
    "REMOVE_INSTANCE",
];

closed_set! {
    /// How an instance stands with WhatsApp.
    #[schemars(rename = "InstanceState")]
    pub InstanceState {
        /// It waits for somebody to scan its code, or connects again by itself.
        Connecting = "connecting",
        Open = "open",
        /// No phone is linked to it.
        Close = "close",
    }
}

/// What is kept of an instance, sealed.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Credentials {
    /// The instance's token, or the server's global key where that is all there is.
    pub api_key: String,
    /// The end of the address of its webhooks.
    pub webhook_token: String,
    /// What its webhooks bring in their header.
    pub webhook_secret: String,
}

/// Never shows a secret, wherever it is printed.
impl fmt::Debug for Credentials {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Credentials(…)")
    }
}

impl Credentials {
    /// With webhooks of their own.
    #[must_use]
    pub fn new(api_key: String) -> Self {
        let (webhook_secret, webhook_token) = crypto::webhook_secret();
        Self { api_key, webhook_token, webhook_secret }
    }

    /// What `channel_accounts.external_key` has of the secret that webhooks bring.
    #[must_use]
    pub fn external_key(&self) -> String {
        crypto::fingerprint(&self.webhook_secret)
    }

    /// As `channel_credentials.sealed` keeps them, bound to their channel account.
    ///
    /// # Panics
    /// Never: credentials serialise, and keys are checked at start.
    #[must_use]
    pub fn seal(&self, keys: &[EncryptionKey], channel_account_id: Uuid) -> Vec<u8> {
        let plain = serde_json::to_vec(self).expect("credentials serialise");
        crypto::seal(keys, channel_account_id.as_bytes(), &plain)
    }

    /// Those of a channel account; `None` when they were sealed for another one or with a key no longer listed.
    #[must_use]
    pub fn open(keys: &[EncryptionKey], channel_account_id: Uuid, sealed: &[u8]) -> Option<Self> {
        serde_json::from_slice(&crypto::open(keys, channel_account_id.as_bytes(), sealed)?).ok()
    }
}

/// A server, with the key to be used there.
#[derive(Clone, Copy)]
pub struct Server<'a> {
    /// Without a slash at the end.
    pub base_url: &'a str,
    pub api_key: &'a str,
}

/// Where the server sends webhooks, and how we know that they are its.
#[derive(Clone, Copy)]
pub struct Webhook<'a> {
    pub url: &'a str,
    pub secret: &'a str,
}

impl Webhook<'_> {
    fn to_json(self) -> Value {
        json!({
            "enabled": true,
            "url": self.url,
            "headers": {"authorization": format!("Bearer {}", self.secret)},
            "byEvents": false,
            "base64": false,
            "events": EVENTS,
        })
    }

    /// Whether a server has it so. Of headers that a version does not show nothing can be said.
    fn is_in(self, found: &Value) -> bool {
        let headers = found["headers"].as_object();
        let secret = headers.and_then(|headers| headers.iter().find(|(name, _)| name.eq_ignore_ascii_case("authorization")));
        let is_ours = |secret: &Value| secret.as_str() == Some(&format!("Bearer {}", self.secret));
        let events = found["events"].as_array().map(Vec::as_slice).unwrap_or_default();
        let is_told = |event: &str| events.is_empty() || events.iter().any(|told| told == event);
        let is_off = |names: [&str; 2]| names.iter().all(|name| found[name] != true);
        found["enabled"] == true
            && found["url"] == self.url
            && (headers.is_none() || secret.is_some_and(|(_, secret)| is_ours(secret)))
            && EVENTS.into_iter().all(is_told)
            && is_off(["webhookByEvents", "byEvents"])
            && is_off(["webhookBase64", "base64"])
    }
}

/// What somebody scans with the phone, or types on it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Code {
    /// A picture, as a data URL.
    pub qr_code: Option<String>,
    pub pairing_code: Option<String>,
}

/// Bytes of a picture of a code.
const LARGEST_PICTURE: usize = 200_000;

impl Code {
    /// As it is in an answer or a webhook; `None` where there is none yet.
    #[must_use]
    pub fn read(code: &Value) -> Option<Self> {
        let text = |name: &str| code[name].as_str().filter(|text| !text.is_empty()).map(str::to_owned);
        let is_picture = |text: &String| {
            let sign = |byte: u8| byte.is_ascii_alphanumeric() || b"+/=:;,.-".contains(&byte);
            text.starts_with("data:image/") && text.len() <= LARGEST_PICTURE && text.bytes().all(sign)
        };
        let is_typed = |text: &String| {
            (4..=16).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
        };
        let code = Self { qr_code: text("base64").filter(is_picture), pairing_code: text("pairingCode").filter(is_typed) };
        (code != Self::default()).then_some(code)
    }
}

/// What came of asking an instance to connect.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Connection {
    pub state: InstanceState,
    pub code: Option<Code>,
    /// What the server itself calls an instance that it has just made.
    pub instance_id: Option<String>,
}

/// What a server says of one of its instances.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Profile {
    /// Digits, as they are written everywhere here.
    pub number: Option<String>,
    pub name: Option<String>,
    /// The instance's own token, where the server shows it.
    pub token: Option<String>,
    /// What the server itself calls it, by whatever address it is reached.
    pub id: Option<String>,
}

/// The server's version, which it tells everybody.
pub fn version<'a>(context: &'a Context, server: Server<'a>) -> BoxFuture<'a, Outcome<Option<String>>> {
    Box::pin(async move {
        let (answer, call) = run(context, "version", server, Asked::new(Method::GET, "/")).await;
        (answer.map(|answer| answer["version"].as_str().map(|version| version.chars().take(40).collect())), call)
    })
}

/// Makes an instance with a token of our choosing, so that it is known before anybody answers; `server` has the global key.
pub fn create<'a>(
    context: &'a Context,
    server: Server<'a>,
    name: &'a str,
    token: &'a str,
    webhook: Webhook<'a>,
) -> BoxFuture<'a, Outcome<Connection>> {
    Box::pin(async move {
        let body = json!({
            "instanceName": name,
            "integration": "WHATSAPP-BAILEYS",
            "token": token,
            "qrcode": true,
            "groupsIgnore": true,
            "webhook": webhook.to_json(),
        });
        let (answer, call) = run(context, "create", server, Asked::new(Method::POST, "/instance/create").with(body).slow()).await;
        let made = answer.and_then(said);
        let made = made.map(|answer| {
            let instance_id = answer["instance"]["instanceId"].as_str().filter(|id| is_id(id)).map(str::to_owned);
            Connection { state: InstanceState::Connecting, code: Code::read(&answer["qrcode"]), instance_id }
        });
        (made, call)
    })
}

/// Asks for a code, with `number` also for one to type; of an open instance there is none.
pub fn connect<'a>(
    context: &'a Context,
    server: Server<'a>,
    name: &'a str,
    number: Option<&'a str>,
) -> BoxFuture<'a, Outcome<Connection>> {
    Box::pin(async move {
        let mut path = of(name, "/instance/connect");
        if let Some(number) = number {
            path = format!("{path}?number={number}");
        }
        let (answer, call) = run(context, "connect", server, Asked::new(Method::GET, path).slow()).await;
        let connection = answer.and_then(said).map(|answer| {
            let state = state_in(&answer).unwrap_or(InstanceState::Connecting);
            Connection { state, code: Code::read(&answer), instance_id: None }
        });
        (connection, call)
    })
}

/// How an instance stands.
pub fn state<'a>(context: &'a Context, server: Server<'a>, name: &'a str) -> BoxFuture<'a, Outcome<InstanceState>> {
    Box::pin(async move {
        let (answer, call) = run(context, "state", server, Asked::new(Method::GET, of(name, "/instance/connectionState"))).await;
        let unknown = || Failure::Unknown { reason: "the answer names no state".into() };
        (answer.and_then(|answer| state_in(&answer).ok_or_else(unknown)), call)
    })
}

/// Connects again, with the same phone.
pub fn restart<'a>(context: &'a Context, server: Server<'a>, name: &'a str) -> BoxFuture<'a, Outcome<()>> {
    Box::pin(async move {
        let (answer, call) =
            run(context, "restart", server, Asked::new(Method::POST, of(name, "/instance/restart")).slow()).await;
        (answer.and_then(said).map(drop), call)
    })
}

/// Unlinks the phone.
pub fn log_out<'a>(context: &'a Context, server: Server<'a>, name: &'a str) -> BoxFuture<'a, Outcome<()>> {
    Box::pin(async move {
        let (answer, call) =
            run(context, "log_out", server, Asked::new(Method::DELETE, of(name, "/instance/logout")).slow()).await;
        (answer.and_then(said).map(drop), call)
    })
}

/// Removes the instance.
pub fn delete<'a>(context: &'a Context, server: Server<'a>, name: &'a str) -> BoxFuture<'a, Outcome<()>> {
    Box::pin(async move {
        let (answer, call) =
            run(context, "delete", server, Asked::new(Method::DELETE, of(name, "/instance/delete")).slow()).await;
        (answer.and_then(said).map(drop), call)
    })
}

/// Says where the webhooks go.
pub fn set_webhook<'a>(
    context: &'a Context,
    server: Server<'a>,
    name: &'a str,
    webhook: Webhook<'a>,
) -> BoxFuture<'a, Outcome<()>> {
    Box::pin(async move {
        let asked = Asked::new(Method::POST, of(name, "/webhook/set")).with(json!({"webhook": webhook.to_json()}));
        let (answer, call) = run(context, "set_webhook", server, asked).await;
        (answer.and_then(said).map(drop), call)
    })
}

/// Whether the webhooks still go where they are to, as they are to.
pub fn has_webhook<'a>(
    context: &'a Context,
    server: Server<'a>,
    name: &'a str,
    webhook: Webhook<'a>,
) -> BoxFuture<'a, Outcome<bool>> {
    Box::pin(async move {
        let (answer, call) = run(context, "find_webhook", server, Asked::new(Method::GET, of(name, "/webhook/find"))).await;
        (answer.map(|answer| webhook.is_in(&answer)), call)
    })
}

/// What the server says of an instance; `None` where its list does not have it.
pub fn look_up<'a>(context: &'a Context, server: Server<'a>, name: &'a str) -> BoxFuture<'a, Outcome<Option<Profile>>> {
    Box::pin(async move {
        let query = form_urlencoded::Serializer::new(String::new()).append_pair("instanceName", name).finish();
        let path = format!("/instance/fetchInstances?{query}");
        let (answer, call) = run(context, "look_up", server, Asked::new(Method::GET, path)).await;
        (answer.map(|answer| profile_in(&answer, name)), call)
    })
}

/// What somebody calls themselves, as far as the server knows; `jid` is their address there.
pub fn find_contact<'a>(
    context: &'a Context,
    server: Server<'a>,
    name: &'a str,
    jid: &'a str,
) -> BoxFuture<'a, Outcome<Option<String>>> {
    Box::pin(async move {
        let body = json!({"where": {"remoteJid": jid}, "page": 1, "offset": 1});
        let asked = Asked::new(Method::POST, of(name, "/chat/findContacts")).with(body);
        let (answer, call) = run(context, "find_contact", server, asked).await;
        (answer.and_then(|answer| push_name(&answer, jid)), call)
    })
}

/// Sends a message; `what` is the last but one part of the path, such as `sendText`. Answers WhatsApp's id of it.
pub fn send<'a>(
    context: &'a Context,
    server: Server<'a>,
    name: &'a str,
    what: &'a str,
    body: Value,
) -> BoxFuture<'a, Outcome<String>> {
    Box::pin(async move {
        let asked = Asked::new(Method::POST, of(name, &format!("/message/{what}"))).with(body).slow();
        let (answer, call) = run(context, "send", server, asked).await;
        let id = answer.map_err(unsent).and_then(|answer| {
            let id = answer["key"]["id"].as_str().map(str::to_owned);
            id.ok_or_else(|| Failure::Unknown { reason: "the answer names no message".into() })
        });
        (id, call)
    })
}

/// Gives a message of ours other words on the phone of whoever has it. Done again, it is the same.
pub fn edit<'a>(
    context: &'a Context,
    server: Server<'a>,
    name: &'a str,
    (address, message_id): (&'a str, &'a str),
    words: &'a str,
) -> BoxFuture<'a, Outcome<()>> {
    Box::pin(async move {
        let key = json!({"id": message_id, "remoteJid": address, "fromMe": true});
        let asked = Asked::new(Method::POST, of(name, "/chat/updateMessage"));
        let asked = asked.with(json!({"number": address, "key": key, "text": words})).slow();
        let (answer, call) = run(context, "edit", server, asked).await;
        (answer.map(drop).map_err(unsent), call)
    })
}

/// Takes a message of ours back from the phone of whoever has it. Done again, it is the same.
pub fn revoke<'a>(
    context: &'a Context,
    server: Server<'a>,
    name: &'a str,
    (address, message_id): (&'a str, &'a str),
) -> BoxFuture<'a, Outcome<()>> {
    Box::pin(async move {
        let key = json!({"id": message_id, "remoteJid": address, "fromMe": true});
        let asked = Asked::new(Method::DELETE, of(name, "/chat/deleteMessageForEveryone")).with(key).slow();
        let (answer, call) = run(context, "revoke", server, asked).await;
        (answer.map(drop).map_err(unsent), call)
    })
}

/// A number as WhatsApp knows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KnownNumber {
    /// Digits, as WhatsApp writes them.
    pub number: String,
    /// Digits of the id that hides it, where the server knows it.
    pub hidden_id: Option<String>,
}

/// Asks whether a number has WhatsApp; `None` where it has not.
pub fn look_up_number<'a>(
    context: &'a Context,
    server: Server<'a>,
    name: &'a str,
    number: &'a str,
) -> BoxFuture<'a, Outcome<Option<KnownNumber>>> {
    Box::pin(async move {
        let asked = Asked::new(Method::POST, of(name, "/chat/whatsappNumbers")).with(json!({"numbers": [number]})).slow();
        let (answer, call) = run(context, "look_up_number", server, asked).await;
        (answer.map_err(unsent).and_then(|answer| known_number(&answer[0])), call)
    })
}

fn known_number(answer: &Value) -> Result<Option<KnownNumber>, Failure> {
    if answer["exists"] == false {
        return Ok(None);
    }
    let digits = |field: &str, server: &str| {
        let address = answer[field].as_str()?;
        let digits = address.split(['@', ':']).next()?;
        let is_of = address.ends_with(server) || !address.contains('@');
        ((5..=20).contains(&digits.len()) && is_of && digits.bytes().all(|byte| byte.is_ascii_digit())).then(|| digits.to_owned())
    };
    let hidden_id = digits("lid", "@lid").or_else(|| answer["jid"].as_str()?.ends_with("@lid").then(|| digits("jid", "@lid"))?);
    let number = digits("jid", "@s.whatsapp.net").or_else(|| digits("number", "@s.whatsapp.net"));
    match number.filter(|_| answer["exists"] == true) {
        Some(number) => Ok(Some(KnownNumber { number, hidden_id })),
        None => Err(Failure::Unknown { reason: "the answer names no number".into() }),
    }
}

/// Shows a client that their message was read. Of people who hide their number the server does nothing, and says nothing.
pub fn mark_read<'a>(
    context: &'a Context,
    server: Server<'a>,
    name: &'a str,
    address: &'a str,
    message_id: &'a str,
) -> BoxFuture<'a, Outcome<()>> {
    Box::pin(async move {
        let read = json!({"readMessages": [{"id": message_id, "fromMe": false, "remoteJid": address}]});
        let asked = Asked::new(Method::POST, of(name, "/chat/markMessageAsRead")).with(read);
        let (answer, call) = run(context, "mark_read", server, asked).await;
        (answer.map(drop), call)
    })
}

/// The file of a message, refusing more than `most` bytes of it.
pub fn fetch_media<'a>(
    context: &'a Context,
    server: Server<'a>,
    name: &'a str,
    message_id: &'a str,
    most: usize,
) -> BoxFuture<'a, Outcome<Bytes>> {
    Box::pin(async move {
        let body = json!({"message": {"key": {"id": message_id}}, "convertToMp4": false});
        let asked = Asked::new(Method::POST, of(name, "/chat/getBase64FromMediaMessage")).with(body).slow();
        // Four characters for three bytes, and some words beside them.
        let (answer, call) = run(context, "fetch_media", server, asked.up_to(most / 3 * 4 + 10_000)).await;
        let bytes = answer.and_then(|answer| {
            let text = answer["base64"].as_str().unwrap_or_default();
            let bytes = STANDARD.decode(text.as_bytes()).ok().filter(|bytes| !bytes.is_empty());
            bytes.map(Bytes::from).ok_or_else(|| Failure::Unknown { reason: "the answer has no file".into() })
        });
        (bytes, call)
    })
}

/// What a failed send means: an instance that is gone or has lost its phone sends nothing until somebody acts, one that connects again does soon.
fn unsent(failure: Failure) -> Failure {
    let is_closed = |text: &str| text.contains("Connection Closed") || text.contains("not connected");
    match failure {
        Failure::Refused { code, detail } if code == "404" || is_closed(&detail) => Failure::Blocked { code, detail },
        Failure::Refused { code, detail } if detail.contains("\"exists\":false") => {
            let detail = if code == "400" { "Este número não tem WhatsApp.".to_owned() } else { detail };
            Failure::Refused { code: "not_on_whatsapp".into(), detail }
        }
        Failure::Unknown { reason } if is_closed(&reason) => {
            Failure::Busy { after: Duration::from_secs(15), code: "closed".into() }
        }
        other => other,
    }
}

/// What a server has done it says: an answer without a word is somebody else's, and nobody knows what was done.
fn said(answer: Value) -> Result<Value, Failure> {
    let says_something = answer.as_object().is_some_and(|fields| !fields.is_empty());
    if says_something { Ok(answer) } else { Err(Failure::Unknown { reason: "the answer says nothing".into() }) }
}

/// Versions that know no `where` list everybody: only who was asked after is answered.
fn push_name(answer: &Value, jid: &str) -> Result<Option<String>, Failure> {
    let contacts = answer.as_array().ok_or_else(|| Failure::Unknown { reason: "the answer lists nobody".into() })?;
    let contact = contacts.iter().find(|contact| contact["remoteJid"] == jid || contact["id"] == jid);
    let name = contact.and_then(|contact| contact["pushName"].as_str()).map(|name| {
        let is_shown = |character: &char| !character.is_control();
        name.trim().chars().filter(is_shown).take(120).collect::<String>()
    });
    Ok(name.filter(|name| !name.is_empty()))
}

/// A path that ends with the instance's name.
fn of(name: &str, path: &str) -> String {
    let name: String = form_urlencoded::byte_serialize(name.as_bytes()).collect();
    format!("{path}/{}", name.replace('+', "%20"))
}

/// Versions differ in what the state is called.
fn state_in(answer: &Value) -> Option<InstanceState> {
    let instance = if answer["instance"].is_object() { &answer["instance"] } else { answer };
    let state = instance["state"].as_str().or_else(|| instance["status"].as_str())?;
    Some(match state {
        "open" => InstanceState::Open,
        "connecting" => InstanceState::Connecting,
        _ => InstanceState::Close,
    })
}

/// Rows are flat since 2.0, and had everything inside `instance` before.
fn profile_in(answer: &Value, name: &str) -> Option<Profile> {
    let rows = answer.as_array().into_iter().flatten();
    let mut rows = rows.map(|row| if row["instance"].is_object() { &row["instance"] } else { row });
    let row = rows.find(|row| row["name"] == name || row["instanceName"] == name)?;
    let text = |names: &[&str]| {
        let mut given = names.iter().filter_map(|name| row[name].as_str());
        given.find(|text| !text.is_empty()).map(str::to_owned)
    };
    let owner = text(&["ownerJid", "owner"]);
    let digits = owner.as_deref().and_then(|owner| owner.split(['@', ':']).next()).filter(|digits| !digits.is_empty());
    Some(Profile {
        number: digits.filter(|digits| digits.bytes().all(|byte| byte.is_ascii_digit())).map(phone::canonical),
        name: text(&["profileName"]).map(|name| name.chars().take(200).collect()),
        token: text(&["token", "apikey"]),
        id: text(&["id", "instanceId"]).filter(|id| is_id(id)),
    })
}

/// Long enough to be nobody else's: servers give out UUIDs.
fn is_id(id: &str) -> bool {
    (32..=64).contains(&id.len()) && id.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
}

/// A call to be made.
struct Asked {
    method: Method,
    path: String,
    body: Option<Value>,
    patience: Duration,
    /// Bytes of the answer.
    most: usize,
}

impl Asked {
    fn new(method: Method, path: impl Into<String>) -> Self {
        Self { method, path: path.into(), body: None, patience: QUICK, most: LARGEST_ANSWER }
    }

    fn with(mut self, body: Value) -> Self {
        self.body = Some(body);
        self
    }

    fn up_to(mut self, most: usize) -> Self {
        self.most = most;
        self
    }

    fn slow(mut self) -> Self {
        self.patience = SLOW;
        self
    }
}

async fn run(context: &Context, operation: &'static str, server: Server<'_>, asked: Asked) -> Outcome<Value> {
    let started = context.elapsed();
    let (status, outcome) = ask(context, server, asked).await;
    let call = Call::ended(operation, status.map(|status| status.as_u16()), &outcome, context.elapsed().saturating_sub(started));
    (outcome, call)
}

async fn ask(context: &Context, server: Server<'_>, asked: Asked) -> (Option<StatusCode>, Result<Value, Failure>) {
    let Asked { method, path, body, patience, most } = asked;
    let url = format!("{}{path}", server.base_url.trim_end_matches('/'));
    let request = match context.call_outside(method, &url).await {
        Ok(request) => request.header("apikey", server.api_key).timeout(patience),
        Err(refusal) => {
            let detail = refusal.texts().0.to_owned();
            return (None, Err(Failure::Blocked { code: refusal.code().to_owned(), detail }));
        }
    };
    let request = if let Some(body) = &body { request.json(body) } else { request };
    match request.send().await {
        Ok(response) => (Some(response.status()), read(response, server.api_key, most).await),
        Err(error) => (None, Err(unanswered(&error))),
    }
}

async fn read(response: Response, api_key: &str, most: usize) -> Result<Value, Failure> {
    let status = response.status();
    let after = retry_after(&response);
    let Some(body) = read_up_to(response, most).await.map_err(|error| unanswered(&error))? else {
        return Err(Failure::Refused { code: "too_large".into(), detail: "the answer is too large".into() });
    };
    let answer: Option<Value> = serde_json::from_slice(&body).ok().map(without_nul);
    judge(status.as_u16(), answer, after, api_key)
}

/// What an answer means. A success that is no JSON is somebody else's page, and one with `error` is none.
fn judge(status: u16, answer: Option<Value>, after: Option<Duration>, api_key: &str) -> Result<Value, Failure> {
    let detail = answer.as_ref().map(|answer| detail_of(answer, api_key)).filter(|words| !words.is_empty());
    let (code, detail) = (status.to_string(), detail.unwrap_or_else(|| format!("HTTP {status}")));
    match (status, answer) {
        (200..300, Some(answer)) if answer["error"] == true => Err(Failure::Refused { code: "error".into(), detail }),
        (200..300, Some(answer)) => Ok(answer),
        (200..300, None) => Err(Failure::Unknown { reason: "the answer is not JSON".into() }),
        (429, _) => Err(Failure::Busy { after: after.unwrap_or(Duration::from_secs(5)), code }),
        (500.., _) => Err(Failure::Unknown { reason: format!("HTTP {status} {detail}").trim_end().to_owned() }),
        (401, _) => Err(Failure::Blocked { code, detail }),
        // What stands before a server says so of the server: of an instance only the server itself does.
        (404, answer) if answer.as_ref().is_none_or(|answer| !answer["response"].is_object()) => {
            Err(Failure::Refused { code: "not_a_server".into(), detail })
        }
        _ => Err(Failure::Refused { code, detail }),
    }
}

/// The server's own words. A key that it repeats is not told on.
fn detail_of(answer: &Value, api_key: &str) -> String {
    let message = if answer["response"]["message"].is_null() { &answer["message"] } else { &answer["response"]["message"] };
    let words = match message {
        Value::String(text) => text.clone(),
        Value::Array(list) => {
            list.iter().map(|one| one.as_str().map_or_else(|| one.to_string(), str::to_owned)).collect::<Vec<_>>().join("; ")
        }
        Value::Null => String::new(),
        other => other.to_string(),
    };
    words.replace(api_key, "••••").chars().take(LONGEST_DETAIL).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn credentials_open_for_their_own_account_only_and_do_not_print() {
        let keys = [EncryptionKey { id: "1".into(), key: "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=".into() }];
        let credentials = Credentials::new("the-instances-token".into());
        let [own, other] = [1, 2].map(Uuid::from_u128);
        let sealed = credentials.seal(&keys, own);
        assert_eq!(Credentials::open(&keys, own, &sealed), Some(credentials.clone()));
        assert_eq!(Credentials::open(&keys, other, &sealed), None);
        assert!(!format!("{credentials:?}").contains("token"));
        assert_eq!(credentials.external_key().len(), 43);
        assert!(credentials.webhook_secret.starts_with(&format!("{}.", credentials.webhook_token)));
    }

    #[test]
    fn answers_mean_what_the_server_says_and_not_its_status_alone() {
        let of = |status, answer: Value| judge(status, Some(answer), None, "secret-key");
        assert_eq!(of(200, json!({"a": 1})), Ok(json!({"a": 1})));
        let inside = of(200, json!({"error": true, "message": "Error: x"}));
        assert_eq!(inside, Err(Failure::Refused { code: "error".into(), detail: "Error: x".into() }));
        // What is done says that there was no error.
        assert!(of(200, json!({"status": "SUCCESS", "error": false})).is_ok());
        assert!(matches!(judge(200, None, None, "k"), Err(Failure::Unknown { .. })));
        assert!(matches!(judge(502, None, None, "k"), Err(Failure::Unknown { .. })));
        let refused = of(401, json!({"response": {"message": "Unauthorized secret-key"}}));
        assert_eq!(refused, Err(Failure::Blocked { code: "401".into(), detail: "Unauthorized ••••".into() }));
        let taken = of(403, json!({"response": {"message": ["This name \"a\" is already in use."]}}));
        assert_eq!(taken, Err(Failure::Refused { code: "403".into(), detail: "This name \"a\" is already in use.".into() }));
        let after = Duration::from_secs(9);
        assert_eq!(judge(429, None, Some(after), "k"), Err(Failure::Busy { after, code: "429".into() }));
    }

    #[test]
    fn states_and_profiles_are_read_of_every_version() {
        assert_eq!(state_in(&json!({"instance": {"instanceName": "a", "state": "open"}})), Some(InstanceState::Open));
        assert_eq!(state_in(&json!({"instance": {"status": "connecting"}})), Some(InstanceState::Connecting));
        assert_eq!(state_in(&json!({"state": "refused"})), Some(InstanceState::Close));
        assert_eq!(state_in(&json!({})), None);
        let id = "5a1e0000-0000-4000-8000-000000000001";
        let flat =
            json!([{"name": "b"}, {"name": "a", "id": id, "ownerJid": "551140000000:7@s.whatsapp.net", "profileName": "Loja"}]);
        let nested = json!([{"instance": {"instanceName": "a", "instanceId": id, "owner": "551140000000@s.whatsapp.net", "profileName": "Loja"}}]);
        let profile =
            Profile { number: Some("551140000000".into()), name: Some("Loja".into()), token: None, id: Some(id.into()) };
        assert_eq!(profile_in(&flat, "a"), Some(profile.clone()));
        assert_eq!(profile_in(&nested, "a"), Some(profile));
        assert_eq!(profile_in(&flat, "c"), None);
    }

    #[test]
    fn a_contact_is_who_was_asked_after() {
        let answer = json!([{"remoteJid": "1@s.whatsapp.net", "pushName": "Outra"}, {"remoteJid": "2@s.whatsapp.net", "pushName": " Ana\n"}]);
        assert_eq!(push_name(&answer, "2@s.whatsapp.net"), Ok(Some("Ana".into())));
        assert_eq!(push_name(&answer, "3@s.whatsapp.net"), Ok(None));
        assert!(push_name(&json!({}), "1").is_err());
    }

    #[test]
    fn an_answer_that_says_nothing_is_none() {
        for nothing in [json!([]), Value::Null, json!({}), json!("ok"), json!(1)] {
            assert!(matches!(said(nothing.clone()), Err(Failure::Unknown { .. })), "{nothing}");
        }
        assert!(said(json!({"status": "SUCCESS"})).is_ok());
    }

    #[test]
    fn webhooks_that_somebody_changed_are_seen() {
        let webhook = Webhook { url: "https://api.exemplo.test/hooks/1", secret: "s" };
        let mut found = webhook.to_json();
        assert!(webhook.is_in(&found));
        found["webhookByEvents"] = json!(false);
        assert!(webhook.is_in(&found));
        for (field, other) in [
            ("enabled", json!(false)),
            ("url", json!("https://outro.exemplo.test")),
            ("headers", json!({"authorization": "Bearer other"})),
            ("headers", json!({})),
            ("events", json!(["MESSAGES_UPSERT"])),
            ("webhookByEvents", json!(true)),
            ("base64", json!(true)),
        ] {
            let mut changed = found.clone();
            changed[field] = other;
            assert!(!webhook.is_in(&changed), "{field}");
        }
        assert!(!webhook.is_in(&Value::Null));
    }

    #[test]
    fn numbers_are_known_by_what_whatsapp_calls_them() {
        let known = |number: &str, hidden: Option<&str>| {
            Ok(Some(KnownNumber { number: number.into(), hidden_id: hidden.map(str::to_owned) }))
        };
        let of = |answer: Value| known_number(&answer);
        let both =
            json!({"jid": "554187654321@s.whatsapp.net", "exists": true, "number": "5541987654321", "lid": "123456789012@lid"});
        assert_eq!(of(both), known("554187654321", Some("123456789012")));
        let hidden = json!({"jid": "123456789012@lid", "exists": true, "number": "5511987654321"});
        assert_eq!(of(hidden), known("5511987654321", Some("123456789012")));
        assert_eq!(of(json!({"jid": "551140000000@s.whatsapp.net", "exists": false, "number": "551140000000"})), Ok(None));
        assert!(of(json!({})).is_err());
    }

    #[test]
    fn a_name_is_one_part_of_the_path() {
        assert_eq!(of("a b/c?d", "/instance/connect"), "/instance/connect/a%20b%2Fc%3Fd");
    }
}
