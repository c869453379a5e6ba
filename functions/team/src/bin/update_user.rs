//! PUT /users/{id} — changes what is given of a person: by themselves, or by those who lead them.

use shared::{
    error::{FORBIDDEN, NOT_FOUND, STALE},
    prelude::*,
};
use team::{
    membership::{LAST_ADMIN, admit, end_membership},
    profile::{self, NAME_IS_THEIRS, ProfileChange},
    user::{MemberStatus, User},
};

const ROUTE: Route =
    Route::put("/users/{id}").or(&["PATCH /users/{id}"]).fails(&[LAST_ADMIN, NAME_IS_THEIRS, STALE.showing::<User>()]);

reads!(PUBLIC_API_URL);

pub fn main() {
    serve(&ROUTE, update_user);
}

async fn update_user(
    context: Context,
    caller: Member,
    Path(id): Path<Uuid>,
    if_match: IfMatch,
    Json(input): Json<ProfileChange>,
) -> Result<Json<User>, Error> {
    let is_leader = matches!(caller.role, Role::Admin | Role::Supervisor);
    if !is_leader && (id != caller.user_id || input.is_active().is_some()) {
        // Who sees nobody else knows of nobody.
        return Err(if caller.role.is_staff() || id == caller.user_id { FORBIDDEN } else { NOT_FOUND }.into());
    }
    let transaction = context.begin(&caller).await?;
    let user = profile::save(&transaction, &caller, id, &if_match, &input).await?;
    let change = match input.is_active() {
        Some(false) if user.is_active => end_membership(&transaction, &caller, id, MemberStatus::Inactive).await?,
        Some(true) if user.status == MemberStatus::Inactive => admit(&transaction, id, MemberStatus::Inactive, None).await?,
        _ => return transaction.commit(Json(user)).await,
    };
    let answer = transaction.commit(Json(change.user.clone())).await?;
    change.close_sockets(&context).await;
    Ok(answer)
}
