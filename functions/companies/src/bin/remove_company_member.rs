//! DELETE /companies/{id}/members/{member} — a member belongs to the company no more; what they have done keeps their name.

use companies::expect_own;
use shared::prelude::*;
use team::{
    membership::{LAST_ADMIN, end_membership},
    user::MemberStatus,
};

const ROUTE: Route = Route::delete("/companies/{id}/members/{member}").fails(&[LAST_ADMIN]);

pub fn main() {
    serve(&ROUTE, remove_company_member);
}

async fn remove_company_member(
    context: Context,
    caller: Admin,
    Path((id, user_id)): Path<(Uuid, Uuid)>,
) -> Result<NoContent, Error> {
    let transaction = context.begin(&caller).await?;
    let change = end_membership(&transaction, &caller, user_id, MemberStatus::Removed).await?;
    expect_own(&caller, id)?;
    let answer = transaction.commit(NoContent).await?;
    change.close_sockets(&context).await;
    Ok(answer)
}
