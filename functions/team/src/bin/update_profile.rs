//! PUT /users/me — changes what is given of the caller: name, picture, phone, position, language, time zone, password.

use auth::guard::TOO_MANY_FAILURES;
use shared::{
    error::{FORBIDDEN, STALE},
    files::QUARANTINED,
    prelude::*,
};
use team::{
    own_password::PASSWORD_WRONG,
    profile::{self, ProfileChange},
    user::User,
};

const ROUTE: Route = Route::put("/users/me").or(&["PATCH /users/me"]).fails(&[
    PASSWORD_WRONG,
    QUARANTINED,
    TOO_MANY_FAILURES,
    STALE.showing::<User>(),
]);

reads!(PUBLIC_API_URL);

pub fn main() {
    serve(&ROUTE, update_profile);
}

async fn update_profile(
    context: Context,
    caller: Member,
    if_match: IfMatch,
    Json(input): Json<ProfileChange>,
) -> Result<Json<User>, Error> {
    if input.is_active() == Some(false) {
        // Nobody goes out by way of their profile.
        return Err(FORBIDDEN.into());
    }
    let password = input.new_password(&context, &caller, caller.user_id).await?;
    let transaction = context.begin(&caller).await?;
    let user = profile::save(&transaction, &caller, caller.user_id, &if_match, &input).await?;
    let Some(password) = password else { return transaction.commit(Json(user)).await };
    let ended = password.set(&transaction, &caller).await?;
    let answer = transaction.commit(Json(user)).await?;
    ended.spread(&context, Some(caller.company_id)).await;
    Ok(answer)
}
