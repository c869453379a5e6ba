//! Lists read page by page.

use postgres_from_row::FromRow;

use super::transaction::{Parameters, Transaction};
use crate::{
    error::Error,
    http::{List, Order},
    postgres::intern,
};

/// The statement of a list in order of time, without its end: which page is asked for says that.
#[derive(Clone, Copy, Debug)]
pub struct TimeList {
    /// Ends within its conditions.
    pub rows: &'static str,
    /// Columns that make the order; the second one for rows of the same time.
    pub at: &'static str,
    pub id: &'static str,
}

const NAMES: [&str; 16] = ["$1", "$2", "$3", "$4", "$5", "$6", "$7", "$8", "$9", "$10", "$11", "$12", "$13", "$14", "$15", "$16"];

impl TimeList {
    /// With the page's own parameters after those that `rows` has.
    fn statement(&self, order: Order, parameters: usize) -> &'static str {
        let Self { rows, at, id } = *self;
        let [after, after_id, wanted] = [0, 1, 2].map(|more| NAMES[parameters + more]);
        let (beyond, direction) = match order {
            Order::Desc => (" < (", " desc"),
            Order::Asc => (" > (", " asc"),
        };
        let place =
            ["\nand (", after, "::timestamptz is null or (", at, ", ", id, ")", beyond, after, ", ", after_id, "::uuid))"];
        let end = ["\norder by ", at, direction, ", ", id, direction, "\nlimit ", wanted];
        intern(&[[rows].as_slice(), &place, &end].concat())
    }
}

impl Transaction {
    /// The rows of one page of a list, and one more when there is another page: `asked.page(rows, …)` cuts it off.
    ///
    /// # Errors
    /// As `query`.
    pub async fn list<T: FromRow, F: Sync>(
        &self,
        list: &TimeList,
        asked: &List<F>,
        parameters: Parameters<'_>,
    ) -> Result<Vec<T>, Error> {
        let statement = list.statement(asked.order, parameters.len());
        self.all(statement, &[parameters, &[&asked.at, &asked.id, &asked.wanted]].concat()).await
    }
}
