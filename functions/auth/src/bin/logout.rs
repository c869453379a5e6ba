//! POST /auth/logout — ends this login at once, in every company it has entered: its next request answers 401 and its sockets close.

use auth::{END_FAMILY, Revocation, RevocationReason};
use shared::prelude::*;

const ROUTE: Route = Route::post("/auth/logout");

pub fn main() {
    serve(&ROUTE, logout);
}

async fn logout(context: Context, caller: SettingUp<Member>) -> Result<NoContent, Error> {
    let transaction = context.begin(&caller).await?;
    let sessions = transaction.all(END_FAMILY, &[&caller.session_id]).await?;
    let revocation = Revocation { user_id: caller.user_id, sessions, reason: RevocationReason::Logout };
    revocation.tell_in(&transaction, caller.company_id);
    let answer = transaction.commit(NoContent).await?;
    revocation.spread(&context, Some(caller.company_id)).await;
    Ok(answer)
}
