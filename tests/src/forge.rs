//! Access tokens as an attacker would make them, and the settings that an attacker does not have.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use ring::hmac;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::{Stack, company::text};

/// The name under which the local cloud keeps the settings of the functions.
const SETTINGS: &str = "/balcao/local/settings";

/// The key that signs access tokens in this stack.
#[derive(Clone, Debug)]
pub struct Forge {
    pub key_id: String,
    pub secret: String,
}

impl Forge {
    /// Reads the key as the functions do.
    pub async fn of(stack: &Stack) -> Self {
        let settings = settings(stack).await;
        let key = &settings["token_keys"][0];
        Self { key_id: text(&key["id"]).to_owned(), secret: text(&key["secret"]).to_owned() }
    }

    /// A genuine token with these claims.
    #[must_use]
    pub fn token(&self, claims: &Value) -> String {
        sign(&json!({"alg": "HS256", "typ": "JWT", "kid": self.key_id}), claims, self.secret.as_bytes())
    }

    /// The token of a genuine link of this purpose.
    #[must_use]
    pub fn link(&self, purpose: &str, id: Uuid) -> String {
        let tag = |key: &[u8], message: &[u8]| hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, key), message);
        let key = tag(self.secret.as_bytes(), format!("link:{purpose}").as_bytes());
        format!("{}.{}", URL_SAFE_NO_PAD.encode(id), URL_SAFE_NO_PAD.encode(tag(key.as_ref(), id.as_bytes())))
    }
}

/// The secrets of the functions.
///
/// # Panics
/// When the local cloud does not give them.
pub async fn settings(stack: &Stack) -> Value {
    let request = stack.http.post(&stack.addresses.sqs).header("x-amz-target", "AmazonSSM.GetParameter");
    let answer = request.body(json!({"Name": SETTINGS}).to_string()).send().await.expect("SSM answers");
    let body = answer.text().await.expect("an answer has a body");
    let parameter: Value = serde_json::from_str(&body).expect("SSM answers with JSON");
    serde_json::from_str(text(&parameter["Parameter"]["Value"])).expect("the settings are JSON")
}

/// What a token claims, believed without a look at its signature.
///
/// # Panics
/// When it is not a token.
#[must_use]
pub fn claims_of(token: &str) -> Value {
    let body = token.split('.').nth(1).expect("a token has three parts");
    let bytes = URL_SAFE_NO_PAD.decode(body).expect("claims are base64");
    serde_json::from_slice(&bytes).expect("claims are JSON")
}

/// A token with this header, these claims and the HMAC-SHA-256 of both.
#[must_use]
pub fn sign(header: &Value, claims: &Value, secret: &[u8]) -> String {
    let signed = unsigned(header, claims);
    let key = hmac::Key::new(hmac::HMAC_SHA256, secret);
    let tag = hmac::sign(&key, signed.as_bytes());
    format!("{signed}.{}", URL_SAFE_NO_PAD.encode(tag.as_ref()))
}

/// Header and claims of a token, without the last point and the signature.
#[must_use]
pub fn unsigned(header: &Value, claims: &Value) -> String {
    format!("{}.{}", URL_SAFE_NO_PAD.encode(header.to_string()), URL_SAFE_NO_PAD.encode(claims.to_string()))
}
