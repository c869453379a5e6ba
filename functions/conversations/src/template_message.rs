//! A template with its variables filled in. What WhatsApp would refuse is refused here, with the field named.

use shared::{VISIBLE, error::FieldProblem, prelude::*, visible};

use crate::{ButtonKind, Parts, TemplateRow, TemplateStatus, Variable, VariablePlace, template::fill};

/// Characters of a text with its values; WhatsApp refuses more.
const LONGEST_BODY: usize = 1024;
const LONGEST_HEADER: usize = 60;
/// WhatsApp refuses as many spaces side by side in a value.
const TOO_MANY_SPACES: &str = "     ";

/// A template to be sent, with what goes into its variables.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, Validate, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct TemplateToSend {
    #[garde(length(chars, min = 1, max = 512))]
    pub name: String,
    /// `pt_BR` without it.
    #[garde(length(chars, min = 2, max = 16))]
    pub language: Option<String>,
    /// One for each of `variables` of `GET /whatsapp/templates`.
    #[garde(dive, length(max = 100))]
    #[serde(default)]
    pub parameters: Vec<TemplateParameter>,
}

/// What goes into one variable.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, Validate, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct TemplateParameter {
    /// The body without it.
    #[garde(skip)]
    #[serde(rename = "in", default = "body")]
    pub place: VariablePlace,
    #[garde(length(chars, min = 1, max = 100))]
    pub name: String,
    #[garde(length(chars, min = 1, max = 1024), custom(visible))]
    #[schemars(regex(pattern = VISIBLE))]
    pub value: String,
}

fn body() -> VariablePlace {
    VariablePlace::Body
}

impl TemplateToSend {
    #[must_use]
    pub fn language(&self) -> &str {
        self.language.as_deref().unwrap_or("pt_BR")
    }
}

/// What a template says to one client.
#[derive(Debug, PartialEq)]
pub struct FilledTemplate {
    pub body: String,
    /// The message's `payload`: what is sent to WhatsApp, and what people see around the body.
    pub payload: Value,
}

/// Fills in a template of the conversation's number.
///
/// # Errors
/// Everything that is wrong with it.
pub fn fill_in(asked: &TemplateToSend, row: Option<&TemplateRow>, has_file: bool) -> Result<FilledTemplate, Vec<FieldProblem>> {
    let row = row.filter(|row| row.status != TemplateStatus::Deleted).ok_or_else(unknown)?;
    let parts = Parts::read(&row.components);
    if row.status != TemplateStatus::Approved {
        let (portuguese, english) = ("O WhatsApp não aprovou este modelo.", "WhatsApp has not approved this template.");
        return Err(vec![FieldProblem::new("template.name", "not_approved", portuguese, english)]);
    }
    if let Some((portuguese, english)) = parts.unsendable() {
        return Err(vec![FieldProblem::new("template.name", "not_sendable", portuguese, english)]);
    }
    let words = parts.header.as_ref().and_then(|header| header.text.clone());
    let header = words.map(|words| fill(&words, &values(asked, VariablePlace::Header)));
    let body = fill(&parts.body, &values(asked, VariablePlace::Body));
    let problems: Vec<FieldProblem> = missing(asked, &parts.variables)
        .chain(asked.parameters.iter().enumerate().filter_map(|(place, parameter)| wrong(asked, &parts, place, parameter)))
        .chain(wrong_file(&parts, has_file))
        .chain(too_long("body", &body, LONGEST_BODY))
        .chain(header.as_deref().and_then(|header| too_long("header", header, LONGEST_HEADER)))
        .collect();
    if !problems.is_empty() {
        return Err(problems);
    }
    let buttons: Vec<&str> = parts.buttons.iter().map(|button| button.text.as_str()).collect();
    let sent = json!({"name": row.name, "language": {"code": row.language}, "components": components(asked, &parts)});
    let mut payload = json!({"template": sent, "parameters": asked.parameters, "category": row.category, "buttons": buttons});
    let around = [("header", header), ("footer", parts.footer.clone())];
    for (name, words) in around.into_iter().filter_map(|(name, words)| Some((name, words?))) {
        payload[name] = json!(words);
    }
    if let Some(format) = parts.media() {
        payload["header_format"] = json!(format);
    }
    Ok(FilledTemplate { body, payload })
}

fn unknown() -> Vec<FieldProblem> {
    let (portuguese, english) =
        ("Este número não tem este modelo neste idioma.", "This number has no such template in this language.");
    vec![FieldProblem::new("template.name", "unknown_template", portuguese, english)]
}

fn values(asked: &TemplateToSend, place: VariablePlace) -> Vec<(&str, &str)> {
    let of_place = asked.parameters.iter().filter(|parameter| parameter.place == place);
    of_place.map(|parameter| (parameter.name.as_str(), parameter.value.as_str())).collect()
}

fn is_for(parameter: &TemplateParameter, variable: &Variable) -> bool {
    (parameter.place, &parameter.name) == (variable.place, &variable.name)
}

fn missing(asked: &TemplateToSend, variables: &[Variable]) -> impl Iterator<Item = FieldProblem> {
    let missing = variables.iter().filter(|variable| !asked.parameters.iter().any(|parameter| is_for(parameter, variable)));
    missing.map(|Variable { place, name, .. }| {
        let (place, english_place) = match place {
            VariablePlace::Header => ("no cabeçalho", "in the header"),
            VariablePlace::Body => ("no corpo", "in the body"),
            VariablePlace::Button => ("no botão", "in button"),
        };
        let portuguese = format!("Falta o valor de {{{{{name}}}}} {place}.");
        let english = format!("The value of {{{{{name}}}}} {english_place} is missing.");
        FieldProblem::new("template.parameters", "missing_parameter", &portuguese, &english)
    })
}

/// What is wrong with one value. The payload of a button that answers may be given too.
fn wrong(asked: &TemplateToSend, parts: &Parts, place: usize, parameter: &TemplateParameter) -> Option<FieldProblem> {
    let problem = |field: &str, code: &str, portuguese: &str, english: &str| {
        Some(FieldProblem::new(format!("template.parameters[{place}].{field}"), code, portuguese, english))
    };
    let answers = parameter.place == VariablePlace::Button
        && parameter
            .name
            .parse()
            .is_ok_and(|place: usize| parts.buttons.get(place).is_some_and(|button| button.kind == ButtonKind::QuickReply));
    let is_variable = parts.variables.iter().any(|variable| is_for(parameter, variable));
    let same = |other: &TemplateParameter| (other.place, &other.name) == (parameter.place, &parameter.name);
    if !is_variable && !answers {
        return problem("name", "unknown_parameter", "O modelo não tem esta variável.", "The template has no such variable.");
    }
    if asked.parameters[..place].iter().any(same) {
        return problem("name", "duplicate", "Cada variável só uma vez.", "Each variable only once.");
    }
    let TemplateParameter { value, .. } = parameter;
    match parameter.place {
        VariablePlace::Button if answers && value.chars().count() > 256 => {
            problem("value", "too_long", "No máximo 256 caracteres.", "At most 256 characters.")
        }
        VariablePlace::Button if !answers && value.chars().any(char::is_whitespace) => {
            problem("value", "invalid_url", "O fim de um endereço não tem espaços.", "The end of an address has no spaces.")
        }
        VariablePlace::Header | VariablePlace::Body if value.chars().any(char::is_control) || value.contains(TOO_MANY_SPACES) => {
            let portuguese = "O WhatsApp não aceita quebras de linha nem mais de quatro espaços seguidos aqui.";
            problem("value", "one_line", portuguese, "WhatsApp takes no line breaks and no more than four spaces in a row here.")
        }
        _ => None,
    }
}

fn wrong_file(parts: &Parts, has_file: bool) -> Option<FieldProblem> {
    match (parts.media().is_some(), has_file) {
        (true, false) => {
            let (portuguese, english) = ("O cabeçalho deste modelo leva um arquivo.", "This template's header takes a file.");
            Some(FieldProblem::new("file_id", "required", portuguese, english))
        }
        (false, true) => {
            Some(FieldProblem::new("file_id", "not_allowed", "Este modelo não leva arquivo.", "This template takes no file."))
        }
        _ => None,
    }
}

fn too_long(place: &str, text: &str, most: usize) -> Option<FieldProblem> {
    let (portuguese, english) = match place {
        "body" => (format!("O corpo tem no máximo {most} caracteres."), format!("The body has at most {most} characters.")),
        _ => (format!("O cabeçalho tem no máximo {most} caracteres."), format!("The header has at most {most} characters.")),
    };
    (text.chars().count() > most).then(|| FieldProblem::new("template.parameters", "too_long", &portuguese, &english))
}

/// As WhatsApp takes them; a header's file is added when it has been uploaded there.
fn components(asked: &TemplateToSend, parts: &Parts) -> Vec<Value> {
    let value_of = |variable: &Variable| asked.parameters.iter().find(|parameter| is_for(parameter, variable));
    let texts = |place: VariablePlace, kind: &str| {
        let variables = parts.variables.iter().filter(|variable| variable.place == place);
        let parameters: Vec<Value> = variables
            .filter_map(|variable| {
                let mut parameter = json!({"type": "text", "text": value_of(variable)?.value});
                if variable.name.parse::<u32>().is_err() {
                    parameter["parameter_name"] = json!(variable.name);
                }
                Some(parameter)
            })
            .collect();
        (!parameters.is_empty()).then(|| json!({"type": kind, "parameters": parameters}))
    };
    let buttons = asked.parameters.iter().filter(|parameter| parameter.place == VariablePlace::Button).map(|parameter| {
        let is_url = parts.variables.iter().any(|variable| is_for(parameter, variable));
        let (kind, value) = if is_url {
            ("url", json!({"type": "text", "text": parameter.value}))
        } else {
            ("quick_reply", json!({"type": "payload", "payload": parameter.value}))
        };
        json!({"type": "button", "sub_type": kind, "index": parameter.name, "parameters": [value]})
    });
    texts(VariablePlace::Header, "header").into_iter().chain(texts(VariablePlace::Body, "body")).chain(buttons).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{TemplateCategory, TemplateQuality};

    fn row(components: Value) -> TemplateRow {
        TemplateRow {
            id: Uuid::nil(),
            channel_account_id: Uuid::nil(),
            name: "lembrete".into(),
            language: "pt_BR".into(),
            category: TemplateCategory::Utility,
            status: TemplateStatus::Approved,
            quality: Some(TemplateQuality::Green),
            reason: None,
            components,
            created_at: Timestamp::UNIX_EPOCH,
            updated_at: Timestamp::UNIX_EPOCH,
        }
    }

    fn reminder() -> TemplateRow {
        row(json!([
            {"type": "BODY", "text": "Olá {{nome}}, às {{hora}}."},
            {"type": "BUTTONS", "buttons": [
                {"type": "QUICK_REPLY", "text": "Confirmar"},
                {"type": "URL", "text": "Ver", "url": "https://exemplo.test/{{1}}"}]}
        ]))
    }

    fn asked(parameters: Value) -> TemplateToSend {
        serde_json::from_value(json!({"name": "lembrete", "parameters": parameters})).unwrap()
    }

    fn codes(parameters: Value, row: &TemplateRow) -> Vec<(String, String)> {
        let problems = fill_in(&asked(parameters), Some(row), false).unwrap_err();
        problems.into_iter().map(|problem| (problem.field, problem.code)).collect()
    }

    #[test]
    fn a_template_is_filled_in_as_whatsapp_takes_it() {
        let parameters = json!([
            {"name": "hora", "value": "10h"}, {"name": "nome", "value": "Ana"},
            {"in": "button", "name": "1", "value": "42"}, {"in": "button", "name": "0", "value": "OK:42"}
        ]);
        let filled = fill_in(&asked(parameters), Some(&reminder()), false).unwrap();
        assert_eq!(filled.body, "Olá Ana, às 10h.");
        let components = &filled.payload["template"]["components"];
        assert_eq!(components[0]["parameters"][0], json!({"type": "text", "text": "Ana", "parameter_name": "nome"}));
        assert_eq!((&components[1]["sub_type"], &components[1]["index"]), (&json!("url"), &json!("1")));
        assert_eq!(components[2]["parameters"][0], json!({"type": "payload", "payload": "OK:42"}));
    }

    #[test]
    fn everything_that_is_wrong_is_named() {
        let told = codes(
            json!([{"name": "nome", "value": "Ana\nMaria"}, {"name": "idade", "value": "7"}, {"name": "nome", "value": "Bia"}]),
            &reminder(),
        );
        let expected = [
            ("template.parameters", "missing_parameter"),
            ("template.parameters", "missing_parameter"),
            ("template.parameters[0].value", "one_line"),
            ("template.parameters[1].name", "unknown_parameter"),
            ("template.parameters[2].name", "duplicate"),
        ];
        assert_eq!(told, expected.map(|(field, code)| (field.to_owned(), code.to_owned())));
        let long =
            codes(json!([{"name": "1", "value": "a".repeat(1020)}]), &row(json!([{"type": "BODY", "text": "Olá, {{1}}"}])));
        assert_eq!(long[0].1, "too_long");
    }

    #[test]
    fn only_what_is_approved_and_has_its_file_is_sent() {
        let paused = TemplateRow { status: TemplateStatus::Paused, ..reminder() };
        assert_eq!(codes(json!([]), &paused)[0].1, "not_approved");
        let picture = row(json!([{"type": "HEADER", "format": "IMAGE"}, {"type": "BODY", "text": "Oi"}]));
        assert_eq!(codes(json!([]), &picture), [("file_id".to_owned(), "required".to_owned())]);
        let filled = fill_in(&asked(json!([])), Some(&picture), true).unwrap();
        assert_eq!(filled.payload["header_format"], "image");
        assert!(fill_in(&asked(json!([])), None, false).is_err());
    }
}
