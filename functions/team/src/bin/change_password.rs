//! PUT /users/me/password — another password for the caller, who gives the present one. Their other logins end.

use auth::guard::TOO_MANY_FAILURES;
use shared::prelude::*;
use team::own_password::{NewPassword, PASSWORD_WRONG};

const ROUTE: Route = Route::put("/users/me/password").fails(&[PASSWORD_WRONG, TOO_MANY_FAILURES]);

#[derive(Deserialize, Validate, JsonSchema)]
#[serde(deny_unknown_fields)]
struct ChangePassword {
    /// The present one.
    #[garde(length(chars, min = 1, max = 128))]
    current_password: String,
    #[garde(length(chars, min = 10, max = 128))]
    new_password: String,
}

pub fn main() {
    serve(&ROUTE, change_password);
}

async fn change_password(context: Context, caller: Member, Json(input): Json<ChangePassword>) -> Result<NoContent, Error> {
    let ChangePassword { current_password, new_password } = &input;
    let password = NewPassword::prove(&context, &caller, current_password, "new_password", new_password).await?;
    let transaction = context.begin(&caller).await?;
    let ended = password.set(&transaction, &caller).await?;
    let answer = transaction.commit(NoContent).await?;
    ended.spread(&context, Some(caller.company_id)).await;
    Ok(answer)
}
