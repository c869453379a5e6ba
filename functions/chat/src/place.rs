//! Lists in the order of places: what each is asked for, and the page it answers.

use shared::{fitting, prelude::*, rule};

/// Rows of a page when nothing is said.
const USUAL: i64 = 50;

/// What a list in the order of places is asked for.
#[derive(Debug, Deserialize, Validate, JsonSchema)]
pub struct PlaceQuery {
    /// What stands before this place, the newest first.
    #[garde(range(min = 1))]
    pub before: Option<i64>,
    /// What stands behind this place, the oldest first.
    #[garde(range(min = 0), custom(alone(self.before.is_some())))]
    pub after: Option<i64>,
    /// The page with this place in its middle, the newest first.
    #[garde(range(min = 1), custom(alone(self.before.is_some() || self.after.is_some())))]
    pub around: Option<i64>,
    #[garde(range(min = 1, max = 100))]
    pub limit: Option<i64>,
}

fn alone(is_other: bool) -> impl FnOnce(&Option<i64>, &()) -> garde::Result {
    move |place, ()| {
        if place.is_some() && is_other {
            let (portuguese, english) = ("Use só um de before, after e around.", "Use only one of before, after and around.");
            return Err(rule("not_together", portuguese, english));
        }
        Ok(())
    }
}

/// A page of a list in the order of places.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct PlacePage<T> {
    pub data: Vec<T>,
    /// There is more in this direction: behind the last row's place.
    pub has_more: bool,
}

impl PlaceQuery {
    /// Rows to read: one more than the page has, which tells whether there is another.
    #[must_use]
    pub fn wanted(&self) -> i64 {
        self.limit.unwrap_or(USUAL) + 1
    }

    /// The page of the rows that were read.
    #[must_use]
    pub fn page<T: Serialize>(&self, mut rows: Vec<T>) -> PlacePage<T> {
        let limit = usize::try_from(self.wanted() - 1).unwrap_or_default().min(fitting(&rows));
        let has_more = rows.len() > limit;
        rows.truncate(limit);
        PlacePage { data: rows, has_more }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_that_was_read_longer_has_more() {
        let asked = PlaceQuery { before: None, after: None, around: None, limit: Some(2) };
        let (cut, whole) = (asked.page(vec![3, 2, 1]), asked.page(vec![2, 1]));
        assert_eq!((cut.data, cut.has_more), (vec![3, 2], true));
        assert_eq!((whole.data, whole.has_more), (vec![2, 1], false));
    }
}
