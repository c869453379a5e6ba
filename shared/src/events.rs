//! Durable events: written with the change they tell of, pushed to sockets after the commit, readable again by cursor.

use std::{borrow::Cow, collections::HashMap, fmt, str::FromStr};

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::audience::Audience;

/// The payload of one type of event, made so by `event!` where it is declared.
pub trait EventPayload: Serialize + JsonSchema {
    /// `thing.past_participle`.
    const TYPE: &'static str;
}

/// What an event is about, and so who is told of it live.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Topic {
    /// Hints for inboxes and boards; all staff are on it from the moment they connect.
    Company(Uuid),
    /// One person; automatic.
    User(Uuid),
    /// One conversation; staff subscribe.
    Conversation(Uuid),
    /// Metric ticks of a company; supervisors subscribe.
    Dashboard(Uuid),
}

impl fmt::Display for Topic {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Company(id) => write!(formatter, "company:{id}"),
            Self::User(id) => write!(formatter, "user:{id}"),
            Self::Conversation(id) => write!(formatter, "conversation:{id}"),
            Self::Dashboard(id) => write!(formatter, "dashboard:{id}"),
        }
    }
}

impl FromStr for Topic {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        let (kind, id) = text.split_once(':').ok_or(())?;
        let id = id.parse().map_err(|_| ())?;
        match kind {
            "company" => Ok(Self::Company(id)),
            "user" => Ok(Self::User(id)),
            "conversation" => Ok(Self::Conversation(id)),
            "dashboard" => Ok(Self::Dashboard(id)),
            _ => Err(()),
        }
    }
}

/// One event before it has its place in the feed.
#[derive(Clone, Debug)]
pub struct Event {
    pub topic: Topic,
    pub kind: &'static str,
    pub audience: Audience,
    pub data: Value,
    /// Where to read it when it does not fit in a frame.
    pub fetch: Option<String>,
}

impl Event {
    /// # Panics
    /// When the payload does not serialise, which is a mistake in its type.
    #[must_use]
    pub fn new<P: EventPayload>(topic: Topic, audience: Audience, payload: &P) -> Self {
        let data = serde_json::to_value(payload).expect("payloads serialise");
        Self { topic, kind: P::TYPE, audience, data, fetch: None }
    }

    /// Names the path that answers the same thing, for frames over the limit.
    #[must_use]
    pub fn fetched_at(mut self, path: String) -> Self {
        self.fetch = Some(path);
        self
    }

    pub(crate) fn to_row(&self, position: usize) -> Value {
        json!({
            "position": position,
            "topic": self.topic.to_string(),
            "type": self.kind,
            "audience": self.audience,
            "data": self.data,
        })
    }
}

/// Events that show a row at a time of its own (its `revision`) come in the order of these times, whatever order they were emitted in; all
/// others stay where they are.
pub(crate) fn order(events: &mut [Event]) {
    let mut places: HashMap<String, Vec<usize>> = HashMap::new();
    for (place, event) in events.iter().enumerate() {
        if let Some((row, _)) = shown_row(&event.data) {
            places.entry(row.to_owned()).or_default().push(place);
        }
    }
    for places in places.into_values() {
        // Neighbours change places until none is out of order: a transaction shows a row a few times at most.
        let is_late = |events: &[Event], pair: &[usize]| shown_row(&events[pair[0]].data) > shown_row(&events[pair[1]].data);
        while let Some(pair) = places.windows(2).find(|pair| is_late(events, pair)) {
            events.swap(pair[0], pair[1]);
        }
    }
}

/// The row that an event's data shows as a whole: its id and its revision.
#[must_use]
pub fn shown_row(data: &Value) -> Option<(&str, i64)> {
    let mut parts = data.as_object()?.values();
    parts.find_map(|row| Some((row.get("id")?.as_str()?, row.get("revision")?.as_i64()?)))
}

/// The positions of the events just recorded, and the jobs that are to be sent at once.
#[derive(Clone, Debug, Default)]
pub(crate) struct Recorded {
    pub(crate) tx: String,
    pub(crate) ids: Vec<i64>,
    pub(crate) sent: Vec<Uuid>,
    /// What people were told of by name: `events` that the database itself has written, a list of `id`, `topic`, `type` and `data`, and `jobs`, or null.
    pub(crate) told: Value,
    /// Its jobs, once the events have been taken: a list of `Dispatch`, or null.
    pub(crate) pushes: Value,
    /// Jobs that the database itself has added, to be sent too: a list of `Dispatch`, or null.
    pub(crate) asked: Value,
    /// Who is in the channels that the events are for: ids by the channel's, or null.
    pub(crate) people: Value,
}

/// The types of events that the database writes itself; their payloads are those of `notifications`.
pub(crate) const WRITTEN_BY_DATABASE: [&str; 2] = ["notification.created", "notification.read"];

/// An event that the database has written itself; it is for the person of its topic alone.
#[derive(Deserialize)]
struct Told {
    id: i64,
    topic: String,
    #[serde(rename = "type")]
    kind: String,
    data: Value,
}

#[derive(Default, Deserialize)]
struct NewlyTold {
    events: Vec<Told>,
    #[serde(default)]
    jobs: Value,
}

impl Recorded {
    /// The events that the database has written itself, which come after those that were recorded.
    pub(crate) fn take_told(&mut self) -> Vec<Event> {
        let told: Option<NewlyTold> = serde_json::from_value(self.told.take()).unwrap_or_default();
        let NewlyTold { events: told, jobs } = told.unwrap_or_default();
        self.pushes = jobs;
        let mut events = Vec::new();
        for Told { id, topic, kind, data } in told {
            let kind = WRITTEN_BY_DATABASE.into_iter().find(|known| *known == kind);
            if let (Ok(topic @ Topic::User(person)), Some(kind)) = (topic.parse(), kind) {
                events.push(Event { topic, kind, audience: Audience::user(person), data, fetch: None });
                self.ids.push(id);
            }
        }
        events
    }
}

/// A place in the feed: `epoch.tx.id`. Everything at or before it has been seen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FeedCursor {
    /// Names the database cluster whose transactions are counted.
    pub epoch: String,
    pub tx: u64,
    pub id: i64,
}

/// Where front ends meet it: text.
impl JsonSchema for FeedCursor {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "FeedCursor".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({"type": "string", "pattern": "^[0-9A-Za-z]{1,32}[.][0-9]{1,20}[.][0-9]{1,19}$"})
    }
}

impl FromStr for FeedCursor {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        let mut parts = text.split('.');
        let (Some(epoch), Some(tx), Some(id), None) = (parts.next(), parts.next(), parts.next(), parts.next()) else {
            return Err(());
        };
        let is_epoch = !epoch.is_empty() && epoch.len() <= 32 && epoch.bytes().all(|byte| byte.is_ascii_alphanumeric());
        let (Ok(tx), Ok(id)) = (tx.parse(), id.parse()) else { return Err(()) };
        if is_epoch { Ok(Self { epoch: epoch.to_owned(), tx, id }) } else { Err(()) }
    }
}

impl fmt::Display for FeedCursor {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}.{}.{}", self.epoch, self.tx, self.id)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_are_shown_in_the_order_of_their_revisions() {
        let shown = |row: &str, revision| (json!({"conversation": {"id": row, "revision": revision}}), "conversation.updated");
        let other = (json!({"message": {"id": "m"}}), "message.created");
        let emitted = [shown("a", 11), other, shown("b", 2), shown("a", 10), shown("a", 12), shown("a", 9)];
        let mut events: Vec<Event> = emitted
            .into_iter()
            .map(|(data, kind)| Event {
                topic: Topic::Company(Uuid::nil()),
                kind,
                audience: Audience::staff(),
                data,
                fetch: None,
            })
            .collect();
        order(&mut events);
        let told: Vec<_> = events.iter().map(|event| shown_row(&event.data)).collect();
        let a = |revision| Some(("a", revision));
        assert_eq!(told, [a(9), None, Some(("b", 2)), a(10), a(11), a(12)]);
    }

    #[test]
    fn cursors_are_read_as_written_and_nonsense_is_refused() {
        let cursor = FeedCursor { epoch: "ab12".into(), tx: 7, id: 9 };
        assert_eq!(cursor.to_string().parse(), Ok(cursor));
        for text in ["", "ab12", "ab12.7", "ab12.7.9.1", "ab12.-7.9", "a'b.7.9", ".7.9", "ab12.7.x"] {
            assert_eq!(text.parse::<FeedCursor>(), Err(()), "{text}");
        }
    }
}
