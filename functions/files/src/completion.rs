//! The end of an upload: the copy that is checked, and what is recorded of it.

use std::io::{Cursor, Read, Seek};

use bytes::Bytes;

use shared::{
    crypto,
    error::UNAVAILABLE,
    files::{self, Facts, Refusal, arrived, clean_name, next_job, quietly},
    kept_copy,
    prelude::*,
};

use crate::{File, NO_VOICE_NOTE, Purpose, SIZE_MISMATCH, TYPE_MISMATCH, UNSAFE_CONTENT, sound};

/// The row of a file that is to come. None when the conversation is out of the caller's sight.
pub const ANNOUNCE: &str = "
    insert into files (id, conversation_id, uploaded_by, name, mime_type, size, storage_key, purpose)
    select $1, $2, app.user_id(), $3, $4, $5, $6, $7
     where $2::uuid is null or exists (select from conversations where id = $2)
    returning *";

/// Only whoever uploads a file completes it: one that WhatsApp sends is completed by its own worker.
pub const FIND_OWN: &str = "select * from files where id = $1 and uploaded_by = app.user_id()";

/// What was uploaded goes when its form can write it no more.
const COMPLETE: &str = concat!(
    "with ",
    kept_copy!("$1", "$2"),
    ", upload as (
        insert into object_removals (storage_key, due_at)
        select incoming_key, now() + interval '15 minutes' from kept
        on conflict do nothing
    )
    update files
       set status = $10, storage_key = kept.storage_key, mime_type = $3, sha256 = $4, width = $5, height = $6,
           duration_ms = $7, size = $8, name = $9, completed_at = now()
      from kept
     where files.id = kept.id
    returning files.*"
);

/// The copy goes as every copy that is not kept.
const REFUSE: &str = "
    with refused as (
        update files
           set status = 'failed', failure = $2, completed_at = now()
         where id = $1 and status = 'pending'
        returning *
    ), upload as (
        insert into object_removals (storage_key, due_at)
        select storage_key, now() + interval '15 minutes' from refused
        on conflict do nothing
    )
    select * from refused";

/// A copy that is what was announced.
#[derive(Debug)]
pub struct Checked {
    pub facts: Facts,
    pub sha256: Vec<u8>,
    pub size: i64,
    pub name: String,
    /// What is kept in the copy's place.
    pub instead: Option<Bytes>,
}

/// Looks at the copy of a pending file: what it is, or why it is refused.
///
/// # Errors
/// 503 when S3 does not answer.
pub async fn check_copy(context: &Context, file: &File, kept_key: &str) -> Result<Result<Checked, Problem>, Error> {
    let announced = file.size.unsigned_abs();
    let mut copy = files::fetch(context, kept_key, announced).await?.ok_or(UNAVAILABLE)?;
    if copy.size != announced {
        return Ok(Err(SIZE_MISMATCH));
    }
    let judged = judge(&mut copy.content, copy.size, &file.mime_type);
    Ok(judged.and_then(|facts| {
        let checked = Checked { facts, sha256: copy.sha256, size: file.size, name: file.name.clone(), instead: None };
        voice_note(checked, &mut copy.content, file.purpose)
    }))
}

/// A recording of a browser that is to be sent becomes the OGG/Opus that WhatsApp takes, without loss.
///
/// # Errors
/// When there is something else in it.
pub fn voice_note<R: Read + Seek>(checked: Checked, content: &mut R, purpose: Purpose) -> Result<Checked, Problem> {
    if checked.facts.file_type.mime_type != "audio/webm" || purpose != Purpose::Message {
        return Ok(checked);
    }
    let ogg = quietly(|| {
        content.rewind().ok()?;
        sound::ogg_of_webm(content)
    });
    let ogg = Bytes::from(ogg.ok_or(NO_VOICE_NOTE)?);
    let facts = judge(&mut Cursor::new(&ogg), ogg.len() as u64, "audio/ogg")?;
    let stem = checked.name.rsplit_once('.').map_or(checked.name.as_str(), |(stem, _)| stem);
    let (name, size) = (clean_name(&format!("{stem}.ogg")), i64::try_from(ogg.len()).unwrap_or(i64::MAX));
    Ok(Checked { facts, sha256: crypto::sha256(&ogg), size, name, instead: Some(ogg) })
}

/// What a file of `size` bytes is, given what was declared.
///
/// # Errors
/// What speaks against it.
pub fn judge<R: Read + Seek>(content: &mut R, size: u64, declared: &str) -> Result<Facts, Problem> {
    let facts = files::examine(content, declared).map_err(|refusal| match refusal {
        Refusal::OtherType => TYPE_MISMATCH,
        Refusal::Programs => UNSAFE_CONTENT,
    })?;
    if size > facts.file_type.kind.largest() { Err(TYPE_MISMATCH) } else { Ok(facts) }
}

/// Writes the outcome, unless another request has meanwhile.
///
/// # Errors
/// As every transaction.
pub async fn record(
    context: &Context,
    caller: &Identity,
    id: Uuid,
    copy: &str,
    checked: Result<Checked, Problem>,
) -> Result<File, Error> {
    let transaction = context.begin(caller).await?;
    let recorded: Option<File> = match &checked {
        Ok(Checked { facts, sha256, size, name, .. }) => {
            let (width, height) = facts.size.unzip();
            let (status, mime_type) = (arrived(), facts.file_type.mime_type);
            let duration = &facts.duration_ms;
            let complete = transaction
                .first(COMPLETE, &[&id, &copy, &mime_type, sha256, &width, &height, duration, size, name, &status.as_str()])
                .await?;
            if let (Some(kind), true) = (next_job(status, mime_type), complete.is_some()) {
                let payload = json!({"file_id": id});
                transaction.enqueue(Job::new(context, Queue::Preparation, kind, format!("file:{id}"), payload));
            }
            complete
        }
        Err(problem) => transaction.first(REFUSE, &[&id, &problem.code]).await?,
    };
    let file = match recorded {
        Some(file) => file,
        None => transaction.one(FIND_OWN, &[&id]).await?,
    };
    transaction.audit(format!("file:{id}"), &Value::Null, &json!({"status": file.status, "failure": file.failure}));
    transaction.commit_quietly().await?;
    Ok(file)
}

#[cfg(test)]
mod tests {
    use std::io::Cursor;

    use super::*;

    fn judged(bytes: &[u8], size: u64, declared: &str) -> Result<Facts, Problem> {
        judge(&mut Cursor::new(bytes), size, declared)
    }

    #[test]
    fn a_picture_is_measured_and_its_own_type_kept() {
        let png = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\x01\0\0\0\0\x80\x08\x06\0\0\0";
        let facts = judged(png, 29, "image/jpeg").unwrap();
        assert_eq!((facts.file_type.mime_type, facts.size), ("image/png", Some((256, 128))));
    }

    #[test]
    fn a_sticker_is_not_let_in_as_a_larger_picture() {
        let webp = b"RIFF\0\0\0\0WEBPVP8 ";
        assert_eq!(judged(webp, 500 * 1024, "image/png").unwrap().file_type.mime_type, "image/webp");
        assert_eq!(judged(webp, 4_000_000, "image/png").unwrap_err(), TYPE_MISMATCH);
    }

    #[test]
    fn a_program_named_as_a_picture_is_refused() {
        assert_eq!(judged(b"MZ\x90\0\x03\0\0\0", 8, "image/png").unwrap_err(), TYPE_MISMATCH);
    }
}
