//! The chat completions of an OpenAI-compatible server (Groq, `OpenAI`, one's own): asked, asked again as its answer says, and asked of another model.
//! What servers do not have in common is left away once one refuses it, so that each is asked for as much as it can do.

use std::time::{Duration, Instant};

use futures_util::future::BoxFuture;
use reqwest::{Method, RequestBuilder, Response, StatusCode};
use serde::Serialize;
use serde_json::{Value, json};

use crate::{clock, closed_set, context::Context, provider, text::told_value};

/// An answer is read up to here; what is longer is no answer to anything we ask.
const LARGEST_ANSWER: usize = 1_000_000;

/// What one try gets at most, so that a silent server leaves time for another.
const LONGEST_TRY: Duration = Duration::from_secs(9);

/// Tries of one model.
const MOST_TRIES: u32 = 3;

/// No other try is begun with less time than this.
const SHORTEST_TRY: Duration = Duration::from_secs(2);

closed_set! {
    /// Why a model has given no answer that can be used.
    #[schemars(rename = "AiFault")]
    pub Fault {
        /// The address is none, or not public.
        Address = "address",
        Unreachable = "unreachable",
        TimedOut = "timed_out",
        /// It answers others first: to be asked again later.
        Busy = "busy",
        /// The key, the account's money or its permission.
        Blocked = "blocked",
        NoSuchModel = "no_such_model",
        /// What is asked is too long for it.
        TooLong = "too_long",
        Refused = "refused",
        /// It answered with nothing.
        Empty = "empty",
        /// The answer ended before its end.
        CutOff = "cut_off",
        /// Its safety did not let it answer.
        Filtered = "filtered",
        /// The answer is not what was asked for.
        Unreadable = "unreadable",
    }
}

/// Where a model is and what it is asked with.
#[derive(Clone)]
pub(super) struct Server<'a> {
    pub(super) base_url: &'a str,
    pub(super) api_key: &'a str,
}

/// Who says something to a model.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Speaker {
    /// Us: what is to be done.
    System,
    /// What it is to be done with.
    User,
}

/// What is asked in words.
pub struct Ask<'a> {
    pub messages: Vec<(Speaker, String)>,
    /// The name and the schema of the object that is wanted.
    pub schema: Option<(&'a str, &'a Value)>,
    /// What the answer may take, thinking included.
    pub most_tokens: u32,
}

/// What was answered.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Answer {
    pub(super) text: String,
    pub(super) model: String,
    /// `None` where the server does not say.
    pub(super) tokens: Option<(i64, i64)>,
}

/// How much is asked of a server beside the messages. One that refuses something is asked for less.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Wish {
    Schema,
    Json,
    Nothing,
}

impl Wish {
    const fn less(self) -> Option<Self> {
        match self {
            Self::Schema => Some(Self::Json),
            Self::Json => Some(Self::Nothing),
            Self::Nothing => None,
        }
    }
}

/// Asks the models in turn until one answers, until `deadline`.
pub(super) fn complete<'a>(
    context: &'a Context,
    server: Server<'a>,
    models: &'a [&'a str],
    question: &'a Ask<'a>,
    deadline: Instant,
) -> BoxFuture<'a, Result<Answer, Fault>> {
    Box::pin(async move {
        let mut fault = Fault::NoSuchModel;
        for (place, model) in models.iter().enumerate() {
            // The first model leaves the second one its time.
            let left = deadline.saturating_duration_since(clock::monotonic());
            let is_last = place + 1 == models.len();
            let until = if is_last { deadline } else { clock::monotonic() + left.mul_f64(0.6) };
            match of_model(context, &server, model, question, until).await {
                Ok(answer) => return Ok(answer),
                Err(of_this) => fault = of_this,
            }
            let may_another = !matches!(fault, Fault::Address | Fault::Blocked | Fault::Unreachable);
            if !may_another || deadline.saturating_duration_since(clock::monotonic()) < SHORTEST_TRY {
                break;
            }
        }
        Err(fault)
    })
}

async fn of_model(
    context: &Context,
    server: &Server<'_>,
    model: &str,
    question: &Ask<'_>,
    deadline: Instant,
) -> Result<Answer, Fault> {
    let mut wish = if question.schema.is_some() { Wish::Schema } else { Wish::Nothing };
    let mut tries = 0;
    loop {
        let left = deadline.saturating_duration_since(clock::monotonic());
        let request = post(context, server, "chat/completions").await?.json(&body(model, question, wish));
        let said = send(request, left.min(LONGEST_TRY)).await;
        let (fault, after) = match said {
            Ok((status, body)) if status.is_success() => match answer_in(&body, model) {
                Err(fault @ (Fault::Empty | Fault::Unreadable)) => (fault, Some(Duration::ZERO)),
                other => return other,
            },
            Ok((status, body)) => {
                let refusal = Refusal::read(status, &body);
                if let Some(text) = refusal.generated.filter(|_| question.schema.is_some()) {
                    return Ok(Answer { text, model: model.to_owned(), tokens: None });
                }
                if refusal.is_of_wishes
                    && let Some(less) = wish.less()
                {
                    wish = less;
                    continue;
                }
                (refusal.fault, refusal.after)
            }
            Err(Silence { fault, after }) => (fault, after),
        };
        tries += 1;
        let Some(after) = after else { return Err(fault) };
        let pause = after.max(Duration::from_millis(500) * 2_u32.pow(tries - 1));
        let left = deadline.saturating_duration_since(clock::monotonic());
        if tries >= MOST_TRIES || pause + SHORTEST_TRY > left {
            return Err(fault);
        }
        tokio::time::sleep(pause).await;
    }
}

fn body(model: &str, question: &Ask<'_>, wish: Wish) -> Value {
    let messages: Vec<Value> =
        question.messages.iter().map(|(speaker, content)| json!({"role": speaker, "content": content})).collect();
    let mut body = json!({"model": model, "messages": messages, "max_completion_tokens": question.most_tokens});
    match (wish, question.schema) {
        (Wish::Schema, Some((name, schema))) => {
            body["response_format"] =
                json!({"type": "json_schema", "json_schema": {"name": name, "strict": true, "schema": schema}});
        }
        (Wish::Json, Some(_)) => body["response_format"] = json!({"type": "json_object"}),
        _ => {}
    }
    if wish != Wish::Nothing {
        body["temperature"] = json!(0.2);
        if model.contains("gpt-oss") {
            body["reasoning_effort"] = json!("low");
        }
    }
    body
}

/// A request to a path of the server.
///
/// # Errors
/// When it is not to be called.
pub(super) async fn post(context: &Context, server: &Server<'_>, path: &str) -> Result<RequestBuilder, Fault> {
    let url = format!("{}/{path}", server.base_url.trim_end_matches('/'));
    let request = context.call_outside(Method::POST, &url).await.map_err(|_| Fault::Address)?;
    Ok(request.bearer_auth(server.api_key))
}

/// No answer, and when to ask again; `None` is not.
pub(super) struct Silence {
    pub(super) fault: Fault,
    after: Option<Duration>,
}

/// Sends a request and reads all that is answered.
pub(super) async fn send(request: RequestBuilder, patience: Duration) -> Result<(StatusCode, Said), Silence> {
    let unanswered = |error: &reqwest::Error| {
        let fault = if error.is_timeout() { Fault::TimedOut } else { Fault::Unreachable };
        Silence { fault, after: Some(Duration::ZERO) }
    };
    let response = request.timeout(patience).send().await.map_err(|error| unanswered(&error))?;
    let status = response.status();
    let said = Said { after: wait_of(&response), again: told_again(&response), body: Vec::new() };
    match provider::read_up_to(response, LARGEST_ANSWER).await {
        Ok(Some(body)) => Ok((status, Said { body, ..said })),
        Ok(None) => Err(Silence { fault: Fault::Unreadable, after: None }),
        Err(error) => Err(unanswered(&error)),
    }
}

/// What a server has said, with its headers about another try.
pub(super) struct Said {
    after: Option<Duration>,
    again: Option<bool>,
    pub(super) body: Vec<u8>,
}

fn wait_of(response: &Response) -> Option<Duration> {
    let milliseconds = response.headers().get("retry-after-ms").and_then(|value| value.to_str().ok()?.parse().ok());
    milliseconds.map(Duration::from_millis).or_else(|| provider::retry_after(response))
}

fn told_again(response: &Response) -> Option<bool> {
    response.headers().get("x-should-retry").and_then(|value| value.to_str().ok()?.parse().ok())
}

fn answer_in(said: &Said, model: &str) -> Result<Answer, Fault> {
    let body: Value = serde_json::from_slice(&said.body).map(told_value).map_err(|_| Fault::Unreadable)?;
    let choice = &body["choices"][0];
    match choice["finish_reason"].as_str() {
        Some("length") => return Err(Fault::CutOff),
        Some("content_filter") => return Err(Fault::Filtered),
        _ => {}
    }
    if choice["message"]["refusal"].is_string() {
        return Err(Fault::Filtered);
    }
    let text = choice["message"]["content"].as_str().unwrap_or_default().trim();
    if text.is_empty() {
        return Err(Fault::Empty);
    }
    let usage = &body["usage"];
    let tokens = usage["prompt_tokens"].as_i64().zip(usage["completion_tokens"].as_i64());
    let model = body["model"].as_str().unwrap_or(model).chars().take(120).collect();
    Ok(Answer { text: text.to_owned(), model, tokens: tokens.filter(|(input, output)| *input >= 0 && *output >= 0) })
}

/// Why a server does not answer what it was asked.
pub(super) struct Refusal {
    pub(super) fault: Fault,
    after: Option<Duration>,
    /// Something that it was asked for beside the answer is what it cannot do.
    is_of_wishes: bool,
    /// What the model wrote, where only its form was not what was wanted.
    generated: Option<String>,
}

impl Refusal {
    pub(super) fn read(status: StatusCode, said: &Said) -> Self {
        let body: Value = serde_json::from_slice(&said.body).unwrap_or_default();
        let code = body["error"]["code"].as_str().unwrap_or_default();
        let message = body["error"]["message"].as_str().unwrap_or_default();
        let is_of_model = code.starts_with("model_");
        // Nobody but the account's owner can do anything about these.
        let is_of_money =
            code.contains("quota") || code.contains("credit") || code.contains("spend") || code.contains("usage_limit");
        let (fault, is_passing) = match status.as_u16() {
            400 | 404 if is_of_model => (Fault::NoSuchModel, false),
            404 => (Fault::NoSuchModel, false),
            400 if code == "context_length_exceeded" => (Fault::TooLong, false),
            400 if code == "json_validate_failed" => (Fault::Unreadable, true),
            401..=403 => (Fault::Blocked, false),
            413 => (Fault::TooLong, false),
            429 if is_of_money => (Fault::Blocked, false),
            408 | 409 | 429 | 498 | 500.. => (Fault::Busy, true),
            _ => (Fault::Refused, false),
        };
        let is_of_wishes = matches!(status.as_u16(), 400 | 422)
            && fault == Fault::Refused
            && ["response format", "response_format", "unsupported", "temperature", "reasoning", "json"]
                .iter()
                .any(|word| message.to_lowercase().contains(word));
        let generated = body["error"]["failed_generation"].as_str().filter(|text| !text.is_empty()).map(str::to_owned);
        let is_repairable = generated.as_deref().is_some_and(|text| super::reader::read::<Value>(text).is_some());
        Self {
            fault,
            after: said.again.unwrap_or(is_passing).then(|| said.after.unwrap_or_default()),
            is_of_wishes,
            generated: generated.filter(|_| is_repairable),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(body: &Value) -> Said {
        Said { after: None, again: None, body: body.to_string().into_bytes() }
    }

    #[test]
    fn an_answer_is_its_words_or_why_there_are_none() {
        let body = |reason: &str, content: Value| {
            said(&json!({"model": "m", "choices": [{"finish_reason": reason, "message": {"content": content}}],
                "usage": {"prompt_tokens": 3, "completion_tokens": 4}}))
        };
        let answer = answer_in(&body("stop", json!(" olá ")), "x").unwrap();
        assert_eq!(answer, Answer { text: "olá".into(), model: "m".into(), tokens: Some((3, 4)) });
        assert_eq!(answer_in(&body("length", json!("{\"a")), "x"), Err(Fault::CutOff));
        assert_eq!(answer_in(&body("content_filter", json!("a")), "x"), Err(Fault::Filtered));
        assert_eq!(answer_in(&body("tool_calls", Value::Null), "x"), Err(Fault::Empty));
        assert_eq!(
            answer_in(&said(&json!({"choices": [{"message": {"refusal": "no", "content": "a"}}]})), "x"),
            Err(Fault::Filtered)
        );
        assert_eq!(answer_in(&said(&json!([])), "x"), Err(Fault::Empty));
        assert_eq!(answer_in(&Said { after: None, again: None, body: b"<html>".to_vec() }, "x"), Err(Fault::Unreadable));
    }

    #[test]
    fn a_refusal_says_what_is_done_next() {
        let of = |status: u16, code: &str, message: &str| {
            let refusal = Refusal::read(
                StatusCode::from_u16(status).unwrap(),
                &said(&json!({"error": {"code": code, "message": message}})),
            );
            (refusal.fault, refusal.after.is_some(), refusal.is_of_wishes)
        };
        assert_eq!(of(429, "rate_limit_exceeded", ""), (Fault::Busy, true, false));
        assert_eq!(of(429, "insufficient_quota", ""), (Fault::Blocked, false, false));
        assert_eq!(of(503, "", ""), (Fault::Busy, true, false));
        assert_eq!(of(401, "invalid_api_key", ""), (Fault::Blocked, false, false));
        assert_eq!(of(400, "model_decommissioned", ""), (Fault::NoSuchModel, false, false));
        assert_eq!(of(413, "rate_limit_exceeded", ""), (Fault::TooLong, false, false));
        let message = "This model does not support response format `json_schema`.";
        assert_eq!(of(400, "", message), (Fault::Refused, false, true));
        let broken = json!({"error": {"code": "json_validate_failed", "failed_generation": "Aqui: {\"a\": 1}"}});
        let refusal = Refusal::read(StatusCode::BAD_REQUEST, &said(&broken));
        assert_eq!(refusal.generated.as_deref(), Some("Aqui: {\"a\": 1}"));
    }

    #[test]
    fn a_server_says_itself_whether_to_ask_again() {
        let mut said = said(&json!({}));
        said.again = Some(false);
        assert!(Refusal::read(StatusCode::SERVICE_UNAVAILABLE, &said).after.is_none());
        (said.again, said.after) = (Some(true), Some(Duration::from_secs(3)));
        assert_eq!(Refusal::read(StatusCode::BAD_REQUEST, &said).after, Some(Duration::from_secs(3)));
    }
}
