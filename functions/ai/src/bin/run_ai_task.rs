//! Worker of the AI queue — writes voice notes down as they come, and says what conversations that have ended were about.

use std::time::Duration;

use ai::{
    asking::PATIENCE,
    insights::{self, Kind},
    recordings,
    thread::Thread,
};
use futures_util::future::try_join;
use knowledge::{
    embeddings::{LONGEST, Unembedded},
    store_embedding, unembedded,
};
use shared::{
    ai::{self as models, About, Fault, Purpose, Refused},
    prelude::*,
};

reads!(REACHABLE_INSIDE);

#[derive(Deserialize)]
struct VoiceNote {
    message_id: Uuid,
}

#[derive(Deserialize)]
struct Ended {
    conversation_id: Uuid,
}

/// Articles of one question to a model, and questions of one run.
const BATCH: i64 = 32;
const MOST_BATCHES: usize = 10;

/// What is already said of the conversation since its last message: a task that is done again does not ask again.
const SAID: &str = "
    select kind from conversation_insights
     where conversation_id = $1 and message_id is not distinct from $2";

/// An index of 5,000 articles takes nine seconds.
const PATIENTLY: &str = "select set_config('statement_timeout', '20s', true)";

const INDEX: &str = "select app.index_meanings()";

pub fn main() {
    serve_worker(Queue::Ai, Privilege::Files, run_ai_task, give_up);
}

async fn run_ai_task(context: Context, job: Claimed) -> Result<Outcome, Error> {
    match job.kind.as_str() {
        "transcribe_message" => transcribe(&context, &job).await,
        "analyse_conversation" => analyse(&context, &job).await,
        "embed_knowledge" => embed(&context, &job).await,
        kind => Ok(Outcome::Failed { reason: format!("no kind of this worker: {kind}") }),
    }
}

async fn transcribe(context: &Context, job: &Claimed) -> Result<Outcome, Error> {
    let VoiceNote { message_id } = job.read()?;
    let transaction = context.begin_system(job.company_id).await?;
    let (recorded, settings) = try_join(recordings::find(&transaction, message_id), models::settings(&transaction)).await?;
    transaction.commit_quietly().await?;
    let Some(recorded) = recorded.filter(|recorded| recorded.words.is_empty() && recorded.has_file()) else {
        return done(context, job).await;
    };
    match recordings::write_down(context, job.company_id, None, &settings, &recorded).await? {
        Err(refused) if is_passing(refused) => Ok(again(job, refused)),
        _ => done(context, job).await,
    }
}

async fn analyse(context: &Context, job: &Claimed) -> Result<Outcome, Error> {
    let Ended { conversation_id } = job.read()?;
    let transaction = context.begin_system(job.company_id).await?;
    let (thread, settings) = try_join(Thread::read(&transaction, conversation_id), models::settings(&transaction)).await?;
    let said = transaction.query(SAID, &[&conversation_id, &thread.last_id()]).await?;
    transaction.commit_quietly().await?;
    let said: Vec<String> = said.iter().map(|row| row.get("kind")).collect();
    if thread.said_by_client().is_empty() {
        return done(context, job).await;
    }
    for kind in [Kind::Summary, Kind::Category, Kind::Sentiment] {
        if said.iter().any(|said| said == kind.as_str()) {
            continue;
        }
        match insights::say(context, &settings, &thread, (job.company_id, None, PATIENCE), kind).await? {
            Ok(said) => {
                let transaction = context.begin_system(job.company_id).await?;
                insights::keep(context, &transaction, job.company_id, &thread, said).await?;
                transaction.commit_quietly().await?;
            }
            Err(refused) if is_passing(refused) => return Ok(again(job, refused)),
            Err(_) => {}
        }
    }
    done(context, job).await
}

/// Has the company's model read what it has not read of the knowledge base as it is.
async fn embed(context: &Context, job: &Claimed) -> Result<Outcome, Error> {
    for batch in 0..MOST_BATCHES {
        let transaction = context.begin_system(job.company_id).await?;
        let settings = models::settings(&transaction).await?;
        let Some(model) = settings.embedding_model.clone() else {
            transaction.commit_quietly().await?;
            return done(context, job).await;
        };
        let articles = unembedded(&transaction, &model, BATCH).await?;
        transaction.commit_quietly().await?;
        if articles.is_empty() {
            // An index takes its time.
            if batch > 2 {
                return Ok(Outcome::Hold { after: Duration::from_secs(1) });
            }
            return indexed(context, job).await;
        }
        let texts: Vec<String> = articles.iter().map(Unembedded::text).collect();
        let about = About { company_id: job.company_id, conversation_id: None, user_id: None, patience: PATIENCE, once: None };
        let errand = (Purpose::Embed, "article@1");
        let vectors = match models::embed(context, &settings, about, errand, &texts).await? {
            Ok(given) => given.answer,
            Err(refused) if is_passing(refused) => return Ok(again(job, refused)),
            Err(refused) => return Ok(Outcome::Failed { reason: refused.as_str().to_owned() }),
        };
        if vectors.iter().any(|vector| vector.len() > LONGEST) {
            return Ok(Outcome::Failed { reason: "vectors are too long".to_owned() });
        }
        let transaction = context.begin_system(job.company_id).await?;
        for (article, vector) in articles.iter().zip(&vectors) {
            store_embedding(&transaction, article.id, article.version, &model, vector).await?;
        }
        transaction.commit_quietly().await?;
    }
    // There is more than one run has time for.
    Ok(Outcome::Hold { after: Duration::from_secs(1) })
}

/// Once all is read: what it means has an index of the company's own, where there is much of it and the database has one.
async fn indexed(context: &Context, job: &Claimed) -> Result<Outcome, Error> {
    let transaction = context.begin_system(job.company_id).await?;
    transaction.query(PATIENTLY, &[]).await?;
    transaction.query(INDEX, &[]).await?;
    job.finish(&transaction);
    transaction.commit_quietly().await?;
    Ok(Outcome::Done)
}

async fn done(context: &Context, job: &Claimed) -> Result<Outcome, Error> {
    let transaction = context.begin_system(job.company_id).await?;
    job.finish(&transaction);
    transaction.commit_quietly().await?;
    Ok(Outcome::Done)
}

/// What may be otherwise in a while.
const fn is_passing(refused: Refused) -> bool {
    matches!(refused, Refused::Asked(_) | Refused::Model(Fault::Busy | Fault::TimedOut | Fault::Unreachable))
}

fn again(job: &Claimed, refused: Refused) -> Outcome {
    let seconds = 20_u64.saturating_mul(2_u64.saturating_pow(u32::try_from(job.attempts).unwrap_or(1)));
    Outcome::Again { after: Duration::from_secs(seconds.min(900)), reason: refused.as_str().to_owned() }
}

/// Nobody waits for it.
async fn give_up(_: Claimed, transaction: Transaction) -> Result<(), Error> {
    transaction.commit_quietly().await
}
