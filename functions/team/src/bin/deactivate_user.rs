//! POST /admin/deactivate-user/{id} — a member is out until an admin lets them in again; their conversations go back to their queue.

use shared::prelude::*;
use team::{
    membership::{LAST_ADMIN, end_membership},
    user::{MemberStatus, User},
};

const ROUTE: Route = Route::post("/admin/deactivate-user/{id}").fails(&[LAST_ADMIN]);

pub fn main() {
    serve(&ROUTE, deactivate_user);
}

async fn deactivate_user(context: Context, caller: Admin, Path(id): Path<Uuid>) -> Result<Json<User>, Error> {
    let transaction = context.begin(&caller).await?;
    let change = end_membership(&transaction, &caller, id, MemberStatus::Inactive).await?;
    let answer = transaction.commit(Json(change.user.clone())).await?;
    change.close_sockets(&context).await;
    Ok(answer)
}
