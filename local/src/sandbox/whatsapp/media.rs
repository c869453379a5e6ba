//! Media: uploaded by the business or sent by a person, looked up, downloaded, deleted.

use std::sync::Arc;

use axum::{
    extract::{Multipart, Path, Query, State},
    http::{HeaderMap, StatusCode},
    response::Response,
};
use bytes::Bytes;
use jiff::{SignedDuration, Timestamp};
use ring::digest;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::{
    GraphPath, Sandbox, admit,
    errors::{GraphError, failure},
    new_numeric_id,
};
use crate::sandbox::{
    calls::{Answer, Call},
    faults::Target,
};

/// A stored file.
#[derive(Clone, Debug, Serialize)]
pub struct Media {
    pub id: String,
    pub phone_number_id: String,
    pub mime_type: String,
    #[serde(skip)]
    pub bytes: Bytes,
    /// Addresses handed out: the last part of the path, and until when it works.
    #[serde(skip)]
    pub links: Vec<(String, Timestamp)>,
}

/// What a file can be sent as.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Audio,
    Document,
    Image,
    Sticker,
    Video,
}

const ACCEPTED: [(&str, Kind); 19] = [
    ("audio/aac", Kind::Audio),
    ("audio/amr", Kind::Audio),
    ("audio/mpeg", Kind::Audio),
    ("audio/mp4", Kind::Audio),
    ("audio/ogg", Kind::Audio),
    ("image/jpeg", Kind::Image),
    ("image/png", Kind::Image),
    ("image/webp", Kind::Sticker),
    ("video/mp4", Kind::Video),
    ("video/3gp", Kind::Video),
    ("video/3gpp", Kind::Video),
    ("text/plain", Kind::Document),
    ("application/pdf", Kind::Document),
    ("application/msword", Kind::Document),
    ("application/vnd.ms-excel", Kind::Document),
    ("application/vnd.ms-powerpoint", Kind::Document),
    ("application/vnd.openxmlformats-officedocument.wordprocessingml.document", Kind::Document),
    ("application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", Kind::Document),
    ("application/vnd.openxmlformats-officedocument.presentationml.presentation", Kind::Document),
];

impl Kind {
    /// `None` for what WhatsApp does not take. Parameters such as `; codecs=opus` are ignored.
    pub(super) fn of(mime_type: &str) -> Option<Self> {
        let plain = mime_type.split(';').next().unwrap_or_default().trim();
        ACCEPTED.iter().find(|(accepted, _)| *accepted == plain).map(|(_, kind)| *kind)
    }

    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Audio => "audio",
            Self::Document => "document",
            Self::Image => "image",
            Self::Sticker => "sticker",
            Self::Video => "video",
        }
    }

    /// Bytes.
    fn most(self) -> usize {
        match self {
            Self::Audio | Self::Video => 16 << 20,
            Self::Document => 100 << 20,
            Self::Image => 5 << 20,
            Self::Sticker => 500 << 10,
        }
    }
}

impl Sandbox {
    pub(super) fn store_media(&self, number: &str, mime_type: &str, bytes: Bytes) -> Media {
        let media = Media {
            id: new_numeric_id(),
            phone_number_id: number.to_owned(),
            mime_type: mime_type.to_owned(),
            bytes,
            links: Vec::new(),
        };
        self.whatsapp.media.push(media.clone());
        media
    }

    /// A new address of the file, good for the number's `media_url_seconds`.
    pub(super) fn link_media(&self, media: &Media) -> String {
        let seconds = self.whatsapp.settings(&media.phone_number_id).media_url_seconds;
        let until = Timestamp::now() + SignedDuration::from_secs(seconds);
        let token = uuid::Uuid::new_v4().simple().to_string();
        let url = format!("{}/graph-media/{token}", self.options.public_url);
        self.whatsapp.media.change(|stored| stored.id == media.id, |stored| stored.links.push((token, until)));
        url
    }

    /// What `GET /{media_id}` answers.
    pub(super) fn describe_media(&self, media: &Media) -> Value {
        json!({
            "messaging_product": "whatsapp",
            "url": self.link_media(media),
            "mime_type": media.mime_type,
            "sha256": hex::encode(sha256(&media.bytes)),
            "file_size": media.bytes.len(),
            "id": media.id,
        })
    }

    pub(super) fn media(&self, id: &str) -> Option<Media> {
        self.whatsapp.media.find(|media| media.id == id)
    }
}

pub(super) fn sha256(bytes: &[u8]) -> digest::Digest {
    digest::digest(&digest::SHA256, bytes)
}

#[derive(Default)]
struct Upload {
    file: Option<(Option<String>, Bytes)>,
    mime_type: Option<String>,
    product: Option<String>,
}

/// `POST /{phone_number_id}/media`
pub(super) async fn upload(
    State(sandbox): State<Arc<Sandbox>>,
    Path((version, phone_number_id)): GraphPath,
    headers: HeaderMap,
    form: Result<Multipart, axum::extract::multipart::MultipartRejection>,
) -> Response {
    let path = format!("/{version}/{phone_number_id}/media");
    let mut call = Call::new(Target::Media, "POST", path, &headers);
    call.phone_number_id = Some(phone_number_id.clone());
    let admitted = admit(&call, &version);
    let upload = match form {
        Ok(form) => read_form(form).await,
        Err(error) => Err(GraphError::invalid(error.to_string())),
    };
    if let Ok(upload) = &upload {
        call.request = json!({
            "type": upload.mime_type,
            "messaging_product": upload.product,
            "file_size": upload.file.as_ref().map(|(_, bytes)| bytes.len()),
        });
    }
    let work = || {
        let stored = admitted.and(upload).and_then(|upload| {
            let (mime_type, bytes) = check_upload(upload)?;
            Ok(sandbox.store_media(&phone_number_id, &mime_type, bytes))
        });
        match stored {
            Ok(media) => Answer::ok(json!({"id": media.id})),
            Err(error) => error.answer(),
        }
    };
    sandbox.perform(call, failure, work).await
}

async fn read_form(mut form: Multipart) -> Result<Upload, GraphError> {
    let broken =
        |error: axum::extract::multipart::MultipartError| GraphError::invalid(format!("Invalid multipart body: {error}"));
    let mut upload = Upload::default();
    while let Some(field) = form.next_field().await.map_err(broken)? {
        match field.name() {
            Some("file") => {
                let mime_type = field.content_type().map(str::to_owned);
                upload.file = Some((mime_type, field.bytes().await.map_err(broken)?));
            }
            Some("type") => upload.mime_type = Some(field.text().await.map_err(broken)?),
            Some("messaging_product") => {
                upload.product = Some(field.text().await.map_err(broken)?);
            }
            _ => {}
        }
    }
    Ok(upload)
}

fn check_upload(upload: Upload) -> Result<(String, Bytes), GraphError> {
    if upload.product.as_deref() != Some("whatsapp") {
        return Err(GraphError::invalid("The parameter messaging_product is required."));
    }
    let (file_type, bytes) = upload.file.ok_or_else(|| GraphError::invalid("The parameter file is required."))?;
    let mime_type = upload.mime_type.or(file_type).ok_or_else(|| GraphError::invalid("The parameter type is required."))?;
    let Some(kind) = Kind::of(&mime_type) else {
        let accepted: Vec<&str> = ACCEPTED.iter().map(|(accepted, _)| *accepted).collect();
        return Err(GraphError::invalid(format!(
            "Param file must be a file with one of the following types: {}. Received file of type \
             '{mime_type}'.",
            accepted.join(", ")
        )));
    };
    if bytes.is_empty() || bytes.len() > kind.most() {
        let details = format!("The size of the {} must be 1 to {} bytes.", kind.name(), kind.most());
        return Err(GraphError::new(131_053, details));
    }
    Ok((mime_type, bytes))
}

#[derive(Deserialize)]
pub(super) struct Owner {
    phone_number_id: Option<String>,
}

/// `DELETE /{media_id}`
pub(super) async fn delete(
    State(sandbox): State<Arc<Sandbox>>,
    Path((version, id)): GraphPath,
    Query(owner): Query<Owner>,
    headers: HeaderMap,
) -> Response {
    let mut call = Call::new(Target::Media, "DELETE", format!("/{version}/{id}"), &headers);
    let media = sandbox.media(&id);
    call.phone_number_id = media.as_ref().map(|media| media.phone_number_id.clone()).or(owner.phone_number_id.clone());
    let admitted = admit(&call, &version);
    let work = || {
        let found = media.filter(|media| owner.phone_number_id.is_none_or(|number| number == media.phone_number_id));
        match (admitted, found) {
            (Err(error), _) => error.answer(),
            (Ok(()), None) => GraphError::unknown_object("delete", &id).answer(),
            (Ok(()), Some(_)) => {
                sandbox.whatsapp.media.remove(|media| media.id == id);
                Answer::ok(json!({"success": true}))
            }
        }
    };
    sandbox.perform(call, failure, work).await
}

/// `GET /graph-media/{token}`
pub(super) async fn download(State(sandbox): State<Arc<Sandbox>>, Path(token): Path<String>, headers: HeaderMap) -> Response {
    let mut call = Call::new(Target::Media, "GET", format!("/graph-media/{token}"), &headers);
    let holds = |media: &Media| media.links.iter().any(|(link, _)| *link == token);
    let media = sandbox.whatsapp.media.find(holds);
    call.phone_number_id = media.as_ref().map(|media| media.phone_number_id.clone());
    let admitted = admit(&call, "v0.0");
    let work = || {
        let live = media.filter(|media| media.links.iter().any(|(link, until)| *link == token && Timestamp::now() < *until));
        match (admitted, live) {
            (Err(error), _) => error.answer(),
            (Ok(()), None) => Answer::raw(StatusCode::NOT_FOUND, "text/plain", "URL signature expired".into()),
            (Ok(()), Some(media)) => Answer::raw(StatusCode::OK, &media.mime_type, media.bytes),
        }
    };
    sandbox.perform(call, failure, work).await
}
