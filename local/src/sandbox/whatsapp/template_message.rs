//! Whether a template message fits the template it names.

use std::collections::BTreeSet;

use serde_json::Value;

use super::{WhatsApp, errors::GraphError, media_parameter::check_media, parameter::Parameter, templates::Template};

pub(super) fn check(whatsapp: &WhatsApp, phone_number_id: &str, root: &Parameter, message: &Parameter) -> Result<(), GraphError> {
    message.only(&["name", "language", "components"])?;
    let name = message.text("name", 512)?;
    let language = message.object("language")?;
    language.only(&["code", "policy"])?;
    let code = language.text("code", 16)?;
    let Some(template) = whatsapp.template(&whatsapp.settings(phone_number_id).waba_id, name, code) else {
        let details = format!("template name ({name}) does not exist in {code}");
        return Err(GraphError::new(132_001, details));
    };
    match template.status.as_str() {
        "PAUSED" => return Err(GraphError::new(132_015, "Template is paused")),
        "DISABLED" => return Err(GraphError::new(132_016, "Template is disabled")),
        "APPROVED" => {}
        _ => {
            return Err(GraphError::new(132_001, format!("template ({name}) is not approved")));
        }
    }
    if root.get("to").is_none() && template.category == "AUTHENTICATION" {
        let details = "Authentication templates cannot be sent to a business-scoped user ID.";
        return Err(GraphError::new(131_062, details));
    }
    let components = match message.get("components") {
        Some(given) if given.value.as_array().is_some_and(Vec::is_empty) => Vec::new(),
        Some(_) => message.list("components", 15)?,
        None => Vec::new(),
    };
    for component in &components {
        component.one_of("type", &["header", "body", "button"])?;
        component.only(&["type", "parameters", "sub_type", "index"])?;
    }
    check_text_component(&template, &components, "body")?;
    check_header(whatsapp, &template, &components)?;
    check_buttons(&template, &components)
}

fn check_header(whatsapp: &WhatsApp, template: &Template, components: &[Parameter]) -> Result<(), GraphError> {
    let format = declared(template, "HEADER").map_or("TEXT", |header| header["format"].as_str().unwrap_or("TEXT"));
    if format == "TEXT" {
        return check_text_component(template, components, "header");
    }
    let given = parameters(components, "header")?;
    let [parameter] = given.as_slice() else {
        return Err(count_mismatch("header", given.len(), 1));
    };
    let kind = format.to_lowercase();
    if parameter.text("type", 32)? != kind {
        return Err(GraphError::new(132_012, format!("header: Format mismatch, expected {format}, received other")));
    }
    let object = parameter.object(&kind)?;
    if kind == "location" { Ok(()) } else { check_media(whatsapp, &object, &kind) }
}

fn check_text_component(template: &Template, components: &[Parameter], kind: &str) -> Result<(), GraphError> {
    let expected = declared(template, &kind.to_uppercase())
        .and_then(|component| component["text"].as_str())
        .map(placeholders)
        .unwrap_or_default();
    let given = parameters(components, kind)?;
    if given.len() != expected.len() {
        return Err(count_mismatch(kind, given.len(), expected.len()));
    }
    let named = expected.iter().any(|name| name.parse::<u32>().is_err());
    let mut given_names = BTreeSet::new();
    for parameter in &given {
        check_value(parameter)?;
        given_names.extend(parameter.optional_text("parameter_name", 512)?.map(str::to_owned));
    }
    if named && given_names != expected {
        return Err(GraphError::new(132_000, format!("{kind}: Parameter name is missing or empty")));
    }
    if !named && !given_names.is_empty() {
        return Err(GraphError::new(132_012, format!("{kind}: parameters are positional")));
    }
    Ok(())
}

fn check_value(parameter: &Parameter) -> Result<(), GraphError> {
    match parameter.one_of("type", &["text", "currency", "date_time"])? {
        "text" => parameter.text("text", 32_768).map(drop),
        "currency" => {
            let currency = parameter.object("currency")?;
            currency.text("fallback_value", 1024)?;
            currency.text("code", 3)?;
            currency.number("amount_1000").map(drop)
        }
        _ => parameter.object("date_time")?.text("fallback_value", 1024).map(drop),
    }
}

fn check_buttons(template: &Template, components: &[Parameter]) -> Result<(), GraphError> {
    let none = Vec::new();
    let buttons = declared(template, "BUTTONS").and_then(|component| component["buttons"].as_array()).unwrap_or(&none);
    let mut given = BTreeSet::new();
    for component in components.iter().filter(|one| one.value["type"] == "button") {
        let index = component.require("index")?;
        let position = index
            .value
            .as_u64()
            .or_else(|| index.value.as_str()?.parse().ok())
            .and_then(|position| usize::try_from(position).ok())
            .filter(|position| *position < buttons.len())
            .ok_or_else(|| GraphError::new(132_000, format!("{}: no such button", index.path)))?;
        let kind = component.one_of("sub_type", &["quick_reply", "url"])?;
        if !buttons[position]["type"].as_str().unwrap_or_default().eq_ignore_ascii_case(kind) {
            let details = format!("Button at index {position} of type {kind} does not match");
            return Err(GraphError::new(132_012, details));
        }
        let values = component.list("parameters", 1)?;
        match kind {
            "url" => values[0].text("text", 2000)?,
            _ => values[0].text("payload", 256)?,
        };
        given.insert(position);
    }
    for (position, button) in buttons.iter().enumerate() {
        let dynamic = button["url"].as_str().is_some_and(|url| url.contains("{{"));
        if dynamic && !given.contains(&position) {
            let details = format!("Button at index {position} of type Url requires a parameter");
            return Err(GraphError::new(131_008, details));
        }
    }
    Ok(())
}

fn declared<'a>(template: &'a Template, kind: &str) -> Option<&'a Value> {
    template.components.iter().find(|component| component["type"].as_str().is_some_and(|found| found.eq_ignore_ascii_case(kind)))
}

fn parameters<'a>(components: &[Parameter<'a>], kind: &str) -> Result<Vec<Parameter<'a>>, GraphError> {
    match components.iter().find(|component| component.value["type"] == kind) {
        Some(component) if component.get("parameters").is_some() => {
            if component.value["parameters"].as_array().is_some_and(Vec::is_empty) {
                return Ok(Vec::new());
            }
            component.list("parameters", 1024)
        }
        _ => Ok(Vec::new()),
    }
}

/// The different names between `{{` and `}}`.
fn placeholders(text: &str) -> BTreeSet<String> {
    text.split("{{").skip(1).filter_map(|rest| rest.split_once("}}")).map(|(name, _)| name.trim().to_owned()).collect()
}

fn count_mismatch(place: &str, given: usize, expected: usize) -> GraphError {
    let details = format!(
        "{place}: number of localizable_params ({given}) does not match the expected number of \
         params ({expected})"
    );
    GraphError::new(132_000, details)
}
