//! What a push service asks of a push before it takes it.

use axum::http::{HeaderMap, StatusCode};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use jiff::Timestamp;
use ring::signature::{ECDSA_P256_SHA256_FIXED, UnparsedPublicKey};
use serde_json::{Value, json};

use crate::sandbox::calls::Answer;

/// Bytes that are carried.
const LARGEST: usize = 4096;
/// Salt, record size, length of the key, key.
const HEADER: usize = 16 + 4 + 1 + 65;
/// Tag and delimiter.
const LEAST: usize = HEADER + 16 + 1;
/// Seconds that a proof may be good for.
const LONGEST_PROOF: i64 = 24 * 60 * 60;

/// Why a push is not taken: status, number of the error, words.
pub(super) struct Refused(pub u16, pub u16, pub &'static str);

impl Refused {
    pub(super) fn answer(self) -> Answer {
        let Self(status, errno, message) = self;
        let status = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let error = status.canonical_reason().unwrap_or_default();
        Answer::json(status, json!({"code": status.as_u16(), "errno": errno, "error": error, "message": message}))
    }
}

/// Who sends, as they have proved it.
pub(super) struct Proof {
    pub key: String,
    pub claims: Value,
}

pub(super) fn check(headers: &HeaderMap, body: &[u8], own_url: &str, now: Timestamp) -> Result<Proof, Refused> {
    let header = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    if header("ttl").and_then(|ttl| ttl.parse::<u32>().ok()).is_none() {
        return Err(Refused(400, 111, "TTL is missing, or no number of seconds"));
    }
    if header("content-encoding") != Some("aes128gcm") {
        return Err(Refused(400, 110, "Content-Encoding is not aes128gcm"));
    }
    if !header("urgency").is_none_or(|urgency| ["very-low", "low", "normal", "high"].contains(&urgency)) {
        return Err(Refused(400, 110, "Urgency is unknown"));
    }
    let is_topic = |topic: &str| {
        (1..=32).contains(&topic.len()) && topic.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte))
    };
    if !header("topic").is_none_or(is_topic) {
        return Err(Refused(400, 113, "Topic is no 32 characters of URL-safe base64 at most"));
    }
    if body.len() > LARGEST {
        return Err(Refused(413, 104, "This message is intended for a constrained device and is limited in size."));
    }
    let record_size = body.get(16..20).and_then(|bytes| bytes.try_into().ok()).map(u32::from_be_bytes);
    let is_one_record = record_size.is_some_and(|size| usize::try_from(size).is_ok_and(|size| body.len() - HEADER <= size));
    if body.len() < LEAST || !is_one_record || body[20] != 65 || body[21] != 4 {
        return Err(Refused(400, 110, "The body is not one record of aes128gcm"));
    }
    let authorization = header("authorization").ok_or(Refused(401, 109, "Authorization is missing"))?;
    prove(authorization, own_url, now).map_err(|reason| Refused(403, 109, reason))
}

/// `vapid t=…, k=…`
fn prove(authorization: &str, own_url: &str, now: Timestamp) -> Result<Proof, &'static str> {
    let parameters = authorization.strip_prefix("vapid ").ok_or("Authorization is not vapid")?;
    let parameter = |name: &str| parameters.split(',').find_map(|part| part.trim().strip_prefix(name)?.strip_prefix('='));
    let (token, key) = (parameter("t").ok_or("t is missing")?, parameter("k").ok_or("k is missing")?);
    let decoded = |text: &str| URL_SAFE_NO_PAD.decode(text).map_err(|_| "what should be base64 is not");
    let (signed, signature) = token.rsplit_once('.').ok_or("t is no JWT")?;
    let (head, body) = signed.split_once('.').ok_or("t is no JWT")?;
    let part = |text: &str| serde_json::from_slice::<Value>(&decoded(text)?).map_err(|_| "t is no JWT");
    let (head, claims) = (part(head)?, part(body)?);
    if head["alg"] != "ES256" || head["typ"] != "JWT" {
        return Err("t is no JWT of ES256");
    }
    UnparsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, decoded(key)?)
        .verify(signed.as_bytes(), &decoded(signature)?)
        .map_err(|_| "the signature is not that of k")?;
    if claims["aud"] != own_url {
        return Err("aud is another push service");
    }
    let left = claims["exp"].as_i64().ok_or("exp is missing")? - now.as_second();
    if !(1..=LONGEST_PROOF).contains(&left) {
        return Err("exp is over, or later than in a day");
    }
    if !claims["sub"].as_str().is_some_and(|sub| ["mailto:", "https://"].iter().any(|scheme| sub.starts_with(scheme))) {
        return Err("sub is no address");
    }
    Ok(Proof { key: key.to_owned(), claims })
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;
    use ring::{
        rand::SystemRandom,
        signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair as _},
    };

    use super::*;

    const URL: &str = "http://127.0.0.1:8795";

    fn now() -> Timestamp {
        "2026-11-30T12:00:00Z".parse().unwrap()
    }

    fn pair() -> EcdsaKeyPair {
        let document = EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &SystemRandom::new()).unwrap();
        EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, document.as_ref(), &SystemRandom::new()).unwrap()
    }

    fn authorization(head: &Value, claims: &Value) -> String {
        let pair = pair();
        let signed = format!("{}.{}", URL_SAFE_NO_PAD.encode(head.to_string()), URL_SAFE_NO_PAD.encode(claims.to_string()));
        let signature = URL_SAFE_NO_PAD.encode(pair.sign(&SystemRandom::new(), signed.as_bytes()).unwrap());
        format!("vapid t={signed}.{signature}, k={}", URL_SAFE_NO_PAD.encode(pair.public_key()))
    }

    fn good() -> (Value, Value) {
        let claims = json!({"aud": URL, "exp": now().as_second() + 3600, "sub": "mailto:a@b.test"});
        (json!({"alg": "ES256", "typ": "JWT"}), claims)
    }

    fn judged(change: impl FnOnce(&mut HeaderMap, &mut Vec<u8>)) -> Option<(u16, &'static str)> {
        let (head, claims) = good();
        let mut headers = HeaderMap::new();
        for (name, value) in [("ttl", "60"), ("content-encoding", "aes128gcm"), ("topic", "a-b_1"), ("urgency", "high")] {
            headers.insert(name, HeaderValue::from_static(value));
        }
        headers.insert("authorization", authorization(&head, &claims).parse().unwrap());
        let mut body = vec![0; LEAST];
        body[16..20].copy_from_slice(&4096_u32.to_be_bytes());
        (body[20], body[21]) = (65, 4);
        change(&mut headers, &mut body);
        check(&headers, &body, URL, now()).err().map(|Refused(status, _, message)| (status, message))
    }

    #[test]
    fn a_whole_push_is_taken_and_what_lacks_something_is_not() {
        assert_eq!(judged(|_, _| {}), None);
        for (name, value, status) in [
            ("ttl", None, 400),
            ("ttl", Some("soon"), 400),
            ("content-encoding", None, 400),
            ("content-encoding", Some("aesgcm"), 400),
            ("urgency", Some("now"), 400),
            ("topic", Some("a b"), 400),
            ("topic", Some("123456789012345678901234567890123"), 400),
            ("authorization", None, 401),
            ("authorization", Some("Bearer x"), 403),
        ] {
            let refused = judged(|headers, _| match value {
                Some(value) => drop(headers.insert(name, HeaderValue::from_static(value))),
                None => drop(headers.remove(name)),
            });
            assert_eq!(refused.map(|(status, _)| status), Some(status), "{name} {value:?}");
        }
        assert_eq!(judged(|_, body| body.resize(LARGEST + 1, 0)).map(|(status, _)| status), Some(413));
        assert_eq!(judged(|_, body| body.truncate(LEAST - 1)).map(|(status, _)| status), Some(400));
        assert_eq!(judged(|_, body| body[20] = 33).map(|(status, _)| status), Some(400));
        assert_eq!(judged(|_, body| body[16..20].copy_from_slice(&16_u32.to_be_bytes())).map(|(status, _)| status), Some(400));
        assert_eq!(judged(|_, body| body.clear()).map(|(status, _)| status), Some(400));
    }

    #[test]
    fn a_proof_is_for_this_service_and_this_day() {
        let judged = |name: &str, value: Value| {
            let (mut head, mut claims) = good();
            let part = if name == "alg" { &mut head } else { &mut claims };
            part[name] = value;
            prove(&authorization(&head, &claims), URL, now()).err()
        };
        assert_eq!(judged("aud", json!(URL)), None);
        let second = now().as_second();
        for (name, value) in [
            ("alg", json!("HS256")),
            ("aud", json!("https://push.exemplo.com.br")),
            ("exp", json!(second)),
            ("exp", json!(second + LONGEST_PROOF + 1)),
            ("exp", Value::Null),
            ("sub", json!("a@b.test")),
        ] {
            assert!(judged(name, value.clone()).is_some(), "{name} {value}");
        }
        let (head, claims) = good();
        let (first, other) = (authorization(&head, &claims), authorization(&head, &claims));
        let swapped = format!("{}k={}", first.split("k=").next().unwrap(), other.split("k=").nth(1).unwrap());
        assert_eq!(prove(&swapped, URL, now()).err(), Some("the signature is not that of k"));
    }
}
