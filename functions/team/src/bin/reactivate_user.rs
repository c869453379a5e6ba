//! POST /admin/reactivate-user/{id} — lets a deactivated member in again, with their role and in their departments.

use shared::prelude::*;
use team::{
    membership::admit,
    user::{MemberStatus, User},
};

const ROUTE: Route = Route::post("/admin/reactivate-user/{id}");

pub fn main() {
    serve(&ROUTE, reactivate_user);
}

async fn reactivate_user(context: Context, caller: Admin, Path(id): Path<Uuid>) -> Result<Json<User>, Error> {
    let transaction = context.begin(&caller).await?;
    let change = admit(&transaction, id, MemberStatus::Inactive, None).await?;
    transaction.commit(Json(change.user)).await
}
