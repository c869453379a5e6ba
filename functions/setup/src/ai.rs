//! The company's language model: its key, sealed, and whether it answers.

use reqwest::{Method, StatusCode};
use shared::{crypto, prelude::*, settings::EncryptionKey};

/// Its name in `company_secrets`.
pub const SECRET: &str = "ai";

/// What a sealed key is bound to: nobody opens another company's, or another secret's.
fn owner(company_id: Uuid) -> Vec<u8> {
    [company_id.as_bytes(), SECRET.as_bytes()].concat()
}

/// Seals a key for its company.
#[must_use]
pub fn seal(keys: &[EncryptionKey], company_id: Uuid, api_key: &str) -> Vec<u8> {
    crypto::seal(keys, &owner(company_id), api_key.as_bytes())
}

/// The company's key; `None` of what was sealed for another, or with a key no longer listed.
#[must_use]
pub fn open(keys: &[EncryptionKey], company_id: Uuid, sealed: &[u8]) -> Option<String> {
    String::from_utf8(crypto::open(keys, &owner(company_id), sealed)?).ok()
}

/// What a provider said of a key and a model.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    /// It lists the model.
    Listed,
    /// It takes the key and does not know the model.
    NoSuchModel,
    /// It refuses the key.
    Refused,
    /// It answered otherwise.
    Strange(StatusCode),
    /// It did not answer, or is not to be called, for this reason.
    Silent(&'static str),
}

/// Models that are read of a list.
const LARGEST_LIST: usize = 1_000_000;

/// Asks the provider for its models.
pub async fn ask(context: &Context, base_url: &str, api_key: &str, model: &str) -> Answer {
    let url = format!("{}/models", base_url.trim_end_matches('/'));
    let request = match context.call_outside(Method::GET, &url).await {
        Ok(request) => request.bearer_auth(api_key),
        Err(refusal) => return Answer::Silent(refusal.code()),
    };
    let Ok(mut response) = request.send().await else { return Answer::Silent("unreachable") };
    match response.status() {
        StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => return Answer::Refused,
        status if !status.is_success() => return Answer::Strange(status),
        _ => {}
    }
    let mut body = Vec::new();
    while let Ok(Some(chunk)) = response.chunk().await {
        body.extend_from_slice(&chunk);
        if body.len() > LARGEST_LIST {
            return Answer::Silent("too_large");
        }
    }
    if lists(&body, model) { Answer::Listed } else { Answer::NoSuchModel }
}

fn lists(body: &[u8], model: &str) -> bool {
    let list: Value = serde_json::from_slice(body).unwrap_or_default();
    list["data"].as_array().into_iter().flatten().any(|listed| listed["id"] == model)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_opens_for_its_own_company_only() {
        let keys = [EncryptionKey { id: "1".into(), key: "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=".into() }];
        let [own, other] = [1, 2].map(Uuid::from_u128);
        let sealed = seal(&keys, own, "gsk-secret");
        assert_eq!(open(&keys, own, &sealed).as_deref(), Some("gsk-secret"));
        assert_eq!(open(&keys, other, &sealed), None);
    }

    #[test]
    fn a_model_is_found_by_its_whole_name() {
        let body = br#"{"object": "list", "data": [{"id": "openai/gpt-oss-120b"}, {}]}"#;
        assert!(lists(body, "openai/gpt-oss-120b"));
        for (body, model) in [(&body[..], "gpt-oss-120b"), (b"<html>", "x"), (b"[]", ""), (b"{\"data\": 7}", "7")] {
            assert!(!lists(body, model), "{model}");
        }
    }
}
