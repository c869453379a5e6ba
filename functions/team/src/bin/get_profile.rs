//! GET /users/me — the caller as the company knows them.

use shared::prelude::*;
use team::user::{USER, User};

const ROUTE: Route = Route::get("/users/me");

pub fn main() {
    serve(&ROUTE, get_profile);
}

async fn get_profile(context: Context, caller: Member) -> Result<Json<User>, Error> {
    let transaction = context.begin(&caller).await?;
    Ok(Json(transaction.one(USER, &[&caller.user_id]).await?))
}
