//! Lists in order of time: what each of them is asked for, and the page it answers.

use garde::Validate;
use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use uuid::Uuid;

use super::{FromRequest, Page, Request, Route, describe::Description, names, query, validation::rule};
use crate::{
    context::Context,
    cursor::TimeCursor,
    error::{Error, INVALID},
};

/// Rows of a page when nothing is said.
const USUAL: u32 = 50;

/// `desc`: the newest first. `asc`: the oldest first.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Order {
    #[default]
    #[serde(alias = "DESC")]
    Desc,
    #[serde(alias = "ASC")]
    Asc,
}

#[derive(Deserialize, Validate, JsonSchema)]
struct Paging {
    /// The `next_cursor` of the page before, in the same order.
    #[garde(inner(custom(is_cursor)))]
    #[schemars(with = "Option<TimeCursor>")]
    cursor: Option<String>,
    #[garde(skip)]
    #[serde(default)]
    order: Order,
    #[garde(range(min = 1, max = 100))]
    limit: Option<u32>,
}

fn is_cursor(text: &str, (): &()) -> garde::Result {
    TimeCursor::decode(text).map(drop).ok_or_else(|| rule("invalid_cursor", "Cursor inválido.", "Invalid cursor."))
}

/// Bytes of the rows of an answer: API Gateway takes six megabytes of a function in all.
const MOST_BYTES: usize = 4_000_000;

/// How many of the first rows an answer has room for; at least one.
pub fn fitting<T: Serialize>(rows: &[T]) -> usize {
    let mut left = MOST_BYTES;
    let fits = |row: &T| {
        let mut counter = Counter(0);
        let is_written = serde_json::to_writer(&mut counter, row).is_ok();
        left = left.saturating_sub(counter.0);
        is_written && left > 0
    };
    rows.iter().map(fits).take_while(|fits| *fits).count().max(1)
}

/// Counts what is written.
struct Counter(usize);

impl std::io::Write for Counter {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0 += bytes.len();
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

/// No filters.
#[derive(Debug, Deserialize, Validate, JsonSchema)]
pub struct All {}

/// One page of a list: `cursor`, `order` and `limit` of the query string, and beside them the filters of the list itself. The names of
/// the fields are what the statement of a list needs.
#[derive(Debug)]
pub struct List<F = All> {
    pub filters: F,
    pub order: Order,
    /// The place the page begins behind; none at the beginning.
    pub at: Option<Timestamp>,
    pub id: Option<Uuid>,
    /// Rows to read: one more than the page has, which tells whether there is another.
    pub wanted: i64,
}

impl<F> List<F> {
    /// The page of the rows that were read, each of which has its place in the list: its time and its id.
    pub fn page<T: Serialize>(&self, mut rows: Vec<T>, place: impl Fn(&T) -> (Timestamp, Uuid)) -> Page<T> {
        let limit = usize::try_from(self.wanted - 1).unwrap_or_default().min(fitting(&rows));
        let has_more = rows.len() > limit;
        rows.truncate(limit);
        let last = rows.last().filter(|_| has_more).map(&place);
        Page { next_cursor: last.map(|(at, id)| TimeCursor { at, id }.encode()), data: rows }
    }
}

impl<F> FromRequest for List<F>
where
    F: DeserializeOwned + JsonSchema + Validate<Context = ()> + Send + 'static,
{
    fn from_request(request: &Request, _: &Route, _: &Context) -> Result<Self, Error> {
        let pairs = names::take_pairs::<F>(query::given(request.raw_query())?)?;
        let (filters, paging) = match (query::read::<F>(pairs.clone()), query::read::<Paging>(pairs)) {
            (Ok(filters), Ok(paging)) => (filters, paging),
            (Err(one), Err(other)) => return Err(INVALID.in_fields([one.0.fields, other.0.fields].concat())),
            (Err(error), _) | (_, Err(error)) => return Err(error),
        };
        let place = paging.cursor.as_deref().and_then(TimeCursor::decode);
        let (at, id) = place.map(|place| (place.at, place.id)).unzip();
        Ok(Self { filters, order: paging.order, at, id, wanted: i64::from(paging.limit.unwrap_or(USUAL)) + 1 })
    }

    fn describe(description: &mut Description) {
        description.query::<F>();
        description.query::<Paging>();
        description.failures.push(INVALID);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(limit: i64) -> List {
        List { filters: All {}, order: Order::Desc, at: None, id: None, wanted: limit + 1 }
    }

    #[test]
    fn a_page_that_was_read_longer_has_another_behind_its_last_row() {
        let place = |row: &i64| (Timestamp::from_second(*row).unwrap(), Uuid::nil());
        let whole = asked(3).page(vec![1, 2, 3], place);
        assert_eq!((whole.data, whole.next_cursor), (vec![1, 2, 3], None));
        let cut = asked(2).page(vec![1, 2, 3], place);
        let next = cut.next_cursor.as_deref().and_then(TimeCursor::decode).unwrap();
        assert_eq!((cut.data, next.at), (vec![1, 2], place(&2).0));
        let empty = asked(2).page(Vec::new(), place);
        assert_eq!((empty.data, empty.next_cursor), (Vec::new(), None));
    }
}
