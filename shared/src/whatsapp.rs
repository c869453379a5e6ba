//! WhatsApp Cloud API: sending, media, read marks. What an error means decides what the worker does next.
//! Source: Meta's error codes for the Cloud API.

use std::{fmt, time::Duration};

use bytes::Bytes;
use futures_util::future::BoxFuture;
use reqwest::{Response, multipart};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use url::form_urlencoded;
use uuid::Uuid;

pub use crate::provider::{Call, Failure, Outcome};
use crate::{
    context::Context,
    crypto,
    environment::variable,
    phone,
    provider::{milliseconds, retry_after, unanswered},
    settings::EncryptionKey,
    text::without_nul,
};

/// What a company gives us to act for its number.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Credentials {
    pub access_token: String,
}

/// Never shows the secret, wherever it is printed.
impl fmt::Debug for Credentials {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Credentials(…)")
    }
}

impl Credentials {
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

/// A number, with the right to act for it.
#[derive(Clone)]
pub struct Account {
    pub phone_number_id: String,
    pub credentials: Credentials,
}

/// Sends a message. Answers WhatsApp's id of it.
pub fn send<'a>(context: &'a Context, account: &'a Account, body: &'a Value) -> BoxFuture<'a, Outcome<String>> {
    Box::pin(async move {
        let request = post(context, account, "messages").json(body);
        let (answer, call) = run(context, "send", request).await;
        let id = answer.and_then(|answer| {
            let id = answer["messages"][0]["id"].as_str().map(str::to_owned);
            id.ok_or_else(|| Failure::Unknown { reason: "the answer names no message".into() })
        });
        (id, call)
    })
}

/// Marks a received message, and those before it, as read.
pub fn mark_read<'a>(context: &'a Context, account: &'a Account, message_id: &'a str) -> BoxFuture<'a, Outcome<()>> {
    Box::pin(async move {
        let body = json!({"messaging_product": "whatsapp", "status": "read", "message_id": message_id});
        let (answer, call) = run(context, "mark_read", post(context, account, "messages").json(&body)).await;
        (answer.map(drop), call)
    })
}

/// What Meta says of a number.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Number {
    /// The business account it is in.
    pub account_id: Option<String>,
    /// What people see, as digits in their one writing.
    pub display_number: Option<String>,
    /// The name that people see.
    pub verified_name: Option<String>,
    /// In Meta's word, such as `GREEN`.
    pub quality: Option<String>,
}

impl Number {
    fn read(answer: &Value) -> Self {
        let mut entities = answer["health_status"]["entities"].as_array().into_iter().flatten();
        let account = entities.find(|entity| entity["entity_type"] == "WABA");
        let text = |name: &str| answer[name].as_str().map(|text| text.replace('\0', "").chars().take(200).collect());
        Self {
            account_id: account.and_then(|account| account["id"].as_str()).map(str::to_owned),
            display_number: answer["display_phone_number"].as_str().map(phone::canonical),
            verified_name: text("verified_name"),
            quality: text("quality_rating"),
        }
    }
}

/// Asks for the number itself, which Meta shows to no token but those that may act for it.
pub fn look_up_number<'a>(context: &'a Context, account: &'a Account) -> BoxFuture<'a, Outcome<Number>> {
    Box::pin(async move {
        let url = format!(
            "{}/{}?fields=id,display_phone_number,verified_name,quality_rating,health_status",
            base_url(),
            account.phone_number_id
        );
        let request = context.http().get(url).bearer_auth(&account.credentials.access_token);
        let (answer, call) = run(context, "look_up_number", request).await;
        let is_own = |answer: Value| {
            let refused = || Failure::Refused { code: "other_number".into(), detail: "the answer is of another number".into() };
            if answer["id"] == account.phone_number_id.as_str() { Ok(Number::read(&answer)) } else { Err(refused()) }
        };
        (answer.and_then(is_own), call)
    })
}

/// A page of an account's templates.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct TemplatePage {
    /// As WhatsApp has them.
    pub templates: Vec<Value>,
    /// Where the next page begins; `None` behind the last.
    pub after: Option<String>,
}

/// Asks for a page of the templates of a business account.
pub fn list_templates<'a>(
    context: &'a Context,
    account: &'a Account,
    business_account: &'a str,
    after: Option<&'a str>,
) -> BoxFuture<'a, Outcome<TemplatePage>> {
    Box::pin(async move {
        let fields = "id,name,language,category,status,components,quality_score,rejected_reason";
        let query = [("fields", fields), ("limit", "100")].into_iter().chain(after.map(|after| ("after", after)));
        let mut url = format!("{}/{business_account}/message_templates?", base_url());
        url.push_str(&form_urlencoded::Serializer::new(String::new()).extend_pairs(query).finish());
        let request = context.http().get(url).bearer_auth(&account.credentials.access_token);
        let (answer, call) = run(context, "list_templates", request).await;
        let page = answer.and_then(|answer| {
            let templates = answer["data"].as_array().cloned();
            let templates = templates.ok_or_else(|| Failure::Unknown { reason: "the answer lists nothing".into() })?;
            let has_next = answer["paging"]["next"].is_string();
            let after = answer["paging"]["cursors"]["after"].as_str().filter(|_| has_next).map(str::to_owned);
            Ok(TemplatePage { templates, after })
        });
        (page, call)
    })
}

/// Uploads a file to send. Answers its media id.
pub fn upload<'a>(
    context: &'a Context,
    account: &'a Account,
    bytes: Bytes,
    mime_type: &'a str,
    name: &'a str,
) -> BoxFuture<'a, Outcome<String>> {
    Box::pin(async move {
        let part = multipart::Part::stream(bytes).file_name(name.to_owned());
        let part = match part.mime_str(mime_type) {
            Ok(part) => part,
            Err(error) => {
                let failure = Failure::Refused { code: "mime_type".into(), detail: error.to_string() };
                return (Err(failure), Call { operation: "upload", status: None, error_code: None, took_ms: 0 });
            }
        };
        let form =
            multipart::Form::new().text("messaging_product", "whatsapp").text("type", mime_type.to_owned()).part("file", part);
        let (answer, call) = run(context, "upload", post(context, account, "media").multipart(form)).await;
        let id = answer.and_then(|answer| {
            let id = answer["id"].as_str().map(str::to_owned);
            id.ok_or_else(|| Failure::Unknown { reason: "the answer names no media".into() })
        });
        (id, call)
    })
}

/// Where a received file can be downloaded for about five minutes.
pub fn look_up_media<'a>(context: &'a Context, account: &'a Account, media_id: &'a str) -> BoxFuture<'a, Outcome<String>> {
    Box::pin(async move {
        let url = format!("{}/{media_id}", base_url());
        let (answer, call) =
            run(context, "look_up_media", context.http().get(url).bearer_auth(&account.credentials.access_token)).await;
        let url = answer.and_then(|answer| {
            let url = answer["url"].as_str().map(str::to_owned);
            url.ok_or_else(|| Failure::Unknown { reason: "the answer names no URL".into() })
        });
        (url, call)
    })
}

/// Downloads a received file, refusing more than `most` bytes.
pub fn download<'a>(context: &'a Context, account: &'a Account, url: &'a str, most: usize) -> BoxFuture<'a, Outcome<Bytes>> {
    Box::pin(async move {
        let started = context.elapsed();
        let answer = context.downloads().get(url).bearer_auth(&account.credentials.access_token).send().await;
        let call = |status, error_code| Call {
            operation: "download",
            status,
            error_code,
            took_ms: milliseconds(context.elapsed().saturating_sub(started)),
        };
        let mut response = match answer {
            Ok(response) if response.status().is_success() => response,
            Ok(response) => {
                let status = response.status();
                let failure = Failure::Busy { after: Duration::from_secs(5), code: status.as_u16().to_string() };
                return (Err(failure), call(Some(i32::from(status.as_u16())), Some(status.as_u16().to_string())));
            }
            Err(error) => return (Err(unanswered(&error)), call(None, Some("unreachable".into()))),
        };
        let status = Some(i32::from(response.status().as_u16()));
        let mut received = Vec::new();
        loop {
            match response.chunk().await {
                Ok(Some(chunk)) if received.len() + chunk.len() > most => {
                    let failure = Failure::Refused { code: "too_large".into(), detail: format!("more than {most} bytes") };
                    return (Err(failure), call(status, Some("too_large".into())));
                }
                Ok(Some(chunk)) => received.extend_from_slice(&chunk),
                Ok(None) => return (Ok(received.into()), call(status, None)),
                Err(error) => return (Err(unanswered(&error)), call(status, Some("interrupted".into()))),
            }
        }
    })
}

fn base_url() -> String {
    format!("{}/{}", variable("WHATSAPP_GRAPH_URL").trim_end_matches('/'), variable("WHATSAPP_GRAPH_VERSION"))
}

fn post(context: &Context, account: &Account, what: &str) -> reqwest::RequestBuilder {
    let url = format!("{}/{}/{what}", base_url(), account.phone_number_id);
    context.http().post(url).bearer_auth(&account.credentials.access_token)
}

async fn run(context: &Context, operation: &'static str, request: reqwest::RequestBuilder) -> Outcome<Value> {
    let started = context.elapsed();
    let answer = request.send().await;
    let (status, outcome) = match answer {
        Ok(response) => (Some(response.status().as_u16()), read(response).await),
        Err(error) => (None, Err(unanswered(&error))),
    };
    let call = Call::ended(operation, status, &outcome, context.elapsed().saturating_sub(started));
    (outcome, call)
}

async fn read(response: Response) -> Result<Value, Failure> {
    let status = response.status();
    let after = retry_after(&response);
    let body = response.bytes().await.map_err(|error| Failure::Unknown { reason: error.to_string() })?;
    let value: Option<Value> = serde_json::from_slice(&body).ok().map(without_nul);
    if status.is_success() {
        return value.ok_or_else(|| Failure::Unknown { reason: "the answer is not JSON".into() });
    }
    Err(classify(status.as_u16(), value.as_ref().map(|value| &value["error"]), after))
}

/// What an answer that is not a success means. The code decides, the HTTP status only where there is none.
fn classify(status: u16, error: Option<&Value>, retry_after: Option<Duration>) -> Failure {
    let code = error.and_then(|error| error["code"].as_i64());
    let text = |pointer: &str| error.and_then(|error| error.pointer(pointer)?.as_str()).unwrap_or_default().to_owned();
    let detail = Some(text("/error_data/details")).filter(|text| !text.is_empty()).unwrap_or_else(|| text("/message"));
    let named = code.map_or_else(|| status.to_string(), |code| code.to_string());
    let busy = |seconds: u64| Failure::Busy { after: retry_after.unwrap_or(Duration::from_secs(seconds)), code: named.clone() };
    match code {
        Some(1 | 2 | 131_000 | 131_016 | 133_004) => busy(5),
        Some(4 | 80007 | 131_057) => busy(60),
        Some(130_429) => busy(2),
        Some(131_056) => busy(6),
        Some(131_048 | 131_064) => busy(900),
        Some(
            0
            | 3
            | 10
            | 33
            | 190
            | 200..=299
            | 368
            | 130_497
            | 131_005
            | 131_031
            | 131_042
            | 131_044
            | 131_045
            | 131_063
            | 133_010,
        ) => Failure::Blocked { code: named, detail },
        None if status == 429 => busy(5),
        None if status >= 500 => Failure::Unknown { reason: format!("HTTP {status} without an error code") },
        None if matches!(status, 401 | 403) => Failure::Blocked { code: named, detail },
        _ => Failure::Refused { code: named, detail },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(status: u16, code: i64) -> Failure {
        classify(status, Some(&json!({"code": code, "message": "m", "error_data": {"details": "d"}})), None)
    }

    #[test]
    fn credentials_open_for_their_own_account_only_and_do_not_print() {
        let keys = [EncryptionKey { id: "1".into(), key: "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=".into() }];
        let credentials = Credentials { access_token: "EAAGtoken".into() };
        let [own, other] = [1, 2].map(Uuid::from_u128);
        let sealed = credentials.seal(&keys, own);
        assert_eq!(Credentials::open(&keys, own, &sealed), Some(credentials.clone()));
        assert_eq!(Credentials::open(&keys, other, &sealed), None);
        assert!(!format!("{credentials:?}").contains("EAAG"));
    }

    #[test]
    fn a_number_names_its_account() {
        let entities = json!([{"entity_type": "PHONE_NUMBER", "id": "21"}, {"entity_type": "WABA", "id": "10"}]);
        let number = Number::read(&json!({"display_phone_number": "+55 11 4000-0000", "health_status": {"entities": entities}}));
        assert_eq!(
            number,
            Number { account_id: Some("10".into()), display_number: Some("551140000000".into()), ..Number::default() }
        );
        assert_eq!(Number::read(&json!({})), Number::default());
    }

    #[test]
    fn busy_codes_back_off_and_others_end_it() {
        assert!(matches!(of(400, 130_429), Failure::Busy { .. }));
        assert!(matches!(of(503, 2), Failure::Busy { .. }));
        assert!(matches!(of(401, 190), Failure::Blocked { .. }));
        assert_eq!(of(400, 131_047), Failure::Refused { code: "131047".into(), detail: "d".into() });
    }

    #[test]
    fn a_server_error_without_a_code_may_hide_a_success() {
        assert!(matches!(classify(502, None, None), Failure::Unknown { .. }));
        let after = Duration::from_secs(7);
        assert_eq!(classify(429, None, Some(after)), Failure::Busy { after, code: "429".into() });
    }
}
