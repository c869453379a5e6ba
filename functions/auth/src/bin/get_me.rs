//! GET /auth/me — the caller in their active company: role, permissions and feature flags.

use auth::{ME, Me, Profile};
use shared::prelude::*;

const ROUTE: Route = Route::get("/auth/me");

pub fn main() {
    serve(&ROUTE, get_me);
}

async fn get_me(context: Context, caller: SettingUp<Member>) -> Result<Json<Me>, Error> {
    let transaction = context.begin(&caller).await?;
    let profile: Profile = transaction.one(ME, &[]).await?;
    Ok(Json(Me { profile, permissions: auth::permissions(caller.role) }))
}
