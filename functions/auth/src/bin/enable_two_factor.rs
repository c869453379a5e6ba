//! POST /auth/2fa/enable — a first code of the app: from now on every login asks for one. Answers recovery codes, this once.

use auth::{
    notices,
    second_factor::{self, ALREADY_ENABLED, CODE_WRONG, CodeInput, NOT_SET_UP, RecoveryCodes, TOO_MANY_CODES},
};
use shared::{mail::Template, prelude::*};

const ROUTE: Route = Route::post("/auth/2fa/enable").fails(&[NOT_SET_UP, ALREADY_ENABLED, CODE_WRONG, TOO_MANY_CODES]);

pub fn main() {
    serve(&ROUTE, enable_two_factor);
}

async fn enable_two_factor(
    context: Context,
    caller: SettingUp<Member>,
    Json(input): Json<CodeInput>,
) -> Result<Json<RecoveryCodes>, Error> {
    let transaction = context.begin(&caller).await?;
    let factor = second_factor::own(&transaction).await?.ok_or(NOT_SET_UP)?;
    if factor.is_enabled {
        return Err(ALREADY_ENABLED.into());
    }
    let transaction = second_factor::take_own_code(&context, transaction, caller.user_id, &factor, &input.code).await?;
    let codes = second_factor::new_recovery_codes(&transaction, caller.user_id);
    notices::second_factor_changed(&context, &transaction, &factor.owner, Template::TwoFactorEnabled);
    transaction.audit(caller.user_id, &json!({"two_factor": false}), &json!({"two_factor": true}));
    transaction.commit(Json(codes)).await
}
