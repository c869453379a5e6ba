//! Worker of the preparation queue — has a file judged by the virus scanner, makes smaller pictures of a picture, and the waveform of a voice note.

use std::io::{Read, Seek};

use bytes::Bytes;
use files::{Pictures, pictures, scan_file, tell_messages, waveform};
use shared::{
    error::UNAVAILABLE,
    files::{REMOVE_UNLESS_KEPT, fetch, kept_key, put, quietly},
    parameters,
    prelude::*,
};

reads!(VIRUS_SCAN_URL);

#[derive(Deserialize)]
struct PrepareFile {
    file_id: Uuid,
}

#[derive(FromRow)]
struct Stored {
    storage_key: String,
    mime_type: String,
    size: i64,
    width: Option<i32>,
}

/// No row when its message was taken back, or it has been prepared.
const UNPREPARED: &str =
    "select storage_key, mime_type, size, width from files where id = $1 and status = 'ready' and prepared_at is null";

/// One that was given up.
const PREPARE_AGAIN: &str = "
    update files set prepared_at = null
     where id = $1 and thumb_key is null and poster_key is null and waveform is null";

/// Once, however many workers have tried: what the others made goes.
const PREPARED: &str = "
    with awaited as (
        select id from files where id = $1 and status = 'ready' and prepared_at is null for update
    ), kept as (
        delete from object_removals
         using awaited
         where object_removals.storage_key in ($2, $3) and begun_at is null
        returning object_removals.storage_key
    )
    update files
       set prepared_at = now(), width = coalesce($4, width), height = coalesce($5, height), waveform = $6,
           thumb_key = (select storage_key from kept where storage_key = $2),
           poster_key = (select storage_key from kept where storage_key = $3),
           preview_type = case when exists (select from kept) then $7 end
      from awaited
     where files.id = awaited.id
    returning files.id";

const GIVEN_UP: &str = "update files set prepared_at = now() where id = $1 and prepared_at is null";

pub fn main() {
    serve_worker(Queue::Preparation, Privilege::Files, prepare_file, give_up);
}

async fn prepare_file(context: Context, job: Claimed) -> Result<Outcome, Error> {
    if job.kind == "scan_file" { scan_file(&context, &job).await } else { prepare(context, job).await }
}

async fn prepare(context: Context, job: Claimed) -> Result<Outcome, Error> {
    let PrepareFile { file_id } = job.read()?;
    let transaction = context.begin_system(job.company_id).await?;
    if job.is_retried() {
        transaction.execute(PREPARE_AGAIN, &[&file_id]).await?;
    }
    let stored: Option<Stored> = transaction.first(UNPREPARED, &[&file_id]).await?;
    let Some(stored) = stored else {
        job.finish(&transaction);
        transaction.commit_quietly().await?;
        return Ok(Outcome::Done);
    };
    // Of this attempt alone, and named before they are made.
    let [thumb, poster] = [(); 2].map(|()| kept_key(job.company_id, file_id, context.new_id()));
    for key in [&thumb, &poster] {
        transaction.defer(REMOVE_UNLESS_KEPT, parameters![key.clone()]);
    }
    transaction.commit_quietly().await?;
    let content = fetch(&context, &stored.storage_key, stored.size.unsigned_abs()).await?.ok_or(UNAVAILABLE)?.content;
    let Made { pictures, waveform } = make(content, &stored.mime_type);
    let mime_type = pictures.as_ref().map(|pictures| pictures.mime_type);
    let (width, height) = pictures.as_ref().map(|pictures| pictures.size).unzip();
    let (small, large) = pictures.map_or((None, None), |pictures| (pictures.thumb, pictures.poster));
    let mut kept = [None, None];
    for (place, (key, bytes)) in [(&thumb, small), (&poster, large)].into_iter().enumerate() {
        if let Some(bytes) = bytes {
            put(&context, key, "application/octet-stream", Bytes::from(bytes)).await?;
            kept[place] = Some(key);
        }
    }
    let transaction = context.begin_system(job.company_id).await?;
    let recorded = transaction.query(PREPARED, &[&file_id, &kept[0], &kept[1], &width, &height, &waveform, &mime_type]).await?;
    let is_first = !recorded.is_empty();
    let is_seen = kept != [None, None] || waveform.is_some() || width.is_some_and(|width| stored.width != Some(width));
    if is_first && is_seen {
        tell_messages(&transaction, file_id).await?;
    }
    job.finish(&transaction);
    transaction.commit_quietly().await?;
    Ok(Outcome::Done)
}

#[derive(Default)]
struct Made {
    pictures: Option<Pictures>,
    waveform: Option<Vec<i16>>,
}

fn make<R: Read + Seek>(content: R, mime_type: &str) -> Made {
    match mime_type {
        "audio/ogg" => Made { waveform: quietly(|| waveform(content)), ..Made::default() },
        _ => Made { pictures: quietly(|| pictures(content, mime_type)), ..Made::default() },
    }
}

/// The file is as good without what is made of it. What nobody has judged waits on: for whoever has the job done again.
async fn give_up(job: Claimed, transaction: Transaction) -> Result<(), Error> {
    if job.kind != "scan_file" {
        let PrepareFile { file_id } = job.read()?;
        transaction.execute(GIVEN_UP, &[&file_id]).await?;
    }
    transaction.commit_quietly().await
}
