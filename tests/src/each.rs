//! The same for many things, some at a time: what is asked of every route must not take longer with each one.

use futures_util::{StreamExt, stream};

/// Things under way at the same time in one test: each may hold a process and its connection to the database.
const AT_ONCE: usize = 8;

/// What `work` makes of each, in whatever order it is done.
pub async fn each<T, R, F: Future<Output = R>>(things: impl IntoIterator<Item = T>, work: impl FnMut(T) -> F) -> Vec<R> {
    stream::iter(things).map(work).buffer_unordered(AT_ONCE).collect().await
}
