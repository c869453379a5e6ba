//! Calls that a turn stops for: somebody else's server is asked outside of any transaction, and a second job goes on with what comes of it.

use std::time::Duration;

use ai::answering;
use futures_util::future::join;
use jiff::SignedDuration;
use reqwest::header::{CONTENT_TYPE, HeaderValue};
use shared::{company_secrets::CompanySecret, crypto, prelude::*, provider, text::told_value};
use tokio::time::timeout;

use crate::flow::{Method, Webhook};

/// How long a server has for all of its answer.
const LONGEST: Duration = Duration::from_secs(5);

/// How long the company's model has: the turn after it is played within the worker's time.
const LONGEST_THOUGHT: Duration = Duration::from_secs(8);

/// Bytes of an answer that are read; a longer one is none.
const LARGEST: usize = 65_536;

/// How long calls are also signed with the secret before.
const OVERLAP: SignedDuration = SignedDuration::from_hours(24);

/// Where they are kept.
pub const SECRET: CompanySecret = CompanySecret("bot");

/// What is asked of whom.
#[derive(Clone, Debug)]
pub enum Call {
    Webhook {
        webhook: Webhook,
        /// The same however often it is asked: whoever is asked twice answers alike and does nothing twice.
        event_id: Uuid,
        body: String,
    },
    /// What the client has written since anybody answered them is asked of the company's model.
    Model { company_id: Uuid, conversation_id: Uuid },
}

impl Call {
    /// Makes the call, with no transaction open. `None` where no use can be made of what comes of it.
    ///
    /// # Errors
    /// Those of the database, where it is asked for what the answer rests on.
    pub async fn make(&self, context: &Context, secrets: &Secrets) -> Result<Option<Value>, Error> {
        match self {
            Self::Webhook { webhook, event_id, body } => {
                // Names are asked for within the time, too.
                Ok(timeout(LONGEST, ask(context, webhook, *event_id, body, secrets)).await.ok().flatten())
            }
            Self::Model { company_id, conversation_id } => {
                let reply = answering::reply(context, *company_id, *conversation_id, LONGEST_THOUGHT).await?;
                Ok(reply.map(|reply| json!(reply)))
            }
        }
    }
}

async fn ask(context: &Context, webhook: &Webhook, event_id: Uuid, body: &str, secrets: &Secrets) -> Option<Value> {
    let (method, body) = match webhook.method {
        Method::Get => (reqwest::Method::GET, ""),
        Method::Post => (reqwest::Method::POST, body),
        Method::Put => (reqwest::Method::PUT, body),
        Method::Patch => (reqwest::Method::PATCH, body),
    };
    let signature = secrets.sign(context.now(), body)?;
    let mut request = context.call_outside(method, &webhook.url).await.ok()?;
    for (name, value) in &webhook.headers {
        request = request.header(name, value);
    }
    if !body.is_empty() {
        request = request.header(CONTENT_TYPE, HeaderValue::from_static("application/json")).body(body.to_owned());
    }
    let sent = request.header("x-balcao-event-id", event_id.to_string()).header("x-balcao-signature", signature).send().await;
    let response = sent.ok().filter(|response| response.status().is_success())?;
    let answer = provider::read_up_to(response, LARGEST).await.ok()??;
    if answer.is_empty() { Some(Value::Null) } else { serde_json::from_slice(&answer).ok().map(told_value) }
}

/// What a company's calls are signed with; it never prints.
pub struct Secrets(Vec<String>);

/// Sealed as one.
#[derive(Serialize, Deserialize)]
struct Kept {
    secret: String,
    /// The one before, which whoever is called may still have.
    previous: Option<(String, Timestamp)>,
}

/// Of two who renew it at once, the second sees what the first has made.
const LOCK: &str = "select pg_advisory_xact_lock(hashtext('bot_secret'), hashtext(app.company_id()::text))";

impl Secrets {
    /// Those that count now; none where the company has none, or none that a listed key opens.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn read(context: &Context, transaction: &Transaction, company_id: Uuid) -> Result<Self, Error> {
        let kept = kept(context, transaction, company_id).await?;
        let now = context.now();
        let all = kept.into_iter().flat_map(|kept| {
            let previous = kept.previous.filter(|(_, until)| *until > now).map(|(secret, _)| secret);
            [Some(kept.secret), previous].into_iter().flatten()
        });
        Ok(Self(all.collect()))
    }

    /// The header that proves the time and the body: `t=1764435600,v1=…`, with a `v1` of each secret that counts.
    fn sign(&self, now: Timestamp, body: &str) -> Option<String> {
        let time = now.as_second();
        let signed = format!("{time}.{body}");
        let proofs: Vec<String> = self.0.iter().map(|secret| format!("v1={}", hexadecimal(secret, &signed))).collect();
        (!proofs.is_empty()).then(|| format!("t={time},{}", proofs.join(",")))
    }
}

fn hexadecimal(secret: &str, signed: &str) -> String {
    hex::encode(crypto::hmac_sha256(secret.as_bytes(), signed.as_bytes()))
}

/// A secret in place of the one before, which counts for another day. Who asks once more within it, not having seen the answer, leaves the one
/// that is in use.
///
/// # Errors
/// Those of the database.
pub async fn renew(context: &Context, transaction: &Transaction, company_id: Uuid) -> Result<String, Error> {
    let now = context.now();
    let (locked, before) = join(transaction.query(LOCK, &[]), kept(context, transaction, company_id)).await;
    locked?;
    let previous = before?.map(|kept| {
        let in_use = kept.previous.filter(|(_, until)| *until > now);
        in_use.unwrap_or_else(|| (kept.secret, now.checked_add(OVERLAP).unwrap_or(Timestamp::MAX)))
    });
    let renewed = Kept { secret: format!("whsec_{}", crypto::random_token()), previous };
    SECRET.keep(context, transaction, company_id, json!(renewed).to_string().as_bytes());
    Ok(renewed.secret)
}

async fn kept(context: &Context, transaction: &Transaction, company_id: Uuid) -> Result<Option<Kept>, Error> {
    let kept = SECRET.kept(context, transaction, company_id).await?;
    Ok(kept.and_then(|kept| serde_json::from_slice(&kept).ok()))
}

#[cfg(test)]
mod tests {
    use shared::settings::EncryptionKey;

    use super::*;

    #[test]
    fn a_call_is_signed_with_every_secret_that_counts() {
        let now: Timestamp = "2026-11-29T12:00:00Z".parse().unwrap();
        let sign =
            |secrets: &[&str]| Secrets(secrets.iter().map(|secret| (*secret).to_owned()).collect()).sign(now, r#"{"a":1}"#);
        assert_eq!(sign(&[]), None);
        let [one, two] = [sign(&["a"]), sign(&["b", "a"])].map(Option::unwrap_or_default);
        let (time, proof) = one.split_once(',').unwrap();
        assert_eq!((time, proof.len()), ("t=1795953600", 3 + 64));
        assert!(two.starts_with("t=1795953600,v1=") && two.ends_with(proof) && two.matches("v1=").count() == 2, "{two}");
        let expected = crypto::hmac_sha256(b"a", br#"1795953600.{"a":1}"#);
        assert_eq!(proof[3..], hex::encode(expected));
    }

    #[test]
    fn a_secret_opens_for_its_own_company_only() {
        let keys = [EncryptionKey { id: "1".into(), key: "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=".into() }];
        let [own, other] = [1, 2].map(Uuid::from_u128);
        let plain = json!(Kept { secret: "x".into(), previous: None }).to_string();
        let sealed = SECRET.seal(&keys, own, plain.as_bytes());
        let open = |company| serde_json::from_slice::<Kept>(&SECRET.open(&keys, company, &sealed)?).ok();
        assert!(open(own).is_some_and(|kept| kept.secret == "x"));
        assert!(open(other).is_none());
    }
}
