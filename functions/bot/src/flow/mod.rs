//! A flow as a company stores it: nodes without code.

mod node;
pub mod problems;

use std::collections::BTreeMap;

use serde::de::DeserializeOwned;
use shared::prelude::*;

pub use node::{
    Ai, Branch, Case, Choice, Department, Handover, LONGEST_ORIGIN, MOST_OPTIONS, Media, Method, Node, Question, Test, Wanted,
    Webhook,
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
    #[serde(deserialize_with = "node::whole")]
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
pub struct Unread {
    /// Where, as far as it is known.
    pub field: String,
    pub why: String,
}

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
        let frame: Frame = read_at("", definition)?;
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
        let on_timeout = on_timeout.filter(|timeout| !timeout.is_null());
        match on_timeout.map(|timeout| read_at::<Timeout>("on_timeout", &timeout)).transpose() {
            Ok(on_timeout) => Self { node: read_node(&node), on_timeout },
            Err(unread) => Self { node: Err(unread), on_timeout: None },
        }
    }
}

/// Reads what stands in a field, or all of it where that has no name.
fn read_at<T: DeserializeOwned>(field: &str, value: &Value) -> Result<T, Unread> {
    serde_path_to_error::deserialize(value).map_err(|error| {
        let path = error.path().to_string();
        let parts = [field, path.as_str()].into_iter().filter(|part| !part.is_empty() && *part != ".");
        Unread { field: parts.collect::<Vec<_>>().join("."), why: error.into_inner().to_string() }
    })
}

/// A type that is told by its tag does not say where it cannot be read: in the field without which that fails otherwise, or not at all.
fn read_node(node: &Value) -> Result<Node, Unread> {
    Node::deserialize(node).map_err(|error| {
        let why = error.to_string();
        let fields = node.as_object().cloned().unwrap_or_default();
        let is_in = |name: &&String| {
            let mut others = fields.clone();
            others.remove(*name);
            Node::deserialize(&Value::Object(others)).err().is_none_or(|error| error.to_string() != why)
        };
        let field = fields.keys().filter(|name| *name != "type").find(is_in).cloned();
        let field = field.or_else(|| why.starts_with("unknown variant").then(|| "type".to_owned()));
        Unread { field: field.unwrap_or_default(), why }
    })
}
