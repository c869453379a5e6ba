//! What is done by itself when a lead enters a stage.

use conversations::{LONGEST_TEXT, TemplateToSend, VariablePlace, between_braces};
use shared::{VISIBLE, error::FieldProblem, prelude::*, visible};

/// Names in braces that stand for something in a message.
const VARIABLES: [&str; 2] = ["client.name", "agent.name"];

/// Something done by itself when a lead enters a stage.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, Validate, JsonSchema)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
#[schemars(rename = "StageAutomation")]
pub enum Automation {
    /// Whoever is named becomes closer or SDR of a lead that has none.
    Assign {
        #[garde(skip)]
        #[serde(default)]
        closer_id: Option<Uuid>,
        #[garde(skip)]
        #[serde(default)]
        sdr_id: Option<Uuid>,
    },
    /// Somebody has a task.
    Task {
        /// With `{{client.name}}` and `{{agent.name}}`, as the notes.
        #[garde(length(chars, min = 1, max = 200), custom(visible))]
        #[schemars(regex(pattern = VISIBLE))]
        title: String,
        #[garde(length(chars, max = 5000))]
        #[serde(default)]
        notes: String,
        /// After the lead has entered, with `due_in_hours`.
        #[garde(range(max = 365))]
        #[serde(default)]
        due_in_days: u16,
        #[garde(range(max = 8760))]
        #[serde(default)]
        due_in_hours: u16,
        /// Whose it is; the closer's where nobody is named.
        #[garde(skip)]
        #[serde(default)]
        owner_id: Option<Uuid>,
    },
    /// People are told by name.
    Notify {
        #[garde(skip)]
        #[serde(default)]
        closer: bool,
        #[garde(skip)]
        #[serde(default)]
        sdr: bool,
        #[garde(length(max = 20))]
        #[serde(default)]
        user_ids: Vec<Uuid>,
        /// What they are told beside the lead's name and the stage's.
        #[garde(length(chars, max = 200))]
        #[serde(default)]
        text: String,
    },
    /// The lead is written to by WhatsApp; what cannot be sent becomes a task.
    Message {
        /// What is said where the client has written within 24 hours; with `{{client.name}}` and `{{agent.name}}`.
        #[garde(length(chars, min = 1, max = LONGEST_TEXT))]
        #[serde(default)]
        body: Option<String>,
        /// What WhatsApp takes at any time.
        #[garde(dive)]
        #[serde(default)]
        template: Option<TemplateToSend>,
        /// The number that it is sent from; null is the one that the client was last talked to on, else the company's only one.
        #[garde(skip)]
        #[serde(default)]
        channel_account_id: Option<Uuid>,
    },
    /// The lead is taken into a sequence of follow-ups.
    Sequence {
        #[garde(skip)]
        sequence_id: Uuid,
        /// Also who went through it before and is not in it now.
        #[garde(skip)]
        #[serde(default)]
        again: bool,
    },
}

/// The same as it is shown, with all that may be said of it. Only its schema is used.
#[derive(Serialize, JsonSchema)]
#[serde(tag = "kind", rename_all = "snake_case")]
#[schemars(rename = "StageAutomationShown")]
pub enum ShownAutomation {
    Assign { closer_id: Option<Uuid>, sdr_id: Option<Uuid> },
    Task { title: String, notes: String, due_in_days: u16, due_in_hours: u16, owner_id: Option<Uuid> },
    Notify { closer: bool, sdr: bool, user_ids: Vec<Uuid>, text: String },
    Message { body: Option<String>, template: Option<ShownTemplate>, channel_account_id: Option<Uuid> },
    Sequence { sequence_id: Uuid, again: bool },
}

/// A template that is kept with what is sent later, as it is shown.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "TemplateShown")]
pub struct ShownTemplate {
    name: String,
    language: Option<String>,
    parameters: Vec<ShownParameter>,
}

#[derive(Serialize, JsonSchema)]
#[schemars(rename = "TemplateParameterShown")]
struct ShownParameter {
    r#in: VariablePlace,
    name: String,
    value: String,
}

impl Automation {
    /// What is wrong with it, whatever there is; `at` is its place.
    #[must_use]
    pub fn problems(&self, at: &str) -> Vec<FieldProblem> {
        let problem = |field: &str, code: &str, portuguese: &str, english: &str| {
            FieldProblem::new(format!("{at}.{field}"), code, portuguese, english)
        };
        match self {
            Self::Assign { closer_id: None, sdr_id: None } => {
                vec![problem("closer_id", "required", "Diga quem recebe o lead.", "Say whose the lead becomes.")]
            }
            Self::Notify { closer: false, sdr: false, user_ids, .. } if user_ids.is_empty() => {
                vec![problem("user_ids", "required", "Diga quem é avisado.", "Say who is told.")]
            }
            Self::Message { body: None, template: None, .. } => {
                let portuguese = "Escreva a mensagem ou escolha um modelo.";
                vec![problem("body", "required", portuguese, "Write the message or choose a template.")]
            }
            Self::Task { title, notes, .. } => unknown_variables(at, [("title", title), ("notes", notes)]),
            Self::Message { body, template, .. } => {
                let values = template.iter().flat_map(|template| &template.parameters);
                let values = values.map(|given| ("template", &given.value));
                unknown_variables(at, body.iter().map(|text| ("body", text)).chain(values))
            }
            _ => Vec::new(),
        }
    }
}

fn unknown_variables<'text>(at: &str, texts: impl IntoIterator<Item = (&'static str, &'text String)>) -> Vec<FieldProblem> {
    let of_text = |(field, text): (&'static str, &'text String)| {
        let unknown = between_braces(text).filter(|name| !VARIABLES.contains(name));
        unknown.map(|name| (field, name)).collect::<Vec<_>>()
    };
    let problem = |(field, name): (&str, &str)| {
        let (portuguese, english) = (format!("{{{{{name}}}}} não existe aqui."), format!("There is no {{{{{name}}}}} here."));
        FieldProblem::new(format!("{at}.{field}"), "unknown_variable", &portuguese, &english)
    };
    texts.into_iter().flat_map(of_text).map(problem).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn codes(said: Value) -> Vec<(String, String)> {
        let automation: Automation = serde_json::from_value(said).unwrap();
        automation.problems("automations[0]").into_iter().map(|problem| (problem.field, problem.code)).collect()
    }

    #[test]
    fn what_says_nothing_is_refused() {
        let told = |field: &str, code: &str| vec![(format!("automations[0].{field}"), code.to_owned())];
        assert_eq!(codes(json!({"kind": "assign"})), told("closer_id", "required"));
        assert_eq!(codes(json!({"kind": "notify", "text": "Oi"})), told("user_ids", "required"));
        assert_eq!(codes(json!({"kind": "message"})), told("body", "required"));
        assert_eq!(codes(json!({"kind": "message", "body": "Oi {{nome}}"})), told("body", "unknown_variable"));
        assert_eq!(codes(json!({"kind": "notify", "sdr": true})), []);
        assert_eq!(codes(json!({"kind": "message", "template": {"name": "oi"}})), []);
        assert!(serde_json::from_value::<Automation>(json!({"kind": "task"})).is_err());
        assert!(serde_json::from_value::<Automation>(json!({"kind": "assign", "title": "x"})).is_err());
    }

    #[test]
    fn it_is_kept_as_it_was_before_there_were_other_kinds() {
        let kept = json!({"kind": "assign", "closer_id": Uuid::nil(), "sdr_id": null});
        assert_eq!(json!(serde_json::from_value::<Automation>(kept.clone()).unwrap()), kept);
    }
}
