//! The bucket of files: who may put what where, what an object really is, and reading it back.
//!
//! An upload goes to a key of its own, which its form can write again until it ends. What is checked, recorded, shown and sent is a copy
//! at another key, that no form can write and that is written once: `keep` and `put`. Until a row names the copy, an
//! `object_removals` row does, so that nothing is left in the bucket that nobody knows of: see `REMOVE_UNLESS_KEPT`.

mod content;
mod kind;
mod media;
mod name;
mod office;
mod scanner;
mod sniff;
mod upload;
mod video;

use std::{
    fs::File,
    io::{Seek, Write},
    time::Duration,
};

use aws_sdk_s3::{
    error::ProvideErrorMetadata, operation::get_object::GetObjectError, presigning::PresigningConfig, primitives::ByteStream,
    types::MetadataDirective,
};
use aws_smithy_types::timeout::TimeoutConfig;
use bytes::Bytes;
use futures_util::future::BoxFuture;
use ring::digest;
use uuid::Uuid;

pub use content::Refusal;
pub use kind::{FileType, Kind, accepted, by_type};
pub use media::quietly;
pub use name::{clean_name, content_disposition};
pub use scanner::{Verdict, arrived, scan, scanner_url};
pub use sniff::{Facts, examine};
pub use upload::{Upload, presigned_upload};

use crate::{
    closed_set,
    context::Context,
    environment::variable,
    error::{Error, Problem, UNAVAILABLE},
};

closed_set! {
    /// Whether a file's content is there: not yet, not before the virus scanner has judged it, for good, or never, for it was refused or
    /// could not be had.
    pub FileStatus { Pending = "pending", Quarantined = "quarantined", Ready = "ready", Failed = "failed" }
}

/// What is to be done with a file waits for the scanner.
pub const QUARANTINED: Problem = Problem::new(
    409,
    "file_quarantined",
    "O arquivo está sendo verificado contra vírus. Tente de novo em instantes.",
    "The file is being checked for viruses. Try again in a moment.",
);

/// What comes next for a file with this content: the kind of its job in the queue of preparation.
#[must_use]
pub fn next_job(status: FileStatus, mime_type: &str) -> Option<&'static str> {
    match status {
        FileStatus::Quarantined => Some("scan_file"),
        FileStatus::Ready => accepted(mime_type).is_some_and(FileType::is_prepared).then_some("prepare_file"),
        FileStatus::Pending | FileStatus::Failed => None,
    }
}

/// How long a download URL works.
const DOWNLOAD_LIFE: Duration = Duration::from_mins(5);

/// How long one works that a provider is given.
const PROVIDER_LIFE: Duration = Duration::from_hours(1);

/// S3 may take this long for a copy of the largest file.
const COPY_WITHIN: Duration = Duration::from_secs(10);

/// Names a copy (key) that is about to be made: it goes in a quarter of an hour, longer than any function runs, unless `kept_copy!`
/// has taken it out by then.
pub const REMOVE_UNLESS_KEPT: &str =
    "insert into object_removals (storage_key, due_at) values ($1, now() + interval '15 minutes')";

/// CTEs for the statement that records a copy: `kept` is a row when the file waits for its content and the copy is still there, and
/// the copy is the file's from then on. Of two that check the same upload at once, the later finds nothing.
#[macro_export]
macro_rules! kept_copy {
    ($file_id:literal, $storage_key:literal) => {
        concat!(
            "awaited as (
        select id, storage_key as incoming_key from files where id = ",
            $file_id,
            " and status = 'pending' for update
    ), kept as (
        delete from object_removals
         using awaited
         where object_removals.storage_key = ",
            $storage_key,
            " and begun_at is null
        returning object_removals.storage_key, awaited.id, awaited.incoming_key
    )"
        )
    };
}

/// An object as it was when it was read: on disk, where it takes no memory, and gone with this value.
#[derive(Debug)]
pub struct Fetched {
    /// From its beginning.
    pub content: File,
    /// Bytes that were read.
    pub size: u64,
    pub sha256: Vec<u8>,
}

/// Where a file is uploaded to: the one key its form can write. Nothing a person typed is part of any key.
#[must_use]
pub fn incoming_key(company_id: Uuid, file_id: Uuid) -> String {
    format!("upload/{company_id}/{file_id}")
}

/// Where a file's content is kept: a key that is written once, by us.
#[must_use]
pub fn kept_key(company_id: Uuid, file_id: Uuid, copy_id: Uuid) -> String {
    format!("company/{company_id}/{file_id}-{copy_id}")
}

fn bucket() -> String {
    variable("FILES_BUCKET")
}

fn unavailable(error: &impl std::fmt::Debug) -> Error {
    UNAVAILABLE.caused_by(format!("{error:?}"))
}

/// A URL to read an object at, for 5 minutes, under `name` and as `mime_type` whatever it was stored as. Nothing is sent to make it.
///
/// # Errors
/// 503 when it cannot be signed.
pub fn presigned_download<'a>(
    context: &'a Context,
    key: &'a str,
    name: &'a str,
    mime_type: &'a str,
    inline: bool,
) -> BoxFuture<'a, Result<String, Error>> {
    presigned(context, key, (name, mime_type), inline, DOWNLOAD_LIFE)
}

/// The same for a provider, which fetches when it comes to it: for an hour.
///
/// # Errors
/// 503 when it cannot be signed.
pub fn presigned_for_provider<'a>(
    context: &'a Context,
    key: &'a str,
    name: &'a str,
    mime_type: &'a str,
) -> BoxFuture<'a, Result<String, Error>> {
    presigned(context, key, (name, mime_type), true, PROVIDER_LIFE)
}

fn presigned<'a>(
    context: &'a Context,
    key: &'a str,
    (name, mime_type): (&'a str, &'a str),
    inline: bool,
    life: Duration,
) -> BoxFuture<'a, Result<String, Error>> {
    Box::pin(async move {
        let get = context
            .aws()
            .files()
            .get_object()
            .bucket(bucket())
            .key(key)
            .response_content_disposition(content_disposition(name, inline))
            .response_content_type(mime_type);
        let config = PresigningConfig::builder().start_time(context.now().into()).expires_in(life).build();
        let config = config.map_err(|error| unavailable(&error))?;
        let request = get.presigned(config).await.map_err(|error| unavailable(&error))?;
        Ok(request.uri().to_owned())
    })
}

/// Writes an object, at a key nothing else is written to.
///
/// # Errors
/// 503 when S3 does not take it.
pub fn put<'a>(context: &'a Context, key: &'a str, mime_type: &'a str, bytes: Bytes) -> BoxFuture<'a, Result<(), Error>> {
    Box::pin(async move {
        let put = context.aws().files().put_object().bucket(bucket()).key(key).content_type(mime_type);
        put.body(ByteStream::from(bytes)).send().await.map_err(|error| unavailable(&error))?;
        Ok(())
    })
}

/// Copies an upload to the key where it is kept; whoever reads it there in some other way can only save it. `false` without an upload.
///
/// # Errors
/// 503 when S3 does not answer.
pub fn keep<'a>(context: &'a Context, incoming_key: &'a str, kept_key: &'a str) -> BoxFuture<'a, Result<bool, Error>> {
    Box::pin(async move {
        let bucket = bucket();
        let copy =
            context.aws().files().copy_object().copy_source(format!("{bucket}/{incoming_key}")).bucket(bucket).key(kept_key);
        let copy = copy.metadata_directive(MetadataDirective::Replace).content_type("application/octet-stream");
        let copy = copy.content_disposition("attachment").customize().config_override(
            aws_sdk_s3::config::Builder::new()
                .timeout_config(TimeoutConfig::builder().operation_attempt_timeout(COPY_WITHIN).build()),
        );
        match copy.send().await {
            Ok(_) => Ok(true),
            Err(error) if error.as_service_error().is_some_and(|error| error.code() == Some("NoSuchKey")) => Ok(false),
            Err(error) => Err(unavailable(&error)),
        }
    })
}

/// A whole object in memory; `None` without one. The caller knows that it fits.
///
/// # Errors
/// 503 when S3 does not answer.
pub fn get<'a>(context: &'a Context, key: &'a str) -> BoxFuture<'a, Result<Option<Bytes>, Error>> {
    Box::pin(async move {
        let Some(body) = read(context, key).await? else { return Ok(None) };
        let bytes = body.collect().await.map_err(|error| unavailable(&error))?;
        Ok(Some(bytes.into_bytes()))
    })
}

/// An object on disk; `None` without one. One of more than `most` bytes is not read to its end.
///
/// # Errors
/// 503 when S3 does not answer or the disk is full.
pub fn fetch<'a>(context: &'a Context, key: &'a str, most: u64) -> BoxFuture<'a, Result<Option<Fetched>, Error>> {
    Box::pin(async move {
        let Some(mut body) = read(context, key).await? else { return Ok(None) };
        let mut content = tempfile::tempfile().map_err(|error| unavailable(&error))?;
        let (mut size, mut hash) = (0, digest::Context::new(&digest::SHA256));
        while let Some(chunk) = body.try_next().await.map_err(|error| unavailable(&error))? {
            size += chunk.len() as u64;
            if size > most {
                break;
            }
            hash.update(&chunk);
            content.write_all(&chunk).map_err(|error| unavailable(&error))?;
        }
        content.rewind().map_err(|error| unavailable(&error))?;
        Ok(Some(Fetched { content, size, sha256: hash.finish().as_ref().to_vec() }))
    })
}

async fn read(context: &Context, key: &str) -> Result<Option<ByteStream>, Error> {
    match context.aws().files().get_object().bucket(bucket()).key(key).send().await {
        Ok(answer) => Ok(Some(answer.body)),
        Err(error) if error.as_service_error().is_some_and(GetObjectError::is_no_such_key) => Ok(None),
        Err(error) => Err(unavailable(&error)),
    }
}

/// Removes an object, if it is there.
///
/// # Errors
/// 503 when S3 does not answer.
pub fn delete<'a>(context: &'a Context, key: &'a str) -> BoxFuture<'a, Result<(), Error>> {
    Box::pin(async move {
        let delete = context.aws().files().delete_object().bucket(bucket()).key(key);
        delete.send().await.map_err(|error| unavailable(&error))?;
        Ok(())
    })
}
