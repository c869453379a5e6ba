//! Answers to clients, out of the knowledge base: what cannot be proved is left to people, with the reason and what they need to know.

use std::time::Duration;

use futures_util::future::{BoxFuture, try_join};
use knowledge::{
    has_outgrown,
    search::{self, Audience, Found},
};
use shared::{
    ai::{self, About, Given, Mask, Purpose, Refused, Settings},
    closed_set,
    prelude::*,
};

use crate::{
    asking::ask_about,
    guard::{self, Ground},
    prompts::ANSWER,
    thread::Thread,
};

/// Articles that the model reads.
const SOURCES: i64 = 5;

/// What is found with less is no answer to the question: the model is not asked.
const LEAST_SCORE: f32 = 0.3;

closed_set! {
    /// Why people answer.
    #[schemars(rename = "AiDoubt")]
    pub Doubt {
        /// Nothing in the knowledge base is about it.
        NothingFound = "nothing_found",
        /// The model says that it is for people.
        NeedsHuman = "needs_human",
        /// The model is not sure enough.
        LowConfidence = "low_confidence",
        /// What it wrote must not leave.
        Unsafe = "unsafe_answer",
        /// It wrote nothing.
        NoAnswer = "no_answer",
    }
}

/// An article that an answer rests on.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "AiSource")]
pub struct Source {
    pub id: Uuid,
    pub title: String,
    /// From 0 to 1, of the search.
    pub score: f32,
}

/// What came of a question.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "AiReply")]
pub struct Reply {
    /// The run, for `POST /ai/runs/{id}/feedback`; null where no model was asked.
    pub run_id: Option<Uuid>,
    /// The answer; null where people are to give it.
    pub text: Option<String>,
    /// Of the answer those that it names, in doubt the nearest.
    pub sources: Vec<Source>,
    pub confidence: Option<f32>,
    pub doubt: Option<Doubt>,
    /// The objection, or why the model gave no answer.
    pub detail: Option<String>,
    /// In doubt: what whoever takes over should know.
    pub summary: Option<String>,
}

#[derive(Deserialize)]
struct Answered {
    answer: String,
    #[serde(default)]
    sources: Vec<i64>,
    #[serde(default)]
    confidence: f32,
    #[serde(default)]
    needs_human: bool,
}

/// Who asks what.
#[derive(Clone, Copy, Debug)]
pub struct Question<'a> {
    pub about: About,
    pub thread: &'a Thread,
    pub words: &'a str,
}

/// What the question means, where the company has a model for that. Without it, words are all there is.
async fn meaning(context: &Context, settings: &Settings, asked: Question<'_>) -> Result<Option<Vec<f32>>, Error> {
    if settings.embedding_model.is_none() {
        return Ok(None);
    }
    let texts = [Mask::new(settings.masks).hide(asked.words)];
    let about = About { patience: asked.about.patience / 4, ..asked.about };
    let given = ai::embed(context, settings, about, (Purpose::Embed, "question@1"), &texts).await?;
    Ok(given.ok().and_then(|Given { answer, .. }| answer.into_iter().next()))
}

/// Has the company's articles read anew, where they cannot be compared with what the model makes of a question by now.
async fn compare(
    context: &Context,
    transaction: &Transaction,
    settings: &Settings,
    company_id: Uuid,
    meaning: Option<&[f32]>,
) -> Result<(), Error> {
    if let Some((meaning, model)) = meaning.zip(settings.embedding_model.as_deref())
        && has_outgrown(transaction, model, meaning.len()).await?
    {
        let lane = format!("ai:{company_id}");
        let job = Job::new(context, Queue::Ai, "embed_knowledge", lane, json!({"company_id": company_id}));
        transaction.enqueue(job.unless_waiting(company_id));
    }
    Ok(())
}

/// Articles for a question, in whoever's transaction.
///
/// # Errors
/// As the database fails.
pub async fn find(
    transaction: &Transaction,
    words: &str,
    audience: Audience,
    meaning: Option<&[f32]>,
) -> Result<Vec<Found>, Error> {
    search::find(transaction, search::Wanted { query: words, audience, limit: SOURCES, embedding: meaning }).await
}

/// Whether an article is about the question at all.
#[must_use]
pub fn is_near(found: &Found) -> bool {
    found.score >= LEAST_SCORE
}

/// Answers a question with what this audience may read. No transaction may be open.
///
/// # Errors
/// As the database fails.
pub fn answer<'a>(
    context: &'a Context,
    settings: &'a Settings,
    asked: Question<'a>,
    audience: Audience,
) -> BoxFuture<'a, Result<Reply, Error>> {
    Box::pin(async move {
        let meaning = meaning(context, settings, asked).await?;
        let transaction = context.begin_system(asked.about.company_id).await?;
        let (found, ()) = try_join(
            find(&transaction, asked.words, audience, meaning.as_deref()),
            compare(context, &transaction, settings, asked.about.company_id, meaning.as_deref()),
        )
        .await?;
        transaction.commit_quietly().await?;
        let found = found.as_slice();
        let near: Vec<&Found> = found.iter().filter(|found| is_near(found)).collect();
        if near.is_empty() {
            return Ok(doubt(asked, found, (Doubt::NothingFound, None), None));
        }
        let mut mask = Mask::new(settings.masks);
        let words = ANSWER.words(&asked.thread.company_name, settings, &[]);
        let numbered = near.iter().enumerate();
        let sources: Vec<Value> =
            numbered.map(|(place, found)| json!({"number": place + 1, "title": found.title, "answer": found.answer})).collect();
        let data = json!({
            "conversation": asked.thread.told(&mut mask),
            "sources": sources,
            "question": mask.hide(asked.words),
        });
        let given =
            ask_about::<Answered>(context, settings, asked.about, (Purpose::Answer, &ANSWER), (words.clone(), &data)).await?;
        let Given { run_id, answer, .. } = match given {
            Ok(given) => given,
            Err(refused) => return Ok(doubt(asked, found, (Doubt::NoAnswer, Some(refused.as_str())), None)),
        };
        let reply = judge(settings, asked, &near, (&words, &mask), (run_id, answer));
        let transaction = context.begin_system(asked.about.company_id).await?;
        let named = reply.sources.iter().map(|source| source.id).collect();
        ai::explain(
            &transaction,
            run_id,
            named,
            reply.confidence,
            reply.detail.clone().or(reply.doubt.map(|doubt| doubt.as_str().to_owned())),
        );
        transaction.commit_quietly().await?;
        Ok(reply)
    })
}

/// Answers what the client has written since anybody answered them, for the bot. `None` where they have written nothing.
///
/// # Errors
/// As the database fails.
pub fn reply(
    context: &Context,
    company_id: Uuid,
    conversation_id: Uuid,
    patience: Duration,
) -> BoxFuture<'_, Result<Option<Reply>, Error>> {
    Box::pin(async move {
        let transaction = context.begin_system(company_id).await?;
        let (thread, settings) = try_join(Thread::read(&transaction, conversation_id), ai::settings(&transaction)).await?;
        let Some(words) = thread.question() else {
            transaction.commit_quietly().await?;
            return Ok(None);
        };
        transaction.commit_quietly().await?;
        let about = About { company_id, conversation_id: Some(conversation_id), user_id: None, patience, once: None };
        let asked = Question { about, thread: &thread, words: &words };
        answer(context, &settings, asked, Audience::Bot).await.map(Some)
    })
}

/// Whether an answer leaves. What the model says of itself only counts against it.
fn judge(
    settings: &Settings,
    asked: Question<'_>,
    near: &[&Found],
    (prompt, mask): (&str, &Mask),
    (run_id, answered): (Uuid, Answered),
) -> Reply {
    let Answered { answer, sources, confidence, needs_human } = answered;
    let confidence = if confidence.is_finite() { confidence.clamp(0.0, 1.0) } else { 0.0 };
    let named: Vec<&Found> =
        sources.iter().filter_map(|number| near.get(usize::try_from(*number).ok()?.checked_sub(1)?).copied()).collect();
    let all: Vec<Found> = near.iter().map(|found| (*found).clone()).collect();
    let in_doubt = |why: (Doubt, Option<&str>)| {
        let mut reply = doubt(asked, &all, why, Some(run_id));
        reply.confidence = Some(confidence);
        reply
    };
    if needs_human {
        return in_doubt((Doubt::NeedsHuman, None));
    }
    if named.is_empty() || f64::from(confidence) < settings.least_confidence {
        return in_doubt((Doubt::LowConfidence, None));
    }
    let text = mask.show(answer.trim());
    let grounds: Vec<String> = named.iter().map(|found| format!("{}\n{}", found.title, found.answer)).collect();
    let said = asked.thread.said_by_client();
    let ground = Ground {
        question: asked.words,
        company: &asked.thread.company_name,
        prompt,
        sources: &grounds,
        said: &said,
        forbidden: &settings.forbidden_topics,
        languages: &settings.languages,
    };
    if let Some(objection) = guard::objection(&text, ground) {
        return in_doubt((Doubt::Unsafe, Some(objection.as_str())));
    }
    Reply {
        run_id: Some(run_id),
        text: Some(text),
        sources: named.iter().map(|found| source(found)).collect(),
        confidence: Some(confidence),
        doubt: None,
        detail: None,
        summary: None,
    }
}

fn source(found: &Found) -> Source {
    Source { id: found.id, title: found.title.clone(), score: found.score }
}

/// Left to people, with what they need.
fn doubt(asked: Question<'_>, found: &[Found], (doubt, detail): (Doubt, Option<&str>), run_id: Option<Uuid>) -> Reply {
    let sources: Vec<Source> = found.iter().take(3).map(source).collect();
    Reply {
        run_id,
        text: None,
        summary: Some(summary(asked.words, doubt, detail, &sources)),
        sources,
        confidence: None,
        doubt: Some(doubt),
        detail: detail.map(str::to_owned),
    }
}

/// For whoever takes over: what was asked, why the AI did not answer, and what may help.
fn summary(words: &str, doubt: Doubt, detail: Option<&str>, sources: &[Source]) -> String {
    let question: String = words.split_whitespace().collect::<Vec<_>>().join(" ").chars().take(300).collect();
    let why = match doubt {
        Doubt::NothingFound => "não há nada sobre isso na base de conhecimento",
        Doubt::NeedsHuman => "o assunto pede uma pessoa",
        Doubt::LowConfidence => "a base de conhecimento não responde com certeza",
        Doubt::Unsafe => "a resposta não pôde ser comprovada pela base de conhecimento",
        Doubt::NoAnswer if detail == Some(Refused::BudgetGone.as_str()) => "o limite de uso da IA foi atingido",
        Doubt::NoAnswer => "a IA não está disponível agora",
    };
    let near = sources.iter().map(|source| format!("“{}”", source.title)).collect::<Vec<_>>().join(", ");
    let near = if near.is_empty() { String::new() } else { format!(" Artigos próximos: {near}.") };
    format!("O cliente perguntou: “{question}”. A IA não respondeu: {why}.{near}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whoever_takes_over_reads_what_was_asked_and_why() {
        let sources = [Source { id: Uuid::nil(), title: "Mensalidades".into(), score: 0.4 }];
        let told = summary("Quanto\n custa?", Doubt::LowConfidence, None, &sources);
        assert_eq!(
            told,
            "O cliente perguntou: “Quanto custa?”. A IA não respondeu: a base de conhecimento não responde com certeza. Artigos \
             próximos: “Mensalidades”."
        );
        assert!(summary("a", Doubt::NoAnswer, Some("budget_gone"), &[]).ends_with("o limite de uso da IA foi atingido."));
    }
}
