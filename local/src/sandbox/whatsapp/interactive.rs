//! What Meta accepts in an interactive message.

use std::collections::HashSet;

use super::{
    WhatsApp,
    errors::GraphError,
    media_parameter::check_media,
    parameter::{LONG, Parameter},
};

const MOST_ROWS: usize = 10;

pub(super) fn check(whatsapp: &WhatsApp, interactive: &Parameter) -> Result<(), GraphError> {
    interactive.only(&["type", "header", "body", "footer", "action"])?;
    let kind = interactive.one_of("type", &["button", "list", "cta_url"])?;
    let body = interactive.object("body")?;
    body.only(&["text"])?;
    body.text("text", if kind == "list" { 4096 } else { 1024 })?;
    if interactive.get("footer").is_some() {
        let footer = interactive.object("footer")?;
        footer.only(&["text"])?;
        footer.text("text", 60)?;
    }
    if interactive.get("header").is_some() {
        check_header(whatsapp, &interactive.object("header")?, kind)?;
    }
    let action = interactive.object("action")?;
    match kind {
        "button" => check_buttons(&action),
        "list" => check_list(&action),
        _ => check_link(&action),
    }
}

fn check_header(whatsapp: &WhatsApp, header: &Parameter, kind: &str) -> Result<(), GraphError> {
    let allowed: &[&str] = if kind == "button" { &["text", "image", "video", "document"] } else { &["text"] };
    let format = header.one_of("type", allowed)?;
    header.only(&["type", format])?;
    if format == "text" { header.text("text", 60).map(drop) } else { check_media(whatsapp, &header.object(format)?, format) }
}

fn check_buttons(action: &Parameter) -> Result<(), GraphError> {
    action.only(&["buttons"])?;
    let (mut ids, mut titles) = (HashSet::new(), HashSet::new());
    for button in action.list("buttons", 3)? {
        button.only(&["type", "reply"])?;
        button.one_of("type", &["reply"])?;
        let reply = button.object("reply")?;
        reply.only(&["id", "title"])?;
        let id = reply.text("id", 256)?;
        if id.trim() != id {
            return Err(reply.require("id")?.must("not start or end with a space."));
        }
        if !ids.insert(id) {
            return Err(reply.require("id")?.must("be unique."));
        }
        if !titles.insert(reply.text("title", 20)?) {
            return Err(reply.require("title")?.must("be unique."));
        }
    }
    Ok(())
}

fn check_list(action: &Parameter) -> Result<(), GraphError> {
    action.only(&["button", "sections"])?;
    action.text("button", 20)?;
    let sections = action.list("sections", 10)?;
    let mut ids = HashSet::new();
    for section in &sections {
        section.only(&["title", "rows"])?;
        if sections.len() > 1 {
            section.text("title", 24)?;
        }
        section.optional_text("title", 24)?;
        for row in section.list("rows", MOST_ROWS)? {
            row.only(&["id", "title", "description"])?;
            row.text("title", 24)?;
            row.optional_text("description", 72)?;
            if !ids.insert(row.text("id", 200)?) {
                return Err(row.require("id")?.must("be unique."));
            }
        }
    }
    if ids.len() > MOST_ROWS {
        let details = format!("Total row count exceed max allowed count: {MOST_ROWS}");
        return Err(GraphError::new(131_009, details));
    }
    Ok(())
}

fn check_link(action: &Parameter) -> Result<(), GraphError> {
    action.only(&["name", "parameters"])?;
    action.one_of("name", &["cta_url"])?;
    let parameters = action.object("parameters")?;
    parameters.only(&["display_text", "url"])?;
    parameters.text("display_text", 20)?;
    let url = parameters.text("url", LONG)?;
    if url::Url::parse(url).is_ok_and(|url| matches!(url.scheme(), "http" | "https")) {
        Ok(())
    } else {
        Err(parameters.require("url")?.must("be a valid URI."))
    }
}
