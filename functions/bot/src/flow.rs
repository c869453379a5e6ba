//! A flow as a company stores it: nodes without code.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// The JSON of a flow's version.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Flow {
    /// The node a conversation begins at.
    pub start: String,
    /// Words that work anywhere.
    #[serde(default)]
    pub words: Words,
    /// Said when an answer is not understood the first time; the second time people take over.
    #[serde(default = "not_understood")]
    pub not_understood: String,
    pub nodes: BTreeMap<String, Node>,
}

fn not_understood() -> String {
    "Não entendi. Escolha uma das opções, por favor.".to_owned()
}

/// Lower case, without accents.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Words {
    /// Asks for a person.
    pub human: Vec<String>,
    /// Back to the start.
    pub menu: Vec<String>,
}

impl Default for Words {
    fn default() -> Self {
        Self { human: vec!["atendente".into(), "humano".into()], menu: vec!["menu".into()] }
    }
}

/// One step of a flow. `closed_text` replaces `text` outside the hours.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case", deny_unknown_fields)]
pub enum Node {
    /// Says something and goes on.
    Message { text: String, closed_text: Option<String>, go_to: String },
    /// Offers options and waits for one.
    Menu { text: String, closed_text: Option<String>, button: Option<String>, options: Vec<Choice> },
    /// Asks, waits, and keeps the answer under `field`.
    Question { text: String, field: String, go_to: String },
    /// Gives the conversation to people.
    Handover { text: String, closed_text: Option<String>, department_id: Option<Uuid> },
    /// Says goodbye and closes the conversation.
    End { text: String },
}

#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Choice {
    pub id: String,
    pub title: String,
    #[serde(default)]
    pub description: String,
    pub go_to: String,
}
