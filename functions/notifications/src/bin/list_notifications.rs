//! GET /notifications — what the caller was told of and sees still, the latest first, and how many they have not read.

use futures_util::future::join;
use notifications::{NotificationList, shown_notifications, unread};
use shared::{notifications::Notification, prelude::*};

const ROUTE: Route = Route::get("/notifications");

#[derive(Deserialize, Validate, JsonSchema)]
struct Filters {
    /// Only those that are, or are not.
    #[garde(skip)]
    unread: Option<bool>,
    /// Some types, separated by commas, as `GET /notifications/preferences` lists them.
    #[garde(skip)]
    #[serde(rename = "type")]
    types: Option<CommaSeparated<String>>,
}

const NOTIFICATIONS: TimeList = TimeList {
    rows: "select * from notifications
            where on_screen and user_id = (select app.user_id())
              and ($1::boolean is null or (read_at is null) = $1) and ($2::text[] is null or type = any ($2))",
    at: "notifications.at",
    id: "notifications.id",
    shown: shown_notifications!(),
};

pub fn main() {
    serve(&ROUTE, list_notifications);
}

async fn list_notifications(context: Context, caller: Member, asked: List<Filters>) -> Result<Json<NotificationList>, Error> {
    let transaction = context.begin(&caller).await?;
    let types: Option<Vec<String>> = asked.filters.types.clone().map(|types| types.0);
    let (rows, unread) =
        join(transaction.list(&NOTIFICATIONS, &asked, &[&asked.filters.unread, &types]), unread(&transaction)).await;
    let page = asked.page(rows?, |row: &Notification| (row.at, row.id));
    Ok(Json(NotificationList { page, unread: unread? }))
}
