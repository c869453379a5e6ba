//! PUT /users/me — changes what is given of the caller: name, picture, phone, position, language, time zone.

use shared::{
    error::{FORBIDDEN, STALE},
    prelude::*,
};
use team::{
    profile::{self, ProfileChange},
    user::User,
};

const ROUTE: Route = Route::put("/users/me").or(&["PATCH /users/me"]).fails(&[STALE.showing::<User>()]);

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
    let transaction = context.begin(&caller).await?;
    let user = profile::save(&transaction, &caller, caller.user_id, &if_match, &input).await?;
    transaction.commit(Json(user)).await
}
