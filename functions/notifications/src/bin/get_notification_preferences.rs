//! GET /notifications/preferences — what the caller is told of, and how.

use notifications::preferences::{self, NotificationPreferences};
use shared::prelude::*;

const ROUTE: Route = Route::get("/notifications/preferences");

pub fn main() {
    serve(&ROUTE, get_notification_preferences);
}

async fn get_notification_preferences(context: Context, caller: Member) -> Result<Json<NotificationPreferences>, Error> {
    let transaction = context.begin(&caller).await?;
    preferences::read(&transaction).await.map(Json)
}
