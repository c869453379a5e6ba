//! A flow as a company stores it: nodes without code.

mod node;
pub mod problems;

use std::collections::BTreeMap;

use shared::prelude::*;

pub use node::{
    Ai, Branch, Case, Choice, Department, Handover, MOST_OPTIONS, Media, Method, Node, Question, Test, Wanted, Webhook,
};

/// The JSON of a flow. What of it cannot be read is a problem of that node, and of nothing else.
#[derive(Clone, Debug, Default)]
pub struct Flow {
    /// The node a conversation begins at.
    pub start: String,
    pub words: Words,
    /// Said when an answer is not understood the first time; the second time people take over.
    pub not_understood: Option<String>,
    /// Said to whoever leaves.
    pub goodbye: Option<String>,
    /// Of every node that waits and has none of its own.
    pub on_timeout: Option<Timeout>,
    /// What makes this flow begin, where the channel's own would.
    pub triggers: Vec<Trigger>,
    pub nodes: BTreeMap<String, Step>,
}

/// Words that work anywhere, instead of the company's.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Words {
    /// Asks for a person.
    pub human: Option<Vec<String>>,
    /// Back to the start.
    pub menu: Option<Vec<String>>,
    /// Ends the conversation.
    pub leave: Option<Vec<String>>,
}

/// Where a conversation goes on whose client says nothing.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Timeout {
    pub minutes: u32,
    pub go_to: String,
}

/// Nodes one turn may go through.
pub const MOST_STEPS: usize = 50;

/// When a flow begins: all of what it names has to hold.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Trigger {
    /// One of them is what the client wrote first, or in it as a word.
    pub keywords: Vec<String>,
    /// The client has never written before.
    pub first_contact: bool,
    pub channel_account_id: Option<Uuid>,
    /// Where the conversation began.
    pub department_id: Option<Uuid>,
}

/// A node, or why it cannot be read.
#[derive(Clone, Debug)]
pub struct Step {
    pub node: Result<Node, Unread>,
    pub on_timeout: Option<Timeout>,
}

/// Why something cannot be read, in serde's words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unread(pub String);

/// All but the nodes.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Frame {
    start: String,
    #[serde(default)]
    words: Words,
    not_understood: Option<String>,
    goodbye: Option<String>,
    on_timeout: Option<Timeout>,
    #[serde(default)]
    triggers: Vec<Trigger>,
    nodes: BTreeMap<String, Value>,
}

impl Flow {
    /// Reads what a company has stored.
    ///
    /// # Errors
    /// What of it all hangs on that cannot be read.
    pub fn read(definition: &Value) -> Result<Self, Unread> {
        let frame: Frame = serde_json::from_value(definition.clone()).map_err(|error| Unread(error.to_string()))?;
        let Frame { start, words, not_understood, goodbye, on_timeout, triggers, nodes } = frame;
        let nodes = nodes.into_iter().map(|(key, node)| (key, Step::read(node))).collect();
        Ok(Self { start, words, not_understood, goodbye, on_timeout, triggers, nodes })
    }

    /// A node that can be played.
    #[must_use]
    pub fn node(&self, key: &str) -> Option<&Node> {
        self.nodes.get(key)?.node.as_ref().ok()
    }

    /// How long a node waits for an answer, and where its conversation goes on without one.
    #[must_use]
    pub fn timeout_of(&self, key: &str) -> Option<&Timeout> {
        self.nodes.get(key)?.on_timeout.as_ref().or(self.on_timeout.as_ref())
    }

    /// Where the flow itself hands conversations over.
    #[must_use]
    pub fn handover(&self) -> Option<(&str, &Handover)> {
        let read = |key: &str| match self.nodes.get_key_value(key)? {
            (key, Step { node: Ok(Node::Handover(handover)), .. }) => Some((key.as_str(), handover)),
            _ => None,
        };
        read("human").or_else(|| self.nodes.keys().find_map(|key| read(key)))
    }
}

impl Step {
    fn read(mut node: Value) -> Self {
        let on_timeout = node.as_object_mut().and_then(|fields| fields.remove("on_timeout"));
        let unread = |error: serde_json::Error| Unread(error.to_string());
        let on_timeout = on_timeout.filter(|timeout| !timeout.is_null()).map(serde_json::from_value::<Timeout>).transpose();
        let read: Result<Node, _> = serde_json::from_value(node);
        match on_timeout {
            Ok(on_timeout) => Self { node: read.map_err(unread), on_timeout },
            Err(error) => Self { node: Err(Unread(format!("on_timeout: {error}"))), on_timeout: None },
        }
    }
}
