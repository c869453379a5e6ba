//! Worker of the media queue — brings a client's file from WhatsApp to our bucket while its address lives, and applies webhooks that were left.

use std::time::Duration;

use conversations::{MessageUpdated, Written, emit_message, outbox};
use shared::{
    files::{self, REMOVE_UNLESS_KEPT, arrived, kept_key, next_job},
    parameters,
    prelude::*,
    provider::{Call, Failure},
};
use tokio_postgres::types::ToSql;
use whatsapp::{
    kept,
    media::{self, Fetched},
    sender::is_blocked,
};

reads!(REACHABLE_INSIDE, VIRUS_SCAN_URL, WHATSAPP_GRAPH_URL, WHATSAPP_GRAPH_VERSION);

#[derive(Deserialize)]
struct FetchMedia {
    file_id: Uuid,
    message_id: Uuid,
    channel_account_id: Uuid,
}

pub fn main() {
    serve_worker(Queue::Media, Privilege::Files, fetch_media, give_up);
}

async fn fetch_media(context: Context, job: Claimed) -> Result<Outcome, Error> {
    if job.kind == "apply_webhook" { kept::apply_left(&context, &job).await } else { fetch(context, job).await }
}

async fn fetch(context: Context, job: Claimed) -> Result<Outcome, Error> {
    let FetchMedia { file_id, message_id, channel_account_id } = job.read()?;
    let transaction = context.begin_system(job.company_id).await?;
    if job.is_retried() {
        transaction.execute(media::AWAIT_AGAIN, &[&file_id]).await?;
    }
    let file: Option<media::PendingFile> = transaction.first(media::PENDING_FILE, &[&file_id]).await?;
    let Some(file) = file.filter(|file| file.status == "pending") else {
        job.finish(&transaction);
        transaction.commit_quietly().await?;
        return Ok(Outcome::Done);
    };
    // Of this attempt alone: one that was slow writes over nothing.
    let copy = kept_key(job.company_id, file_id, context.new_id());
    transaction.defer(REMOVE_UNLESS_KEPT, parameters![copy.clone()]);
    transaction.commit_quietly().await?;
    let carrier = outbox::carrier(&context, job.company_id, channel_account_id).await?;
    let (downloaded, calls) = media::download(&context, &carrier, &file).await;
    let fetched = match downloaded {
        Ok(bytes) => {
            let fetched = media::inspect(bytes, &file);
            files::put(&context, &copy, fetched.mime_type, fetched.bytes.clone()).await?;
            Ok((copy, fetched))
        }
        Err(Failure::Busy { after, code }) if !job.is_last_attempt() => {
            return Ok(Outcome::Again { after: outbox::pause(after, job.attempts), reason: code });
        }
        Err(Failure::Unknown { reason }) if !job.is_last_attempt() => {
            return Ok(Outcome::Again { after: outbox::pause(Duration::from_secs(2), job.attempts), reason });
        }
        // The file is still there for when the company has mended its channel.
        Err(Failure::Blocked { code, .. }) if !job.is_last_attempt() => {
            let transaction = context.begin_system(job.company_id).await?;
            outbox::break_channel(&context, &transaction, job.company_id, channel_account_id).await?;
            outbox::log_calls(&context, &transaction, channel_account_id, calls);
            transaction.commit_quietly().await?;
            return Ok(Outcome::Again { after: outbox::pause(Duration::from_mins(1), job.attempts), reason: code });
        }
        Err(failure) => Err(failure.code().to_owned()),
    };
    record(&context, &job, file_id, message_id, fetched, calls, channel_account_id).await?;
    Ok(Outcome::Done)
}

async fn record(
    context: &Context,
    job: &Claimed,
    file_id: Uuid,
    message_id: Uuid,
    fetched: Result<(String, Fetched), String>,
    calls: Vec<Call>,
    channel_account_id: Uuid,
) -> Result<(), Error> {
    let transaction = context.begin_system(job.company_id).await?;
    match fetched {
        Ok((copy, fetched)) => {
            let Fetched { mime_type, sha256, size, width, height, duration_ms, .. } = fetched;
            let status = arrived();
            let values: [&(dyn ToSql + Sync); 9] =
                [&file_id, &copy, &mime_type, &size, &sha256, &width, &height, &duration_ms, &status.as_str()];
            transaction.execute(media::ARRIVED, &values).await?;
            if let Some(kind) = next_job(status, mime_type) {
                let payload = json!({"file_id": file_id});
                transaction.enqueue(Job::new(context, Queue::Preparation, kind, format!("file:{file_id}"), payload));
            }
        }
        Err(reason) => drop(transaction.execute(media::FAILED, &[&file_id, &reason]).await?),
    }
    tell(&transaction, message_id).await?;
    outbox::log_calls(context, &transaction, channel_account_id, calls);
    job.finish(&transaction);
    transaction.commit_quietly().await
}

/// Whoever waits for the file must know that it does not come.
async fn give_up(job: Claimed, transaction: Transaction) -> Result<(), Error> {
    if job.kind == "apply_webhook" {
        kept::give_up(&job, &transaction).await?;
        return transaction.commit_quietly().await;
    }
    let FetchMedia { file_id, message_id, .. } = job.read()?;
    if transaction.execute(media::FAILED, &[&file_id, &"not_fetched"]).await? > 0 {
        tell(&transaction, message_id).await?;
    }
    transaction.commit_quietly().await
}

async fn tell(transaction: &Transaction, message_id: Uuid) -> Result<(), Error> {
    if let Some(Written { conversation, message }) = transaction.first(media::WRITTEN, &[&message_id]).await?
        && !is_blocked(transaction, conversation.client_id).await?
    {
        emit_message(transaction, &conversation, &MessageUpdated { message });
    }
    Ok(())
}
