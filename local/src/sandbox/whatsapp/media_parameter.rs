//! What Meta accepts where a message names media.

use super::{
    WhatsApp,
    errors::GraphError,
    media::Kind,
    parameter::{LONG, Parameter},
};

/// An object with `id` or `link`; `kind` is also the name of the message type.
pub(super) fn check_media(whatsapp: &WhatsApp, media: &Parameter, kind: &str) -> Result<(), GraphError> {
    media.only(match kind {
        "document" => &["id", "link", "caption", "filename"],
        "audio" => &["id", "link", "voice"],
        "sticker" => &["id", "link"],
        _ => &["id", "link", "caption"],
    })?;
    media.optional_text("caption", 1024)?;
    media.optional_text("filename", 240)?;
    let voice = media.optional_flag("voice")?;
    match (media.get("id"), media.get("link")) {
        (Some(_), Some(_)) => {
            Err(GraphError::new(131_009, format!("Only one of {0}['id'] and {0}['link'] is allowed.", media.path)))
        }
        (None, None) => Err(GraphError::new(131_008, format!("One of {0}['id'] and {0}['link'] is required.", media.path))),
        (None, Some(link)) => {
            let text = media.text("link", LONG)?;
            let web = url::Url::parse(text).is_ok_and(|url| matches!(url.scheme(), "http" | "https"));
            if web { Ok(()) } else { Err(link.must("be a valid URI.")) }
        }
        (Some(id), None) => {
            media.text("id", 64)?;
            check_stored(whatsapp, &id, kind, voice)
        }
    }
}

fn check_stored(whatsapp: &WhatsApp, id: &Parameter, kind: &str, voice: bool) -> Result<(), GraphError> {
    let stored = whatsapp.media.find(|media| id.value.as_str() == Some(&media.id));
    let Some(stored) = stored else {
        return Err(GraphError::invalid(format!(
            "Param {} is not a valid whatsapp business account media attachment ID",
            id.path
        )));
    };
    if Kind::of(&stored.mime_type).is_none_or(|found| found.name() != kind) {
        return Err(GraphError::new(131_053, format!("Unsupported {kind} mime type {}.", stored.mime_type)));
    }
    if voice && !stored.mime_type.starts_with("audio/ogg") {
        return Err(GraphError::new(131_053, "A voice message must be audio/ogg with opus."));
    }
    Ok(())
}
