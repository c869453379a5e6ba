//! GET /users — the people of the company, by name, with where they work and whether they are online.

use shared::prelude::*;
use team::user::{MemberStatus, User, UserFilters};

const ROUTE: Route = Route::get("/users");

#[derive(Deserialize, Validate, JsonSchema)]
struct Activity {
    /// `false`: those deactivated. Who awaits approval is in neither list.
    #[garde(skip)]
    active: Option<bool>,
}

pub fn main() {
    serve(&ROUTE, list_users);
}

async fn list_users(
    context: Context,
    caller: Staff,
    Query(activity): Query<Activity>,
    Query(people): Query<UserFilters>,
) -> Result<NumberedPage<User>, Error> {
    let status = if activity.active.unwrap_or(true) { MemberStatus::Active } else { MemberStatus::Inactive };
    let transaction = context.begin(&caller).await?;
    team::user::list_users(&transaction, &[status], people).await
}
