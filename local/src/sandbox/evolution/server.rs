//! A server and its instances, as they are between calls.

use std::collections::BTreeMap;

use ring::rand::{SecureRandom, SystemRandom};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use uuid::Uuid;

use super::notice::{Notice, Webhook};

/// The global key of a server that was given no other.
pub const GLOBAL_KEY: &str = "sandbox-evolution-global-key";

/// A picture of one pixel: whoever tests scans no codes.
const PICTURE: &str =
    "data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==";

/// How a server behaves.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ServerSettings {
    pub global_key: String,
    pub version: String,
    /// How long creating with a code takes; five seconds at a real server.
    pub qr_delay_ms: u64,
    /// A code is renewed after this long.
    pub qr_renewal_ms: u64,
    /// Codes that are shown before it gives up.
    pub qr_limit: u32,
    /// Whether webhooks carry the instance's token, and lists of instances show it.
    pub exposes_tokens: bool,
    /// Numbers that have no WhatsApp.
    pub without_whatsapp: Vec<String>,
    /// Ids that hide numbers, as far as the server knows them.
    pub hidden_ids: BTreeMap<String, String>,
    pub webhook_attempts: u32,
    /// Until the second try to deliver a webhook; doubled with each.
    pub webhook_backoff_ms: u64,
}

impl Default for ServerSettings {
    fn default() -> Self {
        Self {
            global_key: GLOBAL_KEY.into(),
            version: "2.3.7".into(),
            qr_delay_ms: 0,
            qr_renewal_ms: 40_000,
            qr_limit: 30,
            exposes_tokens: true,
            without_whatsapp: Vec::new(),
            hidden_ids: BTreeMap::new(),
            webhook_attempts: 10,
            webhook_backoff_ms: 5000,
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum State {
    Connecting,
    Open,
    Close,
}

#[derive(Debug, Default)]
pub(super) struct Server {
    pub settings: ServerSettings,
    pub instances: BTreeMap<String, Instance>,
}

/// One instance: one number, once somebody has scanned its code.
#[derive(Clone, Debug)]
pub(super) struct Instance {
    pub id: Uuid,
    pub name: String,
    pub token: String,
    pub integration: String,
    /// Its own number, as it was given or scanned.
    pub number: Option<String>,
    pub profile_name: Option<String>,
    pub state: State,
    pub webhook: Option<Webhook>,
    pub settings: Value,
    pub code: Option<Code>,
    /// Messages in and out, the oldest first.
    pub messages: Vec<Value>,
}

/// What is scanned, or typed.
#[derive(Clone, Debug)]
pub(super) struct Code {
    pub code: String,
    pub pairing_code: Option<String>,
    /// How many there were.
    pub count: u32,
}

impl Code {
    pub(super) fn to_json(&self) -> Value {
        json!({"pairingCode": self.pairing_code, "code": self.code, "base64": PICTURE, "count": self.count})
    }
}

/// What became of a code whose time is over.
pub(super) enum Renewal {
    /// There is a next one.
    Renewed(Vec<Notice>),
    /// There were too many.
    Ended(Vec<Notice>),
    /// Nobody waits for one.
    NotWanted,
}

impl Instance {
    pub(super) fn new(name: String, token: String, integration: String, number: Option<String>) -> Self {
        Self {
            id: Uuid::new_v4(),
            name,
            token,
            integration,
            number,
            profile_name: None,
            state: State::Close,
            webhook: None,
            settings: json!({}),
            code: None,
            messages: Vec::new(),
        }
    }

    /// Its own address at WhatsApp, while it is open.
    pub(super) fn owner(&self) -> Option<String> {
        self.number.as_ref().filter(|_| self.state == State::Open).map(|number| format!("{number}@s.whatsapp.net"))
    }

    /// Begins to connect, with a first code.
    pub(super) fn show_code(&mut self, number: Option<&str>) -> Vec<Notice> {
        self.state = State::Connecting;
        let count = self.code.as_ref().map_or(1, |code| code.count);
        let pairing_code = number.map(|_| random_text(8).to_ascii_uppercase());
        self.code = Some(Code { code: format!("2@{}", random_text(40)), pairing_code, count });
        vec![self.connection("connecting", 200), self.code_notice()]
    }

    /// The code's time is over.
    pub(super) fn renew_code(&mut self, limit: u32) -> Renewal {
        let (State::Connecting, Some(code)) = (self.state, &mut self.code) else { return Renewal::NotWanted };
        if code.count >= limit {
            self.code = None;
            self.state = State::Close;
            let limit = json!({"message": "QR code limit reached, please login again", "statusCode": 500});
            let mut refused = self.connection("refused", 428);
            refused.data["wuid"] = Value::Null;
            return Renewal::Ended(vec![self.notice("qrcode.updated", limit), refused]);
        }
        code.count += 1;
        code.code = format!("2@{}", random_text(40));
        Renewal::Renewed(vec![self.code_notice()])
    }

    fn code_notice(&self) -> Notice {
        let mut code = self.code.as_ref().map(Code::to_json).unwrap_or_default();
        if let Some(fields) = code.as_object_mut() {
            fields.remove("count");
            fields.insert("instance".into(), json!(self.name));
        }
        self.notice("qrcode.updated", json!({"qrcode": code}))
    }

    pub(super) fn connection(&self, state: &str, reason: u16) -> Notice {
        let mut data = json!({"instance": self.name, "state": state, "statusReason": reason});
        if state == "open" {
            data["wuid"] = json!(self.owner());
            data["profileName"] = json!(self.profile_name);
            data["profilePictureUrl"] = Value::Null;
        }
        self.notice("connection.update", data)
    }

    pub(super) fn notice(&self, event: &str, data: Value) -> Notice {
        Notice {
            instance: self.name.clone(),
            event: event.to_owned(),
            data,
            beside: Map::new(),
            to: self.webhook.clone(),
            token: self.token.clone(),
        }
    }
}

/// Random letters and digits.
pub(super) fn random_text(length: usize) -> String {
    let mut bytes = vec![0; length.div_ceil(2)];
    SystemRandom::new().fill(&mut bytes).expect("the system gives random bytes");
    hex::encode(bytes).chars().take(length).collect()
}
