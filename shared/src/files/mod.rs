//! The bucket of files: who may put what where, what an object really is, and reading it back.

mod kind;
mod media;
mod name;
mod upload;

use std::time::Duration;

use aws_sdk_s3::{
    operation::{get_object::GetObjectError, head_object::HeadObjectError},
    presigning::PresigningConfig,
    primitives::ByteStream,
};
use bytes::Bytes;
use uuid::Uuid;

pub use kind::{FileType, Kind, accepted, has_refused_extension, sniff};
pub use media::{audio_duration, image_size};
pub use name::{clean_name, content_disposition};
pub use upload::{Upload, presigned_upload};

use crate::{
    context::Context,
    error::{Error, UNAVAILABLE},
    settings::variable,
};

/// How long a download URL works.
const DOWNLOAD_LIFE: Duration = Duration::from_mins(5);

/// First bytes of an object that are enough to tell what it is and how large a picture is.
pub const PREFIX: u64 = 256 * 1024;

/// What is known of an object without reading it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Head {
    pub size: u64,
    pub mime_type: Option<String>,
}

/// The key of a file's object. Nothing a person typed is part of it.
#[must_use]
pub fn key(company_id: Uuid, file_id: Uuid) -> String {
    format!("company/{company_id}/{file_id}")
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
pub async fn presigned_download(
    context: &Context,
    key: &str,
    name: &str,
    mime_type: &str,
    inline: bool,
) -> Result<String, Error> {
    let get = context
        .aws()
        .files()
        .get_object()
        .bucket(bucket())
        .key(key)
        .response_content_disposition(content_disposition(name, inline))
        .response_content_type(mime_type);
    let config = PresigningConfig::builder().start_time(context.now().into()).expires_in(DOWNLOAD_LIFE).build();
    let config = config.map_err(|error| unavailable(&error))?;
    let request = get.presigned(config).await.map_err(|error| unavailable(&error))?;
    Ok(request.uri().to_owned())
}

/// Writes an object.
///
/// # Errors
/// 503 when S3 does not take it.
pub async fn put(context: &Context, key: &str, mime_type: &str, bytes: Bytes) -> Result<(), Error> {
    let put = context.aws().files().put_object().bucket(bucket()).key(key).content_type(mime_type);
    put.body(ByteStream::from(bytes)).send().await.map_err(|error| unavailable(&error))?;
    Ok(())
}

/// Size and type of an object; `None` without one.
///
/// # Errors
/// 503 when S3 does not answer.
pub async fn head(context: &Context, key: &str) -> Result<Option<Head>, Error> {
    match context.aws().files().head_object().bucket(bucket()).key(key).send().await {
        Ok(answer) => {
            let size = answer.content_length.and_then(|size| u64::try_from(size).ok()).unwrap_or_default();
            Ok(Some(Head { size, mime_type: answer.content_type }))
        }
        Err(error) if error.as_service_error().is_some_and(HeadObjectError::is_not_found) => Ok(None),
        Err(error) => Err(unavailable(&error)),
    }
}

/// A whole object; `None` without one. The caller knows that it fits in memory.
///
/// # Errors
/// 503 when S3 does not answer.
pub async fn get(context: &Context, key: &str) -> Result<Option<Bytes>, Error> {
    read(context, key, None).await
}

/// The first `length` bytes of an object that is not empty; `None` without one.
///
/// # Errors
/// 503 when S3 does not answer.
pub async fn get_prefix(context: &Context, key: &str, length: u64) -> Result<Option<Bytes>, Error> {
    read(context, key, Some(format!("bytes=0-{}", length.saturating_sub(1)))).await
}

async fn read(context: &Context, key: &str, range: Option<String>) -> Result<Option<Bytes>, Error> {
    let get = context.aws().files().get_object().bucket(bucket()).key(key).set_range(range);
    let answer = match get.send().await {
        Ok(answer) => answer,
        Err(error) if error.as_service_error().is_some_and(GetObjectError::is_no_such_key) => return Ok(None),
        Err(error) => return Err(unavailable(&error)),
    };
    let body = answer.body.collect().await.map_err(|error| unavailable(&error))?;
    Ok(Some(body.into_bytes()))
}

/// Removes an object, if it is there.
///
/// # Errors
/// 503 when S3 does not answer.
pub async fn delete(context: &Context, key: &str) -> Result<(), Error> {
    let delete = context.aws().files().delete_object().bucket(bucket()).key(key);
    delete.send().await.map_err(|error| unavailable(&error))?;
    Ok(())
}
