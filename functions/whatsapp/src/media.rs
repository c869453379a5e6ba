//! Files that clients send: from WhatsApp's short-lived addresses to our bucket.

use bytes::Bytes;
use conversations::{conversation_columns, conversation_joins, message_columns, message_joins};
use shared::{
    crypto, files,
    prelude::*,
    whatsapp::{self, Account, Call, Failure},
};

/// Larger files are refused while they arrive: WhatsApp's own limit for documents, and what fits in a function's memory.
const LARGEST: usize = 100_000_000;

pub const PENDING_FILE: &str = "select status, mime_type, storage_key, provider_id from files where id = $1";

pub const READY: &str = "
    update files
       set status = 'ready', mime_type = $2, size = $3, sha256 = $4, width = $5, height = $6, duration_ms = $7, completed_at = now()
     where id = $1 and status = 'pending'";

pub const FAILED: &str = "update files set status = 'failed', failure = $2 where id = $1 and status = 'pending'";

/// The file's message as it is now, with its conversation.
pub const WRITTEN: &str = concat!(
    "select ",
    conversation_columns!(),
    ", (select to_jsonb(message) from (select ",
    message_columns!(),
    " from messages ",
    message_joins!(),
    " where messages.id = $1) message) as message
      from conversations ",
    conversation_joins!(),
    " where conversations.id = (select conversation_id from messages where id = $1)"
);

/// A file that has not been fetched.
#[derive(Debug, FromRow)]
pub struct PendingFile {
    pub status: String,
    /// As WhatsApp declared it.
    pub mime_type: String,
    pub storage_key: String,
    pub provider_id: Option<String>,
}

/// A fetched file with what its content says of itself.
#[derive(Debug)]
pub struct Fetched {
    pub bytes: Bytes,
    pub mime_type: String,
    pub size: i64,
    pub sha256: Vec<u8>,
    pub width: Option<i32>,
    pub height: Option<i32>,
    pub duration_ms: Option<i32>,
}

/// Looks the address up and downloads from it.
pub async fn download(context: &Context, account: &Account, file: &PendingFile) -> (Result<Bytes, Failure>, Vec<Call>) {
    let media_id = file.provider_id.as_deref().unwrap_or_default();
    let (url, call) = whatsapp::look_up_media(context, account, media_id).await;
    let mut calls = vec![call];
    let url = match url {
        Ok(url) => url,
        Err(failure) => return (Err(failure), calls),
    };
    let (bytes, call) = whatsapp::download(context, account, &url, LARGEST).await;
    calls.push(call);
    (bytes, calls)
}

/// What the content is. A type that is not among the accepted ones is kept, but only ever offered as a download.
pub fn inspect(bytes: Bytes, file: &PendingFile) -> Fetched {
    let known = files::sniff(&bytes, &file.mime_type);
    let mime_type = known.map_or("application/octet-stream", |known| known.mime_type).to_owned();
    let (width, height) = files::image_size(&bytes).filter(|_| mime_type.starts_with("image/")).unzip();
    let duration = files::audio_duration(&bytes).filter(|_| mime_type.starts_with("audio/"));
    Fetched {
        size: i64::try_from(bytes.len()).unwrap_or(i64::MAX),
        sha256: crypto::sha256(&bytes),
        duration_ms: duration.and_then(|duration| i32::try_from(duration.as_millis()).ok()),
        mime_type,
        width,
        height,
        bytes,
    }
}
