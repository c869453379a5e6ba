//! Templates: messages that WhatsApp has approved, which may be sent outside the window. What they hold is read here from WhatsApp's
//! components. Source: Meta's reference of message templates.

use shared::{closed_set, prelude::*};

closed_set! {
    /// What a template is for; prices differ by it.
    pub TemplateCategory { Authentication = "authentication", Marketing = "marketing", Utility = "utility", Other = "other" }
}

closed_set! {
    /// Whether WhatsApp takes a template: an `approved` one only.
    pub TemplateStatus {
        Approved = "approved",
        Pending = "pending",
        Rejected = "rejected",
        Paused = "paused",
        Disabled = "disabled",
        Deleted = "deleted",
        Other = "other",
    }
}

closed_set! {
    /// How clients take a template; `red` ones are about to be paused.
    pub TemplateQuality { Green = "green", Yellow = "yellow", Red = "red" }
}

closed_set! {
    /// What a template's header is.
    pub HeaderFormat { Text = "text", Image = "image", Video = "video", Document = "document", Location = "location" }
}

closed_set! {
    /// What a button of a template does.
    pub ButtonKind { QuickReply = "quick_reply", Url = "url", PhoneNumber = "phone_number", Other = "other" }
}

closed_set! {
    /// Where a variable of a template is.
    pub VariablePlace { Header = "header", Body = "body", Button = "button" }
}

/// The columns of `TemplateRow`, from a relation named `message_templates`.
#[macro_export]
macro_rules! template_columns {
    () => {
        "message_templates.id, message_templates.channel_account_id, message_templates.name, message_templates.language,
         message_templates.category, message_templates.status, message_templates.quality, message_templates.reason,
         message_templates.components, message_templates.created_at, message_templates.updated_at"
    };
}

/// A template of one number, in one language, as it is kept.
#[derive(Clone, Debug, Serialize, JsonSchema, FromRow)]
pub struct TemplateRow {
    pub id: Uuid,
    /// The number that may send it.
    pub channel_account_id: Uuid,
    pub name: String,
    /// Such as `pt_BR`.
    pub language: String,
    pub category: TemplateCategory,
    pub status: TemplateStatus,
    pub quality: Option<TemplateQuality>,
    /// Why it was rejected, paused or disabled, in WhatsApp's words.
    pub reason: Option<String>,
    #[serde(skip)]
    pub components: Value,
    /// When it was first seen here.
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
}

/// A template with what it holds.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct Template {
    #[serde(flatten)]
    pub row: TemplateRow,
    #[serde(flatten)]
    pub parts: Parts,
    /// The body with the examples in place of its variables.
    pub preview: String,
    /// Whether `POST /messages` sends it: it is approved, and holds nothing that we cannot fill in.
    pub is_sendable: bool,
}

impl From<TemplateRow> for Template {
    fn from(row: TemplateRow) -> Self {
        let parts = Parts::read(&row.components);
        let is_sendable = row.status == TemplateStatus::Approved && parts.unsendable().is_none();
        Self { preview: parts.preview(), row, parts, is_sendable }
    }
}

/// What a template holds.
#[derive(Clone, Debug, Default, Serialize, JsonSchema)]
pub struct Parts {
    pub header: Option<Header>,
    /// With its variables as `{{1}}` or `{{nome}}`.
    pub body: String,
    pub footer: Option<String>,
    pub buttons: Vec<Button>,
    /// What is given with `POST /messages`, each of them once.
    pub variables: Vec<Variable>,
}

#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct Header {
    /// Null for one that we do not know.
    pub format: Option<HeaderFormat>,
    /// Of a text.
    pub text: Option<String>,
}

#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct Button {
    pub kind: ButtonKind,
    pub text: String,
    pub url: Option<String>,
    pub phone_number: Option<String>,
}

/// A place to be filled in.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Variable {
    #[serde(rename = "in")]
    pub place: VariablePlace,
    /// `1`, `2` … or its name; of a button the button's place, from `0`.
    pub name: String,
    pub example: Option<String>,
}

impl Parts {
    /// Reads WhatsApp's components, leniently.
    #[must_use]
    pub fn read(components: &Value) -> Self {
        let mut parts = Self::default();
        for component in components.as_array().into_iter().flatten() {
            match upper(component, "type").as_str() {
                "HEADER" => parts.read_header(component),
                "BODY" => {
                    parts.body = text(component, "text").unwrap_or_default();
                    let example = &component["example"];
                    let examples = examples(&example["body_text"][0], &example["body_text_named_params"]);
                    parts.variables.extend(variables(VariablePlace::Body, &parts.body, &examples));
                }
                "FOOTER" => parts.footer = text(component, "text"),
                "BUTTONS" => component["buttons"].as_array().into_iter().flatten().for_each(|button| parts.read_button(button)),
                _ => parts.buttons.push(Button {
                    kind: ButtonKind::Other,
                    text: upper(component, "type").to_lowercase(),
                    url: None,
                    phone_number: None,
                }),
            }
        }
        parts
    }

    fn read_header(&mut self, component: &Value) {
        let format = text(component, "format").unwrap_or_else(|| "TEXT".into()).to_lowercase().parse().ok();
        let words = text(component, "text").filter(|_| format == Some(HeaderFormat::Text));
        let example = &component["example"];
        let examples = examples(&example["header_text"], &example["header_text_named_params"]);
        self.variables.extend(variables(VariablePlace::Header, words.as_deref().unwrap_or_default(), &examples));
        self.header = Some(Header { format, text: words });
    }

    fn read_button(&mut self, button: &Value) {
        let kind = match upper(button, "type").as_str() {
            "QUICK_REPLY" => ButtonKind::QuickReply,
            "URL" => ButtonKind::Url,
            "PHONE_NUMBER" => ButtonKind::PhoneNumber,
            _ => ButtonKind::Other,
        };
        let url = text(button, "url");
        if kind == ButtonKind::Url && url.as_ref().is_some_and(|url| url.contains("{{")) {
            let example = button["example"][0].as_str().map(str::to_owned);
            self.variables.push(Variable { place: VariablePlace::Button, name: self.buttons.len().to_string(), example });
        }
        let text_of = |name: &str| text(button, name);
        self.buttons.push(Button { kind, text: text_of("text").unwrap_or_default(), url, phone_number: text_of("phone_number") });
    }

    /// What of it cannot be filled in here, in Portuguese and in English.
    #[must_use]
    pub fn unsendable(&self) -> Option<(&'static str, &'static str)> {
        let format = self.header.as_ref().map(|header| header.format);
        if matches!(format, Some(None | Some(HeaderFormat::Location))) {
            return Some(("O cabeçalho deste modelo não pode ser enviado.", "This template's header cannot be sent."));
        }
        let has_other = self.buttons.iter().any(|button| button.kind == ButtonKind::Other);
        has_other
            .then_some(("Este modelo tem um botão que não pode ser enviado.", "This template has a button that cannot be sent."))
    }

    /// The file that its header takes.
    #[must_use]
    pub fn media(&self) -> Option<HeaderFormat> {
        let format = self.header.as_ref()?.format?;
        matches!(format, HeaderFormat::Image | HeaderFormat::Video | HeaderFormat::Document).then_some(format)
    }

    fn preview(&self) -> String {
        let of_body = self.variables.iter().filter(|variable| variable.place == VariablePlace::Body);
        let examples: Vec<(&str, &str)> =
            of_body.filter_map(|variable| Some((variable.name.as_str(), variable.example.as_deref()?))).collect();
        fill(&self.body, &examples)
    }
}

/// A text with values in place of the variables that have one.
#[must_use]
pub fn fill(text: &str, values: &[(&str, &str)]) -> String {
    let mut filled = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once("{{") {
        let Some((name, behind)) = after.split_once("}}") else { break };
        filled.push_str(before);
        match values.iter().find(|(known, _)| *known == name.trim()) {
            Some((_, value)) => filled.push_str(value),
            None => filled.extend(["{{", name, "}}"]),
        }
        rest = behind;
    }
    filled + rest
}

/// What stands between `{{` and `}}`, without the spaces around it, in order.
pub fn between_braces(text: &str) -> impl Iterator<Item = &str> {
    text.split("{{").skip(1).filter_map(|rest| Some(rest.split_once("}}")?.0.trim()))
}

/// The names between `{{` and `}}`, each once.
fn names(text: &str) -> Vec<String> {
    let mut names: Vec<String> = Vec::new();
    for name in between_braces(text) {
        if !name.is_empty() && !names.iter().any(|known| known == name) {
            names.push(name.to_owned());
        }
    }
    names
}

fn variables(place: VariablePlace, text: &str, examples: &[(String, String)]) -> Vec<Variable> {
    let example = |name: &str| examples.iter().find(|(known, _)| known == name).map(|(_, example)| example.clone());
    names(text).into_iter().map(|name| Variable { place, example: example(&name), name }).collect()
}

/// By name: numbered ones count from 1.
fn examples(numbered: &Value, named: &Value) -> Vec<(String, String)> {
    let numbered = numbered.as_array().into_iter().flatten().enumerate();
    let numbered = numbered.filter_map(|(place, example)| Some(((place + 1).to_string(), example.as_str()?.to_owned())));
    let named = named.as_array().into_iter().flatten();
    numbered.chain(named.filter_map(|pair| Some((text(pair, "param_name")?, text(pair, "example")?)))).collect()
}

fn text(value: &Value, name: &str) -> Option<String> {
    value.get(name)?.as_str().filter(|text| !text.is_empty()).map(str::to_owned)
}

fn upper(value: &Value, name: &str) -> String {
    text(value, name).unwrap_or_default().to_uppercase()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn reminder() -> Value {
        json!([
            {"type": "HEADER", "format": "TEXT", "text": "Sua reunião, {{1}}", "example": {"header_text": ["Ana"]}},
            {"type": "BODY", "text": "Olá {{1}}, às {{2}} — {{1}}!", "example": {"body_text": [["Maria", "10h"]]}},
            {"type": "FOOTER", "text": "Responda tocando"},
            {"type": "BUTTONS", "buttons": [
                {"type": "QUICK_REPLY", "text": "Confirmar"},
                {"type": "URL", "text": "Ver", "url": "https://exemplo.test/{{1}}", "example": ["https://exemplo.test/7"]}]}
        ])
    }

    #[test]
    fn a_template_tells_its_variables_and_its_preview() {
        let parts = Parts::read(&reminder());
        let told: Vec<(VariablePlace, &str, Option<&str>)> = parts
            .variables
            .iter()
            .map(|variable| (variable.place, variable.name.as_str(), variable.example.as_deref()))
            .collect();
        let expected = [
            (VariablePlace::Header, "1", Some("Ana")),
            (VariablePlace::Body, "1", Some("Maria")),
            (VariablePlace::Body, "2", Some("10h")),
            (VariablePlace::Button, "1", Some("https://exemplo.test/7")),
        ];
        assert_eq!(told, expected);
        assert_eq!(parts.preview(), "Olá Maria, às 10h — Maria!");
        assert!(parts.unsendable().is_none() && parts.media().is_none());
    }

    #[test]
    fn named_variables_have_named_examples() {
        let example = json!({"body_text_named_params": [{"param_name": "nome", "example": "Ana"}]});
        let parts = Parts::read(&json!([{"type": "body", "text": "{{nome}}: {{numero}}", "example": example}]));
        assert_eq!(parts.preview(), "Ana: {{numero}}");
    }

    #[test]
    fn what_we_cannot_fill_in_is_not_sendable() {
        for component in [
            json!({"type": "HEADER", "format": "LOCATION"}),
            json!({"type": "HEADER", "format": "GIF"}),
            json!({"type": "BUTTONS", "buttons": [{"type": "OTP", "text": "Copiar"}]}),
            json!({"type": "CAROUSEL", "cards": []}),
        ] {
            assert!(Parts::read(&json!([component])).unsendable().is_some(), "{component}");
        }
        let picture = Parts::read(&json!([{"type": "HEADER", "format": "IMAGE"}, {"type": "BODY", "text": "Oi"}]));
        assert_eq!((picture.media(), picture.unsendable()), (Some(HeaderFormat::Image), None));
    }

    proptest! {
        #[test]
        fn a_text_without_values_stays_as_it_is(text in "[a-z{} ]{0,30}") {
            prop_assert_eq!(fill(&text, &[]), text);
        }

        #[test]
        fn a_filled_text_has_no_variable_left(text in "[a-c ]{0,5}(\\{\\{[a-c]\\}\\}[x-z ]{0,3}){0,6}") {
            let names = names(&text);
            let values: Vec<(&str, &str)> = names.iter().map(|name| (name.as_str(), "v")).collect();
            prop_assert!(!fill(&text, &values).contains("{{"));
        }
    }
}
