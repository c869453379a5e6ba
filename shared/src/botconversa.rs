//! BotConversa's API, which is labelled beta and says little of itself: its answers are taken as they come, what is not there is unknown, and no
//! number is compared as it is written. Each account may be called 600 times a minute, whoever of us calls.

use std::time::Duration;

use futures_util::future::BoxFuture;
use reqwest::{Method, Response};
use serde_json::{Map, Value, json};

use crate::{
    context::Context,
    crypto,
    environment::variable,
    limits, phone,
    provider::{Call, Failure, Outcome, read_up_to, retry_after, unanswered},
    text::without_nul,
};

// An account's key, and how its webhooks are known, are kept as an instance's are.
pub use crate::evolution::Credentials;

/// How long an answer is waited for.
const PATIENCE: Duration = Duration::from_secs(10);

/// An answer is read up to here: a page has hundreds of subscribers at most.
const LARGEST_ANSWER: usize = 4_000_000;

/// Characters of the API's own words that are kept.
const LONGEST_DETAIL: usize = 300;

/// Until the next try, where the API does not say.
const PAUSE: Duration = Duration::from_secs(5);

const MINUTE: Duration = Duration::from_mins(1);

/// For what an account is called. What nobody waits for leaves room for messages.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Errand {
    Message,
    Background,
}

impl Errand {
    /// Calls of all errands in a minute, from which on this one waits.
    const fn most(self) -> u64 {
        match self {
            Self::Message => 600,
            Self::Background => 400,
        }
    }
}

/// An account as it is called.
#[derive(Clone, Copy)]
pub struct Account<'a> {
    pub api_key: &'a str,
    pub errand: Errand,
}

/// What tells an account from every other, without its key.
#[must_use]
pub fn account_key(api_key: &str) -> String {
    crypto::fingerprint(api_key)
}

/// Somebody whom an account can write to.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Subscriber {
    pub id: String,
    pub name: Option<String>,
    /// Digits; maybe without the ninth one, and absent for people of other networks.
    pub phone: Option<String>,
    /// Names; `None` where it cannot be read what they have.
    pub tags: Option<Vec<String>>,
}

/// Subscribers, a page of them.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Page {
    pub subscribers: Vec<Subscriber>,
    /// Rows that nobody can read.
    pub unreadable: usize,
    /// On all pages.
    pub count: Option<i64>,
    pub has_next: bool,
}

/// A tag or custom field.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Named {
    pub id: String,
    pub name: String,
}

/// What a message carries.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Content<'a> {
    Text(&'a str),
    /// At a public address.
    File(&'a str),
}

/// What several calls were made for, with all of them.
pub type Looked<T> = (Result<T, Failure>, Vec<Call>);

/// A page of subscribers, the first one is 1. Behind the last one there is an empty one.
pub fn list<'a>(context: &'a Context, account: Account<'a>, page: u32) -> BoxFuture<'a, Outcome<Page>> {
    Box::pin(async move {
        let path = format!("subscribers/?page={page}");
        let (answer, call) = run(context, "list_subscribers", account, (Method::GET, &path), None).await;
        let answer = match answer {
            Err(Failure::Refused { code, .. }) if code == "404" && page > 1 => Ok(Page::default()),
            answer => answer.and_then(|answer| page_in(&answer)),
        };
        (answer, call)
    })
}

/// Somebody by their number, in each of its writings.
pub fn find<'a>(context: &'a Context, account: Account<'a>, number: &'a str) -> BoxFuture<'a, Looked<Option<Subscriber>>> {
    Box::pin(async move {
        let mut calls = Vec::new();
        for writing in writings(number) {
            let written = writing.replace('+', "%2B");
            let path = format!("subscriber/get_by_phone/{written}/");
            let (answer, call) = run(context, "look_up_subscriber", account, (Method::GET, &path), None).await;
            calls.push(call);
            match answer {
                // An empty object is nobody.
                Ok(answer) => {
                    if let Some(subscriber) = subscriber_in(&answer) {
                        return (Ok(Some(subscriber)), calls);
                    }
                }
                Err(Failure::Refused { code, .. }) if ["400", "404"].contains(&code.as_str()) => {}
                Err(failure) => return (Err(failure), calls),
            }
        }
        (Ok(None), calls)
    })
}

/// Somebody by their number, who is subscribed if they are not yet: they have agreed to it. What creating answers says little, so they are looked up
/// afterwards.
pub fn find_or_create<'a>(
    context: &'a Context,
    account: Account<'a>,
    number: &'a str,
    name: &'a str,
) -> BoxFuture<'a, Looked<Subscriber>> {
    Box::pin(async move {
        let (found, mut calls) = find(context, account, number).await;
        match found {
            Ok(Some(subscriber)) => return (Ok(subscriber), calls),
            Ok(None) => {}
            Err(failure) => return (Err(failure), calls),
        }
        let (first_name, last_name) = names_of(name);
        let digits = phone::canonical(number);
        for written in [format!("+{digits}"), digits] {
            let body = json!({"phone": written, "first_name": first_name, "last_name": last_name, "has_opt_in_whatsapp": true});
            let (answer, call) = run(context, "create_subscriber", account, (Method::POST, "subscriber/"), Some(body)).await;
            calls.push(call);
            match answer {
                Err(Failure::Refused { code, .. }) if code == "400" => {}
                // Here it says that they are there: whether the key is good, looking them up shows.
                Ok(_) | Err(Failure::Blocked { .. }) => break,
                Err(failure) => return (Err(failure), calls),
            }
        }
        let (found, again) = find(context, account, number).await;
        calls.extend(again);
        let found = found.and_then(|found| {
            let detail = "O BotConversa não aceita este número.".to_owned();
            found.ok_or(Failure::Refused { code: "not_a_subscriber".into(), detail })
        });
        (found, calls)
    })
}

/// Sends to a subscriber. What is answered names no message: none is ever told of again.
pub fn send<'a>(context: &'a Context, account: Account<'a>, id: &'a str, content: Content<'a>) -> BoxFuture<'a, Outcome<()>> {
    Box::pin(async move {
        let (kind, value) = match content {
            Content::Text(text) => ("text", text),
            Content::File(address) => ("file", address),
        };
        let path = of(id, "send_message/");
        let body = json!({"type": kind, "value": value});
        let (answer, call) = run(context, "send", account, (Method::POST, &path), Some(body)).await;
        (answer.map(drop), call)
    })
}

/// Puts a tag on a subscriber, or takes it away. Doing it twice is doing it once.
pub fn tag<'a>(
    context: &'a Context,
    account: Account<'a>,
    (id, tag_id): (&'a str, &'a str),
    is_on: bool,
) -> BoxFuture<'a, Outcome<()>> {
    Box::pin(async move {
        let path = of(id, &format!("tags/{}/", part(tag_id)));
        let (operation, method, body) =
            if is_on { ("add_tag", Method::POST, Some(json!({}))) } else { ("remove_tag", Method::DELETE, None) };
        let (answer, call) = run(context, operation, account, (method, &path), body).await;
        (answer.map(drop), call)
    })
}

/// Sets a subscriber's custom field. Doing it twice is doing it once.
pub fn set_field<'a>(
    context: &'a Context,
    account: Account<'a>,
    (id, field_id): (&'a str, &'a str),
    value: &'a str,
) -> BoxFuture<'a, Outcome<()>> {
    Box::pin(async move {
        let path = of(id, &format!("custom_fields/{}/", part(field_id)));
        let (answer, call) = run(context, "set_field", account, (Method::POST, &path), Some(json!({"value": value}))).await;
        (answer.map(drop), call)
    })
}

/// The account's tags.
pub fn tags<'a>(context: &'a Context, account: Account<'a>) -> BoxFuture<'a, Outcome<Vec<Named>>> {
    named(context, account, "list_tags", "tags/")
}

/// The account's custom fields.
pub fn fields<'a>(context: &'a Context, account: Account<'a>) -> BoxFuture<'a, Outcome<Vec<Named>>> {
    named(context, account, "list_fields", "custom_fields/")
}

fn named<'a>(
    context: &'a Context,
    account: Account<'a>,
    operation: &'static str,
    path: &'static str,
) -> BoxFuture<'a, Outcome<Vec<Named>>> {
    Box::pin(async move {
        let (answer, call) = run(context, operation, account, (Method::GET, path), None).await;
        (answer.map(|answer| named_in(&answer)), call)
    })
}

/// A path below a subscriber.
fn of(id: &str, rest: &str) -> String {
    format!("subscriber/{}/{rest}", part(id))
}

/// One part of a path, whatever is in it.
fn part(text: &str) -> String {
    url::form_urlencoded::byte_serialize(text.as_bytes()).collect()
}

/// How a number may be stored: with a plus and without, and a Brazilian mobile with its ninth digit and without.
fn writings(number: &str) -> Vec<String> {
    let digits = phone::canonical(number);
    let is_mobile = digits.len() == 13 && digits.starts_with("55") && digits.as_bytes()[4] == b'9';
    let shorter = is_mobile.then(|| format!("{}{}", &digits[..4], &digits[5..]));
    std::iter::once(digits).chain(shorter).flat_map(|digits| [format!("+{digits}"), digits]).collect()
}

/// First and last name: both are asked for.
fn names_of(name: &str) -> (String, String) {
    let name = name.trim();
    let (first, last) = name.split_once(char::is_whitespace).unwrap_or((name, ""));
    let or_dash = |text: &str| if text.trim().is_empty() { "-".to_owned() } else { text.trim().chars().take(100).collect() };
    (or_dash(first), or_dash(last))
}

fn text_in(value: &Value, names: &[&str]) -> Option<String> {
    let mut given = names.iter().filter_map(|name| value.get(*name)?.as_str());
    given.find(|text| !text.trim().is_empty()).map(|text| text.trim().to_owned())
}

/// A number, or a text of digits and letters.
fn id_in(value: &Value) -> Option<String> {
    match &value["id"] {
        Value::Number(number) => Some(number.to_string()),
        Value::String(text) if !text.is_empty() && text.len() <= 64 => Some(text.clone()),
        _ => None,
    }
}

fn subscriber_in(value: &Value) -> Option<Subscriber> {
    let digits: Option<String> = text_in(value, &["phone"]).map(|text| text.chars().filter(char::is_ascii_digit).collect());
    let full = text_in(value, &["full_name"]).or_else(|| {
        let parts = [text_in(value, &["first_name"]), text_in(value, &["last_name"])];
        Some(parts.into_iter().flatten().collect::<Vec<_>>().join(" ")).filter(|name| !name.is_empty())
    });
    let tag = |tag: &Value| tag.as_str().map(str::to_owned).or_else(|| text_in(tag, &["name"]));
    Some(Subscriber {
        id: id_in(value)?,
        name: full,
        phone: digits.filter(|digits| (8..=15).contains(&digits.len())),
        tags: value["tags"].as_array().and_then(|tags| tags.iter().map(tag).collect()),
    })
}

/// Rows stand in `results`, or alone.
fn rows_in(answer: &Value) -> Option<&Vec<Value>> {
    answer["results"].as_array().or_else(|| answer.as_array())
}

fn page_in(answer: &Value) -> Result<Page, Failure> {
    let rows = rows_in(answer).ok_or_else(|| Failure::Unknown { reason: "the answer is no page".into() })?;
    let subscribers: Vec<Subscriber> = rows.iter().filter_map(subscriber_in).collect();
    Ok(Page {
        unreadable: rows.len() - subscribers.len(),
        subscribers,
        count: answer["count"].as_i64(),
        has_next: answer["next"].as_str().is_some_and(|next| !next.is_empty()),
    })
}

fn named_in(answer: &Value) -> Vec<Named> {
    let rows = rows_in(answer).into_iter().flatten();
    rows.filter_map(|row| Some(Named { id: id_in(row)?, name: text_in(row, &["name", "key"])? })).collect()
}

async fn run(
    context: &Context,
    operation: &'static str,
    account: Account<'_>,
    (method, path): (Method, &str),
    body: Option<Value>,
) -> Outcome<Value> {
    let started = context.elapsed();
    let (status, outcome) = ask(context, account, (method, path), body).await;
    let call = Call::ended(operation, status, &outcome, context.elapsed().saturating_sub(started));
    (outcome, call)
}

async fn ask(
    context: &Context,
    account: Account<'_>,
    (method, path): (Method, &str),
    body: Option<Value>,
) -> (Option<u16>, Result<Value, Failure>) {
    let Account { api_key, errand } = account;
    let counter = format!("botconversa:{}", account_key(api_key));
    if let Some((calls, seconds)) = limits::count(context, &counter, 1, MINUTE).await
        && calls > errand.most()
    {
        let after = Duration::from_secs(seconds.into()).max(Duration::from_secs(1));
        return (None, Err(Failure::Busy { after, code: "over_budget".into() }));
    }
    let url = format!("{}/{path}", variable("BOTCONVERSA_URL").trim_end_matches('/'));
    let request = context.http().request(method, url).header("API-KEY", api_key).timeout(PATIENCE);
    let request = if let Some(body) = &body { request.json(body) } else { request };
    match request.send().await {
        Ok(response) => (Some(response.status().as_u16()), read(response, api_key).await),
        Err(error) => (None, Err(unanswered(&error))),
    }
}

async fn read(response: Response, api_key: &str) -> Result<Value, Failure> {
    let status = response.status().as_u16();
    let after = retry_after(&response);
    match read_up_to(response, LARGEST_ANSWER).await.map_err(|error| unanswered(&error))? {
        Some(body) => judge(status, &body, after, api_key),
        None => Err(Failure::Unknown { reason: "the answer is too large".into() }),
    }
}

/// What an answer means. Success is any 2xx, also one that says nothing; a page for people is no answer of the API.
fn judge(status: u16, body: &[u8], after: Option<Duration>, api_key: &str) -> Result<Value, Failure> {
    let answer: Option<Value> = serde_json::from_slice(body).ok().map(without_nul);
    let is_page = body.trim_ascii_start().starts_with(b"<");
    let code = status.to_string();
    let detail = detail_of(answer.as_ref(), api_key).unwrap_or_else(|| format!("HTTP {status}"));
    match status {
        200..300 if is_page => Err(Failure::Unknown { reason: "the answer is a page".into() }),
        200..300 => Ok(answer.unwrap_or_default()),
        401 | 403 => Err(Failure::Blocked { code, detail }),
        429 => Err(Failure::Busy { after: after.unwrap_or(PAUSE), code }),
        500.. => Err(Failure::Unknown { reason: format!("HTTP {status}") }),
        _ => Err(Failure::Refused { code, detail }),
    }
}

/// The API's own words, under whichever name. A key that it repeats is not told on.
fn detail_of(answer: Option<&Value>, api_key: &str) -> Option<String> {
    let words: Map<String, Value> = answer?.as_object()?.clone();
    let words = ["detail", "error_message", "error"].iter().find_map(|name| words.get(*name)?.as_str())?;
    Some(words.replace(api_key, "••••").chars().take(LONGEST_DETAIL).collect()).filter(|words: &String| !words.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_is_looked_up_in_all_its_writings() {
        let all = ["+5531987654321", "5531987654321", "+553187654321", "553187654321"];
        for number in ["5531987654321", "553187654321", "+55 31 98765-4321"] {
            assert_eq!(writings(number), all, "{number}");
        }
        assert_eq!(writings("551134567890"), ["+551134567890", "551134567890"], "a landline has no ninth digit");
    }

    #[test]
    fn answers_mean_what_their_status_says_and_pages_are_none() {
        let of = |status, body: &str| judge(status, body.as_bytes(), None, "the-key");
        assert_eq!(of(200, ""), Ok(Value::Null));
        assert_eq!(of(201, "{}"), Ok(json!({})));
        assert_eq!(of(200, "ok"), Ok(Value::Null));
        assert!(matches!(of(200, " <!doctype html>"), Err(Failure::Unknown { .. })));
        assert!(matches!(of(502, "<html>"), Err(Failure::Unknown { .. })));
        let refused = of(401, r#"{"detail": "Bad key the-key"}"#);
        assert_eq!(refused, Err(Failure::Blocked { code: "401".into(), detail: "Bad key ••••".into() }));
        let invalid = of(400, r#"{"error_message": "Invalid data"}"#);
        assert_eq!(invalid, Err(Failure::Refused { code: "400".into(), detail: "Invalid data".into() }));
        assert_eq!(of(404, "<html>"), Err(Failure::Refused { code: "404".into(), detail: "HTTP 404".into() }));
        assert_eq!(of(429, ""), Err(Failure::Busy { after: PAUSE, code: "429".into() }));
        let told = judge(429, b"", Some(Duration::from_secs(9)), "k");
        assert_eq!(told, Err(Failure::Busy { after: Duration::from_secs(9), code: "429".into() }));
    }

    #[test]
    fn subscribers_are_read_as_they_come() {
        let full = json!({"id": 9, "first_name": "Maria", "last_name": "Teste", "phone": "+553199990000", "tags": ["VIP", {"id": 1, "name": "Aluno"}]});
        let read = Subscriber {
            id: "9".into(),
            name: Some("Maria Teste".into()),
            phone: Some("553199990000".into()),
            tags: Some(vec!["VIP".into(), "Aluno".into()]),
        };
        assert_eq!(subscriber_in(&full), Some(read));
        assert_eq!(subscriber_in(&json!({})), None);
        let strange = subscriber_in(&json!({"id": "x", "phone": "", "tags": [7]})).unwrap();
        assert_eq!((strange.phone, strange.tags), (None, None), "what cannot be read is unknown");
        let page = page_in(&json!({"count": 2, "next": null, "results": [full, {"name": "?"}]})).unwrap();
        assert_eq!((page.subscribers.len(), page.unreadable, page.count, page.has_next), (1, 1, Some(2), false));
        assert!(page_in(&json!({})).is_err());
    }

    #[test]
    fn both_names_are_given() {
        assert_eq!(names_of("Maria da Silva"), ("Maria".into(), "da Silva".into()));
        assert_eq!(names_of(" Maria "), ("Maria".into(), "-".into()));
        assert_eq!(names_of(""), ("-".into(), "-".into()));
    }
}
