//! POST /auth/2fa/step-up — a code for what asks for a fresh one: this session may do it for ten minutes.

use auth::second_factor::{self, CODE_WRONG, CodeInput, NOT_ENABLED, TOO_MANY_CODES};
use shared::prelude::*;

const ROUTE: Route = Route::post("/auth/2fa/step-up").fails(&[NOT_ENABLED, CODE_WRONG, TOO_MANY_CODES]);

/// Seconds for which it counts; see `app.enter`.
const LIFE: i64 = 600;

#[derive(Serialize, JsonSchema)]
struct SteppedUpSession {
    /// Seconds for which this session may do what asks for a fresh code.
    expires_in: i64,
}

pub fn main() {
    serve(&ROUTE, step_up);
}

async fn step_up(context: Context, caller: Member, Json(input): Json<CodeInput>) -> Result<Json<SteppedUpSession>, Error> {
    let transaction = context.begin(&caller).await?;
    let factor = second_factor::own(&transaction).await?.filter(|factor| factor.is_enabled).ok_or(NOT_ENABLED)?;
    let transaction = second_factor::take_own_code(&context, transaction, caller.user_id, &factor, &input.code).await?;
    transaction.audit(caller.session_id, &Value::Null, &json!({"stepped_up": true}));
    transaction.commit(Json(SteppedUpSession { expires_in: LIFE })).await
}
