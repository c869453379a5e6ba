//! GET /admin/users — everybody of the company, also those who await approval and those deactivated.

use shared::prelude::*;
use team::user::{MemberStatus, User, UserFilters};

const ROUTE: Route = Route::get("/admin/users");

/// Removed people are listed when asked for.
const USUAL: [MemberStatus; 3] = [MemberStatus::PendingApproval, MemberStatus::Active, MemberStatus::Inactive];

#[derive(Deserialize, Validate, JsonSchema)]
struct Statuses {
    /// `pending_approval`, `active`, `inactive`, `removed`; all but the last when none is given.
    #[garde(skip)]
    status: Option<CommaSeparated<MemberStatus>>,
}

pub fn main() {
    serve(&ROUTE, list_all_users);
}

async fn list_all_users(
    context: Context,
    caller: Admin,
    Query(asked): Query<Statuses>,
    Query(people): Query<UserFilters>,
) -> Result<NumberedPage<User>, Error> {
    let asked = asked.status.map(|statuses| statuses.0).filter(|statuses| !statuses.is_empty());
    let statuses = asked.unwrap_or_else(|| USUAL.to_vec());
    let transaction = context.begin(&caller).await?;
    team::user::list_users(&transaction, &statuses, people).await
}
