//! GET /companies/{id}/members — who belongs to the company of this session, by name.

use companies::expect_own;
use shared::prelude::*;
use team::user::{MemberStatus, User, UserFilters, list_users};

const ROUTE: Route = Route::get("/companies/{id}/members");

pub fn main() {
    serve(&ROUTE, list_company_members);
}

async fn list_company_members(
    context: Context,
    caller: Staff,
    Path(id): Path<Uuid>,
    Query(filters): Query<UserFilters>,
) -> Result<NumberedPage<User>, Error> {
    let transaction = context.begin(&caller).await?;
    let members = list_users(&transaction, &[MemberStatus::Active], filters).await?;
    expect_own(&caller, id)?;
    Ok(members)
}
