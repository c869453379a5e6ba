//! What models say of a conversation: the client's mood, a summary, what it is about. Each is kept with those before it.

use std::time::Duration;

use conversations::{CONVERSATION, Conversation};
use futures_util::future::try_join;
use shared::{
    ai::{self, About, Fault, Given, Mask, Once, Purpose, Refused, Settings},
    closed_set,
    prelude::*,
};
use tokio::time::sleep;
use tokio_postgres::types::ToSql;

use crate::{
    asking::{PATIENCE, PAUSE, ask_about},
    guard::echoes,
    problems::{NOTHING_SAID, problem_of},
    prompts::{CATEGORY, Prompt, SENTIMENT, SUMMARY},
    thread::Thread,
};

/// How far a mood falls at once to be told as a fall.
const FALL: f32 = 0.6;

closed_set! {
    /// What is said of a conversation.
    #[schemars(rename = "InsightKind")]
    pub Kind {
        Sentiment = "sentiment",
        Summary = "summary",
        Category = "category",
    }
}

/// What a model has said of a conversation.
#[derive(Clone, Debug, Serialize, JsonSchema, FromRow)]
pub struct Insight {
    pub id: Uuid,
    pub conversation_id: Uuid,
    pub kind: Kind,
    /// Of a sentiment `positive`, `neutral` or `negative`; the summary's words; the category's name.
    pub value: String,
    /// Of a sentiment, from -1 to 1.
    pub score: Option<f32>,
    /// Between 0 and 1.
    pub confidence: Option<f32>,
    /// The run that made it: `POST /ai/runs/{id}/feedback` takes what it is worth.
    pub run_id: Uuid,
    /// The last message that was read for it.
    pub message_id: Option<Uuid>,
    pub created_at: Timestamp,
}

/// Something is said of a conversation.
#[derive(Debug, Serialize, JsonSchema)]
pub struct ConversationInsight {
    pub insight: Insight,
    /// Whether the client's mood has fallen much since the last time.
    pub has_fallen: bool,
}
event!(ConversationInsight = "conversation.insight");

/// The columns of `Insight`.
#[macro_export]
macro_rules! insight_columns {
    () => {
        "conversation_insights.id, conversation_insights.conversation_id, conversation_insights.kind, conversation_insights.value,
         conversation_insights.score, conversation_insights.confidence, conversation_insights.run_id, conversation_insights.message_id,
         conversation_insights.created_at"
    };
}

#[derive(Deserialize)]
struct Mood {
    sentiment: String,
    score: f32,
    confidence: f32,
}

#[derive(Deserialize)]
struct Summed {
    summary: String,
}

#[derive(Deserialize)]
struct Categorised {
    category: String,
    confidence: f32,
}

/// What was said, before it is kept.
#[derive(Debug)]
pub struct Said {
    kind: Kind,
    run_id: Uuid,
    value: String,
    score: Option<f32>,
    confidence: Option<f32>,
    message_id: Option<Uuid>,
}

impl Kind {
    const fn prompt(self) -> (Purpose, Prompt) {
        match self {
            Self::Sentiment => (Purpose::Sentiment, SENTIMENT),
            Self::Summary => (Purpose::Summary, SUMMARY),
            Self::Category => (Purpose::Category, CATEGORY),
        }
    }
}

/// Asks what is to be said of a conversation; of those who ask the same at once, one does. An answer that is none of those asked for counts as none.
///
/// # Errors
/// As the database fails.
pub async fn say(
    context: &Context,
    settings: &Settings,
    thread: &Thread,
    (company_id, user_id, patience): (Uuid, Option<Uuid>, Duration),
    kind: Kind,
) -> Result<Result<Said, Refused>, Error> {
    let mut mask = Mask::new(settings.masks);
    let (purpose, prompt) = kind.prompt();
    let once = thread.last_id().map(|work| Once { work, since: thread.read_at });
    let about = About { company_id, conversation_id: Some(thread.id), user_id, patience, once };
    let words = prompt.words(&thread.company_name, settings, &[]);
    let asked_with = words.clone();
    let data = json!({"conversation": thread.told(&mut mask)});
    let asked = (purpose, &prompt);
    let said = |run_id, value: String, score, confidence: Option<f32>| Said {
        kind,
        run_id,
        value,
        score,
        confidence: confidence.map(|confidence| confidence.clamp(0.0, 1.0)),
        message_id: thread.last_id(),
    };
    let unreadable = Err(Refused::Model(Fault::Unreadable));
    Ok(match kind {
        Kind::Sentiment => ask_about::<Mood>(context, settings, about, asked, (words, &data)).await?.and_then(|given| {
            let Given { run_id, answer: Mood { sentiment, score, confidence }, .. } = given;
            let is_one = ["positive", "neutral", "negative"].contains(&sentiment.as_str()) && score.is_finite();
            if is_one { Ok(said(run_id, sentiment, Some(score.clamp(-1.0, 1.0)), Some(confidence))) } else { unreadable }
        }),
        Kind::Summary => ask_about::<Summed>(context, settings, about, asked, (words, &data)).await?.and_then(|given| {
            let summary = mask.show(given.answer.summary.trim());
            let summary: String = summary.chars().take(4_000).collect();
            if summary.is_empty() || echoes(&summary, &asked_with) {
                unreadable
            } else {
                Ok(said(given.run_id, summary, None, None))
            }
        }),
        Kind::Category => ask_about::<Categorised>(context, settings, about, asked, (words, &data)).await?.and_then(|given| {
            let Categorised { category, confidence } = given.answer;
            let known = settings.categories.iter().find(|known| known.to_lowercase() == category.trim().to_lowercase());
            known.map_or(unreadable, |known| Ok(said(given.run_id, known.clone(), None, Some(confidence))))
        }),
    })
}

const KEEP: &str = concat!(
    "with before as (
        select score from conversation_insights
         where conversation_id = $2 and kind = $3
         order by id desc limit 1
    ), conversation_insights as (
        insert into conversation_insights (id, conversation_id, kind, value, score, confidence, run_id, message_id)
        values ($1, $2, $3, $4, $5, $6, $7, $8)
        returning *
    ) select ",
    insight_columns!(),
    ", (select score from before) as score_before from conversation_insights"
);

#[derive(FromRow)]
struct Kept {
    #[from_row(flatten)]
    insight: Insight,
    score_before: Option<f32>,
}

/// Keeps what was said and tells whoever sees the conversation, in a transaction of the system's.
///
/// # Errors
/// As the database fails.
pub async fn keep(
    context: &Context,
    transaction: &Transaction,
    company_id: Uuid,
    thread: &Thread,
    said: Said,
) -> Result<Insight, Error> {
    let Said { kind, run_id, value, score, confidence, message_id } = said;
    let id = context.new_id();
    let kind = kind.as_str();
    let row: [&(dyn ToSql + Sync); 8] = [&id, &thread.id, &kind, &value, &score, &confidence, &run_id, &message_id];
    let (kept, conversation): (Kept, Conversation) =
        try_join(transaction.one(KEEP, &row), transaction.one(CONVERSATION, &[&thread.id])).await?;
    let has_fallen = kept.score_before.zip(score).is_some_and(|(before, now)| before - now >= FALL && now < 0.0);
    let told = ConversationInsight { insight: kept.insight.clone(), has_fallen };
    transaction.emit(Event::new(Topic::Company(company_id), conversation.audience(), &told));
    ai::explain(transaction, run_id, Vec::new(), confidence, None);
    Ok(kept.insight)
}

const OF_RUN: &str = concat!("select ", insight_columns!(), " from conversation_insights where run_id = $1");

/// Says something of a conversation that the caller sees, and keeps it. Where somebody asks the same already, what they are told does for both.
///
/// # Errors
/// 404 when they see none; why there is no answer; as the database fails.
pub async fn made(context: &Context, caller: &Staff, conversation_id: Uuid, kind: Kind) -> Result<Insight, Error> {
    let transaction = context.begin(caller).await?;
    let (thread, settings) = try_join(Thread::read(&transaction, conversation_id), ai::settings(&transaction)).await?;
    transaction.commit_unaudited().await?;
    if !thread.has_words() {
        return Err(NOTHING_SAID.into());
    }
    let said = loop {
        let patience = PATIENCE.saturating_sub(context.elapsed());
        let said = say(context, &settings, &thread, (caller.company_id, Some(caller.user_id), patience), kind).await?;
        let Err(Refused::Asked(run_id)) = said else { break said };
        if patience < PAUSE {
            break said;
        }
        sleep(PAUSE).await;
        let transaction = context.begin_system(caller.company_id).await?;
        let theirs: Option<Insight> = transaction.first(OF_RUN, &[&run_id]).await?;
        transaction.commit_quietly().await?;
        if let Some(insight) = theirs {
            return Ok(insight);
        }
    };
    let said = said.map_err(problem_of)?;
    let transaction = context.begin_system(caller.company_id).await?;
    let insight = keep(context, &transaction, caller.company_id, &thread, said).await?;
    transaction.commit_quietly().await?;
    Ok(insight)
}
