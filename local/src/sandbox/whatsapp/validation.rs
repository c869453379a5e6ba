//! What Meta accepts in a message, by type.

use super::{
    WhatsApp,
    errors::GraphError,
    interactive,
    media_parameter::check_media,
    parameter::{LONG, Parameter},
    template_message,
};

const TYPES: [&str; 11] =
    ["audio", "contacts", "document", "image", "interactive", "location", "reaction", "sticker", "template", "text", "video"];

/// The recipient as the caller wrote it: `to` wins over `recipient`.
pub(super) fn recipient<'a>(root: &Parameter<'a>) -> Result<&'a str, GraphError> {
    if root.get("to").is_none() && root.get("recipient").is_some() {
        let id = root.text("recipient", 140)?;
        let shaped = id.split_once('.').is_some_and(|(country, rest)| {
            country.len() == 2
                && country.bytes().all(|byte| byte.is_ascii_uppercase())
                && !rest.is_empty()
                && rest.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'.')
        });
        return if shaped { Ok(id) } else { Err(GraphError::new(131_009, "Recipient is not a valid business-scoped user ID.")) };
    }
    let to = root.text("to", 32)?;
    let digits = to.strip_prefix('+').unwrap_or(to);
    if (8..=15).contains(&digits.len()) && digits.bytes().all(|byte| byte.is_ascii_digit()) {
        Ok(to)
    } else {
        Err(GraphError::invalid("Param to is not a valid phone number."))
    }
}

/// Everything but the recipient.
pub(super) fn check_message(whatsapp: &WhatsApp, phone_number_id: &str, root: &Parameter) -> Result<(), GraphError> {
    let kind = if root.get("type").is_some() { root.one_of("type", &TYPES)? } else { "text" };
    let mut known = vec![
        "messaging_product",
        "recipient_type",
        "to",
        "recipient",
        "type",
        "context",
        "biz_opaque_callback_data",
        "recipient_identity_key_hash",
    ];
    known.push(kind);
    root.only(&known)?;
    if root.get("recipient_type").is_some() {
        root.one_of("recipient_type", &["individual", "group"])?;
    }
    root.optional_text("biz_opaque_callback_data", 512)?;
    if root.get("context").is_some() {
        let context = root.object("context")?;
        context.only(&["message_id"])?;
        context.text("message_id", 512)?;
        if kind == "reaction" {
            return Err(GraphError::new(131_009, "Context is not allowed with type reaction."));
        }
    }
    if kind == "contacts" {
        return check_contacts(root);
    }
    let content = root.object(kind)?;
    match kind {
        "text" => check_text(&content),
        "location" => check_location(&content),
        "reaction" => check_reaction(&content),
        "interactive" => interactive::check(whatsapp, &content),
        "template" => template_message::check(whatsapp, phone_number_id, root, &content),
        _ => check_media(whatsapp, &content, kind),
    }
}

fn check_text(text: &Parameter) -> Result<(), GraphError> {
    text.only(&["body", "preview_url"])?;
    text.text("body", 4096)?;
    text.optional_flag("preview_url").map(drop)
}

fn check_location(location: &Parameter) -> Result<(), GraphError> {
    location.only(&["latitude", "longitude", "name", "address"])?;
    let within = |key, most: f64| match location.number(key)? {
        degrees if degrees.abs() <= most => Ok(()),
        _ => Err(GraphError::new(131_009, format!("Location {key} is out of range."))),
    };
    within("latitude", 90.0)?;
    within("longitude", 180.0)?;
    location.optional_text("name", LONG)?;
    location.optional_text("address", LONG).map(drop)
}

fn check_contacts(root: &Parameter) -> Result<(), GraphError> {
    for contact in root.list("contacts", 257)? {
        let name = contact.object("name")?;
        name.text("formatted_name", LONG)?;
        let parts = ["first_name", "last_name", "middle_name", "suffix", "prefix"];
        if !parts.iter().any(|part| name.get(part).is_some()) {
            return Err(GraphError::new(131_009, "A contact's name needs one part of the name."));
        }
    }
    Ok(())
}

fn check_reaction(reaction: &Parameter) -> Result<(), GraphError> {
    reaction.only(&["message_id", "emoji"])?;
    reaction.text("message_id", 512)?;
    let emoji = reaction.require("emoji")?;
    if emoji.value.as_str().is_some_and(|emoji| emoji.chars().count() <= 16) {
        Ok(())
    } else {
        Err(emoji.must("be a single emoji or an empty string."))
    }
}
