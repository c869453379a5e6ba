//! What a phone has said before: told in parts, gathered here by whom it was said with.

use std::collections::HashMap;

use serde_json::{Value, json};

use super::{Change, InboundMessage, Item, Sender};
use crate::provider::Provider;

/// Messages of one item, which are stored by one statement.
const MOST: usize = 50;

/// What was said with one person.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Past {
    pub sender: Sender,
    pub messages: Vec<PastMessage>,
    /// Reactions, edits and what was taken back, of these messages or of others.
    pub changes: Vec<Change>,
}

#[derive(Clone, Debug, PartialEq)]
pub struct PastMessage {
    pub message: InboundMessage,
    /// Whether the business wrote it.
    pub is_own: bool,
    /// How far one of the business's own has come: `sent`, `delivered`, `read` or `failed`.
    pub status: Option<&'static str>,
}

/// How far the history of a number has come.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct HistoryTold {
    pub phase: Option<i32>,
    /// Percent.
    pub progress: Option<i32>,
    /// Why there is none, or no more.
    pub declined: Option<Declined>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Declined {
    pub code: String,
    pub detail: Option<String>,
}

impl Declined {
    #[must_use]
    pub fn to_json(&self) -> Value {
        json!({"code": self.code, "detail": self.detail})
    }
}

/// Messages of a history as they are read, on their way to items.
pub struct Gathering {
    provider: Provider,
    people: Vec<Past>,
    /// Where the last part of each person is.
    places: HashMap<String, usize>,
    others: Vec<Item>,
}

impl Gathering {
    #[must_use]
    pub fn new(provider: Provider) -> Self {
        Self { provider, people: Vec::new(), places: HashMap::new(), others: Vec::new() }
    }

    /// An item as the adapter reads it of a live webhook. What is no message of a person's says nothing of the past.
    pub fn add(&mut self, item: Item, status: Option<&'static str>) {
        match item {
            Item::Message(message) => self.add_message(message, false, None),
            Item::Echo(message) => self.add_message(message, true, status),
            Item::Change(change) => {
                let sender = Sender { wa_id: change.phone.clone(), user_id: change.user_id.clone(), name: None };
                if let Some(past) = self.of(&sender, 0) {
                    past.changes.push(change);
                }
            }
            Item::Broken { .. } => self.others.push(item),
            _ => {}
        }
    }

    /// The items, each of one person, and what could not be read.
    #[must_use]
    pub fn items(self) -> Vec<Item> {
        self.people.into_iter().map(Item::Past).chain(self.others).collect()
    }

    fn add_message(&mut self, message: InboundMessage, is_own: bool, status: Option<&'static str>) {
        let sender = message.sender.clone();
        if let Some(past) = self.of(&sender, MOST) {
            past.messages.push(PastMessage { message, is_own, status });
        }
    }

    /// The part of this person that has room; any of theirs where it is 0.
    fn of(&mut self, sender: &Sender, room: usize) -> Option<&mut Past> {
        let identity = sender.identity(self.provider)?;
        let known = self.places.get(&identity).copied();
        let place = known.filter(|place| room == 0 || self.people[*place].messages.len() < room).unwrap_or(self.people.len());
        if place == self.people.len() {
            self.people.push(Past::default());
            self.places.insert(identity, place);
        }
        let past = &mut self.people[place];
        let mine = &mut past.sender;
        mine.wa_id = mine.wa_id.take().or_else(|| sender.wa_id.clone());
        mine.user_id = mine.user_id.take().or_else(|| sender.user_id.clone());
        mine.name = mine.name.take().or_else(|| sender.name.clone());
        Some(past)
    }
}
