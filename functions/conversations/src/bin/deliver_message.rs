//! Worker of the delivery queue — sends messages and read marks to whoever carries them, each at most once.

use std::time::Duration;

use conversations::{
    changing,
    outbox::{self, Verdict},
};
use shared::{limits, prelude::*, provider::Failure};

reads!(BOTCONVERSA_URL, LIMITS_TABLE, REACHABLE_INSIDE, UNKNOWN_OUTCOME_SECONDS, WHATSAPP_GRAPH_URL, WHATSAPP_GRAPH_VERSION);

/// Calls a second one number may make; WhatsApp allows 80.
const CALLS_PER_SECOND: u64 = 70;

#[derive(Deserialize)]
struct DeliverMessage {
    message_id: Uuid,
    channel_account_id: Uuid,
}

#[derive(Deserialize)]
struct MarkRead {
    channel_account_id: Uuid,
    provider_id: String,
}

pub fn main() {
    serve_worker(Queue::Delivery, Privilege::Files, deliver_message, give_up);
}

async fn deliver_message(context: Context, job: Claimed) -> Result<Outcome, Error> {
    match job.kind.as_str() {
        "mark_read" => mark_read(&context, &job).await,
        "change_message" => change(&context, &job).await,
        _ => deliver(&context, &job).await,
    }
}

async fn deliver(context: &Context, job: &Claimed) -> Result<Outcome, Error> {
    let DeliverMessage { message_id, channel_account_id } = job.read()?;
    if is_over_budget(context, channel_account_id).await {
        return Ok(Outcome::Hold { after: Duration::from_secs(1) });
    }
    let outgoing = match outbox::begin(context, job, message_id).await? {
        Verdict::Send(outgoing) => *outgoing,
        Verdict::Finished => return Ok(Outcome::Done),
        Verdict::Wait(after) => return Ok(Outcome::PutOff { after }),
        Verdict::Hold(after) => return Ok(Outcome::Hold { after }),
    };
    let (checked, mut calls) = outbox::check_number(context, job, &outgoing).await?;
    let result = match checked {
        Ok(()) => {
            let (result, sending) = outbox::send(context, &outgoing).await;
            calls.extend(sending);
            result
        }
        Err(failure) => Err(failure),
    };
    match result {
        Ok(provider_id) => outbox::record_sent(context, job, &outgoing, &provider_id, calls).await?,
        Err(Failure::Busy { after, code }) if !job.is_last_attempt() => {
            outbox::hand_back(context, job, &outgoing, calls).await?;
            return Ok(Outcome::Again { after: outbox::pause(after, job.attempts), reason: code });
        }
        Err(Failure::Unknown { .. }) => {
            outbox::keep_unknown(context, job, &outgoing, calls).await?;
            return Ok(Outcome::PutOff { after: outbox::unknown_outcome_after() });
        }
        Err(failure) => outbox::record_failed(context, job, &outgoing, &failure, calls).await?,
    }
    Ok(Outcome::Done)
}

async fn change(context: &Context, job: &Claimed) -> Result<Outcome, Error> {
    Ok(match changing::change(context, job).await? {
        None => Outcome::Done,
        Some(Failure::Busy { after, code: reason }) => Outcome::Again { after: outbox::pause(after, job.attempts), reason },
        Some(failure) => {
            let after = outbox::pause(Duration::from_secs(5), job.attempts);
            Outcome::Again { after, reason: failure.code().to_owned() }
        }
    })
}

async fn mark_read(context: &Context, job: &Claimed) -> Result<Outcome, Error> {
    let MarkRead { channel_account_id, provider_id } = job.read()?;
    let (result, call) = outbox::mark_read(context, job.company_id, channel_account_id, &provider_id).await?;
    // Ticks are a courtesy: only a busy provider is worth another try.
    if let Err(Failure::Busy { after, code }) = result
        && !job.is_last_attempt()
    {
        return Ok(Outcome::Again { after: outbox::pause(after, job.attempts), reason: code });
    }
    outbox::finish_call(context, job, channel_account_id, call).await?;
    Ok(Outcome::Done)
}

/// The agent must not wait for a message that nobody sends any more; read marks are missed by nobody.
async fn give_up(job: Claimed, transaction: Transaction) -> Result<(), Error> {
    match job.kind.as_str() {
        "mark_read" => {}
        "change_message" => changing::give_up(&job, &transaction).await?,
        _ => {
            let DeliverMessage { message_id, .. } = job.read()?;
            outbox::give_up(&transaction, message_id).await?;
        }
    }
    transaction.commit_quietly().await
}

async fn is_over_budget(context: &Context, channel_account_id: Uuid) -> bool {
    let key = format!("channel:{channel_account_id}");
    let count = limits::count(context, &key, 1, Duration::from_secs(1)).await;
    count.is_some_and(|(calls, _)| calls > CALLS_PER_SECOND)
}
