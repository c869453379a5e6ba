//! PUT /users/{id} — changes what is given of a person: by themselves, or by those who lead them.

use auth::guard::TOO_MANY_FAILURES;
use shared::{
    error::{FORBIDDEN, NOT_FOUND, STALE},
    files::QUARANTINED,
    prelude::*,
};
use team::{
    membership::{LAST_ADMIN, admit, end_membership},
    own_password::PASSWORD_WRONG,
    profile::{self, NAME_IS_THEIRS, PASSWORD_IS_THEIRS, ProfileChange},
    user::{MemberStatus, User},
};

const ROUTE: Route = Route::put("/users/{id}").or(&["PATCH /users/{id}"]).fails(&[
    LAST_ADMIN,
    NAME_IS_THEIRS,
    PASSWORD_IS_THEIRS,
    PASSWORD_WRONG,
    QUARANTINED,
    TOO_MANY_FAILURES,
    STALE.showing::<User>(),
]);

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
    let password = input.new_password(&context, &caller, id).await?;
    let transaction = context.begin(&caller).await?;
    let user = profile::save(&transaction, &caller, id, &if_match, &input).await?;
    let ended = match &password {
        Some(password) => Some(password.set(&transaction, &caller).await?),
        None => None,
    };
    let change = match input.is_active() {
        Some(false) if user.is_active => Some(end_membership(&transaction, &caller, id, MemberStatus::Inactive).await?),
        Some(true) if user.status == MemberStatus::Inactive => Some(admit(&transaction, id, MemberStatus::Inactive, None).await?),
        _ => None,
    };
    let user = change.as_ref().map_or(user, |change| change.user.clone());
    let answer = transaction.commit(Json(user)).await?;
    if let Some(change) = change {
        change.close_sockets(&context).await;
    }
    if let Some(ended) = ended {
        ended.spread(&context, Some(caller.company_id)).await;
    }
    Ok(answer)
}
