//! Voice notes, written down: what is said in one is its body from then on, so that it is found, shown and answered as what was written.

use std::io::Read as _;

use conversations::{MessageKind, MessageUpdated, SHOW_PREVIEW, Written, changed_message, emit_message, preview};
use shared::{
    ai::{self, About, Given, Once, Purpose, Recording, Refused, Settings},
    error::INTERNAL,
    files, parameters,
    prelude::*,
};
use tokio::time::sleep;

use crate::asking::{PATIENCE, PAUSE};

pub const NO_RECORDING: Problem = Problem::new(
    409,
    "no_recording",
    "Esta mensagem não tem um áudio que possa ser transcrito.",
    "This message has no audio that can be written down.",
);

/// What OpenAI-compatible servers take at most.
const LARGEST: u64 = 25_000_000;

/// A message of sound.
#[derive(Clone, Debug, FromRow)]
pub struct Recorded {
    pub message_id: Uuid,
    pub conversation_id: Uuid,
    /// Empty until it is written down.
    pub words: String,
    storage_key: Option<String>,
    mime_type: Option<String>,
    seconds: Option<i32>,
    /// When it was looked at, by the database's clock.
    read_at: Timestamp,
}

impl Recorded {
    /// Whether there is something to listen to.
    #[must_use]
    pub const fn has_file(&self) -> bool {
        self.storage_key.is_some()
    }
}

const FIND: &str = "
    select messages.id as message_id, messages.conversation_id, messages.body as words, files.storage_key, files.mime_type,
           (files.duration_ms + 999) / 1000 as seconds, clock_timestamp() as read_at
      from messages
      left join files on files.company_id = messages.company_id and files.id = messages.file_id and files.status = 'ready'
     where messages.id = $1 and messages.kind = 'audio' and messages.deleted_at is null";

/// Of two who write it down at once the first one's words stand.
const KEEP: &str = changed_message!(
    "with changed as (
        update messages set body = $2, payload = payload || '{\"transcribed\": true}'
         where id = $1 and body = '' and deleted_at is null
        returning *
    )"
);

/// The message, where the caller sees it.
///
/// # Errors
/// As the database fails.
pub async fn find(transaction: &Transaction, message_id: Uuid) -> Result<Option<Recorded>, Error> {
    transaction.first(FIND, &[&message_id]).await
}

/// Has a message written down and keeps it. Where somebody does so already, what they are told does for both.
///
/// # Errors
/// 409 when there is nothing to be written down; as the database or S3 fails.
pub async fn write_down(
    context: &Context,
    company_id: Uuid,
    user_id: Option<Uuid>,
    settings: &Settings,
    recorded: &Recorded,
) -> Result<Result<String, Refused>, Error> {
    let (Some(key), Some(mime_type)) = (&recorded.storage_key, &recorded.mime_type) else { return Err(NO_RECORDING.into()) };
    // Without a model there is no need to fetch anything.
    if settings.transcription_model.is_none() {
        return Ok(Err(Refused::NotConfigured));
    }
    let fetched = files::fetch(context, key, LARGEST).await?.filter(|fetched| fetched.size <= LARGEST);
    let Some(mut fetched) = fetched else { return Err(NO_RECORDING.into()) };
    let mut bytes = Vec::new();
    fetched.content.read_to_end(&mut bytes).map_err(|error| INTERNAL.caused_by(error))?;
    let ending = mime_type.split(['/', ';']).nth(1).map_or("ogg", |kind| if kind == "mpeg" { "mp3" } else { kind });
    let recording = Recording {
        bytes,
        // Nothing that anybody has typed leaves as a name.
        name: format!("audio.{ending}"),
        mime_type: mime_type.clone(),
        seconds: recorded.seconds.and_then(|seconds| u32::try_from(seconds).ok()).unwrap_or(60),
    };
    let errand = (Purpose::Transcribe, "transcribe@1");
    let once = Some(Once { work: recorded.message_id, since: recorded.read_at });
    let began = context.elapsed();
    let given = loop {
        let patience = (PATIENCE + began).saturating_sub(context.elapsed());
        let about = About { company_id, conversation_id: Some(recorded.conversation_id), user_id, patience, once };
        match ai::transcribe(context, settings, about, errand, &recording).await? {
            Ok(Given { answer, .. }) => break answer,
            Err(Refused::Asked(_)) if patience > PAUSE => sleep(PAUSE).await,
            Err(refused) => return Ok(Err(refused)),
        }
        let transaction = context.begin_system(company_id).await?;
        let now = find(&transaction, recorded.message_id).await?;
        transaction.commit_quietly().await?;
        if let Some(now) = now.filter(|now| !now.words.is_empty()) {
            return Ok(Ok(now.words));
        }
    };
    let transaction = context.begin_system(company_id).await?;
    let kept: Option<Written> = transaction.first(KEEP, &[&recorded.message_id, &given]).await?;
    if let Some(Written { conversation, message }) = kept {
        let shown = preview(MessageKind::Audio.as_str(), &given);
        transaction.defer(SHOW_PREVIEW, parameters![conversation.id, message.id, shown]);
        emit_message(&transaction, &conversation, &MessageUpdated { message });
        transaction.commit_quietly().await?;
        return Ok(Ok(given));
    }
    // Somebody was faster, or it was taken back.
    let now: Option<Recorded> = transaction.first(FIND, &[&recorded.message_id]).await?;
    transaction.commit_quietly().await?;
    Ok(Ok(now.map_or(given, |now| now.words)))
}
