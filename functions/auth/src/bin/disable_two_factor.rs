//! POST /auth/2fa/disable — logins ask for no code any more, unless a company of the caller's wants them to.

use auth::{
    notices,
    second_factor::{self, CODE_WRONG, CodeInput, NOT_ENABLED, TOO_MANY_CODES},
};
use shared::{mail::Template, prelude::*};

const STILL_REQUIRED: Problem = Problem::new(
    409,
    "two_factor_still_required",
    "Uma empresa sua exige a verificação em duas etapas.",
    "A company of yours requires two-factor authentication.",
);

const ROUTE: Route = Route::post("/auth/2fa/disable").fails(&[NOT_ENABLED, STILL_REQUIRED, CODE_WRONG, TOO_MANY_CODES]);

const END: &str = "select app.end_second_factor()";

pub fn main() {
    serve(&ROUTE, disable_two_factor);
}

async fn disable_two_factor(context: Context, caller: Member, Json(input): Json<CodeInput>) -> Result<NoContent, Error> {
    let transaction = context.begin(&caller).await?;
    let factor = second_factor::own(&transaction).await?.filter(|factor| factor.is_enabled).ok_or(NOT_ENABLED)?;
    if factor.is_required {
        return Err(STILL_REQUIRED.into());
    }
    let transaction = second_factor::take_own_code(&context, transaction, caller.user_id, &factor, &input.code).await?;
    transaction.defer(END, Vec::new());
    notices::second_factor_changed(&context, &transaction, &factor.owner, Template::TwoFactorDisabled);
    transaction.audit(caller.user_id, &json!({"two_factor": true}), &json!({"two_factor": false}));
    transaction.commit(NoContent).await
}
