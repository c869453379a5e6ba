//! A question to a company's language model: its room in the budgets is claimed before the call, what it took is told after it.

use std::time::Duration;

use futures_util::future::BoxFuture;
use jiff::Timestamp;
use postgres_from_row::FromRow;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};
use uuid::Uuid;

use super::{
    client::{self, Answer, Ask, Fault, Refusal, Server},
    key, reader,
    settings::Settings,
};
use crate::{clock, closed_set, context::Context, database::Transaction, error::Error, parameters, provider, text::told};

closed_set! {
    /// What a model is asked for.
    #[schemars(rename = "AiPurpose")]
    pub Purpose {
        Answer = "answer",
        Compose = "compose",
        Suggest = "suggest",
        Rewrite = "rewrite",
        Learn = "learn",
        Transcribe = "transcribe",
        Sentiment = "sentiment",
        Summary = "summary",
        Category = "category",
        Embed = "embed",
        /// What is known of a lead.
        Qualify = "qualify",
    }
}

/// What is asked about, and by whom.
#[derive(Clone, Copy, Debug)]
pub struct About {
    pub company_id: Uuid,
    pub conversation_id: Option<Uuid>,
    /// Who asks; `None` of what goes by itself.
    pub user_id: Option<Uuid>,
    /// How long an answer is waited for.
    pub patience: Duration,
    /// Where one answer does for all who ask the same at once.
    pub once: Option<Once>,
}

/// What is asked once however many ask it at the same time.
#[derive(Clone, Copy, Debug)]
pub struct Once {
    /// What it is about, a message, beside what it is asked for.
    pub work: Uuid,
    /// When it was looked whether it is answered already, by the database's clock.
    pub since: Timestamp,
}

/// What something is asked for, with the name and version of what is asked.
pub type Errand<'a> = (Purpose, &'a str);

/// An answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Given<T> {
    pub run_id: Uuid,
    pub model: String,
    pub answer: T,
}

/// Why there is no answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refused {
    /// The company has no model.
    NotConfigured,
    /// The company has switched it off.
    Off,
    /// What it may take is taken.
    BudgetGone,
    /// Somebody else asks the same, by this run: what they keep does for both.
    Asked(Uuid),
    Model(Fault),
}

impl Refused {
    /// Stable, for rows and logs.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::NotConfigured => "not_configured",
            Self::Off => "off",
            Self::BudgetGone => "budget_gone",
            Self::Asked(_) => "asked",
            Self::Model(fault) => fault.as_str(),
        }
    }
}

const CLAIM: &str = "select * from app.claim_ai($1, $2, $3, $4, $5, $6, $7, $8)";

#[derive(FromRow)]
struct Claimed {
    state: String,
    base_url: Option<String>,
    model: Option<String>,
    sealed: Option<Vec<u8>>,
    asked_by: Option<Uuid>,
}

const SETTLE: &str = "select app.settle_ai($1, $2, $3, $4, $5, $6, $7, $8)";

const SETTINGS: &str = "
    select coalesce(jsonb_object_agg(key, value), '{}') as rows from bot_config where is_active and key like 'ai\\_%'";

const EXPLAIN: &str = "
    update ai_runs set sources = $2, confidence = $3, reason = coalesce($4, reason) where id = $1";

#[derive(FromRow)]
struct Rows {
    rows: Value,
}

/// A company's settings, in whoever's transaction.
pub fn settings(transaction: &Transaction) -> BoxFuture<'_, Result<Settings, Error>> {
    Box::pin(async move {
        let Rows { rows } = transaction.one(SETTINGS, &[]).await?;
        Ok(Settings::read(rows.as_object().unwrap_or(&Map::new())))
    })
}

/// Notes on what an answer rests, with the commit of the system's transaction that uses it.
pub fn explain(transaction: &Transaction, run_id: Uuid, sources: Vec<Uuid>, confidence: Option<f32>, reason: Option<String>) {
    transaction.defer(EXPLAIN, parameters![run_id, sources, confidence, reason]);
}

/// What was claimed, and with what to call.
struct Run<'a> {
    context: &'a Context,
    settings: &'a Settings,
    company_id: Uuid,
    id: Uuid,
    base_url: String,
    api_key: String,
    model: String,
    began: Duration,
}

/// Which model has answered, and what it took; `None` where the server does not say.
struct Took {
    model: String,
    tokens: Option<(i64, i64)>,
}

impl<'a> Run<'a> {
    async fn claim(
        context: &'a Context,
        settings: &'a Settings,
        About { company_id, conversation_id, user_id, once, .. }: About,
        (purpose, prompt): Errand<'_>,
        wanted: i32,
    ) -> Result<Result<Self, Refused>, Error> {
        let id = context.new_id();
        let transaction = context.begin_system(company_id).await?;
        let (work, since) = once.map(|Once { work, since }| (work, since)).unzip();
        let purpose = purpose.as_str();
        let claimed: Claimed =
            transaction.one(CLAIM, &[&id, &purpose, &prompt, &conversation_id, &user_id, &wanted, &work, &since]).await?;
        transaction.commit_quietly().await?;
        let refused = match claimed.state.as_str() {
            "run" => None,
            "not_configured" => Some(Refused::NotConfigured),
            "off" => Some(Refused::Off),
            "asked" => claimed.asked_by.map(Refused::Asked),
            _ => Some(Refused::BudgetGone),
        };
        if let Some(refused) = refused {
            return Ok(Err(refused));
        }
        let sealed = claimed.sealed.unwrap_or_default();
        let api_key = key::open(&context.secrets().encryption_keys, company_id, &sealed).unwrap_or_default();
        let (base_url, model) = (claimed.base_url.unwrap_or_default(), claimed.model.unwrap_or_default());
        Ok(Ok(Self { context, settings, company_id, id, base_url, api_key, model, began: context.elapsed() }))
    }

    fn server(&self) -> Server<'_> {
        Server { base_url: &self.base_url, api_key: &self.api_key }
    }

    /// Tells what it took, and hands on what came of it.
    async fn end<T>(self, outcome: Result<(T, Took), Fault>) -> Result<Result<Given<T>, Refused>, Error> {
        self.settle(outcome.as_ref().map(|(_, took)| took).map_err(|fault| *fault)).await?;
        Ok(outcome.map(|(answer, Took { model, .. })| Given { run_id: self.id, model, answer }).map_err(Refused::Model))
    }

    /// Where nobody knows what it took, it stays as it was claimed; what was refused has taken nothing.
    async fn settle(&self, outcome: Result<&Took, Fault>) -> Result<(), Error> {
        let took = provider::milliseconds(self.context.elapsed().saturating_sub(self.began));
        let (status, reason, tokens, model) = match outcome {
            Ok(took) => ("done", None, took.tokens, Some(took.model.clone())),
            Err(fault @ (Fault::TimedOut | Fault::Empty | Fault::CutOff | Fault::Filtered | Fault::Unreadable)) => {
                ("failed", Some(fault.as_str()), None, None)
            }
            Err(fault) => ("failed", Some(fault.as_str()), Some((0, 0)), None),
        };
        let cost = tokens.and_then(|(input, output)| self.settings.cost(input, output));
        // Both together are a number of the row's kind, too, whatever a server says.
        let whole = |tokens: i64| i32::try_from(tokens.min(1_000_000_000)).unwrap_or_default();
        let (input, output) = tokens.map(|(input, output)| (whole(input), whole(output))).unzip();
        let transaction = self.context.begin_system(self.company_id).await?;
        transaction.defer(SETTLE, parameters![self.id, status, reason, model, input, output, cost, took]);
        transaction.commit_quietly().await
    }
}

/// What a text takes at most, in tokens: Portuguese has about three bytes in one.
fn tokens_of(bytes: usize) -> i32 {
    i32::try_from(bytes / 3 + 8).unwrap_or(i32::MAX)
}

/// Asks the company's model, or its second one. No transaction may be open meanwhile.
///
/// # Errors
/// As the database fails.
pub fn ask<'a>(
    context: &'a Context,
    settings: &'a Settings,
    about: About,
    errand: Errand<'a>,
    ask: Ask<'a>,
) -> BoxFuture<'a, Result<Result<Given<String>, Refused>, Error>> {
    Box::pin(async move {
        let deadline = clock::monotonic() + about.patience;
        let bytes: usize = ask.messages.iter().map(|(_, text)| text.len()).sum();
        let wanted = tokens_of(bytes).saturating_add(i32::try_from(ask.most_tokens).unwrap_or(i32::MAX));
        let run = match Run::claim(context, settings, about, errand, wanted).await? {
            Ok(run) => run,
            Err(refused) => return Ok(Err(refused)),
        };
        let models: Vec<&str> = [Some(run.model.as_str()), settings.fallback_model.as_deref()].into_iter().flatten().collect();
        let outcome = client::complete(context, run.server(), &models, &ask, deadline).await;
        run.end(outcome.map(|Answer { text, model, tokens }| (text, Took { model, tokens }))).await
    })
}

/// Asks for an object. An answer that is none counts as no answer.
///
/// # Errors
/// As the database fails.
pub fn ask_for<'a, T: DeserializeOwned + Send + 'a>(
    context: &'a Context,
    settings: &'a Settings,
    about: About,
    errand: Errand<'a>,
    question: Ask<'a>,
) -> BoxFuture<'a, Result<Result<Given<T>, Refused>, Error>> {
    Box::pin(async move {
        let given = match ask(context, settings, about, errand, question).await? {
            Ok(given) => given,
            Err(refused) => return Ok(Err(refused)),
        };
        let Given { run_id, model, answer } = given;
        Ok(reader::read(&answer).map(|answer| Given { run_id, model, answer }).ok_or(Refused::Model(Fault::Unreadable)))
    })
}

/// A recording to be written down.
pub struct Recording {
    pub bytes: Vec<u8>,
    pub name: String,
    pub mime_type: String,
    /// Counted as tokens are: ten for each second.
    pub seconds: u32,
}

/// Has a recording written down by the company's model for it.
///
/// # Errors
/// As the database fails.
pub fn transcribe<'a>(
    context: &'a Context,
    settings: &'a Settings,
    about: About,
    errand: Errand<'a>,
    recording: &'a Recording,
) -> BoxFuture<'a, Result<Result<Given<String>, Refused>, Error>> {
    Box::pin(async move {
        let Some(model) = settings.transcription_model.as_deref() else { return Ok(Err(Refused::NotConfigured)) };
        let taken = i64::from(recording.seconds).saturating_mul(10);
        let run = match Run::claim(context, settings, about, errand, i32::try_from(taken).unwrap_or(i32::MAX)).await? {
            Ok(run) => run,
            Err(refused) => return Ok(Err(refused)),
        };
        let outcome = written_down(&run, model, recording, about.patience).await;
        run.end(outcome.map(|text| (text, Took { model: model.to_owned(), tokens: Some((taken, 0)) }))).await
    })
}

async fn written_down(run: &Run<'_>, model: &str, recording: &Recording, patience: Duration) -> Result<String, Fault> {
    let file = reqwest::multipart::Part::bytes(recording.bytes.clone()).file_name(recording.name.clone());
    let file = file.mime_str(&recording.mime_type).map_err(|_| Fault::Refused)?;
    let language = run.settings.languages.first().map_or("pt", |language| language.get(..2).unwrap_or("pt")).to_owned();
    let form = reqwest::multipart::Form::new()
        .part("file", file)
        .text("model", model.to_owned())
        .text("language", language)
        .text("response_format", "json");
    let request = client::post(run.context, &run.server(), "audio/transcriptions").await?.multipart(form);
    let (status, said) = client::send(request, patience).await.map_err(|silence| silence.fault)?;
    if !status.is_success() {
        return Err(Refusal::read(status, &said).fault);
    }
    let body: Value = serde_json::from_slice(&said.body).map_err(|_| Fault::Unreadable)?;
    let text = told(body["text"].as_str().ok_or(Fault::Unreadable)?.trim());
    if text.is_empty() { Err(Fault::Empty) } else { Ok(text.chars().take(20_000).collect()) }
}

/// What texts mean: one vector of each.
pub type Vectors = Vec<Vec<f32>>;

/// What texts mean, as the company's model for it has it.
///
/// # Errors
/// As the database fails.
pub fn embed<'a>(
    context: &'a Context,
    settings: &'a Settings,
    about: About,
    errand: Errand<'a>,
    texts: &'a [String],
) -> BoxFuture<'a, Result<Result<Given<Vectors>, Refused>, Error>> {
    Box::pin(async move {
        let Some(model) = settings.embedding_model.as_deref() else { return Ok(Err(Refused::NotConfigured)) };
        let run = match Run::claim(context, settings, about, errand, tokens_of(texts.iter().map(String::len).sum())).await? {
            Ok(run) => run,
            Err(refused) => return Ok(Err(refused)),
        };
        let outcome = vectors(&run, model, texts, about.patience).await;
        let took = |tokens: Option<i64>| Took { model: model.to_owned(), tokens: tokens.map(|tokens| (tokens, 0)) };
        run.end(outcome.map(|(vectors, tokens)| (vectors, took(tokens)))).await
    })
}

async fn vectors(run: &Run<'_>, model: &str, texts: &[String], patience: Duration) -> Result<(Vectors, Option<i64>), Fault> {
    let body = serde_json::json!({"model": model, "input": texts, "encoding_format": "float"});
    let request = client::post(run.context, &run.server(), "embeddings").await?.json(&body);
    let (status, said) = client::send(request, patience).await.map_err(|silence| silence.fault)?;
    if !status.is_success() {
        return Err(Refusal::read(status, &said).fault);
    }
    vectors_in(&said.body, texts.len())
}

fn vectors_in(body: &[u8], wanted: usize) -> Result<(Vectors, Option<i64>), Fault> {
    #[derive(serde::Deserialize)]
    struct Embedded {
        data: Vec<Row>,
        #[serde(default)]
        usage: Value,
    }
    #[derive(serde::Deserialize)]
    struct Row {
        index: usize,
        embedding: Vec<f32>,
    }
    let mut embedded: Embedded = serde_json::from_slice(body).map_err(|_| Fault::Unreadable)?;
    embedded.data.sort_by_key(|row| row.index);
    let dimension = embedded.data.first().map_or(0, |row| row.embedding.len());
    let fit = |(place, row): (usize, &Row)| {
        row.index == place && row.embedding.len() == dimension && row.embedding.iter().all(|number| number.is_finite())
    };
    if embedded.data.len() != wanted || dimension == 0 || !embedded.data.iter().enumerate().all(fit) {
        return Err(Fault::Unreadable);
    }
    let tokens = embedded.usage["prompt_tokens"].as_i64().filter(|tokens| *tokens >= 0);
    Ok((embedded.data.into_iter().map(|row| row.embedding).collect(), tokens))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn vectors_are_as_many_as_texts_and_alike() {
        let two =
            br#"{"data": [{"index": 1, "embedding": [3, 4]}, {"index": 0, "embedding": [1, 2]}], "usage": {"prompt_tokens": 5}}"#;
        assert_eq!(vectors_in(two, 2), Ok((vec![vec![1.0, 2.0], vec![3.0, 4.0]], Some(5))));
        assert_eq!(vectors_in(two, 3), Err(Fault::Unreadable));
        for body in [
            &br#"{"data": [{"index": 0, "embedding": []}]}"#[..],
            br#"{"data": [{"index": 1, "embedding": [1]}]}"#,
            br#"{"data": [{"index": 0, "embedding": ["a"]}]}"#,
            b"<html>",
        ] {
            assert_eq!(vectors_in(body, 1), Err(Fault::Unreadable));
        }
    }
}
