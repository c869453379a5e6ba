//! The durable feed: the events after a cursor that the reader may see, and where the feed stands.

use shared::{
    events::FeedCursor,
    prelude::*,
    realtime::{Frame, frame_text},
};

/// The statement that reads the feed: one row with its head, and one more for each event after the cursor.
/// `$1` epoch, `$2` transaction, `$3` id of the cursor, all null to read only the head; `$4` topics, null for all; `$5` most events.
/// Row-level security decides which events there are. Only those of transactions below every one still open are read: none that
/// commits later can come before them.
macro_rules! feed_statement {
    (before: $before:literal, columns: $columns:literal) => {
        concat!(
            "
    with ",
            $before,
            "place as materialized (
        select value as epoch, swept, pg_snapshot_xmin(pg_current_snapshot()) as head
          from feed_epochs
         order by started_at desc
         limit 1
    ), asked as (
        select place.*,
               coalesce($1::text <> epoch or ($2::text::xid8, $3::bigint) > (head, 0::bigint) or $2::text::xid8 <= swept, false) as is_lost
          from place
    )
    select epoch, asked.head::text as head, is_lost, event.tx::text as tx, event.id",
            $columns,
            "
      from asked
      left join lateral (
           select events.*
             from events
            where not asked.is_lost
              and (events.tx, events.id) > ($2::text::xid8, $3::bigint)
              and events.tx < asked.head
              and ($4::text[] is null or events.topic = any ($4::text[]))
            order by events.tx, events.id
            limit $5::bigint
      ) event on true
     order by event.tx, event.id"
        )
    };
}
pub(crate) use feed_statement;

const READ: &str = feed_statement!(before: "", columns: ", event.topic, event.type as kind, event.at, event.data");

/// One event as every reader gets it: from the feed, and as a frame.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct FeedEvent {
    /// `thing.past_participle`; the shapes of `data` are in `x-events`.
    #[serde(rename = "type")]
    pub kind: String,
    #[schemars(with = "FeedCursor")]
    pub cursor: String,
    pub topic: String,
    pub at: Timestamp,
    pub data: Value,
}

impl FeedEvent {
    /// The text a socket receives, the same as when it was first sent.
    pub fn to_frame(&self) -> String {
        frame_text(&self.frame(&[], self.fetch().as_deref()))
    }

    /// Where in the feed it is, for one too large for a frame.
    pub(crate) fn fetch(&self) -> Option<String> {
        let FeedCursor { epoch, tx, id } = self.cursor.parse().ok()?;
        let before = FeedCursor { epoch, tx, id: id.saturating_sub(1) };
        Some(format!("/events?after={before}&limit=1"))
    }

    pub(crate) fn frame<'event>(&'event self, also: &'event [String], fetch: Option<&'event str>) -> Frame<'event> {
        let Self { kind, cursor, topic, at, data } = self;
        Frame { kind, cursor: cursor.clone(), also, topic: topic.clone(), at: at.to_string(), data, fetch }
    }
}

/// Where the feed stood when it was read, and whether the cursor it was asked for still means anything.
#[derive(Debug, FromRow)]
pub(crate) struct Position {
    epoch: String,
    head: String,
    pub(crate) is_lost: bool,
    tx: Option<String>,
    id: Option<i64>,
}

impl Position {
    pub(crate) fn head(&self) -> String {
        format!("{}.{}.0", self.epoch, self.head)
    }

    pub(crate) fn cursor(&self) -> Option<String> {
        Some(format!("{}.{}.{}", self.epoch, self.tx.as_ref()?, self.id?))
    }
}

#[derive(Debug, FromRow)]
struct EventRow {
    #[from_row(flatten)]
    position: Position,
    topic: Option<String>,
    kind: Option<String>,
    at: Option<Timestamp>,
    data: Option<Value>,
}

impl EventRow {
    fn into_event(self) -> Option<FeedEvent> {
        let cursor = self.position.cursor()?;
        Some(FeedEvent { kind: self.kind?, cursor, topic: self.topic?, at: self.at?, data: self.data? })
    }
}

/// A stretch of the feed.
#[derive(Debug)]
pub struct Stretch {
    pub events: Vec<FeedEvent>,
    /// Everything before it has been read, when there is no `more`.
    pub head: String,
    /// There are further events before the head.
    pub more: bool,
}

/// A cursor as parameters of the statement.
pub(crate) struct After {
    pub(crate) epoch: Option<String>,
    pub(crate) tx: Option<String>,
    pub(crate) id: Option<i64>,
}

/// Reads a cursor. One that nobody can have been given is treated as one that is lost.
pub(crate) fn after(cursor: Option<&str>) -> After {
    let Some(text) = cursor else { return After { epoch: None, tx: None, id: None } };
    let FeedCursor { epoch, tx, id } = text.parse().unwrap_or(FeedCursor { epoch: String::new(), tx: 0, id: 0 });
    After { epoch: Some(epoch), tx: Some(tx.to_string()), id: Some(id) }
}

/// Takes off the one row that was asked for beyond `most`, and answers whether it was there.
pub(crate) fn cut<T>(rows: &mut Vec<T>, most: usize) -> bool {
    let more = rows.len() > most;
    rows.truncate(most);
    more
}

/// Up to `most` events after `cursor`, in order; without a cursor only the head. `None` when the cursor is lost: of another
/// database, ahead of the head, or older than what is kept.
///
/// # Errors
/// As `Transaction::query`.
pub async fn read(
    transaction: &Transaction,
    cursor: Option<&str>,
    topics: Option<Vec<String>>,
    most: u32,
) -> Result<Option<Stretch>, Error> {
    let After { epoch, tx, id } = after(cursor);
    let rows: Vec<EventRow> = transaction.all(READ, &[&epoch, &tx, &id, &topics, &(i64::from(most) + 1)]).await?;
    Ok(stretch(rows, most))
}

fn stretch(rows: Vec<EventRow>, most: u32) -> Option<Stretch> {
    let first = rows.first().filter(|row| !row.position.is_lost)?;
    let head = first.position.head();
    let mut events: Vec<FeedEvent> = rows.into_iter().filter_map(EventRow::into_event).collect();
    let more = cut(&mut events, most as usize);
    Some(Stretch { events, head, more })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn row(tx: Option<u64>, is_lost: bool) -> EventRow {
        let position =
            Position { epoch: "ab12".into(), head: "90".into(), is_lost, tx: tx.map(|tx| tx.to_string()), id: tx.map(|_| 5) };
        let text = tx.map(|_| "x".to_owned());
        EventRow { position, topic: text.clone(), kind: text, at: tx.map(|_| Timestamp::UNIX_EPOCH), data: tx.map(|_| json!({})) }
    }

    #[test]
    fn a_feed_without_news_is_its_head() {
        let read = stretch(vec![row(None, false)], 10).unwrap();
        assert_eq!((read.head.as_str(), read.events.len(), read.more), ("ab12.90.0", 0, false));
        assert!(read.head.parse::<FeedCursor>().is_ok());
    }

    #[test]
    fn a_lost_cursor_reads_nothing() {
        assert!(stretch(vec![row(None, true)], 10).is_none());
    }

    #[test]
    fn nonsense_is_a_lost_cursor_and_not_the_absence_of_one() {
        assert_eq!(after(Some("x")).epoch.as_deref(), Some(""));
        assert_eq!(after(None).epoch, None);
    }

    #[test]
    fn frames_say_what_the_feed_says() {
        let event = stretch(vec![row(Some(7), false)], 10).unwrap().events.remove(0);
        let frame: Value = serde_json::from_str(&event.to_frame()).unwrap();
        assert_eq!(frame["cursor"], "ab12.7.5");
        assert_eq!(frame, serde_json::to_value(&event).unwrap());
    }

    #[test]
    fn a_large_event_says_where_it_is_read() {
        let event =
            FeedEvent { data: json!("x".repeat(40_000)), ..stretch(vec![row(Some(7), false)], 10).unwrap().events.remove(0) };
        let frame: Value = serde_json::from_str(&event.to_frame()).unwrap();
        assert_eq!((&frame["data"], &frame["fetch"]), (&Value::Null, &json!("/events?after=ab12.7.4&limit=1")));
    }

    proptest! {
        #[test]
        fn no_page_is_longer_than_asked_and_more_says_when_it_was_cut(found in 0_u32..30, most in 1_u32..20) {
            // The statement never answers more than one beyond `most`.
            let found = found.min(most + 1);
            let rows: Vec<_> = if found == 0 { vec![row(None, false)] } else { (1..=u64::from(found)).map(|tx| row(Some(tx), false)).collect() };
            let read = stretch(rows, most).unwrap();
            prop_assert_eq!(read.events.len(), found.min(most) as usize);
            prop_assert_eq!(read.more, found > most);
        }

        #[test]
        fn every_cursor_is_read_as_it_was_written(tx: u64, id: i64) {
            let parts = after(Some(&FeedCursor { epoch: "e1".into(), tx, id }.to_string()));
            prop_assert_eq!(parts.epoch.as_deref(), Some("e1"));
            prop_assert_eq!(parts.tx, Some(tx.to_string()));
            prop_assert_eq!(parts.id, Some(id));
        }
    }
}
