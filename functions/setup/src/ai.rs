//! The company's language model: what is given of it, its key, sealed, and whether it answers.

use reqwest::{Method, StatusCode};
use shared::{VISIBLE, error::FieldProblem, outside, prelude::*, provider, rule, visible};
use team::given::{Given, at_most};

use crate::needed_again;

/// A language model behind an OpenAI-compatible API.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct AiSetup {
    pub base_url: String,
    pub model: String,
    /// The end of the key, such as `••••1234`.
    pub api_key: Option<String>,
}

/// A language model behind an OpenAI-compatible API.
#[derive(Deserialize, Validate, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SetupAiInput {
    /// Such as `https://api.groq.com/openai/v1`; null for none. Left out, it stays.
    #[garde(custom(at_most(300)))]
    #[serde(default)]
    #[schemars(with = "Option<String>", length(max = 300))]
    base_url: Given<String>,
    /// Left out, it stays.
    #[garde(length(chars, min = 1, max = 120), inner(custom(visible)))]
    #[schemars(regex(pattern = VISIBLE))]
    model: Option<String>,
    /// Never shown again. Without it, the one that is kept stays, for the address that it was given for.
    #[garde(length(min = 8, max = 500), inner(custom(is_key)))]
    #[schemars(regex(pattern = KEY))]
    pub api_key: Option<String>,
}

/// What a header carries.
const KEY: &str = "^[!-~]*$";

fn is_key(key: &str, (): &()) -> garde::Result {
    let is_one = key.bytes().all(|byte| byte.is_ascii_graphic());
    if is_one {
        Ok(())
    } else {
        Err(rule(
            "invalid_key",
            "Use só letras sem acento, números e sinais, sem espaços.",
            "Use ASCII letters, figures and signs only, without spaces.",
        ))
    }
}

fn usual_model() -> String {
    "openai/gpt-oss-120b".to_owned()
}

impl SetupAiInput {
    /// The address that is given.
    fn base_url(&self) -> Option<&str> {
        self.base_url.set().map(String::as_str).filter(|url| !url.is_empty())
    }

    /// What is wrong with it, as far as others can tell.
    pub async fn problems(&self) -> Vec<FieldProblem> {
        let Some(url) = self.base_url() else { return Vec::new() };
        let refusal = outside::check_url(url).await.err();
        refusal.map(|refusal| refusal.in_field("ai.base_url")).into_iter().collect()
    }

    /// What is given of a model has to be of one.
    #[must_use]
    pub fn address_missing(&self, current: Option<&AiSetup>) -> Option<FieldProblem> {
        let is_of_none = current.is_none() && self.base_url == Given::Kept && (self.api_key.is_some() || self.model.is_some());
        is_of_none.then(|| FieldProblem::new("ai.base_url", "required", "Informe o endereço.", "Give the address."))
    }

    /// A key goes only where it was given for.
    #[must_use]
    pub fn key_missing(&self, current: Option<&AiSetup>) -> Option<FieldProblem> {
        let kept = current.filter(|kept| kept.api_key.is_some())?;
        let is_elsewhere = self.base_url().is_some_and(|url| url != kept.base_url);
        (is_elsewhere && self.api_key.is_none()).then(|| needed_again("ai.api_key"))
    }

    /// What there is from now on.
    #[must_use]
    pub fn into_setup(self, current: Option<&AiSetup>) -> Option<AiSetup> {
        let base_url = self.base_url.after(current.map(|ai| ai.base_url.clone())).filter(|url| !url.is_empty())?;
        let kept = current.and_then(|ai| ai.api_key.clone());
        let api_key = self.api_key.as_deref().map(integrations::hint).or(kept);
        let model = self.model.or_else(|| current.map(|ai| ai.model.clone())).unwrap_or_else(usual_model);
        Some(AiSetup { base_url, model, api_key })
    }
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
    let Ok(response) = request.send().await else { return Answer::Silent("unreachable") };
    match response.status() {
        StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => return Answer::Refused,
        status if !status.is_success() => return Answer::Strange(status),
        _ => {}
    }
    let body = match provider::read_up_to(response, LARGEST_LIST).await {
        Ok(Some(body)) => body,
        Ok(None) => return Answer::Silent("too_large"),
        Err(_) => return Answer::Silent("unreachable"),
    };
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
    fn a_model_is_found_by_its_whole_name() {
        let body = br#"{"object": "list", "data": [{"id": "openai/gpt-oss-120b"}, {}]}"#;
        assert!(lists(body, "openai/gpt-oss-120b"));
        for (body, model) in [(&body[..], "gpt-oss-120b"), (b"<html>", "x"), (b"[]", ""), (b"{\"data\": 7}", "7")] {
            assert!(!lists(body, model), "{model}");
        }
    }
}
