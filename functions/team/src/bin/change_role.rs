//! POST /admin/change-role/{id} — another role for a member of the staff, from this moment on.

use shared::prelude::*;
use team::{
    membership::{self, IS_STUDENT, LAST_ADMIN},
    user::User,
};

const ROUTE: Route = Route::post("/admin/change-role/{id}").fails(&[LAST_ADMIN, IS_STUDENT]);

#[derive(Deserialize, Validate, JsonSchema)]
#[serde(deny_unknown_fields)]
struct NewRole {
    #[garde(skip)]
    role: Role,
}

pub fn main() {
    serve(&ROUTE, change_role);
}

async fn change_role(
    context: Context,
    caller: SteppedUp<Admin>,
    Path(id): Path<Uuid>,
    Json(input): Json<NewRole>,
) -> Result<Json<User>, Error> {
    let transaction = context.begin(&caller).await?;
    let change = membership::change_role(&transaction, id, input.role).await?;
    let is_new = change.is_new;
    let answer = transaction.commit(Json(change.user.clone())).await?;
    if is_new {
        // Sockets open with tokens of the new role.
        change.close_sockets(&context).await;
    }
    Ok(answer)
}
