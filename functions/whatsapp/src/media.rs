//! Files that clients send: from WhatsApp's short-lived addresses to our bucket.

use std::io::Cursor;

use bytes::Bytes;
use conversations::{carrier::Carrier, conversation_columns, conversation_joins, message_columns, message_joins};
use shared::{
    crypto, evolution, files, kept_copy,
    prelude::*,
    provider::{Call, Failure},
    whatsapp,
};

/// Larger files are refused while they arrive: WhatsApp's own limit for documents, and what fits in a function's memory.
const LARGEST: usize = 100_000_000;

/// Of what comes as text in one answer, which is held twice.
const LARGEST_ENCODED: usize = 60_000_000;

/// No row when the file's message was taken back: nobody sees it any more.
pub const PENDING_FILE: &str = "select name, status, mime_type, provider_id from files where id = $1";

/// The file is here, and waits for the scanner where there is one. Changes nothing when its message was taken back meanwhile: its copy goes.
pub const ARRIVED: &str = concat!(
    "with ",
    kept_copy!("$1", "$2"),
    "
    update files
       set status = $9, storage_key = kept.storage_key, mime_type = $3, size = $4, sha256 = $5, width = $6, height = $7,
           duration_ms = $8, completed_at = now()
      from kept
     where files.id = kept.id"
);

pub const FAILED: &str = "update files set status = 'failed', failure = $2 where id = $1 and status = 'pending'";

/// A file that was given up.
pub const AWAIT_AGAIN: &str = "
    update files set status = 'pending', failure = null
     where id = $1 and status = 'failed' and failure is distinct from 'infected'";

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
    pub name: String,
    pub status: String,
    /// As WhatsApp declared it.
    pub mime_type: String,
    pub provider_id: Option<String>,
}

/// A fetched file with what its content says of itself.
#[derive(Debug)]
pub struct Fetched {
    pub bytes: Bytes,
    pub mime_type: &'static str,
    pub size: i64,
    pub sha256: Vec<u8>,
    pub width: Option<i32>,
    pub height: Option<i32>,
    pub duration_ms: Option<i32>,
}

/// Looks the address up and downloads from it, or has the server read the file.
pub async fn download(context: &Context, carrier: &Carrier, file: &PendingFile) -> (Result<Bytes, Failure>, Vec<Call>) {
    let media_id = file.provider_id.as_deref().unwrap_or_default();
    let account = match carrier {
        Carrier::Cloud(account) => account,
        // It tells of no files.
        Carrier::BotConversa(_) => {
            let detail = "O BotConversa não entrega arquivos.".to_owned();
            return (Err(Failure::Refused { code: "no_files".into(), detail }), Vec::new());
        }
        Carrier::Evolution(instance) => {
            let (bytes, call) =
                evolution::fetch_media(context, instance.server(), &instance.name, media_id, LARGEST_ENCODED).await;
            return (bytes, vec![call]);
        }
    };
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

/// What the content is. One that is not of an accepted type of its kind, carries programs, or has another type's name, is kept but
/// only ever offered as a download.
pub fn inspect(bytes: Bytes, file: &PendingFile) -> Fetched {
    let facts = files::examine(&mut Cursor::new(&bytes), &file.mime_type).ok();
    let facts = facts.filter(|facts| facts.file_type.takes_name(&file.name));
    let (width, height) = facts.and_then(|facts| facts.size).unzip();
    Fetched {
        mime_type: facts.map_or("application/octet-stream", |facts| facts.file_type.mime_type),
        size: i64::try_from(bytes.len()).unwrap_or(i64::MAX),
        sha256: crypto::sha256(&bytes),
        width,
        height,
        duration_ms: facts.and_then(|facts| facts.duration_ms),
        bytes,
    }
}
