//! Lists in the order of places: what each is asked for, and the page it answers.

use shared::{fitting, prelude::*};

/// Rows of a page when nothing is said.
const USUAL: i64 = 50;

/// What a list in the order of places is asked for.
#[derive(Debug, Deserialize, Validate, JsonSchema)]
pub struct PlaceQuery {
    /// The `next_cursor` of the page before, or a place: what lies beyond it, in the order asked for.
    #[garde(range(min = 0))]
    pub cursor: Option<i64>,
    #[garde(skip)]
    pub order: Option<Order>,
    /// The page with this place in its middle, the newest first; of a thread the page that begins with it.
    #[garde(range(min = 1))]
    pub around: Option<i64>,
    #[garde(range(min = 1, max = 100))]
    pub limit: Option<i64>,
}

/// A page of a list in the order of places.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct PlacePage<T> {
    pub data: Vec<T>,
    /// The place behind which the next page begins; null at the end.
    pub next_cursor: Option<i64>,
}

impl PlaceQuery {
    #[must_use]
    pub fn is_ascending(&self) -> bool {
        matches!(self.order, Some(Order::Asc))
    }

    #[must_use]
    pub fn place(&self) -> Option<i64> {
        self.cursor
    }

    /// Rows to read: one more than the page has, which tells whether there is another.
    #[must_use]
    pub fn wanted(&self) -> i64 {
        self.limit.unwrap_or(USUAL) + 1
    }

    /// The page of the rows that were read.
    #[must_use]
    pub fn page<T: Serialize>(&self, mut rows: Vec<T>, place: impl Fn(&T) -> Option<i64>) -> PlacePage<T> {
        let limit = usize::try_from(self.wanted() - 1).unwrap_or_default().min(fitting(&rows));
        let has_more = rows.len() > limit;
        rows.truncate(limit);
        PlacePage { next_cursor: rows.last().filter(|_| has_more).and_then(place), data: rows }
    }
}
