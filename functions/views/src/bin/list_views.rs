//! GET /views — one's own views of a kind in their order, then those that all have, each with how many it shows.

use futures_util::future::try_join_all;
use shared::prelude::*;
use views::{Asked, Filters, View, ViewKind, view_columns};

const ROUTE: Route = Route::get("/views");

/// Counts stop here, as those of the inbox do.
const MOST: i64 = 1000;

const LIST: &str = concat!("select ", view_columns!(), " from views where kind = $1 order by owner_id is null, position, id");

#[derive(Deserialize, Validate, JsonSchema)]
struct Wish {
    /// What they are lists of; `conversations` when it is not given.
    #[garde(skip)]
    kind: Option<ViewKind>,
}

/// A view with what it shows the caller now.
#[derive(Serialize, JsonSchema)]
struct CountedView {
    #[serde(flatten)]
    view: View,
    /// What `GET /conversations` or `GET /leads` would list with its filters; 1000 means as many or more. Null where it would refuse them now, and
    /// of views that search: what is searched for is counted when it is looked at.
    count: Option<i64>,
}

pub fn main() {
    serve(&ROUTE, list_views);
}

/// All counts travel together.
async fn list_views(context: Context, agent: Staff, Query(wish): Query<Wish>) -> Result<Page<CountedView>, Error> {
    let transaction = context.begin(&agent).await?;
    let views: Vec<View> = transaction.all(LIST, &[&wish.kind.unwrap_or_default().as_str()]).await?;
    let asked: Vec<_> = views.iter().map(|view| asked(view, agent.user_id)).collect();
    let counts = try_join_all(asked.iter().map(async |asked| match asked {
        Some(asked) => asked.count(&transaction).await.map(Some),
        None => Ok(None),
    }))
    .await?;
    Ok(Page::whole(views.into_iter().zip(counts).map(|(view, count)| CountedView { view, count }).collect()))
}

fn asked(view: &View, caller: Uuid) -> Option<Asked> {
    let filters = Filters::kept(&view.filters);
    if filters.search() { None } else { filters.read(view.kind, caller, MOST).ok() }
}
