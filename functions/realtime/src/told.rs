//! Committed events on their way to many sockets.

use std::collections::HashMap;

use shared::{
    events,
    prelude::*,
    realtime::{Pushed, frame_text},
};

use crate::feed::FeedEvent;

/// The events of some transactions: theirs in the order given, each one's in its own. Those for a channel are for who is in it now.
const OF_TRANSACTIONS: &str = "
    select (select value from feed_epochs order by started_at desc limit 1) || '.' || tx || '.' || id as cursor,
           topic, type as kind, at, data,
           case when audience[1] like 'channel:%'
                then array['self:nobody'] || array(select 'self:' || user_id from app.channel_people(array[substr(audience[1], 9)::uuid]))
                else audience
           end as audience,
           case when topic like 'user:%'
                then exists (select from memberships
                              where memberships.company_id = events.company_id and memberships.user_id = substr(topic, 6)::uuid
                                and memberships.role <> 'student')
                else false
           end as is_of_colleague
      from events
     where company_id = app.company_id() and tx = any ($1::text[]::xid8[])
     order by array_position($1::text[], tx::text), id";

#[derive(FromRow)]
struct Row {
    cursor: String,
    topic: String,
    kind: String,
    audience: Option<Vec<String>>,
    /// It is on the topic of one of the staff, who listen to the company too.
    is_of_colleague: bool,
    at: Timestamp,
    data: Value,
}

/// An event as sockets are told of it.
#[derive(Clone, Debug)]
pub struct ToldEvent {
    pub topic: Topic,
    /// That topic is one of the staff's own.
    pub is_of_colleague: bool,
    audience: Audience,
    event: FeedEvent,
    /// Cursors of the hints it stands for.
    also: Vec<String>,
}

impl ToldEvent {
    fn from_row(row: Row) -> Option<Self> {
        let Row { cursor, topic, kind, audience, is_of_colleague, at, data } = row;
        let event = FeedEvent { kind, cursor, topic, at, data };
        Some(Self { topic: event.topic.parse().ok()?, is_of_colleague, audience: audience.into(), event, also: Vec::new() })
    }

    pub fn to_pushed(&self) -> Pushed {
        let fetch = self.event.fetch();
        let frame = frame_text(&self.event.frame(&self.also, fetch.as_deref()));
        Pushed { topic: self.topic, audience: self.audience.clone(), frame }
    }

    /// What it says is all of a row as it is now, `thing.updated` for lists: the row. A later hint of the same row says more.
    fn hinted_row(&self) -> Option<String> {
        let thing = self.event.kind.strip_suffix(".updated").filter(|_| matches!(self.topic, Topic::Company(_)))?;
        Some(format!("{thing} {}", self.event.data.get(thing)?.get("id")?.as_str()?))
    }
}

/// The events that these transactions of the company have left behind.
///
/// # Errors
/// As `Transaction::query`.
pub async fn of_transactions(transaction: &Transaction, transactions: &[String]) -> Result<Vec<ToldEvent>, Error> {
    let rows: Vec<Row> = transaction.all(OF_TRANSACTIONS, &[&transactions]).await?;
    Ok(rows.into_iter().filter_map(ToldEvent::from_row).collect())
}

/// Leaves only the last of several hints of one row to the same audience, standing for the others. It shows the row as it was last: of two
/// transactions, the one that the feed has first may have changed it later.
#[must_use]
pub fn merge_hints(events: Vec<ToldEvent>) -> Vec<ToldEvent> {
    let mut told: Vec<ToldEvent> = Vec::with_capacity(events.len());
    let mut latest: HashMap<String, usize> = HashMap::new();
    for event in events.into_iter().rev() {
        if let Some(row) = event.hinted_row() {
            let later = latest.get(&row).map(|place| &mut told[*place]);
            if let Some(later) = later.filter(|later| later.audience == event.audience) {
                later.also.push(event.event.cursor);
                if events::shown_row(&event.event.data) > events::shown_row(&later.event.data) {
                    later.event.data = event.event.data;
                }
                continue;
            }
            latest.insert(row, told.len());
        }
        told.push(event);
    }
    told.reverse();
    told
}

#[cfg(test)]
mod tests {
    use super::*;

    fn event(number: u32, kind: &str, conversation: u128, department: Option<u128>) -> ToldEvent {
        let (company, id) = (Topic::Company(Uuid::nil()), Uuid::from_u128(conversation));
        let event = FeedEvent {
            kind: kind.to_owned(),
            cursor: format!("e.1.{number}"),
            topic: company.to_string(),
            at: Timestamp::UNIX_EPOCH,
            data: json!({"conversation": {"id": id, "version": number, "revision": number}}),
        };
        let audience = Audience::conversation(department.map(Uuid::from_u128), None);
        ToldEvent { topic: company, is_of_colleague: false, audience, event, also: Vec::new() }
    }

    fn cursors(events: Vec<ToldEvent>) -> Vec<(String, Vec<String>)> {
        merge_hints(events).into_iter().map(|event| (event.event.cursor, event.also)).collect()
    }

    #[test]
    fn the_last_hint_of_a_conversation_stands_for_the_earlier_ones() {
        let updated = |number, conversation| event(number, "conversation.updated", conversation, Some(1));
        let merged = cursors(vec![updated(1, 7), updated(2, 8), updated(3, 7), updated(4, 7)]);
        assert_eq!(merged, [("e.1.2".into(), vec![]), ("e.1.4".into(), vec!["e.1.3".into(), "e.1.1".into()])]);
    }

    #[test]
    fn it_shows_the_row_as_it_was_last() {
        let updated = |number, revision| {
            let mut event = event(number, "conversation.updated", 7, None);
            event.event.data["conversation"]["revision"] = json!(revision);
            event
        };
        let merged = merge_hints(vec![updated(1, 9), updated(2, 11), updated(3, 10)]);
        let shown: Vec<_> =
            merged.iter().map(|event| (&event.event.cursor, &event.event.data["conversation"]["revision"])).collect();
        assert_eq!(shown, [(&"e.1.3".to_owned(), &json!(11))]);
    }

    #[test]
    fn what_others_may_see_and_what_is_no_hint_stays() {
        let events = vec![
            event(1, "conversation.updated", 7, Some(1)),
            event(2, "conversation.transferred", 7, Some(1)),
            event(3, "conversation.updated", 7, Some(2)),
            event(4, "conversation.closed", 7, Some(2)),
        ];
        assert_eq!(cursors(events).len(), 4);
    }

    #[test]
    fn the_frame_says_what_it_stands_for() {
        let updated = |number| event(number, "conversation.updated", 7, None);
        let frames: Vec<_> = merge_hints(vec![updated(1), updated(2)]).iter().map(ToldEvent::to_pushed).collect();
        let frame: Value = serde_json::from_str(&frames[0].frame).unwrap();
        assert_eq!((frames.len(), &frame["cursor"], &frame["also"]), (1, &json!("e.1.2"), &json!(["e.1.1"])));
        assert_eq!(frame["data"]["conversation"]["version"], 2);
    }
}
