//! GET /users/{id} — one of the company's people.

use shared::prelude::*;
use team::user::{USER, User};

const ROUTE: Route = Route::get("/users/{id}");

pub fn main() {
    serve(&ROUTE, get_user);
}

async fn get_user(context: Context, caller: Staff, Path(id): Path<Uuid>) -> Result<Json<User>, Error> {
    let transaction = context.begin(&caller).await?;
    Ok(Json(transaction.one(USER, &[&id]).await?))
}
