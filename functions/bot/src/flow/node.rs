//! What a flow's nodes are.

use std::collections::BTreeMap;

use shared::{closed_set, prelude::*};

/// WhatsApp shows at most this many options of one list.
pub const MOST_OPTIONS: usize = 10;

/// Of where a lead came from.
pub const LONGEST_ORIGIN: usize = 80;

/// One step of a flow. `closed_text` replaces `text` outside the hours.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case", deny_unknown_fields)]
pub enum Node {
    /// Says something and goes on.
    Message {
        #[serde(default)]
        text: String,
        closed_text: Option<String>,
        media: Option<Media>,
        go_to: String,
    },
    /// Offers options and waits for one.
    Menu { text: String, closed_text: Option<String>, button: Option<String>, options: Vec<Choice> },
    /// Asks, waits, and keeps the answer.
    Question(Question),
    /// Offers the company's departments and hands over to the chosen one; of whoever has one, to that.
    Department(Department),
    /// Goes where the first case that holds says.
    Condition { cases: Vec<Case>, else_go_to: String },
    /// Keeps a value under a name.
    SetField { field: String, value: String, go_to: String },
    /// Puts tags on the conversation and takes them off.
    Tag {
        #[serde(default)]
        add: Vec<String>,
        #[serde(default)]
        remove: Vec<String>,
        go_to: String,
    },
    /// Makes a lead of the client, who may have none open yet: in this open stage, or where new leads come in.
    CreateLead { stage_id: Option<Uuid>, origin: Option<String>, go_to: String },
    /// Moves the client's open lead to a stage, if it has what the stage asks for.
    MoveLead { stage_id: Uuid, go_to: String },
    /// Goes one of several ways, each as often as it weighs; a conversation always the same.
    Split { branches: Vec<Branch> },
    /// Goes on later.
    Wait {
        #[serde(default, deserialize_with = "some_whole")]
        seconds: Option<u32>,
        /// Until the department, or else the company, opens.
        #[serde(default)]
        until_open: bool,
        go_to: String,
    },
    /// Asks a server of somebody else's, and goes on with what it answers.
    Webhook(Webhook),
    /// Answers out of the knowledge base, as often as the client asks; people take over in doubt.
    Ai(Ai),
    /// Goes on elsewhere.
    Goto { go_to: String },
    /// Gives the conversation to people.
    Handover(Handover),
    /// Says goodbye and closes the conversation.
    End {
        #[serde(default)]
        text: String,
    },
}

/// A choice of departments.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Department {
    pub text: String,
    pub button: Option<String>,
    /// The last option, which leads to `go_to`.
    pub back: Option<String>,
    pub go_to: Option<String>,
    /// Said once one is chosen, instead of the handover's.
    pub handover_text: Option<String>,
    pub closed_text: Option<String>,
}

/// How people take over.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Handover {
    #[serde(default)]
    pub text: String,
    pub closed_text: Option<String>,
    pub department_id: Option<Uuid>,
    /// Who is given it while they are there; otherwise it waits in the department.
    pub user_id: Option<Uuid>,
    pub priority: Option<String>,
    /// What the conversation is about, for whoever takes it.
    pub summary: Option<String>,
}

closed_set! {
    /// How a server is asked.
    #[derive(Default)]
    #[schemars(rename = "BotCallMethod")]
    pub Method { Get = "GET", #[default] Post = "POST", Put = "PUT", Patch = "PATCH" }
}

/// A call to a server of somebody else's.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Webhook {
    pub url: String,
    #[serde(default)]
    pub method: Method,
    /// Besides those that every call has.
    #[serde(default)]
    pub headers: BTreeMap<String, String>,
    /// Which of the flow's fields are told.
    #[serde(default)]
    pub fields: Vec<String>,
    /// Where in the answer, as a JSON pointer, stands what is kept under which name.
    #[serde(default)]
    pub save: BTreeMap<String, String>,
    pub go_to: String,
    /// Where it goes on without an answer.
    pub on_failure: String,
}

/// Answers by the company's language model.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Ai {
    /// What the client is asked.
    pub text: String,
    /// Whether what the client has written before is answered first: they are asked only where that was no question.
    #[serde(default)]
    pub at_once: bool,
    /// Where it goes on in doubt; to people without it.
    pub on_doubt: Option<String>,
}

/// A file of the company's that goes with a message.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Media {
    /// `image`, `video`, `audio` or `document`.
    pub kind: String,
    pub file_id: Uuid,
}

/// One option.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Choice {
    pub id: String,
    pub title: String,
    #[serde(default)]
    pub description: String,
    pub go_to: String,
}

/// A question.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Question {
    pub text: String,
    /// Under what the answer is kept.
    pub field: String,
    #[serde(default)]
    pub answer: Wanted,
    /// Of `choice`.
    #[serde(default)]
    pub choices: Vec<String>,
    /// Said when an answer is none.
    pub error: Option<String>,
    /// Times that it is asked again.
    #[serde(default = "once", deserialize_with = "whole")]
    pub retries: u32,
    /// Whoever says it goes on without an answer.
    pub skip: Option<String>,
    /// Where it is kept with the client besides: `name`, `email`, `document`, or `custom_fields.` with the key of one of the company's.
    pub save_as: Option<String>,
    pub go_to: String,
    /// Where whoever does not answer goes on; to people without it.
    pub on_failure: Option<String>,
}

/// A whole number. One that is none, or is out of bounds, is more than anything may be, so that its field is what is named.
pub(super) fn whole<'de, D: serde::Deserializer<'de>>(from: D) -> Result<u32, D::Error> {
    let number = serde_json::Number::deserialize(from)?;
    Ok(number.as_u64().and_then(|number| number.try_into().ok()).unwrap_or(u32::MAX))
}

fn some_whole<'de, D: serde::Deserializer<'de>>(from: D) -> Result<Option<u32>, D::Error> {
    let number = Option::<serde_json::Number>::deserialize(from)?;
    Ok(number.map(|number| number.as_u64().and_then(|number| number.try_into().ok()).unwrap_or(u32::MAX)))
}

const fn once() -> u32 {
    1
}

/// What an answer has to be.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Wanted {
    #[default]
    Text,
    Email,
    Phone,
    Cpf,
    Cnpj,
    Number,
    Date,
    Choice,
}

/// One way of a condition.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Case {
    pub when: Test,
    pub go_to: String,
}

/// What may be asked of a conversation.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "test", rename_all = "snake_case", deny_unknown_fields)]
pub enum Test {
    /// Whether it is within the hours.
    Open {
        is: bool,
    },
    /// Whether the conversation or the client has a tag.
    Tag {
        name: String,
    },
    /// A field that is there, and is or contains what is given.
    Field {
        name: String,
        equals: Option<String>,
        contains: Option<String>,
    },
    /// By what kind of channel the client writes.
    Channel {
        kind: String,
    },
    /// Whether the client has written before.
    Known {
        is: bool,
    },
    All {
        of: Vec<Test>,
    },
    Any {
        of: Vec<Test>,
    },
    Not {
        of: Box<Test>,
    },
}

/// One way of a split.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Branch {
    #[serde(deserialize_with = "whole")]
    pub weight: u32,
    pub go_to: String,
}

impl Webhook {
    /// Of a conversation's fields, those that are told.
    #[must_use]
    pub fn told(&self, fields: &Map<String, Value>) -> Map<String, Value> {
        let told = self.fields.iter().filter_map(|name| Some((name.clone(), fields.get(name)?.clone())));
        told.collect()
    }
}

impl Node {
    /// Whether it waits for the client's answer.
    #[must_use]
    pub const fn asks(&self) -> bool {
        matches!(self, Self::Menu { .. } | Self::Question(_) | Self::Department(_) | Self::Ai(_))
    }

    /// Where a conversation goes on from it, with the field that says so.
    #[must_use]
    pub fn ways(&self) -> Vec<(String, &str)> {
        let mut ways: Vec<(String, &str)> = Vec::new();
        match self {
            Self::Message { go_to, .. }
            | Self::SetField { go_to, .. }
            | Self::Tag { go_to, .. }
            | Self::CreateLead { go_to, .. }
            | Self::MoveLead { go_to, .. }
            | Self::Wait { go_to, .. }
            | Self::Goto { go_to } => ways.push(("go_to".into(), go_to)),
            Self::Menu { options, .. } => {
                ways.extend(
                    options.iter().enumerate().map(|(place, choice)| (format!("options[{place}].go_to"), choice.go_to.as_str())),
                );
            }
            Self::Question(question) => {
                ways.push(("go_to".into(), &question.go_to));
                ways.extend(question.on_failure.iter().map(|key| ("on_failure".to_owned(), key.as_str())));
            }
            Self::Webhook(Webhook { go_to, on_failure, .. }) => {
                ways.extend([("go_to".to_owned(), go_to.as_str()), ("on_failure".to_owned(), on_failure.as_str())]);
            }
            Self::Ai(Ai { on_doubt, .. }) => ways.extend(on_doubt.iter().map(|key| ("on_doubt".to_owned(), key.as_str()))),
            Self::Department(Department { go_to, .. }) => ways.extend(go_to.iter().map(|key| ("go_to".to_owned(), key.as_str()))),
            Self::Condition { cases, else_go_to } => {
                ways.extend(cases.iter().enumerate().map(|(place, case)| (format!("cases[{place}].go_to"), case.go_to.as_str())));
                ways.push(("else_go_to".into(), else_go_to));
            }
            Self::Split { branches } => {
                let branches = branches.iter().enumerate();
                ways.extend(branches.map(|(place, branch)| (format!("branches[{place}].go_to"), branch.go_to.as_str())));
            }
            Self::Handover(_) | Self::End { .. } => {}
        }
        ways
    }
}
