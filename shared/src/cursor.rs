//! Cursors of lists: the sort key of the last row, opaque to callers.

use std::borrow::Cow;

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use jiff::Timestamp;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use uuid::Uuid;

/// No row is older. Postgres knows no time before 4713 BC, which a `Timestamp` may be.
pub const EARLIEST: Timestamp = Timestamp::constant(-62_135_596_800, 0);

/// A place in a list ordered by time and id.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TimeCursor {
    pub at: Timestamp,
    pub id: Uuid,
}

impl TimeCursor {
    /// Reads what `encode` wrote.
    #[must_use]
    pub fn decode(text: &str) -> Option<Self> {
        let read = || {
            let bytes = URL_SAFE_NO_PAD.decode(text).ok()?;
            let (at, id) = bytes.split_at_checked(8)?;
            let at = Timestamp::from_microsecond(i64::from_be_bytes(at.try_into().ok()?)).ok()?;
            Some(Self { at, id: Uuid::from_slice(id).ok()? })
        };
        read().filter(|place| place.at >= EARLIEST)
    }

    #[must_use]
    pub fn encode(&self) -> String {
        URL_SAFE_NO_PAD.encode([&self.at.as_microsecond().to_be_bytes()[..], self.id.as_bytes()].concat())
    }
}

/// Where front ends meet it: text, of a time from 1970 to the year 8820.
impl JsonSchema for TimeCursor {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "Cursor".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({"type": "string", "pattern": "^A[A-Za-v][A-Za-z0-9_-]{30}$"})
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cursors_are_read_as_written_and_nonsense_is_refused() {
        let cursor = TimeCursor { at: Timestamp::from_microsecond(1_795_341_600_123_456).unwrap(), id: Uuid::from_u128(7) };
        assert_eq!(TimeCursor::decode(&cursor.encode()).unwrap(), cursor);
        for text in ["", "x", "AAAA", "../../etc", &"A".repeat(500)] {
            assert!(TimeCursor::decode(text).is_none(), "{text}");
        }
        let id = Uuid::nil();
        assert!(TimeCursor::decode(&TimeCursor { at: EARLIEST, id }.encode()).is_some());
        assert!(TimeCursor::decode(&TimeCursor { at: Timestamp::MIN, id }.encode()).is_none());
    }
}
