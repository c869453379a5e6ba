//! PUT /users/me/password — another password for the caller, who gives the present one. Their other logins end.

use auth::{
    END_OWN_LOGINS, Revocation, RevocationReason,
    guard::{self, TOO_MANY_FAILURES},
    notices::{self, Addressee},
    password,
};
use futures_util::future::try_join;
use shared::prelude::*;

const PASSWORD_WRONG: Problem =
    Problem::new(403, "password_wrong", "A senha atual não confere.", "The present password is not right.");

const ROUTE: Route = Route::put("/users/me/password").fails(&[PASSWORD_WRONG, TOO_MANY_FAILURES]);

/// Where the session stands: what is wrong with it comes first.
const FIND: &str = "select email, name, locale, password_hash from app.find_password($1, $2, $3, $4)";

const CHANGE: &str = "select app.change_password($1, $2) as is_changed";

#[derive(Deserialize, Validate, JsonSchema)]
#[serde(deny_unknown_fields)]
struct ChangePassword {
    /// The present one.
    #[garde(length(chars, min = 1, max = 128))]
    current_password: String,
    #[garde(length(chars, min = 10, max = 128))]
    new_password: String,
}

#[derive(FromRow)]
struct Present {
    email: String,
    name: String,
    locale: String,
    password_hash: String,
}

pub fn main() {
    serve(&ROUTE, change_password);
}

async fn change_password(context: Context, caller: Member, Json(input): Json<ChangePassword>) -> Result<NoContent, Error> {
    let Identity { user_id, company_id, role, session_id } = *caller;
    let lookup = context.begin_nobody().await?;
    let present: Present = lookup.one(FIND, &[&company_id, &user_id, &role.as_str(), &session_id]).await?;
    // Hashing takes long: nothing is held open meanwhile.
    lookup.commit_quietly().await?;
    let Present { email, name, locale, password_hash } = present;
    guard::expect_failure(&context, &email).await?;
    if !password::is_right(&input.current_password, Some(&password_hash)) {
        return Err(PASSWORD_WRONG.into());
    }
    guard::take_back_failure(&context, &email).await;
    password::expect_hard_to_guess("new_password", &input.new_password, &email, &name)?;
    let hash = password::hash(&input.new_password)?;
    let transaction = context.begin(&caller).await?;
    let (changed, sessions) =
        try_join(transaction.query(CHANGE, &[&password_hash, &hash]), transaction.all(END_OWN_LOGINS, &[&None::<Uuid>])).await?;
    if !changed.first().is_some_and(|row| row.get("is_changed")) {
        // Another request was first.
        return Err(PASSWORD_WRONG.into());
    }
    let revocation = Revocation { user_id, sessions, reason: RevocationReason::PasswordChanged };
    revocation.tell_in(&transaction, company_id);
    notices::password_changed(&transaction, &Addressee { email, name, locale });
    transaction.audit(user_id, &Value::Null, &json!({"password": "changed"}));
    let answer = transaction.commit(NoContent).await?;
    revocation.spread(&context, Some(company_id)).await;
    Ok(answer)
}
