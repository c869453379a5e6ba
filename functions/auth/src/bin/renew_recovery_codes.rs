//! POST /auth/2fa/recovery-codes — ten new recovery codes, shown this once; the earlier ones open nothing any more.

use auth::{
    notices,
    second_factor::{self, CODE_WRONG, CodeInput, NOT_ENABLED, RecoveryCodes, TOO_MANY_CODES},
};
use shared::{mail::Template, prelude::*};

const ROUTE: Route = Route::post("/auth/2fa/recovery-codes").fails(&[NOT_ENABLED, CODE_WRONG, TOO_MANY_CODES]);

pub fn main() {
    serve(&ROUTE, renew_recovery_codes);
}

async fn renew_recovery_codes(
    context: Context,
    caller: Member,
    Json(input): Json<CodeInput>,
) -> Result<Json<RecoveryCodes>, Error> {
    let transaction = context.begin(&caller).await?;
    let factor = second_factor::own(&transaction).await?.filter(|factor| factor.is_enabled).ok_or(NOT_ENABLED)?;
    let transaction = second_factor::take_own_code(&context, transaction, caller.user_id, &factor, &input.code).await?;
    let codes = second_factor::new_recovery_codes(&transaction, caller.user_id);
    notices::second_factor_changed(&context, &transaction, &factor.owner, Template::RecoveryCodesRenewed);
    transaction.audit(caller.user_id, &Value::Null, &json!({"recovery_codes": "renewed"}));
    transaction.commit(Json(codes)).await
}
