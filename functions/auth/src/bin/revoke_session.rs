//! DELETE /auth/sessions/{id} — ends one of the caller's logins at once, in every company: its sockets close, its tokens open nothing.

use auth::{END_OWN_LOGINS, Revocation, RevocationReason};
use shared::{error::NOT_FOUND, prelude::*};

const ROUTE: Route = Route::delete("/auth/sessions/{id}");

pub fn main() {
    serve(&ROUTE, revoke_session);
}

async fn revoke_session(context: Context, caller: Member, Path(id): Path<Uuid>) -> Result<NoContent, Error> {
    let transaction = context.begin(&caller).await?;
    let sessions = transaction.all(END_OWN_LOGINS, &[&Some(id)]).await?;
    let revocation = Revocation { user_id: caller.user_id, sessions, reason: RevocationReason::Revoked };
    if revocation.sessions.is_empty() {
        return Err(NOT_FOUND.into());
    }
    revocation.tell_in(&transaction, caller.company_id);
    transaction.audit(id, &Value::Null, &json!({"ended": revocation.sessions.len()}));
    let answer = transaction.commit(NoContent).await?;
    revocation.spread(&context, Some(caller.company_id)).await;
    Ok(answer)
}
