//! Clients as lists and exports find them.

use crate::client_columns;

/// Those that a search, its numbers and a tag find, archived or not, oldest first or not, after a time and an id, so many; blocked ones, others
/// or all.
pub const FOUND: &str = concat!(
    "with found as materialized (
        select found.id, found.place
          from unnest(app.find_clients($1, $2, $3, coalesce($4, false), $5, $6, $7, $8, $9)) with ordinality found (id, place)
    ) select ",
    client_columns!(),
    " from found join clients on clients.id = found.id order by found.place"
);
