//! DELETE /users/{id} — deactivates a member; their conversations go back to their queue. An admin lets them in again.

use shared::{error::NOT_FOUND, prelude::*};
use team::{
    membership::{LAST_ADMIN, end_membership},
    user::MemberStatus,
};

const ROUTE: Route = Route::delete("/users/{id}").fails(&[LAST_ADMIN]);

pub fn main() {
    serve(&ROUTE, delete_user);
}

async fn delete_user(context: Context, caller: Supervisor, Path(id): Path<Uuid>) -> Result<NoContent, Error> {
    let transaction = context.begin(&caller).await?;
    let change = end_membership(&transaction, &caller, id, MemberStatus::Inactive).await?;
    if !change.is_new {
        return Err(NOT_FOUND.into());
    }
    let answer = transaction.commit(NoContent).await?;
    change.close_sockets(&context).await;
    Ok(answer)
}
