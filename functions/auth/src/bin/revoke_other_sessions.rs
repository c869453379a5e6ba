//! DELETE /auth/sessions — ends all logins of the caller's but the one that asks, in every company.

use auth::{END_OWN_LOGINS, Revocation, RevocationReason};
use shared::prelude::*;

const ROUTE: Route = Route::delete("/auth/sessions");

pub fn main() {
    serve(&ROUTE, revoke_other_sessions);
}

async fn revoke_other_sessions(context: Context, caller: Member) -> Result<NoContent, Error> {
    let transaction = context.begin(&caller).await?;
    let sessions = transaction.all(END_OWN_LOGINS, &[&None::<Uuid>]).await?;
    let revocation = Revocation { user_id: caller.user_id, sessions, reason: RevocationReason::Revoked };
    revocation.tell_in(&transaction, caller.company_id);
    transaction.audit(caller.user_id, &Value::Null, &json!({"ended": revocation.sessions.len()}));
    let answer = transaction.commit(NoContent).await?;
    revocation.spread(&context, Some(caller.company_id)).await;
    Ok(answer)
}
