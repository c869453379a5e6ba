//! Lists read page by page.

use postgres_from_row::FromRow;

use super::transaction::{Parameters, Transaction};
use crate::{
    error::Error,
    http::{List, Order},
    postgres::intern,
};

/// The statement of a list in order of time. Which page is asked for says the rest: where it begins is one comparison, and how few rows
/// are wanted at most is said, so that one plan serves all requests.
#[derive(Clone, Copy, Debug)]
pub struct TimeList {
    /// `select *` of the table with the list's conditions, and nothing after them.
    pub rows: &'static str,
    /// Columns of that table that make the order; the second one for rows of the same time.
    pub at: &'static str,
    pub id: &'static str,
    /// What is shown of each: columns from `page`, named as the table in `at` and `id`, with what is joined to it.
    pub shown: &'static str,
}

const NAMES: [&str; 16] = ["$1", "$2", "$3", "$4", "$5", "$6", "$7", "$8", "$9", "$10", "$11", "$12", "$13", "$14", "$15", "$16"];

impl TimeList {
    /// With the page's own parameters after those that `rows` has.
    fn statement(&self, order: Order, parameters: usize) -> &'static str {
        let Self { rows, at, id, shown } = *self;
        let [after, after_id, wanted] = [0, 1, 2].map(|more| NAMES[parameters + more]);
        let (beyond, beginning, direction) = match order {
            Order::Desc => (" < ", "'infinity'", " desc"),
            Order::Asc => (" > ", "'-infinity'", " asc"),
        };
        let by_time = ["\norder by ", at, direction, ", ", id, direction];
        let place = ["\nand (", at, ", ", id, ")", beyond, "(coalesce(", after, "::timestamptz, ", beginning, "), coalesce("];
        let place_id = [after_id, "::uuid, '00000000-0000-0000-0000-000000000000'))"];
        let limits = ["\nlimit 101) rows\nlimit ", wanted, "::bigint)\n"];
        let page = ["with page as (select * from (", rows];
        intern(&[page.as_slice(), &place, &place_id, &by_time, &limits, &[shown], &by_time].concat())
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
