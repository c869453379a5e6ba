//! GET /views — one's own views in their order, then those that all have, each with how many conversations it shows.

use conversations::AskedConversations;
use futures_util::future::try_join_all;
use shared::prelude::*;
use views::{Filters, View, view_columns};

const ROUTE: Route = Route::get("/views");

/// Counts stop here, as those of the inbox do.
const MOST: i64 = 1000;

const LIST: &str = concat!("select ", view_columns!(), " from views order by owner_id is null, position, id");

/// A view with what it shows the caller now.
#[derive(Serialize, JsonSchema)]
struct CountedView {
    #[serde(flatten)]
    view: View,
    /// What `GET /conversations` would list with its filters; 1000 means as many or more. Null where it would refuse them now, and of
    /// views that search: what is searched for is counted when it is looked at.
    count: Option<i64>,
}

pub fn main() {
    serve(&ROUTE, list_views);
}

/// All counts travel together.
async fn list_views(context: Context, agent: Staff) -> Result<Page<CountedView>, Error> {
    let transaction = context.begin(&agent).await?;
    let views: Vec<View> = transaction.all(LIST, &[]).await?;
    let asked: Vec<_> = views.iter().map(|view| asked(&view.filters, agent.user_id)).collect();
    let counts = try_join_all(asked.iter().map(async |asked| match asked {
        Some(asked) => asked.count(&transaction).await.map(Some),
        None => Ok(None),
    }))
    .await?;
    Ok(Page::whole(views.into_iter().zip(counts).map(|(view, count)| CountedView { view, count }).collect()))
}

fn asked(filters: &Value, caller: Uuid) -> Option<AskedConversations> {
    let filters = Filters::deserialize(filters).ok().filter(|filters| filters.validate().is_ok())?;
    if filters.given.get("search").is_some() {
        return None;
    }
    let list = List { filters: filters.read, order: Order::Desc, at: None, id: None, wanted: MOST };
    Some(AskedConversations::read(list, caller))
}
